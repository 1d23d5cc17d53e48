import * as v from 'valibot';
import { UserError } from '../errors.ts';
import { sha256 } from '../util/hash.ts';

export const MANIFEST = 'manifest.json';

const metrics = v.object({ rmse: v.number(), mae: v.number() });

/**
 * Version of the manifest and of the files that it lists. This version and all older ones are read; a newer one is
 * refused. A change that an older reader would misunderstand gets the next number, an entry in `UPGRADES`, and a model
 * of the old format in `test/support/artifacts`.
 */
export const FORMAT = 2;

type Json = Readonly<Record<string, unknown>>;

/** What turns a manifest of a format into one of the next, from format 1 on. */
const UPGRADES: readonly ((manifest: Json) => Json)[] = [
  // 2: some choices have other names.
  ({ model, training, ...others }) => {
    const { config, ...named } = model as { config: Json };
    return {
      ...others,
      model: { ...named, config: renamed(config, { spread: 'initialStd' }) },
      training: renamed(training as Json, { batch: 'batchSize', lazy: 'sparseUpdates' }),
    };
  },
];

const renamed = (from: Json, names: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(Object.entries(from).map(([name, value]) => [names[name] ?? name, value]));

/** What `manifest.json` says of the files beside it. */
const manifestSchema = v.object({
  format: v.literal(FORMAT),
  cofactor: v.string(),
  model: v.object({ name: v.string(), config: v.record(v.string(), v.unknown()) }),
  data: v.object({
    users: v.number(),
    items: v.number(),
    ratings: v.number(),
    low: v.number(),
    high: v.number(),
    mean: v.number(),
    /** SHA-256 of the ids and ratings that the model was trained on and chosen by. */
    fingerprint: v.string(),
  }),
  training: v.record(v.string(), v.unknown()),
  /** How the numbers of large tables are kept: float32 when absent. */
  precision: v.optional(v.string()),
  history: v.array(v.object({ loss: v.number(), valid: v.optional(metrics) })),
  metrics: v.object({ train: v.object({ rmse: v.number() }), valid: v.optional(metrics) }),
  /** What it was trained on: the CPU when absent. */
  device: v.optional(v.string()),
  libraries: v.record(v.string(), v.string()),
  files: v.record(
    // Only plain names: a manifest must not lead a reader out of its folder.
    v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]*$/)),
    v.object({
      bytes: v.number(),
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      /** The most rows of a request in one run, which bounds the memory that it takes. */
      batch: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
    }),
  ),
});

export type Manifest = v.InferOutput<typeof manifestSchema>;

/** Files by name, beside the manifest that lists them. */
export interface Artifact {
  readonly manifest: Manifest;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** `predict` for `predict.onnx`; undefined for what is no head, the training graph too. */
export function headOf(file: string): string | undefined {
  const name = /^(.+)\.onnx$/.exec(file)?.[1];
  return name === 'train' ? undefined : name;
}

/**
 * @param place where it is from, for messages
 * @throws UserError if it is none
 */
export function parseManifest(bytes: Uint8Array, place: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new UserError('model', `${place}: is not JSON; train the model again`);
  }
  const result = v.safeParse(manifestSchema, upgraded(json, place));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new UserError(
    'model',
    `${place}: ${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}; train the model again`,
  );
}

/** A manifest of an older format in today's. What is no manifest stays as it is, and is refused later. */
function upgraded(json: unknown, place: string): unknown {
  const { format } = (json ?? {}) as { format?: unknown };
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1) return json;
  if (format > FORMAT)
    throw new UserError(
      'model',
      `${place}: has format ${format}, and this version of cofactor reads formats up to ${FORMAT}; install a newer version`,
    );
  try {
    const current = UPGRADES.slice(format - 1).reduce((manifest, upgrade) => upgrade(manifest), json as Json);
    return { ...current, format: FORMAT };
  } catch {
    return json;
  }
}

/** The files that serve, and none that only train. @param heads those that are wanted; all when absent */
export const servedFiles = ({ files }: Manifest, heads?: readonly string[]): string[] =>
  Object.keys(files).filter((name) => {
    const head = headOf(name);
    // What is no head is small; but the training graph serves nothing.
    return head === undefined ? !name.endsWith('.onnx') : (heads?.includes(head) ?? true);
  });

/**
 * @param place where the file is from, for messages
 * @throws UserError if it is not the one that the manifest lists
 */
export async function checkFile(
  { files }: Manifest,
  name: string,
  bytes: Uint8Array,
  place: string,
): Promise<void> {
  if ((await sha256(bytes)) !== files[name].sha256)
    throw new UserError(
      'model',
      `${place}: does not match ${MANIFEST}: it was changed or cut off; train it again`,
    );
}

import * as v from 'valibot';
import { UserError } from '../errors.ts';
import { sha256 } from '../util/hash.ts';
import { FORMAT, upgraded } from './format.ts';

export const MANIFEST = 'manifest.json';

const metrics = v.object({ rmse: v.number(), mae: v.number() });

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
 * The file of a head, such as `predict`.
 *
 * @throws UserError if the model lacks it, or it was not loaded
 */
export function headFile({ manifest, files }: Artifact, head: string): Uint8Array {
  const name = `${head}.onnx`;
  if (files[name]) return files[name];
  throw new UserError(
    'model',
    manifest.files[name]
      ? `${name} was not loaded; name "${head}" in heads, or leave out heads`
      : `the model has no ${name}; train it again to get one`,
  );
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

import * as v from 'valibot';
import { UserError } from '../errors.ts';
import { sha256 } from '../util/hash.ts';
import type { Expected } from '../util/options.ts';
import { asPage, COPY_AGAIN, parseJson } from './damage.ts';
import { FORMAT, upgraded } from './format.ts';
import { judgementSchema } from './judgement.ts';

export const MANIFEST = 'manifest.json';

/** The heads that a model may have. */
export const HEADS = [
  'predict',
  'recommend',
  'similar',
  'fold-in',
  'fold-in-many',
  'factors',
  'seen',
] as const;

export type HeadName = (typeof HEADS)[number];

/** Training graphs: of the first part, and of the part that ranks beside it. */
export const TRAINING_GRAPHS = ['train.onnx', 'train-ranking.onnx'] as const;

/** Whether a model may have a file of this name. */
export const isOfModel = (name: string): boolean =>
  ([MANIFEST, 'items.json', 'titles.json', ...TRAINING_GRAPHS] as readonly string[]).includes(name) ||
  HEADS.some((head) => name === `${head}.onnx`);

/** Who may read a file: everyone, if it is about items alone; `private` if anything in it is about users. */
export type Access = 'public' | 'private';

/** The public files. Fold-in has a row of its own in place of each table of users, whatever the formula. */
const PUBLIC: readonly string[] = [
  ...['similar.onnx', 'fold-in.onnx', 'fold-in-many.onnx', 'factors.onnx', 'items.json', 'titles.json'],
  ...TRAINING_GRAPHS,
];

/** The mark of a file; for a new file, and in a manifest without marks, by its name. What is not known to be public is private. */
export const accessOf = (name: string, { access }: { readonly access?: Access | undefined } = {}): Access =>
  access ?? (PUBLIC.includes(name) ? 'public' : 'private');

export const IS_MODEL = 'is this the folder of a trained model?';

/** A manifest has a few kilobytes, and a line for each epoch. */
export const MOST_MANIFEST_BYTES = 2e6;

/** An ONNX file cannot be larger. */
const MOST_FILE_BYTES = 2 ** 31;
const MOST_FILES = 100;
/** Rows of a request in one run, at most. */
export const MOST_ROWS = 8192;

const size = v.pipe(v.number(), v.integer(), v.minValue(0));
// Not v.record, which leaves out names such as "constructor".
const weights = v.custom<Readonly<Record<string, number>>>(
  (value) =>
    typeof value === 'object' && value !== null && Object.values(value).every((one) => Number.isFinite(one)),
  'is no object of numbers by event',
);

/** What the columns and events of interactions mean. */
export const readingSchema = v.object({
  countColumn: v.optional(v.string()),
  eventColumn: v.optional(v.string()),
  eventWeights: v.optional(weights),
  leaveOut: v.optional(v.pipe(v.array(v.string()), v.readonly())),
});

export type Reading = v.InferOutput<typeof readingSchema>;

export const someReading: Expected = {
  fits: (value) => v.is(readingSchema, value),
  give: 'an object of countColumn, eventColumn, eventWeights and leaveOut, as readRatings takes them',
};

const optional = v.optional(v.number());
const measures = v.object({ rmse: optional, mae: optional, ndcg: optional, precision: optional });

/** What is recorded of the training for one objective. */
const part = {
  model: v.object({ name: v.string(), config: v.record(v.string(), v.unknown()) }),
  /** Its `objective` is `rating` or `ranking`. */
  training: v.looseObject({ objective: v.picklist(['rating', 'ranking']) }),
  history: v.pipe(v.array(v.object({ loss: v.number(), valid: v.optional(measures) })), v.minLength(1)),
  metrics: v.object({
    train: v.optional(v.object({ rmse: v.number() })),
    valid: v.optional(measures),
  }),
};

/** The content of `manifest.json`. */
const manifestSchema = v.object({
  format: v.literal(FORMAT),
  cofactor: v.string(),
  ...part,
  /** The part that ranks, of a model that was trained for both objectives. */
  ranking: v.optional(v.object(part)),
  data: v.pipe(
    v.object({
      kind: v.picklist(['ratings', 'interactions']),
      users: size,
      items: size,
      /** Number of ratings, or of interactions. */
      ratings: size,
      low: v.number(),
      high: v.number(),
      mean: v.number(),
      /** SHA-256 of the ids and ratings of the training and validation data. */
      fingerprint: v.string(),
      /** What an item is called, such as `movie`; absent where the data do not say it. */
      noun: v.optional(v.pipe(v.string(), v.regex(/^[a-z]{2,20}$/))),
      /** How interactions were read, for more data of this kind. */
      reading: v.optional(readingSchema),
    }),
    v.check(({ low, high }) => low <= high, 'low is above high'),
  ),
  /** How good the recipe is on held-out data; absent if nothing was held out. */
  judged: v.optional(judgementSchema),
  /** Type of the numbers in large tables. Default: float32. */
  precision: v.optional(v.string()),
  /** Device of the training. Default: the CPU. */
  device: v.optional(v.string()),
  libraries: v.record(v.string(), v.string()),
  files: v.pipe(
    v.record(
      // Only plain names, so that a manifest cannot lead a reader out of its folder.
      v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]*$/)),
      v.object({
        bytes: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MOST_FILE_BYTES)),
        sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
        /** Most rows of a request in one run, which bounds its memory. */
        batch: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_ROWS))),
        /** Default: see `accessOf` */
        access: v.optional(v.picklist(['public', 'private'])),
      }),
    ),
    v.check((files) => Object.keys(files).length <= MOST_FILES, `there are more than ${MOST_FILES}`),
  ),
});

export type Manifest = v.InferOutput<typeof manifestSchema>;

/** The training for one objective. */
export type TrainedPart = Pick<Manifest, keyof typeof part>;

/** What a model was trained for: to predict ratings, to rank items, or one model for each. */
export type TrainedFor = 'rating' | 'ranking' | 'both';

export const trainedFor = ({ training, ranking }: Manifest): TrainedFor =>
  ranking ? 'both' : training.objective;

/** The parts of a model by objective. */
export function partsOf(manifest: Manifest): {
  readonly rating?: TrainedPart;
  readonly ranking?: TrainedPart;
} {
  return { [manifest.training.objective]: manifest, ...(manifest.ranking && { ranking: manifest.ranking }) };
}

/** The files of a model by name, and the manifest that lists them. */
export interface Artifact {
  readonly manifest: Manifest;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** `predict` for `predict.onnx`; undefined for other files, and for training graphs. */
export function headOf(file: string): string | undefined {
  const name = /^(.+)\.onnx$/.exec(file)?.[1];
  return name?.startsWith('train') ? undefined : name;
}

/**
 * The file of a head, such as `predict`.
 *
 * @throws UserError if the model lacks it, or it was not loaded
 */
export function headFile({ manifest, files }: Artifact, head: string): Uint8Array {
  const name = `${head}.onnx`;
  if (files[name]) return files[name];
  const listed = manifest.files[name];
  throw new UserError(
    'model',
    !listed
      ? `the model has no ${name}; load the folder that training wrote, not its public part or a site, or train it again (item-item has no factors)`
      : accessOf(name, listed) === 'private'
        ? `${name} is about users and was not loaded; name "${head}" in heads, or give private: true without heads`
        : `${name} was not loaded; name "${head}" in heads, or leave out heads`,
  );
}

/**
 * Reads a manifest.
 *
 * @param source its path or address, for messages
 * @throws UserError if it is not a manifest of this or an older format, or too large
 */
export function parseManifest(bytes: Uint8Array, source: string): Manifest {
  if (bytes.length > MOST_MANIFEST_BYTES)
    throw new UserError('model', `${source}: is larger than any manifest; ${IS_MODEL}`);
  const json = parseJson(bytes, source, IS_MODEL);
  if (isDeep(json, DEEPEST)) throw new UserError('model', `${source}: is nested too deeply; ${IS_MODEL}`);
  const result = v.safeParse(manifestSchema, upgraded(json, source));
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? 'format';
  // Other programs, too, have a manifest.json.
  const remedy = where === 'format' ? IS_MODEL : 'train the model again';
  throw new UserError('model', `${source}: ${where}: ${issue.message}; ${remedy}`);
}

/** Levels of a manifest; the config of a model may have some. */
const DEEPEST = 32;

const isDeep = (json: unknown, levels: number): boolean =>
  typeof json === 'object' &&
  json !== null &&
  (levels === 0 || Object.values(json).some((value) => isDeep(value, levels - 1)));

/** Names of heads, or a function that chooses some of those that may be read. */
export type ChosenHeads = readonly string[] | ((all: readonly string[]) => readonly string[]);

/** Which files of a model are read or fetched. */
export interface ServedOptions {
  /**
   * Heads to read or fetch, such as `predict`, or a function that chooses some. A private head that is named is asked for. `recommend`
   * comes with `seen`, which tells what it must leave out. @default all, of those that `private` allows
   */
  readonly heads?: ChosenHeads | undefined;
  /** Whether also private files are read or fetched, which are about users. @default false */
  readonly private?: boolean | undefined;
}

/** Names of the private files, which are about users. */
export const privateFiles = ({ files }: Manifest): string[] =>
  Object.keys(files).filter((name) => accessOf(name, files[name]) === 'private');

/**
 * Names of the files that serve: the heads and small files, without the training graph.
 *
 * @throws UserError for a head that the model does not have
 */
export function servedFiles(manifest: Manifest, options: ServedOptions = {}): string[] {
  const names = Object.keys(manifest.files);
  const hidden = options.private ? [] : privateFiles(manifest);
  const shown = names.filter((name) => !hidden.includes(name));
  const [all, open] = [names, shown].map((files) => files.flatMap((name) => headOf(name) ?? []));
  const heads = typeof options.heads === 'function' ? options.heads(open) : options.heads;
  const unknown = heads?.find((head) => !all.includes(head));
  if (unknown !== undefined)
    throw new UserError('argument', `the model has no head "${unknown}"; it has ${all.join(', ')}`);
  const wanted = new Set(heads ?? open);
  if (wanted.has('recommend')) wanted.add('seen');
  return names.filter((name) => {
    const head = headOf(name);
    return head === undefined ? !name.endsWith('.onnx') && shown.includes(name) : wanted.has(head);
  });
}

/**
 * Checks a file against its size and its SHA-256 in the manifest.
 *
 * @param source the file's path or address, for messages
 * @throws UserError if they differ, with the cause
 */
export async function checkFile(
  { files }: Manifest,
  name: string,
  bytes: Uint8Array,
  source: string,
): Promise<void> {
  const { bytes: size, sha256: sum } = files[name];
  const { length } = bytes;
  if (length === size && (await sha256(bytes)) === sum) return;
  const was =
    length < size
      ? `has ${length} of the ${size} bytes that ${MANIFEST} lists: it was cut off`
      : length > size
        ? `has more than the ${size} bytes that ${MANIFEST} lists: it was changed`
        : `does not match ${MANIFEST}: it was changed`;
  throw new UserError('model', `${source}: ${asPage(bytes) ?? `${was}; ${COPY_AGAIN}`}`);
}

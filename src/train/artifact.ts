import { isByWeights } from '../../graphs/heads/serving.ts';
import { FORMAT } from '../artifact/format.ts';
import { buildHeads } from '../artifact/heads.ts';
import type { Judgement } from '../artifact/judgement.ts';
import {
  type Artifact,
  accessOf,
  type Manifest,
  type Reading,
  TRAINING_GRAPHS,
  type TrainedPart,
} from '../artifact/manifest.ts';
import type { Dataset } from '../data/dataset/dataset.ts';
import { UserError } from '../errors.ts';
import { PRECISIONS, type Precision } from '../onnx/compress.ts';
import { encodeModel, GraphError, type ModelFile } from '../onnx/index.ts';
import { sha256 } from '../util/hash.ts';
import { mapValues } from '../util/map-values.ts';
import { VERSION } from '../version.ts';
import { epochGraphOfAnySize } from './engines/epoch/graph.ts';
import { type FitResult, partsOf } from './fit.ts';

/** What a model's files contain beside its parameters. */
export interface ExportOptions {
  /**
   * Number type of large tables: 'float16' and 'int8' make smaller files. Default: 'float32', but 'float16' in the files of a
   * model that ranks which a page downloads
   */
  readonly precision?: Precision | undefined;
  /**
   * Keeps which items each user rated or has in training, so that recommendations leave them out. It takes 2 or 4 bytes each.
   * Default: true up to 50 million, and for `item-item`, whose files hold what users have anyway
   */
  readonly seen?: boolean | undefined;
  /** What an item is called, such as `movie`, as `readRatings` found it; pages say it. Default: not stored */
  readonly noun?: string | undefined;
  /** How good the recipe is on held-out data, as `Fitted.judge` says; stored in the manifest. Default: not stored */
  readonly judged?: Judgement | undefined;
  /** How interactions were read, which `cofactor evaluate` and `cofactor report` take as defaults for more. Default: not stored */
  readonly reading?: Reading | undefined;
  /** Titles by item id, such as those of `readItems`. Default: none */
  readonly titles?: ReadonlyMap<string, string> | undefined;
  /** Genres by item id. Default: none */
  readonly genres?: ReadonlyMap<string, readonly string[]> | undefined;
}

/**
 * Makes the files that serve a model.
 *
 * @throws UserError for an unknown precision
 */
export async function artifactOf(fitted: FitResult, options: ExportOptions = {}): Promise<Artifact> {
  const { data, runtime, rating, ranking } = fitted;
  const { precision, titles, genres, reading, noun, judged, seen = keepsSeen(fitted) } = options;
  if (precision && !PRECISIONS.includes(precision))
    throw new UserError('argument', `precision is "${precision}"; give one of ${PRECISIONS.join(', ')}`);
  const heads = await buildHeads({
    rating: rating && {
      model: rating.model,
      trained: rating.parameters,
      error: rating.metrics.valid?.rmse ?? (rating.metrics.train?.rmse as number),
      clip: rating.clip,
    },
    ranking: ranking?.serving,
    vocabulary: data,
    runtime,
    metadata: { cofactor: VERSION },
    precision,
    seen: seen ? await data.toLeaveOut() : undefined,
  });
  if (titles) heads['titles.json'] = { bytes: titlesFile(titles, data.itemIds) };
  heads['items.json'] = { bytes: itemsFile(data, genres) };
  const graphs = [
    ...(rating ? [() => epochGraphOfAnySize(rating).file] : []),
    ...(ranking?.graph ? [ranking.graph] : []),
  ];
  for (const [index, build] of graphs.entries()) {
    const bytes = trainingGraph(build);
    if (bytes) heads[TRAINING_GRAPHS[index]] = { bytes };
  }
  const [first, second] = partsOf(fitted);
  const files: Manifest['files'] = {};
  for (const [name, { bytes, batch }] of Object.entries(heads))
    files[name] = {
      bytes: bytes.length,
      sha256: await sha256(bytes),
      ...(batch && { batch }),
      access: accessOf(name),
    };
  const manifest: Manifest = {
    format: FORMAT,
    cofactor: VERSION,
    ...recorded(first),
    ...(second && { ranking: recorded(second) }),
    data: {
      kind: 'ratings',
      ...data.facts,
      fingerprint: fitted.fingerprint,
      ...(noun !== undefined && { noun }),
      ...(reading && data.facts.kind === 'interactions' && storedReading(reading)),
    },
    // The manifest names a device on which the same seed may give other bytes.
    ...(runtime.device && runtime.device !== 'cpu' && { device: runtime.device }),
    libraries: { ...fitted.libraries },
    ...(judged && { judged }),
    ...(precision && { precision }),
    files,
  };
  return { manifest, files: mapValues(heads, ({ bytes }) => bytes) };
}

/** More would make a large file. */
const MOST_SEEN = 50_000_000;

/** Whether what users have is kept where nobody says. */
const keepsSeen = ({ data, ranking }: FitResult): boolean =>
  data.facts.ratings <= MOST_SEEN || (ranking !== undefined && isByWeights(ranking.serving));

const recorded = ({ plan, history, metrics }: ReturnType<typeof partsOf>[0]): TrainedPart => ({
  model: { ...plan.model },
  training: { ...plan.training },
  history: [...history],
  metrics,
});

/** What the manifest says of how interactions were read: nothing, if they were read by default. */
function storedReading({ countColumn, eventColumn, eventWeights, leaveOut }: Reading): { reading?: Reading } {
  const reading = { countColumn, eventColumn, eventWeights, leaveOut };
  const given = Object.entries(reading).filter(([, value]) => value !== undefined);
  return given.length > 0 ? { reading: Object.fromEntries(given) } : {};
}

/** A training graph for any number of users and items; undefined for a formula that needs to know these numbers. */
function trainingGraph(build: () => ModelFile): Uint8Array | undefined {
  try {
    return encodeModel(build());
  } catch (error) {
    if (error instanceof GraphError) return undefined;
    throw error;
  }
}

const titlesFile = (titles: ReadonlyMap<string, string>, itemIds: readonly string[]): Uint8Array =>
  jsonFile(Object.fromEntries(itemIds.filter((id) => titles.has(id)).map((id) => [id, titles.get(id)])));

function itemsFile(
  { itemIds, itemCounts, itemAverages, facts }: Dataset,
  genres?: ReadonlyMap<string, readonly string[]>,
): Uint8Array {
  return jsonFile({
    item: itemIds,
    count: Array.from(itemCounts),
    ...(facts.kind !== 'interactions' && {
      average: Array.from(itemAverages, (average) => Number(average.toFixed(3))),
    }),
    ...(genres && { genres: itemIds.map((id) => genres.get(id) ?? []) }),
  });
}

const jsonFile = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value)}\n`);

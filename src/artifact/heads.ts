import { factorsGraph } from '../../graphs/heads/factors.ts';
import { foldInGraph, foldInManyGraph } from '../../graphs/heads/fold-in.ts';
import { predictGraph } from '../../graphs/heads/predict.ts';
import { recommendGraph } from '../../graphs/heads/recommend.ts';
import { seenGraph } from '../../graphs/heads/seen.ts';
import {
  isByWeights,
  type Parts,
  predictor,
  type RankingPart,
  type RatingPart,
  ranker,
  type Vocabulary,
} from '../../graphs/heads/serving.ts';
import { similarGraph } from '../../graphs/heads/similar.ts';
import { compressed, type Precision } from '../onnx/compress.ts';
import { precomputed } from '../onnx/constants.ts';
import { nodesBefore } from '../onnx/graph.ts';
import {
  buildModel,
  encodeModel,
  GraphError,
  type ModelParts,
  type TensorData,
  type Value,
} from '../onnx/index.ts';
import type { Constant } from '../onnx/value.ts';
import type { Runtime } from '../run/runtime.ts';
import { type HeadName, MOST_ROWS } from './manifest.ts';

/** One model, or one for each objective. At least one is given. */
export interface HeadParts {
  /** Predicts ratings and, where there is no other, also ranks. */
  readonly rating?: RatingPart | undefined;
  /** Ranks. */
  readonly ranking?: RankingPart | undefined;
  readonly vocabulary: Vocabulary;
  /** Runs the graphs that can be computed before the files are written. */
  readonly runtime: Runtime;
  /** Facts that go into the metadata of each file, beside the name and the choices of its model, and its objective. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Type of the numbers in large tables. Default: see `precisionOf` */
  readonly precision?: Precision | undefined;
  /** Which users rated which items, by row: kept in `seen.onnx`, so that recommendations can leave rated items out. */
  readonly seen?: { readonly users: Int32Array; readonly items: Int32Array };
}

export interface Head {
  readonly bytes: Uint8Array;
  /** Most rows of a request in one run, which bounds its memory. */
  readonly batch?: number;
}

/** Floats in the largest tensor of a run. A tensor that fits into the processor's cache is fastest (measured: 2 to 4 MB). */
const LARGEST = 3 << 18;

/**
 * The `.onnx` files that serve a trained model, by name. `predict` comes from the model of ratings, the others from the one
 * that ranks; where there is one alone, it does both.
 */
export async function buildHeads(given: HeadParts): Promise<Record<string, Head>> {
  const { vocabulary, runtime, seen } = given;
  const models = partsOf(given);
  const ranks = ranker(models);
  const graphs: Record<HeadName, ModelParts | undefined> = {
    predict: predictGraph(models, vocabulary),
    recommend: recommendGraph(models, vocabulary),
    similar: similarGraph(ranks, vocabulary),
    'fold-in': foldInGraph(models, vocabulary),
    'fold-in-many': models.ranking && foldInManyGraph(models.ranking, vocabulary),
    factors: factorsGraph(ranks, vocabulary),
    seen: seen && seenGraph(vocabulary, seen.users, seen.items),
  };
  const heads: Record<string, Head> = {};
  const padding = Math.max(
    seen ? mostOften(seen.users, vocabulary.userIds.length) : 1,
    isByWeights(ranks) ? longest(ranks.lists.starts) : 1,
  );
  for (const [name, graph] of Object.entries(graphs)) {
    if (!graph) continue;
    const precision = given.precision ?? precisionOf(name, given);
    const parts = compressed(await precomputed(graph, (values) => evaluate(values, runtime)), precision);
    const metadata = {
      ...given.metadata,
      ...factsAbout(name === 'predict' ? predictor(models) : ranker(models)),
    };
    const bytes = encodeModel(buildModel({ ...parts, metadata }));
    heads[`${name}.onnx`] = { bytes, batch: rowsPerRun(parts, padding) };
  }
  return heads;
}

function partsOf({ rating, ranking }: HeadParts): Parts {
  if (rating) return ranking ? { rating, ranking } : { rating };
  if (ranking) return { ranking };
  throw new GraphError('there is no model to serve');
}

/** Metadata of a file: its model, and the objective that its answers come from. */
const factsAbout = (part: RatingPart | RankingPart): Record<string, string> => ({
  model: part.model.name,
  config: JSON.stringify(part.model.config),
  objective: 'error' in part ? 'rating' : 'ranking',
});

/**
 * Heads that a page downloads have half the size if a model ranks, because its tables are wide. Rankings on MovieLens 100K have
 * the same NDCG at 10 with float16, to four digits. All heads of a model of weights have it, so that a known user's list gives
 * their recommendations exactly.
 */
const precisionOf = (head: string, { ranking }: HeadParts): Precision =>
  ranking && (isByWeights(ranking) || ['similar', 'fold-in', 'fold-in-many', 'factors'].includes(head))
    ? 'float16'
    : 'float32';

async function evaluate(values: Readonly<Record<string, Value>>, runtime: Runtime): Promise<Constant[]> {
  const file = buildModel({ name: 'constants', inputs: [], outputs: values });
  const session = await runtime.createSession(encodeModel(file), { threads: 1 });
  const results = await session.run({});
  await session.release();
  return Object.entries(values).map(([name, { dtype }]) => {
    const { dims, data } = results[name];
    return { dtype, dims, data: data as TensorData };
  });
}

/** Count of the most frequent number, of those below `limit`. */
function mostOften(numbers: Int32Array, limit: number): number {
  const counts = new Int32Array(limit);
  for (const number of numbers) counts[number]++;
  return counts.reduce((most, count) => Math.max(most, count), 1);
}

/** Length of the longest list. */
export const longest = (starts: Int32Array): number =>
  starts.reduce((most, start, at) => Math.max(most, start - (starts[at - 1] ?? 0)), 1);

/**
 * Rows of a request that fit into one run; undefined for a head that takes no rows.
 *
 * @param padding length of the longest list in a padded string[n, m]
 */
export function rowsPerRun({ inputs, outputs }: ModelParts, padding: number): number | undefined {
  if (!inputs.some(({ dims }) => dims[0] === 'n')) return undefined;
  const widths = nodesBefore(Object.values(outputs))
    .flatMap((node) => node.outputs)
    .filter(({ dims }) => /^n\b/.test(String(dims[0])))
    .map(({ dims }) =>
      dims
        .join('*')
        .split('*')
        .reduce((size, dim) => size * (dim === 'm' ? padding : Number(dim) || 1), 1),
    );
  return Math.max(1, Math.min(MOST_ROWS, Math.floor(LARGEST / Math.max(...widths))));
}

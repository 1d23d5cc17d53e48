import { Tensor } from 'onnxruntime-common';
import { userGraph } from '../../graphs/heads/predict.ts';
import type { WeightsRanking } from '../../graphs/heads/serving.ts';
import type { ItemItemConfig } from '../../graphs/models/item-item.ts';
import { longest, rowsPerRun } from '../artifact/heads.ts';
import type { Dataset } from '../data/dataset/dataset.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { option, UserError } from '../errors.ts';
import { compressed } from '../onnx/compress.ts';
import { buildModel, encodeModel } from '../onnx/index.ts';
import type { Runtime } from '../run/runtime.ts';
import { itemWeights, memoryOfWeights } from '../solve/item-weights.ts';
import { mostItems } from '../solve/sides.ts';
import { count, plural, size } from '../util/format.ts';
import type { EpochOptions } from './epochs.ts';
import type { FittedRanking } from './fitted-ranking.ts';
import { rankerOf, type TrainingRanker } from './parameters/score.ts';
import { rankingJudge } from './ranking-judge.ts';
import type { SolvedPlan } from './recipe/plan.ts';
import { checkRecipe, type ProgramRecipe } from './recipe/recipe.ts';
import { positiveOf, weightingOf } from './recipe/resolve-ranking.ts';
import { weightedPositives } from './weighted-positives.ts';

export interface SolveOptions extends EpochOptions {
  readonly runtime: Runtime;
  /** Validation ratings, with the ids of the training ratings. */
  readonly valid?: Ratings | undefined;
  /** Bytes that weights between items may take while they are computed. @default 2e9 */
  readonly memory?: number | undefined;
}

/** Default of the memory for solving. */
const MEMORY = 2e9;

/**
 * Bytes that the weights of a model take at most, while they are computed and their files are made.
 *
 * @throws UserError if that is more than `memory`
 */
export function checkMemory(
  { facts }: Dataset,
  { neighbors, memory = MEMORY }: Pick<SolveOptions, 'memory'> & Pick<ItemItemConfig, 'neighbors'>,
): number {
  const bytesOf = (items: number): number =>
    memoryOfWeights({ ...facts, items, pairs: facts.ratings }, neighbors, memory);
  const needed = bytesOf(facts.items);
  if (needed <= memory) return needed;
  const most = mostItems(memory, bytesOf);
  const fits = most < 2 ? '' : `, enough for ${count(most)} items`;
  throw new UserError(
    'argument',
    `weights between ${plural(facts.items, 'item')} take ${size(needed)} of memory while they are computed; ${option('memory')} allows ${size(memory)}${fits}: allow more, keep fewer weights with ${option('neighbors')}, leave out rare items, or train ${option("model: 'dot-bias'")}`,
  );
}

/**
 * Computes a model of weights between items; see `itemWeights`.
 *
 * @throws UserError if the data or the recipe do not fit, there is too little memory, or it is stopped
 */
export async function solveItemItem(
  data: Dataset,
  recipe: ProgramRecipe,
  { runtime, valid, signal, memory = MEMORY, onProgress }: SolveOptions,
): Promise<FittedRanking> {
  const { facts } = data;
  const { solved: chosen } = checkRecipe(recipe, facts.kind);
  const { regularization, neighbors }: ItemItemConfig = chosen?.config ?? {};
  checkMemory(data, { neighbors, memory });
  const rows = await data.sample(Number.POSITIVE_INFINITY);
  const { positives, recipe: decided } = weightedPositives(recipe, rows, facts);
  const pairs = positives.items.length;
  const progress = { objective: 'ranking', epoch: 0, epochs: 1, ratings: pairs } as const;
  const { weights, loss, ...config } = await itemWeights(positives, {
    ...{ runtime, regularization, neighbors, memory, signal },
    onProgress: (part) => onProgress?.({ ...progress, done: Math.floor(part * pairs) }),
  });
  const training: SolvedPlan = {
    objective: 'ranking',
    positive: positiveOf(recipe, facts),
    ...(facts.kind === 'interactions' && { weights: weightingOf(decided) }),
  };
  const serving: WeightsRanking = {
    model: { name: 'item-item', config },
    weights,
    lists: positives,
    positive: training.positive,
    kind: facts.kind,
    counts: positives.counts,
  };
  const judge = valid && (await rankingJudge({ data, valid, counts: positives.counts }));
  const measured = await judge?.of(await createWeightsRanker(serving, runtime));
  const record = { loss: loss / pairs, ...(measured && { valid: measured }) };
  onProgress?.({ ...progress, done: pairs, ...record });
  return {
    plan: { model: serving.model, training },
    history: [record],
    metrics: measured ? { valid: measured } : {},
    positives,
    serving,
    ranker: (runtime) => createWeightsRanker(serving, runtime),
  };
}

/** Ranks by weights, as the model's files do. */
async function createWeightsRanker(part: WeightsRanking, runtime: Runtime): Promise<TrainingRanker> {
  const parts = userGraph(part);
  const session = await runtime.createSession(encodeModel(buildModel(compressed(parts, 'float16'))), {
    threads: 1,
  });
  const most = rowsPerRun(parts, longest(part.lists.starts)) ?? 1;
  return rankerOf(part.counts.length, most, async (users) => {
    const user = new Tensor('int64', BigInt64Array.from(users, BigInt));
    return (await session.run({ user })).score.data as Float32Array;
  });
}

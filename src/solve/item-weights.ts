import type { ItemWeights } from '../../graphs/models/item-item.ts';
import type { Positives } from '../data/dataset/positives.ts';
import { checkSolution } from './check.ts';
import { kept } from './kept.ts';
import { pauses } from './pauses.ts';
import { refitted, secondsOfRefit } from './refit.ts';
import { regularizationOf } from './regularization.ts';
import { memoryOf, type Sizes, secondsOf } from './sides.ts';
import { type Solving, solved } from './solved.ts';

/** With so many items or fewer, all weights are kept: their file has at most 8 MB. */
const ALL = 2000;
/** Number of weights for each of more items, on average; docs/decisions.md has the figures. */
const NEIGHBORS = 100;
/**
 * With a lower share of the scores, kept weights are fitted again. Of data sets that lost 1 % of NDCG or less without it, the lowest
 * share is 0.66; of made-up pairs that lost 3 % it is 0.5.
 */
const LEAST_SHARE = 0.6;
/** With a share below this, more weights are kept as well: of bookmarks that lost 10 % it is −1.4. */
const LOW_SHARE = -0.5;
const MORE_NEIGHBORS = 600;
/** Fitting again may take so many seconds, or as long as it took to solve. */
const SECONDS = 10;

/** How many weights are kept for each item, at first. */
const neighborsFor = (items: number, neighbors: number | 'all' | undefined): number =>
  Math.min(items, neighbors === 'all' ? items : (neighbors ?? (items <= ALL ? items : NEIGHBORS)));

/** Bytes of a kept weight, in the five files that have it and while these are made: measured as 50 to 70. */
const BYTES_OF_WEIGHT = 75;

/**
 * Bytes that weights between items take at most, while they are computed and their files are made.
 *
 * @param neighbors see `ItemWeightsOptions`
 * @param memory what they may take
 */
export function memoryOfWeights(
  sizes: Sizes,
  neighbors: number | 'all' | undefined,
  memory?: number,
): number {
  const weights = bytesOfWeights(sizes.items, neighbors);
  return memoryOf(sizes, memory && memory - weights) + weights;
}

function bytesOfWeights(items: number, neighbors: number | 'all' | undefined): number {
  const most = neighbors === undefined && items > ALL ? MORE_NEIGHBORS : neighborsFor(items, neighbors);
  return BYTES_OF_WEIGHT * items * most;
}

export interface ItemWeightsOptions extends Omit<Solving, 'positives' | 'penalties'> {
  /** λ. Default: see `regularizationOf` */
  readonly regularization?: number | undefined;
  /** Number of weights to keep for each item, on average. Default: all of few items, else 100, or 600 where these are too few */
  readonly neighbors?: number | 'all' | undefined;
}

export interface FoundWeights {
  readonly weights: ItemWeights;
  readonly regularization: number;
  readonly neighbors: number | 'all';
  /** The squared error of the scores of what users have, and the penalty, with all weights. */
  readonly loss: number;
}

/**
 * Weights between items from which of them the same users have, in closed form: EASE. With the users' items as rows of X, and
 * P = (XᵀX + λI)⁻¹, the weight from item i to item j is −P_ij / P_jj.
 *
 * Source: Steck (2019), "Embarrassingly shallow autoencoders for sparse data".
 *
 * @throws UserError if it is stopped, or λ is too small for 32-bit floats
 */
export async function itemWeights(
  given: Positives,
  { regularization: lambda = regularizationOf(given), neighbors, ...options }: ItemWeightsOptions,
): Promise<FoundWeights> {
  const items = given.counts.length;
  // A weight of w counts w times in XᵀX, and √w times beside an interaction of weight 1.
  const positives = { ...given, weights: given.weights?.map(Math.sqrt) };
  const penalties = new Float64Array(items).fill(lambda);
  const memory = options.memory && options.memory - bytesOfWeights(items, neighbors);
  const solution = await solved({ ...options, memory, positives, penalties });
  checkSolution(solution, positives, lambda);
  const wanted = neighborsFor(items, neighbors);
  const turn = pauses(options.signal);
  let { weights, share } = await kept(solution, { neighbors: wanted, positives, turn });
  let count = wanted;
  if (share < LOW_SHARE && neighbors === undefined) {
    count = Math.min(items, MORE_NEIGHBORS);
    ({ weights, share } = await kept(solution, { neighbors: count, positives, turn }));
  }
  const { chunks } = weights;
  const sizes = { users: given.starts.length - 1, items, pairs: given.items.length };
  const isQuick = secondsOfRefit(weights, given.counts) <= Math.max(SECONDS, secondsOf(sizes));
  if (chunks && share < LEAST_SHARE && isQuick)
    weights = await refitted({ ...weights, chunks }, positives, { lambda, turn });
  return {
    weights,
    regularization: lambda,
    neighbors: count < items ? count : 'all',
    loss: solution.diagonal.reduce((sum, own) => sum + 1 / own - lambda, 0),
  };
}

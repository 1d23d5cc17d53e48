import { CHUNK, type ItemWeights } from '../../graphs/models/item-item.ts';
import { byItems, type ItemLists, type Sparse } from './sparse.ts';

/** Steps of conjugate gradients. More gain nothing: on bookmarks and made-up pairs, NDCG is the same with 3, 6 and 20. */
const STEPS = 3;
/** Multiplications of a second. */
const SPEED = 2e8;

/** Estimated time to fit kept weights again, in seconds. */
export function secondsOfRefit({ items, chunks }: ItemWeights, counts: ArrayLike<number>): number {
  const { starts } = chunks ?? { starts: [] };
  let products = 0;
  for (let item = 0; item < items; item++)
    products += (starts[item + 1] - starts[item]) * CHUNK * counts[item];
  return (2 * (STEPS + 1) * products) / SPEED;
}

export interface RefitOptions {
  readonly lambda: number;
  /** Steps of conjugate gradients. @default 3 */
  readonly steps?: number;
  /** Is called after each item. */
  turn(): Promise<void>;
}

/**
 * Kept weights, fitted again without those that are not kept: for each item the regression of who has it on who has the items
 * whose weights to it are kept, with the same penalty. Conjugate gradients (Hestenes and Stiefel 1952) start from the weights as
 * they are.
 *
 * @param positives X: the items of each user
 */
export async function refitted(
  { items, values, chunks }: Required<ItemWeights>,
  positives: ItemLists,
  { lambda, steps = STEPS, turn }: RefitOptions,
): Promise<ItemWeights> {
  const x = byItems(positives, items);
  const fitted = values.slice();
  const places = placesByTarget(chunks as NonNullable<ItemWeights['chunks']>, items);
  const users = new Float64Array(positives.starts.length - 1);
  for (let target = 0; target < items; target++) {
    const [from, to] = [places.starts[target], places.starts[target + 1]];
    const sources = places.sources.subarray(from, to);
    const own = Float64Array.from(places.at.subarray(from, to), (at) => values[at]);
    regress({ x, target, sources, lambda, steps, users }, own);
    for (let index = from; index < to; index++) fitted[places.at[index]] = own[index - from];
    await turn();
  }
  return { items, values: fitted, chunks };
}

/** Where the weights to each target are: `at` in the values, and from which item. */
function placesByTarget({ starts, neighbors }: NonNullable<ItemWeights['chunks']>, items: number) {
  const begins = new Int32Array(items + 2);
  for (const target of neighbors) begins[Math.min(target, items) + 1]++;
  for (let target = 0; target <= items; target++) begins[target + 1] += begins[target];
  const next = begins.slice();
  const [at, sources] = [new Int32Array(begins[items]), new Int32Array(begins[items])];
  for (let item = 0; item < items; item++)
    for (let place = starts[item] * CHUNK; place < starts[item + 1] * CHUNK; place++) {
      if (neighbors[place] >= items) continue;
      const to = next[neighbors[place]]++;
      at[to] = place;
      sources[to] = item;
    }
  return { starts: begins, at, sources };
}

interface Regression extends Required<Pick<RefitOptions, 'lambda' | 'steps'>> {
  /** Xᵀ, by items. */
  readonly x: Sparse;
  readonly target: number;
  /** The items on which the target is regressed. */
  readonly sources: Int32Array;
  /** Zeros, float64[users]. */
  readonly users: Float64Array;
}

/** Moves weights to the least of ‖x_target − X w‖² + λ‖w‖². */
function regress({ x, target, sources, lambda, steps, users }: Regression, weights: Float64Array): void {
  addRow(x, target, 1, users);
  for (let index = 0; index < sources.length; index++) addRow(x, sources[index], -weights[index], users);
  const residual = Float64Array.from(
    sources,
    (item, index) => dotRow(x, item, users) - lambda * weights[index],
  );
  clear(x, target, users);
  for (const item of sources) clear(x, item, users);
  const direction = residual.slice();
  const product = new Float64Array(sources.length);
  let length = squared(residual);
  // Of weights that fit already, the next direction would be rounding.
  const least = 1e-12 * length;
  for (let step = 0; step < steps && length > least; step++) {
    for (let index = 0; index < sources.length; index++) addRow(x, sources[index], direction[index], users);
    let curvature = 0;
    for (let index = 0; index < sources.length; index++) {
      product[index] = dotRow(x, sources[index], users) + lambda * direction[index];
      curvature += product[index] * direction[index];
    }
    for (const item of sources) clear(x, item, users);
    const rate = length / curvature;
    for (let index = 0; index < weights.length; index++) {
      weights[index] += rate * direction[index];
      residual[index] -= rate * product[index];
    }
    const before = length;
    length = squared(residual);
    for (let index = 0; index < weights.length; index++)
      direction[index] = residual[index] + (length / before) * direction[index];
  }
}

function addRow({ starts, columns, values }: Sparse, row: number, factor: number, into: Float64Array): void {
  for (let at = starts[row]; at < starts[row + 1]; at++) into[columns[at]] += factor * values[at];
}

function dotRow({ starts, columns, values }: Sparse, row: number, vector: Float64Array): number {
  let sum = 0;
  for (let at = starts[row]; at < starts[row + 1]; at++) sum += values[at] * vector[columns[at]];
  return sum;
}

function clear({ starts, columns }: Sparse, row: number, vector: Float64Array): void {
  for (let at = starts[row]; at < starts[row + 1]; at++) vector[columns[at]] = 0;
}

function squared(vector: Float64Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return sum;
}

import type { Dataset } from '../data/dataset/dataset.ts';
import { Ratings } from '../data/dataset/ratings.ts';
import { rangeOf } from '../data/dataset/rows.ts';
import type { Runtime } from '../run/runtime.ts';
import { biasesIn, biasesOf } from '../solve/residuals.ts';

export interface DampedMeans {
  readonly mean: number;
  /** Offsets by row, with 0 for the unknown row at the end. */
  readonly userOffsets: Float64Array;
  readonly itemOffsets: Float64Array;
  readonly low: number;
  readonly high: number;
  /** The sum of the mean and both offsets, clipped to the lowest and the highest rating, by row number. */
  predict(users: Int32Array, items: Int32Array): Float32Array;
}

/**
 * The mean of all ratings; the offset of each item: the average deviation of its ratings from the mean; and the offset of
 * each user: the average deviation of its ratings from the mean plus the item's offset. With few ratings, offsets are
 * damped towards 0: some ratings with deviation 0 are added for each item and each user. Their numbers follow from the data by
 * empirical Bayes, see `estimateBiases`.
 *
 * Source: LensKit's `Bias` (Ekstrand, LensKit for Python, 2020), which adds 5.
 */
export function dampedMeans(train: Ratings): DampedMeans {
  const { users, items, ratings, userIds, itemIds } = train;
  const { mean, user, item } = biasesIn(train);
  const ofItem = (at: number): number => ratings[at] - mean;
  const itemOffsets = dampedAverages(items, itemIds.length, { damping: item.damping, deviation: ofItem });
  const ofUser = (at: number): number => ratings[at] - mean - itemOffsets[items[at]];
  const userOffsets = dampedAverages(users, userIds.length, { damping: user.damping, deviation: ofUser });
  return predictor({ mean, userOffsets, itemOffsets, ...rangeOf(ratings) });
}

/**
 * The same of a dataset that is not in memory, but with the biases that fit the ratings best together: the posterior means of
 * `estimateBiases`.
 */
export async function dampedMeansOf(data: Dataset, runtime: Runtime): Promise<DampedMeans> {
  if (data instanceof Ratings) return dampedMeans(data);
  const { mean, user, item } = await biasesOf(data, runtime);
  const { low, high } = data.facts;
  const withUnknown = (offsets: Float64Array): Float64Array => {
    const all = new Float64Array(offsets.length + 1);
    all.set(offsets);
    return all;
  };
  return predictor({
    ...{ mean, low, high },
    userOffsets: withUnknown(user.posterior),
    itemOffsets: withUnknown(item.posterior),
  });
}

function predictor(means: Omit<DampedMeans, 'predict'>): DampedMeans {
  const { mean, userOffsets, itemOffsets, low, high } = means;
  const predict = (users: Int32Array, items: Int32Array): Float32Array => {
    const predicted = new Float32Array(users.length);
    for (let at = 0; at < users.length; at++)
      predicted[at] = Math.min(high, Math.max(low, mean + userOffsets[users[at]] + itemOffsets[items[at]]));
    return predicted;
  };
  return { ...means, predict };
}

function dampedAverages(
  rows: Int32Array,
  count: number,
  { damping, deviation }: { readonly damping: number; readonly deviation: (at: number) => number },
): Float64Array {
  const sums = new Float64Array(count + 1);
  const counts = new Int32Array(count + 1);
  for (let at = 0; at < rows.length; at++) {
    sums[rows[at]] += deviation(at);
    counts[rows[at]]++;
  }
  sums[count] = 0;
  return sums.map((sum, row) => sum / (counts[row] + damping));
}

import type { Ratings } from '../data/dataset/ratings.ts';
import { rangeOf } from '../data/dataset/rows.ts';
import { biasesIn } from '../solve/residuals.ts';

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
  const { low, high } = rangeOf(ratings);
  const ofItem = (at: number): number => ratings[at] - mean;
  const itemOffsets = dampedAverages(items, itemIds.length, { damping: item.damping, deviation: ofItem });
  const ofUser = (at: number): number => ratings[at] - mean - itemOffsets[items[at]];
  const userOffsets = dampedAverages(users, userIds.length, { damping: user.damping, deviation: ofUser });
  const predict = (users: Int32Array, items: Int32Array): Float32Array => {
    const predicted = new Float32Array(users.length);
    for (let at = 0; at < users.length; at++)
      predicted[at] = Math.min(high, Math.max(low, mean + userOffsets[users[at]] + itemOffsets[items[at]]));
    return predicted;
  };
  return { mean, userOffsets, itemOffsets, low, high, predict };
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

import type { Ratings } from '../data/dataset/ratings.ts';
import type { Baseline } from './baseline.ts';
import { dampedMeans } from './damped-means.ts';
import { itemKnn } from './item-knn.ts';

/**
 * Baselines by name: functions that make a baseline from training ratings. Predictions are between the lowest and the
 * highest of these.
 *
 * - `global-mean`: the mean of all ratings; all items have the same score.
 * - `user-item-means`: the mean plus the damped offsets of the user and the item; see `dampedMeans`.
 * - `most-popular`: scores items by their number of ratings; predicts like `user-item-means`.
 * - `item-knn`: item-based nearest neighbours; see `itemKnn`.
 */
export const baselines: Readonly<
  Record<'global-mean' | 'user-item-means' | 'most-popular' | 'item-knn', (train: Ratings) => Baseline>
> = {
  'global-mean': (train) => {
    const mean = train.ratings.reduce((sum, rating) => sum + rating, 0) / train.ratings.length;
    const scores = new Float32Array(train.itemIds.length).fill(mean);
    return { predict: (users) => new Float32Array(users.length).fill(mean), scores: () => scores };
  },
  'user-item-means': userItemMeans,
  'most-popular': (train) => {
    const counts = new Float32Array(train.itemIds.length);
    for (const item of train.items) counts[item]++;
    return { ...userItemMeans(train), scores: () => counts };
  },
  'item-knn': itemKnn,
};

function userItemMeans(train: Ratings): Baseline {
  const { predict, itemOffsets } = dampedMeans(train);
  // The user’s offset is the same for all items, so it does not change the order.
  const scores = Float32Array.from(itemOffsets.subarray(0, -1));
  return { predict, scores: () => scores };
}

import type { Ratings } from '../data/dataset/ratings.ts';
import type { Baseline } from './baseline.ts';
import { dampedMeans } from './damped-means.ts';
import { itemKnn } from './item-knn.ts';

/**
 * Baselines by name, each made from training ratings. What they predict stays within the lowest and the highest of
 * these.
 *
 * - `global-mean`: the mean of all ratings; all items score alike.
 * - `user-item-means`: the mean, and how far the user's and the item's ratings are from it, both damped; see `dampedMeans`.
 * - `most-popular`: scores by the number of ratings, and predicts as `user-item-means` does.
 * - `item-knn`: what the user gave the most similar items; see `itemKnn`.
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
  // The user’s offset does not change the order.
  const scores = Float32Array.from(itemOffsets.subarray(0, -1));
  return { predict, scores: () => scores };
}

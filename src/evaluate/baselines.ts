import type { Ratings } from '../data/dataset/ratings.ts';
import type { Baseline, Scorer, Skipped } from './baseline.ts';
import { dampedMeans } from './damped-means.ts';
import { ease } from './ease.ts';
import { implicitAls } from './implicit-als.ts';
import { itemKnn, itemKnnScores } from './item-knn.ts';

/**
 * Baselines that predict ratings, by name: functions that make a baseline from training ratings. Predictions are between the
 * lowest and the highest of these. `positives` are the ratings of what users liked, with the same ids; the scores of
 * `most-popular` and `item-knn` come from them.
 *
 * - `global-mean`: the mean of all ratings; all items have the same score.
 * - `user-item-means`: the mean plus the damped offsets of the user and the item; see `dampedMeans`.
 * - `most-popular`: scores items by their number of positives; predicts like `user-item-means`.
 * - `item-knn`: item-based nearest neighbours; see `itemKnn` and `itemKnnScores`.
 */
export const baselines: Readonly<
  Record<
    'global-mean' | 'user-item-means' | 'most-popular' | 'item-knn',
    (train: Ratings, positives?: Ratings) => Baseline
  >
> = {
  'global-mean': (train) => {
    const mean = train.ratings.reduce((sum, rating) => sum + rating, 0) / train.ratings.length;
    const scores = new Float32Array(train.itemIds.length).fill(mean);
    return { predict: (users) => new Float32Array(users.length).fill(mean), scores: () => scores };
  },
  'user-item-means': userItemMeans,
  'most-popular': (train, positives = train) => {
    const counts = new Float32Array(train.itemIds.length);
    for (const item of positives.items) counts[item]++;
    return { ...userItemMeans(train), scores: () => counts };
  },
  'item-knn': (train, positives = train) => {
    // Similarities take long, and who wants one kind may not want the other.
    let [predictor, scorer]: [Pick<Baseline, 'predict'>?, Scorer?] = [];
    return {
      predict(users, items) {
        predictor ??= itemKnn(train);
        return predictor.predict(users, items);
      },
      scores(user) {
        scorer ??= itemKnnScores(positives);
        return scorer.scores(user);
      },
    };
  },
};

/**
 * Baselines that only rank, by name: functions that make a baseline from the ratings of what users liked, or say why it was
 * skipped.
 *
 * - `ease`: a linear model of items in closed form; see `ease`.
 * - `implicit-als`: matrix factorization by alternating least squares; see `implicitAls`.
 */
export const rankingBaselines: Readonly<
  Record<'ease' | 'implicit-als', (positives: Ratings) => Promise<Scorer | Skipped>>
> = {
  ease: (positives) => ease(positives),
  'implicit-als': async (positives) => implicitAls(positives),
};

function userItemMeans(train: Ratings): Baseline {
  const { predict, itemOffsets } = dampedMeans(train);
  // The user’s offset is the same for all items, so it does not change the order.
  const scores = Float32Array.from(itemOffsets.subarray(0, -1));
  return { predict, scores: () => scores };
}

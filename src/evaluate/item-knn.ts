import type { Ratings } from '../data/dataset/ratings.ts';
import { indicesByUser } from '../data/dataset/rows.ts';
import { highest } from '../util/highest.ts';
import type { Baseline, Scorer } from './baseline.ts';
import { dampedMeans } from './damped-means.ts';

/** Maximum number of neighbours in a prediction. */
const NEIGHBOURS = 40;
/** Maximum number of neighbours that are stored for an item, and that count in a score: the model size of Sarwar et al. */
const KEPT = 500;
/** With n common users a similarity is multiplied by n / (n + 100): λ of Koren. */
const SHRINKAGE = 100;

/** The ratings of each user. */
interface Rated {
  readonly items: readonly Int32Array[];
  /** Deviations of the ratings from the damped means. */
  readonly deviations: readonly Float32Array[];
}

/** For each item a row of `kept` neighbours, the most similar first, padded with similarity 0. */
interface Neighbours {
  readonly kept: number;
  readonly items: Int32Array;
  readonly similarities: Float32Array;
}

/**
 * Ratings by item-based nearest neighbours. A prediction is the damped means plus the weighted average deviation from them of the
 * user's ratings of the 40 most similar items; the weights are the similarities. The similarity of two items is the cosine
 * of their deviations from the damped means (the adjusted cosine), shrunk if few users rated both. Only similarities above
 * 0 count.
 *
 * Sources: Sarwar et al., Item-based Collaborative Filtering Recommendation Algorithms (2001); Koren, Factor in the
 * Neighbors (2010).
 */
export function itemKnn(train: Ratings): Pick<Baseline, 'predict'> {
  const { users, items, ratings, userIds, itemIds } = train;
  const { mean, userOffsets, itemOffsets, low, high } = dampedMeans(train);
  const means = (user: number, item: number): number => mean + userOffsets[user] + itemOffsets[item];
  const deviations = ratings.map((rating, at) => rating - means(users[at], items[at]));
  const rated = ratedBy(train, deviations);
  const neighbours = mostSimilar(train, deviations, rated, SHRINKAGE);
  const own = new Float32Array(itemIds.length);
  const turnTo = (user: number): void => {
    own.fill(Number.NaN);
    for (const [at, item] of rated.items[user].entries()) own[item] = rated.deviations[user][at];
  };

  return {
    predict(users, items) {
      const predicted = new Float32Array(users.length);
      let user = 0;
      for (const indices of indicesByUser(users, userIds.length + 1)) {
        if (indices.length > 0) turnTo(user);
        for (const index of indices) {
          const rating = means(user, items[index]) + deviation(own, neighbours, items[index]);
          predicted[index] = Math.min(high, Math.max(low, rating));
        }
        user++;
      }
      return predicted;
    },
  };
}

/**
 * Rankings by item-based nearest neighbours: the score of an item is the sum of the similarities to it of the user's items,
 * of each to its 500 most similar ones. The similarity of two items is the cosine of who has them, where a user counts for less
 * the more items the user has (inverse user frequency).
 *
 * Source: Deshpande and Karypis, Item-based Top-N Recommendation Algorithms (2004).
 *
 * @param positives what the users have; the ratings themselves are ignored
 */
export function itemKnnScores(positives: Ratings): Scorer {
  const { users, userIds, itemIds } = positives;
  const counts = new Float64Array(userIds.length + 1);
  for (const user of users) counts[user]++;
  const weights = Float32Array.from(users, (user) => Math.log1p(itemIds.length / counts[user]));
  const rated = ratedBy(positives, weights);
  const { kept, items, similarities } = mostSimilar(positives, weights, rated, 0);
  return {
    scores(user) {
      const scores = new Float32Array(itemIds.length);
      for (const item of rated.items[user])
        for (let at = item * kept; at < (item + 1) * kept; at++) scores[items[at]] += similarities[at];
      return scores;
    },
  };
}

function ratedBy({ users, items, userIds }: Ratings, deviations: Float32Array): Rated {
  const indices = [...indicesByUser(users, userIds.length + 1)];
  return {
    items: indices.map((ofUser) => ofUser.map((index) => items[index])),
    deviations: indices.map((ofUser) => Float32Array.from(ofUser, (index) => deviations[index])),
  };
}

/** The weighted average deviation of a user's ratings of the nearest items; 0 if there are none. */
function deviation(own: Float32Array, { kept, items, similarities }: Neighbours, item: number): number {
  let [sum, weight, found] = [0, 0, 0];
  // For the unknown row the index is past the end, and the comparison with undefined ends the loop.
  for (let at = item * kept; at < (item + 1) * kept && similarities[at] > 0 && found < NEIGHBOURS; at++) {
    const deviation = own[items[at]];
    if (Number.isNaN(deviation)) continue;
    sum += similarities[at] * deviation;
    weight += similarities[at];
    found++;
  }
  return weight > 0 ? sum / weight : 0;
}

function mostSimilar(
  { users, items, itemIds }: Ratings,
  deviations: Float32Array,
  rated: Rated,
  shrinkage: number,
): Neighbours {
  const count = itemIds.length;
  const kept = Math.min(KEPT, count);
  const neighbours = {
    kept,
    items: new Int32Array(count * kept),
    similarities: new Float32Array(count * kept),
  };
  const squares = new Float64Array(count);
  for (let at = 0; at < items.length; at++) squares[items[at]] += deviations[at] ** 2;
  const scales = squares.map((sum) => 1 / Math.sqrt(sum));
  // For each other item the sum of products and the number of common users, next to each other for the cache.
  const sums = new Float64Array(2 * count);
  const similarities = new Float32Array(count);
  let item = 0;
  for (const indices of indicesByUser(items, count)) {
    sums.fill(0);
    for (const index of indices)
      addProducts(sums, deviations[index], rated.items[users[index]], rated.deviations[users[index]]);
    for (let other = 0; other < count; other++) {
      const cosine = sums[2 * other] * scales[item] * scales[other];
      // For an item whose deviations are all 0 the cosine is NaN, which counts as 0.
      const common = sums[2 * other + 1];
      similarities[other] = cosine > 0 && other !== item ? cosine * (common / (common + shrinkage)) : 0;
    }
    highest(similarities, kept).forEach((other, index) => {
      neighbours.items[item * kept + index] = other;
      neighbours.similarities[item * kept + index] = similarities[other];
    });
    item++;
  }
  return neighbours;
}

/** Adds the products of a user's deviations with the deviation of one item, and counts them. */
function addProducts(sums: Float64Array, own: number, items: Int32Array, deviations: Float32Array): void {
  for (let at = 0; at < items.length; at++) {
    const item = 2 * items[at];
    sums[item] += own * deviations[at];
    sums[item + 1]++;
  }
}

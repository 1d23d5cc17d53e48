import type { Ratings } from '../data/dataset/ratings.ts';
import { indicesByUser } from '../data/dataset/rows.ts';
import type { Baseline } from './baseline.ts';
import { dampedMeans } from './damped-means.ts';
import { highest } from './highest.ts';

/** The most items that a prediction is the average of. */
const NEIGHBOURS = 40;
/** The most neighbours that are kept of an item: the model size of Sarwar et al. */
const KEPT = 500;
/** A similarity of n common users counts n / (n + 100) of it: λ of Koren. */
const SHRINKAGE = 100;

interface Rated {
  readonly items: readonly Int32Array[];
  /** How far they are from the damped means. */
  readonly deviations: readonly Float32Array[];
}

/** Of each item a row of `kept`, the most similar first; of those it lacks the similarity is 0. */
interface Neighbours {
  readonly kept: number;
  readonly items: Int32Array;
  readonly similarities: Float32Array;
}

/**
 * Item-based nearest neighbours: the damped means, and the average of how far the user's ratings of the 40 items most
 * similar to this one are from them, weighted by similarity. Similar is the cosine of two items' deviations from the
 * damped means (the adjusted cosine), shrunk where few users rated both; only what is above 0 counts.
 *
 * Sources: Sarwar et al., Item-based Collaborative Filtering Recommendation Algorithms (2001); Koren, Factor in the
 * Neighbors (2010).
 */
export function itemKnn(train: Ratings): Baseline {
  const { users, items, ratings, userIds, itemIds } = train;
  const { mean, userOffsets, itemOffsets, low, high } = dampedMeans(train);
  const means = (user: number, item: number): number => mean + userOffsets[user] + itemOffsets[item];
  const deviations = ratings.map((rating, at) => rating - means(users[at], items[at]));
  const places = [...indicesByUser(users, userIds.length + 1)];
  const rated: Rated = {
    items: places.map((ofUser) => ofUser.map((place) => items[place])),
    deviations: places.map((ofUser) => Float32Array.from(ofUser, (place) => deviations[place])),
  };
  const neighbours = mostSimilar(train, deviations, rated);
  const own = new Float32Array(itemIds.length);
  const turnTo = (user: number): void => {
    own.fill(Number.NaN);
    for (const [at, item] of rated.items[user].entries()) own[item] = rated.deviations[user][at];
  };

  return {
    predict(users, items) {
      const predicted = new Float32Array(users.length);
      let user = 0;
      for (const places of indicesByUser(users, userIds.length + 1)) {
        if (places.length > 0) turnTo(user);
        for (const place of places) {
          const rating = means(user, items[place]) + deviation(own, neighbours, items[place]);
          predicted[place] = Math.min(high, Math.max(low, rating));
        }
        user++;
      }
      return predicted;
    },
    scores(user) {
      turnTo(user);
      return Float32Array.from(itemIds, (_, item) => means(user, item) + deviation(own, neighbours, item));
    },
  };
}

/** The average deviation of the nearest items that a user has rated: 0 where there are none. */
function deviation(own: Float32Array, { kept, items, similarities }: Neighbours, item: number): number {
  let [sum, weight, found] = [0, 0, 0];
  // The unknown row has no neighbours: what is past the end is no similarity.
  for (let at = item * kept; at < (item + 1) * kept && similarities[at] > 0 && found < NEIGHBOURS; at++) {
    const deviation = own[items[at]];
    if (Number.isNaN(deviation)) continue;
    sum += similarities[at] * deviation;
    weight += similarities[at];
    found++;
  }
  return weight > 0 ? sum / weight : 0;
}

function mostSimilar({ users, items, itemIds }: Ratings, deviations: Float32Array, rated: Rated): Neighbours {
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
  // Of each other item the sum of products, and the number of common users: side by side, for the processor's cache.
  const sums = new Float64Array(2 * count);
  const similarities = new Float32Array(count);
  let item = 0;
  for (const places of indicesByUser(items, count)) {
    sums.fill(0);
    for (const place of places)
      addProducts(sums, deviations[place], rated.items[users[place]], rated.deviations[users[place]]);
    for (let other = 0; other < count; other++) {
      const cosine = sums[2 * other] * scales[item] * scales[other];
      // An item that was only ever rated as expected has no direction.
      const positive = cosine > 0 && other !== item ? cosine : 0;
      similarities[other] = positive * (sums[2 * other + 1] / (sums[2 * other + 1] + SHRINKAGE));
    }
    highest(similarities, kept).forEach((other, place) => {
      neighbours.items[item * kept + place] = other;
      neighbours.similarities[item * kept + place] = similarities[other];
    });
    item++;
  }
  return neighbours;
}

/** Adds a user's products with one deviation, and counts them. */
function addProducts(sums: Float64Array, own: number, items: Int32Array, deviations: Float32Array): void {
  for (let at = 0; at < items.length; at++) {
    const item = 2 * items[at];
    sums[item] += own * deviations[at];
    sums[item + 1]++;
  }
}

import type { Ratings } from '../data/dataset/ratings.ts';
import { indicesByUser } from '../data/dataset/rows.ts';
import { UserError } from '../errors.ts';
import { bootstrap, type Interval } from './bootstrap.ts';
import type { Ranker } from './rankers.ts';

/** Of each user; the mean over users is what is reported. */
const MEASURES = ['precision', 'recall', 'ndcg', 'map', 'mrr', 'hitRate'] as const;

type Measure = (typeof MEASURES)[number];

/** How good lists of `k` items are: the means over users of numbers from 0 to 1, and two of all lists. */
export interface RankingAt {
  readonly k: number;
  /** The share of the list that is relevant: of `k` items, also where the list is shorter. */
  readonly precision: number;
  /** The share of the relevant items that are in the list. */
  readonly recall: number;
  /** Normalised discounted cumulative gain of binary relevance, discounted by the logarithm of the rank + 1. */
  readonly ndcg: number;
  /**
   * Mean average precision: the precisions at the ranks of the relevant items in the list, summed and divided by the
   * number of all relevant items, also of more than `k`, as in trec_eval.
   */
  readonly map: number;
  /** Mean reciprocal rank of the first relevant item; 0 where the list has none. */
  readonly mrr: number;
  /** The share of users whose list has a relevant item. */
  readonly hitRate: number;
  /** 95 % intervals over users. */
  readonly intervals: Readonly<Record<Measure, Interval>>;
  /** The share of the catalogue that is in the list of some user. */
  readonly coverage: number;
  /**
   * The mean self-information of the listed items in bits: −log₂ of the share of users that rated the item in training
   * (Zhou et al., Solving the apparent diversity–accuracy dilemma of recommender systems, 2010). An item that nobody
   * rated counts as one that a single user did. 0 where nothing is listed.
   */
  readonly novelty: number;
}

export interface Ranking {
  /** How many users have relevant items; only these count. */
  readonly users: number;
  /** How many users of the held-out ratings were known in training, but have no relevant item. */
  readonly withoutRelevant: number;
  /** An item is relevant to a user whose held-out rating of it is this or higher. */
  readonly threshold: number;
  readonly at: readonly RankingAt[];
}

export interface RankingOptions {
  /** Lengths of the lists that are measured: 10 when absent. */
  readonly k?: readonly number[];
  /**
   * An item is relevant to a user whose held-out rating of it is this or higher: when absent the last quarter of the
   * scale, which begins with 4 where ratings are from 1 to 5.
   */
  readonly threshold?: number;
}

/** Where the last quarter of a scale of ratings begins. */
export const lastQuarter = ({ low, high }: { readonly low: number; readonly high: number }): number =>
  low + 0.75 * (high - low);

/**
 * How well the whole catalogue is ranked for users that training knows, without what they rated there. A relevant item
 * that training does not know counts as missed; one that the user rated in training does not count.
 *
 * @param rated the rows of the items that each user rated in training
 * @param heldOut by the rows of training
 * @returns undefined if no user has a relevant item
 * @throws UserError for a `k` that is no whole number from 1
 */
export async function ranking(
  ranker: Ranker,
  rated: readonly Int32Array[],
  heldOut: Ratings,
  { k, threshold }: Required<RankingOptions>,
): Promise<Ranking | undefined> {
  const wrong = k.find((length) => !Number.isSafeInteger(length) || length < 1);
  if (wrong !== undefined) throw new UserError('argument', `k is ${wrong}; give whole numbers from 1`);
  const { known, relevant } = relevantItems(rated, heldOut, threshold);
  if (relevant.size === 0) return undefined;
  const users = Int32Array.from(relevant.keys());
  const longest = Math.min(Math.max(1, ...k), heldOut.itemIds.length);
  const lists = { rows: await ranker(users, longest), longest };
  const counts = countsOfItems(rated, heldOut.itemIds.length);
  return {
    users: users.length,
    withoutRelevant: known - users.length,
    threshold,
    at: k.map((k) => {
      const measures = measured(lists, k, [...relevant.values()], counts.length);
      const columns = MEASURES.map((name) => measures[name]);
      const means = (sums: Float64Array): number[] => MEASURES.map((_, place) => sums[place] / users.length);
      const sums = Float64Array.from(columns, (column) => column.reduce((sum, value) => sum + value, 0));
      return {
        k,
        ...named(means(sums)),
        intervals: named(bootstrap(columns, means)),
        ...spread(lists, k, counts, rated.length),
      };
    }),
  };
}

/** How many users rated each item; last 0, for the unknown row. */
export function countsOfItems(rated: readonly Int32Array[], items: number): Float32Array {
  const counts = new Float32Array(items + 1);
  for (const ofUser of rated) for (const item of ofUser) counts[item]++;
  return counts;
}

const named = <T>(values: readonly T[]): Record<Measure, T> =>
  Object.fromEntries(MEASURES.map((name, place) => [name, values[place]])) as Record<Measure, T>;

/** The rows of relevant items by the row of the user, where there are any, and how many users training knows. */
function relevantItems(
  rated: readonly Int32Array[],
  { users, items, ratings, itemIds }: Ratings,
  threshold: number,
): { known: number; relevant: Map<number, Int32Array> } {
  const relevant = new Map<number, Int32Array>();
  // Ratings are floats, to which 0.7 is a little less.
  const least = Math.fround(threshold);
  const ratedBy = new Int32Array(itemIds.length).fill(-1);
  let [user, known] = [0, 0];
  for (const places of indicesByUser(users, rated.length + 1)) {
    if (user === rated.length) break;
    for (const item of rated[user]) ratedBy[item] = user;
    const found = places
      .filter((place) => ratings[place] >= least && ratedBy[items[place]] !== user)
      .map((place) => items[place]);
    if (found.length > 0) relevant.set(user, found);
    if (places.length > 0) known++;
    user++;
  }
  return { known, relevant };
}

/** The rows of the best items of each user, one list after the other, each of `longest`. */
interface Lists {
  readonly rows: Int32Array;
  readonly longest: number;
}

/** Each measure of each user, at `k`. */
function measured(
  { rows, longest }: Lists,
  k: number,
  relevant: readonly Int32Array[],
  items: number,
): Record<Measure, Float64Array> {
  const measures = named(MEASURES.map(() => new Float64Array(relevant.length)));
  const relevantTo = new Int32Array(items).fill(-1);
  // Nothing comes after these ranks, however large k is.
  const ranks = Math.min(
    k,
    relevant.reduce((most, { length }) => Math.max(most, length), longest),
  );
  const discounts = Float64Array.from({ length: ranks }, (_, rank) => 1 / Math.log2(rank + 2));
  for (const [user, wanted] of relevant.entries()) {
    for (const item of wanted) relevantTo[item] = user;
    let [hits, gain, precisions, first, ideal] = [0, 0, 0, 0, 0];
    for (let rank = 0; rank < ranks; rank++) {
      if (rank < wanted.length) ideal += discounts[rank];
      if (rank >= longest || relevantTo[rows[user * longest + rank]] !== user) continue;
      hits++;
      gain += discounts[rank];
      precisions += hits / (rank + 1);
      first ||= rank + 1;
    }
    measures.precision[user] = hits / k;
    measures.recall[user] = hits / wanted.length;
    measures.ndcg[user] = gain / ideal;
    measures.map[user] = precisions / wanted.length;
    measures.mrr[user] = first === 0 ? 0 : 1 / first;
    measures.hitRate[user] = Math.min(hits, 1);
  }
  return measures;
}

/** Of which items the lists are. */
function spread({ rows, longest }: Lists, k: number, counts: Float32Array, users: number) {
  const isListed = new Uint8Array(counts.length);
  let [information, listed] = [0, 0];
  for (let place = 0; place < rows.length; place++) {
    const item = rows[place];
    if (place % longest >= k || item < 0) continue;
    isListed[item] = 1;
    information -= Math.log2(Math.max(1, counts[item]) / users);
    listed++;
  }
  return {
    coverage: isListed.reduce((sum, one) => sum + one, 0) / (counts.length - 1),
    novelty: information / Math.max(1, listed),
  };
}

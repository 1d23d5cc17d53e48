import type { Ratings } from '../data/dataset/ratings.ts';
import { indicesByUser } from '../data/dataset/rows.ts';
import { flag, length, number, type OptionTable } from '../util/options.ts';
import { bootstrap, type Interval } from './bootstrap.ts';
import type { Ranker } from './rankers.ts';

/** Measures of each user; their means over users are reported. */
const MEASURES = ['precision', 'recall', 'ndcg', 'map', 'mrr', 'hitRate'] as const;

type Measure = (typeof MEASURES)[number];

/** Quality of lists of `k` items: means over users of measures from 0 to 1, and three measures of all lists. */
export interface RankingMeans {
  readonly k: number;
  /** Number of relevant items in the list divided by `k`, even if the list is shorter. */
  readonly precision: number;
  /** Share of the relevant items that are in the list. */
  readonly recall: number;
  /**
   * Normalised discounted cumulative gain; the discount is 1 / log₂(rank + 1), and the gain of a relevant item is 1, or its
   * held-out strength if `weighted`.
   */
  readonly ndcg: number;
  /**
   * Mean average precision: the sum of the precisions at the ranks of the relevant items in the list, divided by the number
   * of all relevant items, even if these are more than `k`, as in trec_eval.
   */
  readonly map: number;
  /** Mean reciprocal rank of the first relevant item; 0 for a list without one. */
  readonly mrr: number;
  /** Share of users whose list has a relevant item. */
  readonly hitRate: number;
  /** Share of all items that are in at least one user's list. */
  readonly coverage: number;
  /**
   * Gini coefficient of how many lists each item is in: 0 if all items are in equally many, 1 if all lists have the same
   * single item (Shani and Gunawardana, Evaluating Recommendation Systems, 2011). 0 if all lists are empty.
   */
  readonly gini: number;
  /**
   * Mean self-information of the listed items in bits: −log₂ of the share of users who rated the item in training (Zhou et
   * al., Solving the apparent diversity–accuracy dilemma of recommender systems, 2010). An item without ratings counts as
   * if one user had rated it. 0 if all lists are empty.
   */
  readonly novelty: number;
}

export interface RankingAt extends RankingMeans {
  /** 95 % confidence intervals over users. */
  readonly intervals: Readonly<Record<Measure, Interval>>;
}

export interface Ranking<At = RankingAt> {
  /** Number of users with relevant items. Only these count. */
  readonly users: number;
  /** Number of users of the held-out ratings who are known from training, but have no relevant item. */
  readonly withoutRelevant: number;
  /** Number of these whose held-out ratings have relevant items, all of which they have from training. */
  readonly withoutNew: number;
  /** An item is relevant to a user whose held-out rating of it is this or higher. */
  readonly threshold: number;
  readonly at: readonly At[];
}

export interface RankingOptions {
  /**
   * Whether NDCG weighs each relevant item by its held-out rating, or strength of an interaction. @default false
   */
  readonly weighted?: boolean | undefined;
  /** Lengths of the lists to evaluate. @default [10] */
  readonly k?: readonly number[] | undefined;
  /**
   * An item is relevant to a user whose held-out rating of it is this or higher. Default: the start of the last quarter of
   * the scale, such as 4 for ratings from 1 to 5
   */
  readonly threshold?: number | undefined;
}

export const RANKING_OPTIONS: OptionTable<RankingOptions> = {
  k: {
    fits: (value) => Array.isArray(value) && value.every(length.fits),
    give: 'a list of whole numbers from 1 to 1,000,000,000',
  },
  threshold: number,
  weighted: flag,
};

/** How rankings are judged. */
interface JudgeOptions extends Required<Pick<RankingOptions, 'k' | 'threshold'>> {
  readonly weighted?: RankingOptions['weighted'];
  /**
   * Number of users who have each item in training, for the novelty. Default: by the items that rankings leave out, which may
   * be fewer
   */
  readonly counts?: ArrayLike<number> | undefined;
}

/**
 * The quality of rankings, with confidence intervals; see `rankingMeans`.
 *
 * @param rated row numbers of the items that rankings leave out for each user: those of training, or some of them
 * @param heldOut held-out ratings, with the ids of training
 * @returns undefined if no user has a relevant item
 */
export const ranking = (
  ranker: Ranker,
  rated: readonly Int32Array[],
  heldOut: Ratings,
  options: JudgeOptions,
): Promise<Ranking | undefined> =>
  judged(ranker, rated, heldOut, {
    ...options,
    more: (measures) => ({ intervals: named(bootstrap(measures, meansOf)) }),
  });

/**
 * The quality of rankings of all items for known users, without the items that they rated in training. A relevant item that
 * is unknown counts as missed. Relevant items that the user rated in training do not count.
 *
 * The parameters are those of `ranking`. Confidence intervals take longer than all the rest.
 */
export const rankingMeans = (
  ranker: Ranker,
  rated: readonly Int32Array[],
  heldOut: Ratings,
  options: JudgeOptions,
): Promise<Ranking<RankingMeans> | undefined> =>
  judged(ranker, rated, heldOut, { ...options, more: () => ({}) });

/** Expected measures of lists in random order. */
export interface ByChance {
  readonly ndcg: number;
  readonly precision: number;
  /** NDCG of each user who has a relevant item. */
  readonly ndcgOfUsers: Float64Array;
}

/** What lists of `k` items in random order come to on average. The parameters are those of `ranking`. */
export function rankingByChance(
  rated: readonly Int32Array[],
  heldOut: Ratings,
  { k, threshold }: { readonly k: number; readonly threshold: number },
): ByChance {
  const { relevant } = relevantItems(rated, heldOut, threshold);
  const discounts = Array.from({ length: k }, (_, rank) => 1 / Math.log2(rank + 2));
  const gainOf = (ranks: number): number => discounts.slice(0, ranks).reduce((sum, one) => sum + one, 0);
  const parts = Array.from(relevant, ([user, { items }]) => {
    const candidates = Math.max(1, heldOut.itemIds.length - rated[user].length);
    const known = items.filter((item) => item < heldOut.itemIds.length).length;
    // Each place has a relevant item with the same probability.
    return {
      part: known / candidates,
      ndcg: ((known / candidates) * gainOf(Math.min(k, candidates))) / gainOf(Math.min(k, items.length)),
    };
  });
  const ndcgOfUsers = Float64Array.from(parts, ({ ndcg }) => ndcg);
  const mean = (sum: number): number => sum / Math.max(1, parts.length);
  return {
    ndcg: mean(ndcgOfUsers.reduce((sum, one) => sum + one, 0)),
    precision: mean(parts.reduce((sum, { part }) => sum + part, 0)),
    ndcgOfUsers,
  };
}

/** Means at `k`, and the NDCG of each user who has a relevant item; undefined if there is none. The parameters are those of `ranking`. */
export async function rankingOfUsers(
  ranker: Ranker,
  rated: readonly Int32Array[],
  heldOut: Ratings,
  { k, threshold }: { readonly k: number; readonly threshold: number },
): Promise<(RankingMeans & { readonly ndcgOfUsers: Float64Array }) | undefined> {
  const found = await judged(ranker, rated, heldOut, {
    k: [k],
    threshold,
    more: (measures) => ({ ndcgOfUsers: measures[MEASURES.indexOf('ndcg')] }),
  });
  return found?.at[0];
}

/** @param more adds to the means of each `k`, by the measures of each user */
async function judged<More>(
  ranker: Ranker,
  rated: readonly Int32Array[],
  heldOut: Ratings,
  { k, threshold, weighted = false, ...others }: JudgeOptions & { more(measures: Float64Array[]): More },
): Promise<Ranking<RankingMeans & More> | undefined> {
  const { known, withoutNew, relevant } = relevantItems(rated, heldOut, threshold);
  if (relevant.size === 0) return undefined;
  const users = Int32Array.from(relevant.keys());
  const longest = Math.min(Math.max(1, ...k), heldOut.itemIds.length);
  const lists = { rows: await ranker(users, longest), longest };
  const items = heldOut.itemIds.length;
  const { counts = countsOfItems(rated, items) } = others;
  return {
    users: users.length,
    withoutRelevant: known - users.length,
    withoutNew,
    threshold,
    at: k.map((k) => {
      const measures = measured(lists, k, [...relevant.values()], { items: items + 1, weighted });
      const columns = MEASURES.map((name) => measures[name]);
      const sums = columns.map((column) => column.reduce((sum, value) => sum + value, 0));
      return {
        k,
        ...named(meansOf(Float64Array.of(...sums, users.length))),
        ...coverageOf(lists, k, counts, { users: rated.length, items }),
        ...others.more(columns),
      };
    }),
  };
}

/** @param sums the sum of each measure over users, and the number of users at the end */
const meansOf = (sums: Float64Array): number[] =>
  MEASURES.map((_, index) => sums[index] / sums[MEASURES.length]);

/** Number of users who rated each item, with 0 for the unknown row at the end. */
export function countsOfItems(rated: readonly Int32Array[], items: number): Float32Array {
  const counts = new Float32Array(items + 1);
  for (const ofUser of rated) for (const item of ofUser) counts[item]++;
  return counts;
}

const named = <T>(values: readonly T[]): Record<Measure, T> =>
  Object.fromEntries(MEASURES.map((name, index) => [name, values[index]])) as Record<Measure, T>;

/** The items that are relevant to a user, by row number, and what each is worth. */
interface Relevant {
  readonly items: Int32Array;
  readonly values: Float32Array;
}

/** The relevant items of each user who has some, and the numbers of known users and of those who have all from training. */
function relevantItems(
  rated: readonly Int32Array[],
  { users, items, ratings, itemIds }: Ratings,
  threshold: number,
): { known: number; withoutNew: number; relevant: Map<number, Relevant> } {
  const relevant = new Map<number, Relevant>();
  // Ratings are 32-bit floats, so the threshold must be rounded alike.
  const least = Math.fround(threshold);
  const ratedBy = new Int32Array(itemIds.length).fill(-1);
  let [user, known, withoutNew] = [0, 0, 0];
  for (const indices of indicesByUser(users, rated.length + 1)) {
    if (user === rated.length) break;
    for (const item of rated[user]) ratedBy[item] = user;
    const liked = indices.filter((index) => ratings[index] >= least);
    const found = liked.filter((index) => ratedBy[items[index]] !== user);
    if (found.length > 0)
      relevant.set(user, {
        items: found.map((index) => items[index]),
        values: Float32Array.from(found, (index) => Math.max(0, ratings[index])),
      });
    else if (liked.length > 0) withoutNew++;
    if (indices.length > 0) known++;
    user++;
  }
  return { known, withoutNew, relevant };
}

/** Row numbers of the best items of each user: lists of length `longest`, one after the other. */
interface Lists {
  readonly rows: Int32Array;
  readonly longest: number;
}

/** Each measure of each user, at `k`. */
function measured(
  { rows, longest }: Lists,
  k: number,
  relevant: readonly Relevant[],
  { items, weighted }: { readonly items: number; readonly weighted: boolean },
): Record<Measure, Float64Array> {
  const measures = named(MEASURES.map(() => new Float64Array(relevant.length)));
  const relevantTo = new Int32Array(items).fill(-1);
  const gains = new Float32Array(items).fill(1);
  // Higher ranks have no hits, however large k is.
  const ranks = Math.min(
    k,
    relevant.reduce((most, { items }) => Math.max(most, items.length), longest),
  );
  const discounts = Float64Array.from({ length: ranks }, (_, rank) => 1 / Math.log2(rank + 2));
  for (const [user, { items: wanted, values }] of relevant.entries()) {
    for (const [at, item] of wanted.entries()) {
      relevantTo[item] = user;
      if (weighted) gains[item] = values[at];
    }
    const best = weighted ? values.toSorted().reverse() : undefined;
    let [hits, gain, precisions, first, ideal] = [0, 0, 0, 0, 0];
    for (let rank = 0; rank < ranks; rank++) {
      if (rank < wanted.length) ideal += (best?.[rank] ?? 1) * discounts[rank];
      const item = rows[user * longest + rank];
      if (rank >= longest || relevantTo[item] !== user) continue;
      hits++;
      gain += gains[item] * discounts[rank];
      precisions += hits / (rank + 1);
      first ||= rank + 1;
    }
    measures.precision[user] = hits / k;
    measures.recall[user] = hits / wanted.length;
    // With weights, all relevant items may be worth nothing.
    measures.ndcg[user] = ideal > 0 ? gain / ideal : 0;
    measures.map[user] = precisions / wanted.length;
    measures.mrr[user] = first === 0 ? 0 : 1 / first;
    measures.hitRate[user] = Math.min(hits, 1);
  }
  return measures;
}

/** Coverage, Gini coefficient and novelty of the lists. */
function coverageOf(
  { rows, longest }: Lists,
  k: number,
  counts: ArrayLike<number>,
  { users, items }: { readonly users: number; readonly items: number },
) {
  const timesListed = new Int32Array(items);
  let [information, listed] = [0, 0];
  for (let index = 0; index < rows.length; index++) {
    const item = rows[index];
    if (index % longest >= k || item < 0) continue;
    timesListed[item]++;
    information -= Math.log2(Math.max(1, counts[item]) / users);
    listed++;
  }
  return {
    coverage: timesListed.filter((times) => times > 0).length / timesListed.length,
    gini: giniOf(timesListed),
    novelty: information / Math.max(1, listed),
  };
}

function giniOf(times: Int32Array): number {
  const { length } = times;
  let [weighted, sum] = [0, 0];
  for (const [rank, one] of times.toSorted().entries()) {
    weighted += (2 * rank + 1 - length) * one;
    sum += one;
  }
  return weighted / Math.max(1, (length - 1) * sum);
}

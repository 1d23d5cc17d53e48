/** Random cases for the metrics, and what cofactor makes of them. */

import { Ratings } from '../../src/data/dataset/ratings.ts';
import { errorsWithIntervals } from '../../src/evaluate/errors.ts';
import { baselineRanker } from '../../src/evaluate/rankers.ts';
import { ranking } from '../../src/evaluate/ranking.ts';
import { generator, type RandomGenerator, shuffled } from '../../src/util/random.ts';

/** Ratings, and what was predicted of them. */
export interface ErrorCase {
  readonly predicted: readonly number[];
  readonly actual: readonly number[];
}

export interface RankingCase {
  readonly k: number;
  readonly threshold: number;
  readonly items: number;
  /** [users, items], without ties. */
  readonly scores: readonly (readonly number[])[];
  /** The items that each user rated in training. */
  readonly seen: readonly (readonly number[])[];
  /** The number of items stands for one that is not of training. */
  readonly heldOut: readonly (readonly [user: number, item: number, rating: number])[];
}

export type MetricCase = ErrorCase | RankingCase;

/** A case, and its metrics by name. */
export interface Reference {
  readonly case: MetricCase;
  readonly metrics: Readonly<Record<string, number>>;
}

/** How far metrics may be from the reference. */
export const TOLERANCE = 1e-9;

export function randomCases(count: number, seed: number): MetricCase[] {
  const random = generator(seed);
  return Array.from({ length: count }, (_, index) => (index % 4 === 0 ? errorCase : rankingCase)(random));
}

export async function metricsOf(one: MetricCase): Promise<Record<string, number>> {
  if ('actual' in one) {
    const [predicted, ratings] = [one.predicted, one.actual].map((numbers) => Float32Array.from(numbers));
    const users = new Int32Array(ratings.length);
    const { rmse, mae } = errorsWithIntervals(predicted, { users, userIds: ['0'], ratings });
    return { rmse, mae };
  }
  const { k, threshold, items, scores, seen, heldOut } = one;
  const rated = seen.map((items) => Int32Array.from(items));
  const ranker = baselineRanker({ scores: (user) => Float32Array.from(scores[user]) }, rated);
  const ratings = new Ratings({
    userIds: seen.map((_, user) => `user ${user}`),
    itemIds: Array.from({ length: items }, (_, item) => `item ${item}`),
    users: Int32Array.from(heldOut, ([user]) => user),
    items: Int32Array.from(heldOut, ([, item]) => item),
    ratings: Float32Array.from(heldOut, ([, , rating]) => rating),
    unknown: { users: 0, items: heldOut.some(([, item]) => item === items) ? 1 : 0 },
  });
  const result = await ranking(ranker, rated, ratings, { k: [k], threshold });
  if (!result) throw new Error('no user of the case has a relevant item');
  const [{ k: _, intervals: __, ...metrics }] = result.at;
  return { users: result.users, ...metrics };
}

const below = (limit: number, random: RandomGenerator): number =>
  Math.floor((random.next() >>> 0) * 2 ** -32 * limit);

function errorCase(random: RandomGenerator): ErrorCase {
  const length = 1 + below(40, random);
  const draw = (): number => Math.fround(1 + below(4000, random) / 1000);
  return { predicted: Array.from({ length }, draw), actual: Array.from({ length }, draw) };
}

/** Among them users without a relevant item, users who have rated everything, and lists longer than the catalogue. */
function rankingCase(random: RandomGenerator): RankingCase {
  const [users, items, threshold] = [2 + below(8, random), 3 + below(20, random), 4];
  const some = (most: number): number[] => [...shuffled(items, random).subarray(0, below(most + 1, random))];
  const seen = Array.from({ length: users }, (_, user) => some(user === 0 ? items : items >> 1));
  const heldOut = Array.from({ length: users }, (_, user) =>
    [...some(items), ...Array<number>(below(3, random)).fill(items)].map(
      (item) => [user, item, 1 + below(5, random)] as const,
    ),
  ).flat();
  // Somebody has a relevant item.
  heldOut.push([users - 1, items, threshold]);
  return {
    k: 1 + below(items + 5, random),
    threshold,
    items,
    scores: Array.from({ length: users }, () => [...shuffled(items, random)]),
    seen,
    heldOut,
  };
}

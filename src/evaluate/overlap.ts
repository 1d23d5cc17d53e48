import type { Ratings } from '../data/dataset/ratings.ts';
import { indicesByUser } from '../data/dataset/rows.ts';

/** What makes a judgement better or worse than it should be. */
export interface Overlap {
  /** Number of ratings or interactions whose user and item are in training, too; undefined if that is not known. */
  readonly trained?: number | undefined;
  /** Number of ratings below the lowest or above the highest of training. */
  readonly offScale: number;
}

/**
 * Counts what test data have in common with those of training, and what is off their scale.
 *
 * @param test ratings with the ids of training
 * @param rated rows of the items that each user rated in training. Default: not known
 */
export function overlapOf(
  { kind, users, items, ratings, userIds, itemIds }: Ratings,
  rated: readonly Int32Array[] | undefined,
  { low, high }: { readonly low: number; readonly high: number },
): Overlap {
  const isOff = (rating: number): boolean => rating < Math.fround(low) || rating > Math.fround(high);
  const offScale =
    kind === 'ratings' ? ratings.reduce((count, rating) => count + Number(isOff(rating)), 0) : 0;
  return { trained: rated && pairsAmong(rated, { users, items }, { userIds, itemIds }), offScale };
}

/** Number of pairs of a user and an item that are in `rated`. */
export function pairsAmong(
  rated: readonly Int32Array[],
  { users, items }: Pick<Ratings, 'users' | 'items'>,
  { userIds, itemIds }: Pick<Ratings, 'userIds' | 'itemIds'>,
): number {
  const lastUser = new Int32Array(itemIds.length + 1).fill(-1);
  let pairs = 0;
  let user = 0;
  for (const indices of indicesByUser(users, userIds.length + 1)) {
    for (const item of rated[user] ?? []) lastUser[item] = user;
    for (const index of indices) if (lastUser[items[index]] === user) pairs++;
    user++;
  }
  return pairs;
}

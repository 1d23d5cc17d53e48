import type { Ratings } from '../data/dataset/ratings.ts';
import { indicesByUser } from '../data/dataset/rows.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { highest } from '../util/highest.ts';
import type { Baseline } from './baseline.ts';

/**
 * Ranks all items for each user, except those that the user rated in training.
 *
 * @param users row numbers, [n]
 * @param k number of items per user
 * @returns row numbers of items, [n, k], best first (of equal ones the lower row), padded with −1
 */
export type Ranker = (users: Int32Array, k: number) => Int32Array | Promise<Int32Array>;

/** For each user the row numbers of the items that the user rated. Unknown ids are left out. */
export function itemsOfUsers({
  users,
  items,
  userIds,
  itemIds,
}: Pick<Ratings, 'users' | 'items' | 'userIds' | 'itemIds'>): Int32Array[] {
  return [...indicesByUser(users, userIds.length + 1)]
    .slice(0, userIds.length)
    .map((indices) => indices.map((index) => items[index]).filter((item) => item < itemIds.length));
}

/** For each user the row numbers of the items that recommendations leave out. */
export const itemsLeftOut = async (ratings: Ratings): Promise<Int32Array[]> => {
  const { users, items } = await ratings.toLeaveOut();
  const { userIds, itemIds } = ratings;
  return itemsOfUsers({ users, items, userIds, itemIds });
};

/** @param rated row numbers of the items that each user rated in training */
export function baselineRanker(baseline: Pick<Baseline, 'scores'>, rated: readonly Int32Array[]): Ranker {
  return (users, k) => {
    const lists = new Int32Array(users.length * k).fill(-1);
    users.forEach((user, index) => {
      const scores = baseline.scores(user).slice();
      for (const item of rated[user]) scores[item] = Number.NEGATIVE_INFINITY;
      lists.set(highest(scores, k), index * k);
    });
    return lists;
  };
}

/** Users per call of `recommend`, to limit memory: its results are objects, which are larger than row numbers. */
const USERS_PER_CHUNK = 1024;

/**
 * @param ids the model's ids, in the order of rows
 * @param rated row numbers of the items that each user rated in training
 */
export function recommenderRanker(
  recommender: Recommender,
  { userIds, itemIds }: Pick<Ratings, 'userIds' | 'itemIds'>,
  rated: readonly Int32Array[],
): Ranker {
  const rows = new Map(itemIds.map((id, row) => [id, row]));
  return async (users, k) => {
    const lists = new Int32Array(users.length * k).fill(-1);
    // Sorted by length, because the lists to exclude in a chunk are padded to the longest.
    const indices = Array.from(users.keys()).sort((a, b) => rated[users[a]].length - rated[users[b]].length);
    for (let from = 0; from < indices.length; from += USERS_PER_CHUNK) {
      const chunk = indices.slice(from, from + USERS_PER_CHUNK);
      const recommended = await recommender.recommend(
        chunk.map((index) => userIds[users[index]]),
        {
          k,
          excludeByUser: new Map(
            chunk.map((index) => [
              userIds[users[index]],
              Array.from(rated[users[index]], (item) => itemIds[item]),
            ]),
          ),
          includeSeen: true,
        },
      );
      for (const [at, list] of recommended.entries())
        lists.set(
          list.map(({ item }) => rows.get(item) as number),
          chunk[at] * k,
        );
    }
    return lists;
  };
}

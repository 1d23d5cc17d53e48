import type { Ratings } from '../data/dataset/ratings.ts';
import { indicesByUser } from '../data/dataset/rows.ts';
import type { Recommender } from '../recommend/recommender.ts';
import type { Baseline } from './baseline.ts';
import { highest } from './highest.ts';

/**
 * Ranks the whole catalogue, without what a user rated in training.
 *
 * @param users rows, [n]
 * @param k how many items each user gets
 * @returns rows of items, the best first, of equally good ones the earlier row: [n, k], padded with −1
 */
export type Ranker = (users: Int32Array, k: number) => Int32Array | Promise<Int32Array>;

/** The rows of the items that each user rated, by the user's row; ids without a row are left out. */
export function itemsOfUsers({ users, items, userIds, itemIds }: Ratings): Int32Array[] {
  return [...indicesByUser(users, userIds.length + 1)]
    .slice(0, userIds.length)
    .map((places) => places.map((place) => items[place]).filter((item) => item < itemIds.length));
}

/** @param rated what each user rated in training */
export function baselineRanker(baseline: Pick<Baseline, 'scores'>, rated: readonly Int32Array[]): Ranker {
  return (users, k) => {
    const lists = new Int32Array(users.length * k).fill(-1);
    users.forEach((user, place) => {
      const scores = baseline.scores(user).slice();
      for (const item of rated[user]) scores[item] = Number.NEGATIVE_INFINITY;
      lists.set(highest(scores, k), place * k);
    });
    return lists;
  };
}

/** Users whose recommendations are asked for at once: as objects they take more memory than as rows. */
const USERS_A_PIECE = 1024;

/**
 * @param ids in the order of the rows
 * @param rated what each user rated in training
 */
export function recommenderRanker(
  recommender: Recommender,
  { userIds, itemIds }: Pick<Ratings, 'userIds' | 'itemIds'>,
  rated: readonly Int32Array[],
): Ranker {
  const rows = new Map(itemIds.map((id, row) => [id, row]));
  return async (users, k) => {
    const lists = new Int32Array(users.length * k).fill(-1);
    // Lists to exclude that are sent together are padded to the longest.
    const places = Array.from(users.keys()).sort((a, b) => rated[users[a]].length - rated[users[b]].length);
    for (let from = 0; from < places.length; from += USERS_A_PIECE) {
      const piece = places.slice(from, from + USERS_A_PIECE);
      const recommended = await recommender.recommend(
        piece.map((place) => userIds[users[place]]),
        {
          k,
          excludeByUser: new Map(
            piece.map((place) => [
              userIds[users[place]],
              Array.from(rated[users[place]], (item) => itemIds[item]),
            ]),
          ),
          includeSeen: true,
        },
      );
      for (const [at, list] of recommended.entries())
        lists.set(
          list.map(({ item }) => rows.get(item) as number),
          piece[at] * k,
        );
    }
    return lists;
  };
}

import type { Ratings } from '../data/dataset/ratings.ts';
import { itemsOfUsers } from './rankers.ts';

/** Who has what, by row number. Unknown ids are left out. */
export interface Lists {
  readonly ofUsers: readonly Int32Array[];
  readonly ofItems: readonly Int32Array[];
}

export const listsOf = ({ users, items, userIds, itemIds }: Ratings): Lists => ({
  ofUsers: itemsOfUsers({ users, items, userIds, itemIds }),
  ofItems: itemsOfUsers({ users: items, items: users, userIds: itemIds, itemIds: userIds }),
});

import { UserError } from '../../errors.ts';
import { oneLine, quoted } from '../../util/text.ts';
import { isStored, type StoredRatings } from './stored.ts';

/** Ratings of items by users. The four arrays of ratings are parallel: one entry a rating, in file order. */
export interface Ratings {
  /** Ids as the file writes them. The row number of an id is its place here: as read, in order of first appearance. */
  userIds: string[];
  itemIds: string[];
  /** Row numbers; the number of ids stands for an id that is not among them. */
  users: Int32Array;
  items: Int32Array;
  ratings: Float32Array;
  /** Unix seconds, where every file has them. */
  times?: Float64Array;
  /** How many users and items have no id here, because a vocabulary was given that lacks them. */
  unknown?: { users: number; items: number };
  /** How many ratings a later one of the same user and item replaced. */
  duplicates: number;
  /** What the reader took for granted, a sentence each. */
  assumptions: string[];
}

/** Without those that a later one of the same user and item replaces: later by time, else by place. */
export function latestOnly(table: Ratings): Ratings {
  const replaced = replacedPlaces(table);
  const ratings = { ...table, duplicates: replaced.size };
  return replaced.size === 0
    ? ratings
    : selectRows(
        ratings,
        table.users.map((_, place) => place).filter((place) => !replaced.has(place)),
      );
}

/** The ratings at these places, in this order, with the same ids. */
export function selectRows(ratings: Ratings, places: Int32Array): Ratings {
  return {
    ...ratings,
    users: places.map((place) => ratings.users[place]),
    items: places.map((place) => ratings.items[place]),
    ratings: Float32Array.from(places, (place) => ratings.ratings[place]),
    ...(ratings.times && {
      times: Float64Array.from(places, (place) => (ratings.times as Float64Array)[place]),
    }),
  };
}

/**
 * @param path what the message calls the ratings
 * @throws UserError if no model can be trained: fewer than two users or items, or one rating throughout
 */
export function checkTrainable(ratings: Ratings | StoredRatings, path: string): void {
  const [first, isOne] = isStored(ratings)
    ? [ratings.low, ratings.low === ratings.high]
    : [ratings.ratings[0], ratings.ratings.every((rating) => rating === ratings.ratings[0])];
  const fault =
    ratings.userIds.length < 2
      ? `all ratings are by one user, ${quoted(ratings.userIds[0])}; training needs at least 2 users`
      : ratings.itemIds.length < 2
        ? `all ratings are of one item, ${quoted(ratings.itemIds[0])}; training needs at least 2 items`
        : isOne
          ? `all ratings are ${first}; training needs at least 2 different ratings`
          : undefined;
  if (fault !== undefined) throw new UserError(oneLine(`${path}: ${fault}`));
}

/** The lowest and the highest of numbers. */
export function rangeOf(numbers: Float32Array): { low: number; high: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const number of numbers) {
    if (number < low) low = number;
    if (number > high) high = number;
  }
  return { low, high };
}

/** The same ratings with the row numbers of other ids; one that is not among them gets the unknown row. */
export function renumbered(
  ratings: Ratings,
  { userIds, itemIds }: Pick<Ratings, 'userIds' | 'itemIds'>,
): Ratings {
  const userRows = rowsIn(userIds, ratings.userIds);
  const itemRows = rowsIn(itemIds, ratings.itemIds);
  return {
    ...ratings,
    userIds,
    itemIds,
    users: ratings.users.map((row) => userRows[row]),
    items: ratings.items.map((row) => itemRows[row]),
    unknown: {
      users: new Set(ratings.users.filter((row) => userRows[row] === userIds.length)).size,
      items: new Set(ratings.items.filter((row) => itemRows[row] === itemIds.length)).size,
    },
  };
}

/** For each row of `ids`, and last for the unknown row, the row in `vocabulary`. */
function rowsIn(vocabulary: string[], ids: string[]): Int32Array {
  const known = new Map(vocabulary.map((id, row) => [id, row]));
  const rows = new Int32Array(ids.length + 1).fill(vocabulary.length);
  ids.forEach((id, row) => {
    rows[row] = known.get(id) ?? vocabulary.length;
  });
  return rows;
}

/** The places of the ratings that a later one of the same user and item replaces. */
function replacedPlaces({ userIds, itemIds, users, items, times }: Ratings): Set<number> {
  const latest = new Int32Array(itemIds.length).fill(-1);
  const replaced = new Set<number>();
  for (const places of placesByUser(users, userIds.length)) {
    for (const place of places) {
      const other = latest[items[place]];
      latest[items[place]] = place;
      // The item's entry may be left from another user.
      if (other === -1 || users[other] !== users[place]) continue;
      const later = times === undefined || times[place] >= times[other];
      replaced.add(later ? other : place);
      if (!later) latest[items[place]] = other;
    }
  }
  return replaced;
}

/** The places of each user's ratings, in order. */
export function* placesByUser(users: Int32Array, userCount: number): Generator<Int32Array> {
  const starts = new Int32Array(userCount + 1);
  for (const user of users) starts[user + 1]++;
  for (let user = 0; user < userCount; user++) starts[user + 1] += starts[user];
  const next = starts.slice();
  const places = new Int32Array(users.length);
  users.forEach((user, place) => {
    places[next[user]++] = place;
  });
  for (let user = 0; user < userCount; user++) yield places.subarray(starts[user], starts[user + 1]);
}

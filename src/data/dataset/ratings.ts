import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import type { DataFacts } from '../../../graphs/models/model.ts';
import { UserError } from '../../errors.ts';
import { sha256 } from '../../util/hash.ts';
import type { Dataset } from './dataset.ts';
import { placesByUser, type Rows, rangeOf } from './rows.ts';
import { type BlockCounts, type Strata, strataOf } from './strata.ts';

/** What `Ratings` are made of. */
export interface RatingsParts extends Vocabulary, Rows {
  /** What messages call them. @default 'the ratings' */
  readonly name?: string;
  /** Unix seconds. */
  readonly times?: Float64Array;
  /** How many users and items have no id here; each has the row number past the last. */
  readonly unknown?: { readonly users: number; readonly items: number };
}

/** Ratings of items by users, in memory. The arrays are parallel: one entry a rating. */
export class Ratings implements Dataset, Rows {
  readonly name: string;
  /** The row number of an id is its place here. */
  readonly userIds: readonly string[];
  readonly itemIds: readonly string[];
  /** Row numbers; the number of ids stands for an id that is not among them. */
  readonly users: Int32Array;
  readonly items: Int32Array;
  readonly ratings: Float32Array;
  /** Unix seconds, where there are any. */
  readonly times?: Float64Array;
  readonly unknown?: { readonly users: number; readonly items: number };
  #facts?: DataFacts;
  #averages?: Pick<Dataset, 'itemCounts' | 'itemAverages'>;

  /**
   * @throws UserError for arrays of unlike length, a row without an id, a rating that is no finite number, or ids that are
   *   empty, not unique, or hold NUL
   */
  constructor({
    name = 'the ratings',
    userIds,
    itemIds,
    users,
    items,
    ratings,
    times,
    unknown,
  }: RatingsParts) {
    this.name = name;
    this.userIds = userIds;
    this.itemIds = itemIds;
    this.users = users;
    this.items = items;
    this.ratings = ratings;
    if (times) this.times = times;
    if (unknown) this.unknown = unknown;
    checkRows(this, name);
    checkIds('user', userIds, name);
    checkIds('item', itemIds, name);
  }

  get facts(): DataFacts {
    this.#facts ??= factsOf(this);
    return this.#facts;
  }

  get itemCounts(): Int32Array {
    this.#averages ??= averagesOf(this);
    return this.#averages.itemCounts;
  }

  get itemAverages(): Float64Array {
    this.#averages ??= averagesOf(this);
    return this.#averages.itemAverages;
  }

  async sample(): Promise<Rows> {
    return this;
  }

  strata(blocks: BlockCounts, seed: number): Strata {
    return strataOf(this, blocks, seed);
  }

  async hashes(): Promise<string> {
    const ids = new TextEncoder().encode(JSON.stringify([this.userIds, this.itemIds]));
    let hashes = await sha256(ids);
    // One hash an array, so that none is copied.
    for (const { buffer, byteOffset, byteLength } of [this.users, this.items, this.ratings])
      hashes += await sha256(new Uint8Array(buffer, byteOffset, byteLength));
    return hashes;
  }

  async close(): Promise<void> {}
}

function checkRows({ userIds, itemIds, users, items, ratings, times, unknown }: RatingsParts, name: string) {
  const count = ratings.length;
  for (const [kind, ids, rows, more] of [
    ['user', userIds, users, unknown?.users],
    ['item', itemIds, items, unknown?.items],
  ] as const) {
    if (rows.length !== count)
      throw new UserError(`${name}: ${count} ratings, but ${rows.length} ${kind} rows`);
    const limit = ids.length + (more ? 1 : 0);
    const at = rows.findIndex((row) => !(row >= 0 && row < limit));
    if (at >= 0)
      throw new UserError(
        `${name}: number ${at + 1} has ${kind} row ${rows[at]}, but there are ${ids.length} ${kind} ids`,
      );
  }
  if (times && times.length !== count)
    throw new UserError(`${name}: ${count} ratings, but ${times.length} times`);
  const at = ratings.findIndex((rating) => !Number.isFinite(rating));
  if (at >= 0) throw new UserError(`${name}: number ${at + 1} is ${ratings[at]}, not a finite number`);
}

/** Lists of ids that have been checked: parts of ratings share them. */
const good = new WeakSet<readonly string[]>();

/** Files pad lists of ids with '', and ONNX Runtime in Node ends an id at its first NUL. */
function checkIds(kind: string, ids: readonly string[], name: string): void {
  if (good.has(ids)) return;
  const at = ids.findIndex((id) => typeof id !== 'string' || id === '' || id.includes('\0'));
  if (at >= 0)
    throw new UserError(
      `${name}: ${kind} id ${at + 1} is ${JSON.stringify(ids[at])}; give a text of at least one character, without NUL`,
    );
  if (new Set(ids).size < ids.length) throw new UserError(`${name}: two of the ${kind} ids are the same`);
  good.add(ids);
}

function factsOf({ userIds, itemIds, ratings }: Ratings): DataFacts {
  const { low, high } = rangeOf(ratings);
  const mean = ratings.reduce((sum, rating) => sum + rating, 0) / ratings.length;
  return { users: userIds.length, items: itemIds.length, ratings: ratings.length, low, high, mean };
}

function averagesOf({ itemIds, items, ratings, unknown }: Ratings) {
  // Last, the unknown row.
  const rows = itemIds.length + (unknown ? 1 : 0);
  const itemCounts = new Int32Array(rows);
  const sums = new Float64Array(rows);
  for (const [place, row] of items.entries()) {
    itemCounts[row]++;
    sums[row] += ratings[place];
  }
  const mean = sums.reduce((total, sum) => total + sum, 0) / ratings.length;
  const itemAverages = sums.map((sum, row) => (itemCounts[row] ? sum / itemCounts[row] : mean));
  return {
    itemCounts: itemCounts.subarray(0, itemIds.length),
    itemAverages: itemAverages.subarray(0, itemIds.length),
  };
}

/** The ratings at these places, in this order, with the same ids. */
export const selectRows = (ratings: Ratings, places: Int32Array): Ratings =>
  new Ratings({
    ...ratings,
    users: places.map((place) => ratings.users[place]),
    items: places.map((place) => ratings.items[place]),
    ratings: Float32Array.from(places, (place) => ratings.ratings[place]),
    times: ratings.times && Float64Array.from(places, (place) => (ratings.times as Float64Array)[place]),
  });

/** The same ratings with the row numbers of other ids; one that is not among them gets the unknown row. */
export function renumbered(ratings: Ratings, { userIds, itemIds }: Vocabulary): Ratings {
  const userRows = rowsIn(userIds, ratings.userIds);
  const itemRows = rowsIn(itemIds, ratings.itemIds);
  return new Ratings({
    ...ratings,
    userIds,
    itemIds,
    users: ratings.users.map((row) => userRows[row]),
    items: ratings.items.map((row) => itemRows[row]),
    unknown: {
      users: new Set(ratings.users.filter((row) => userRows[row] === userIds.length)).size,
      items: new Set(ratings.items.filter((row) => itemRows[row] === itemIds.length)).size,
    },
  });
}

/** For each row of `ids`, and last for the unknown row, the row in `vocabulary`. */
function rowsIn(vocabulary: readonly string[], ids: readonly string[]): Int32Array {
  const known = new Map(vocabulary.map((id, row) => [id, row]));
  const rows = new Int32Array(ids.length + 1).fill(vocabulary.length);
  for (const [row, id] of ids.entries()) rows[row] = known.get(id) ?? vocabulary.length;
  return rows;
}

/**
 * The places of the ratings that count: of two of the same user and item the later, by time, else by place.
 *
 * @returns undefined where all do
 */
export function latestPlaces({
  userIds,
  itemIds,
  users,
  items,
  times,
}: Omit<RatingsParts, 'name'>): Int32Array | undefined {
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
  if (replaced.size === 0) return undefined;
  return users.map((_, place) => place).filter((place) => !replaced.has(place));
}

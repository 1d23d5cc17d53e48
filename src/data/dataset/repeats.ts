import { indicesByUser, type Rows, totalOf } from './rows.ts';

/** Which of several ratings of an item by the same user counts, or what becomes of them. */
export const DUPLICATES = ['last', 'first', 'mean', 'sum', 'count', 'max'] as const;

export type Duplicates = (typeof DUPLICATES)[number];

/** Rows with what they may have beside. */
export interface MoreRows extends Rows {
  readonly times?: Float64Array | undefined;
  readonly leftOut?: Uint8Array | undefined;
}

/** Numbers of users and items. */
export interface Sizes {
  readonly users: number;
  readonly items: number;
}

/** The rows at these indices. */
export const rowsAt = <Some extends MoreRows>(rows: Some, indices: Int32Array): Some => ({
  ...rows,
  users: indices.map((index) => rows.users[index]),
  items: indices.map((index) => rows.items[index]),
  ratings: Float32Array.from(indices, (index) => rows.ratings[index]),
  times: rows.times && Float64Array.from(indices, (index) => (rows.times as Float64Array)[index]),
  leftOut: rows.leftOut && Uint8Array.from(indices, (index) => (rows.leftOut as Uint8Array)[index]),
});

/**
 * Rows of which no two have the same user and item. The last and the first are those by time, or in the order of the rows if there
 * are no times. Others become one in place of the first, whose time is the earliest if they are added up or counted, because from then on the user has the item, and
 * else the latest; it is left out of recommendations if any of them is.
 *
 * @returns the same rows if there is nothing to do
 */
export function withoutRepeats<Some extends MoreRows>(
  rows: Some,
  sizes: Sizes,
  duplicates: Duplicates,
): Some {
  const { users, items } = rows;
  // Flags, not a set: a set has at most 2^24 elements.
  const repeated = new Uint8Array(users.length);
  const merger =
    duplicates === 'last' || duplicates === 'first' ? chooser(rows, duplicates) : adder(rows, duplicates);
  const chosen = new Int32Array(sizes.items).fill(-1);
  let count = 0;
  for (const indices of indicesByUser(users, sizes.users)) {
    for (const index of indices) {
      const item = items[index];
      const other = chosen[item];
      // The item's entry may be from another user.
      if (other === -1 || users[other] !== users[index]) chosen[item] = index;
      else {
        chosen[item] = merger.choose(index, other);
        repeated[chosen[item] === index ? other : index] = 1;
        count++;
      }
    }
  }
  if (count === 0 && duplicates !== 'count') return rows;
  const merged = merger.rows();
  if (count === 0) return merged;
  const kept = users.map((_, index) => index).filter((index) => repeated[index] === 0);
  return rowsAt(merged, kept);
}

interface Merger<Some> {
  /** Merges two rows. @returns which of them stays */
  choose(index: number, other: number): number;
  /** The rows, with what they were merged to. */
  rows(): Some;
}

/** Of two rows, the later or the earlier one stays. */
function chooser<Some extends MoreRows>(rows: Some, duplicates: 'last' | 'first'): Merger<Some> {
  const { times } = rows;
  const leftOut = rows.leftOut?.slice();
  return {
    choose(index, other) {
      const isNew =
        duplicates === 'last'
          ? times === undefined || times[index] >= times[other]
          : times !== undefined && times[index] < times[other];
      const [stays, goes] = isNew ? [index, other] : [other, index];
      if (leftOut) leftOut[stays] |= leftOut[goes];
      return stays;
    },
    rows: () => ({ ...rows, ...(leftOut && { leftOut }) }),
  };
}

/** Two rows become one in place of the first. */
function adder<Some extends MoreRows>(
  rows: Some,
  duplicates: 'mean' | 'sum' | 'count' | 'max',
): Merger<Some> {
  const { length } = rows.users;
  const timeOf = duplicates === 'sum' || duplicates === 'count' ? Math.min : Math.max;
  const [times, leftOut] = [rows.times?.slice(), rows.leftOut?.slice()];
  let sums: Float64Array | undefined;
  const largest = rows.ratings.map(Math.abs);
  const most = rows.ratings.slice();
  const counts = new Int32Array(length).fill(1);
  return {
    choose(index, first) {
      sums ??= Float64Array.from(rows.ratings);
      sums[first] += rows.ratings[index];
      counts[first]++;
      most[first] = Math.max(most[first], rows.ratings[index]);
      largest[first] = Math.max(largest[first], Math.abs(rows.ratings[index]));
      if (times) times[first] = timeOf(times[first], times[index]);
      if (leftOut) leftOut[first] |= leftOut[index];
      return first;
    },
    rows() {
      const total = (at: number): number => totalOf(sums?.[at] ?? rows.ratings[at], largest[at]);
      const ratings =
        duplicates === 'count'
          ? Float32Array.from(counts)
          : duplicates === 'max'
            ? most
            : rows.ratings.map((rating, at) =>
                counts[at] === 1 ? rating : duplicates === 'sum' ? total(at) : total(at) / counts[at],
              );
      return { ...rows, ratings, ...(times && { times }), ...(leftOut && { leftOut }) };
    },
  };
}

/** Rows of users and items that have at least `least` of them each: the k-core. The rows have no repeats. */
export function coreOf<Some extends MoreRows>(rows: Some, sizes: Sizes, least: number): Some {
  const { users, items } = rows;
  let indices = users.map((_, index) => index);
  for (;;) {
    const [ofUser, ofItem] = [new Int32Array(sizes.users), new Int32Array(sizes.items)];
    for (const index of indices) {
      ofUser[users[index]]++;
      ofItem[items[index]]++;
    }
    const kept = indices.filter((index) => ofUser[users[index]] >= least && ofItem[items[index]] >= least);
    if (kept.length === indices.length) return kept.length === users.length ? rows : rowsAt(rows, kept);
    indices = kept;
  }
}

/** A table of pairs may take so many bits for each row. */
const BITS_PER_ROW = 256;

/** Whether two rows have the same user and item. If a table of all pairs is too large, it is not known: true. */
export function hasRepeats({ users, items }: Pick<Rows, 'users' | 'items'>, sizes: Sizes): boolean {
  const pairs = sizes.users * sizes.items;
  if (pairs > BITS_PER_ROW * Math.max(users.length, 2 ** 16) || pairs > 2 ** 32) return true;
  const bits = new Uint32Array(Math.ceil(pairs / 32));
  for (let index = 0; index < users.length; index++) {
    const pair = users[index] * sizes.items + items[index];
    const word = pair >>> 5;
    const bit = 1 << (pair & 31);
    if (bits[word] & bit) return true;
    bits[word] |= bit;
  }
  return false;
}

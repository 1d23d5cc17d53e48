import { indicesByUser, type Rows, StrengthSum } from './rows.ts';

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
 * are no times. Others become one, whose time is the latest, in place of the first; it is left out of recommendations if any of them is.
 *
 * @returns the same rows if there is nothing to do
 */
export function withoutRepeats<Some extends MoreRows>(
  rows: Some,
  sizes: Sizes,
  duplicates: Duplicates,
): Some {
  const repeated = new Set<number>();
  const merged = merger(rows, duplicates);
  const chosen = new Int32Array(sizes.items).fill(-1);
  for (const indices of indicesByUser(rows.users, sizes.users)) {
    for (const index of indices) {
      const item = rows.items[index];
      const other = chosen[item];
      // The item's entry may be from another user.
      if (other === -1 || rows.users[other] !== rows.users[index]) chosen[item] = index;
      else {
        chosen[item] = merged.choose(index, other);
        repeated.add(chosen[item] === index ? other : index);
      }
    }
  }
  if (repeated.size === 0 && duplicates !== 'count') return rows;
  const all = merged.rows();
  return repeated.size === 0
    ? all
    : rowsAt(
        all,
        rows.users.map((_, index) => index).filter((index) => !repeated.has(index)),
      );
}

/** How two rows with the same user and item become one. */
function merger<Some extends MoreRows>(rows: Some, duplicates: Duplicates) {
  const [times, leftOut] = [rows.times?.slice(), rows.leftOut?.slice()];
  const join = (to: number, from: number): void => {
    if (leftOut) leftOut[to] |= leftOut[from];
  };
  if (duplicates === 'last' || duplicates === 'first')
    return {
      choose(index: number, other: number): number {
        const later = times === undefined || times[index] >= times[other];
        const isNew = duplicates === 'last' ? later : times !== undefined && times[index] < times[other];
        join(isNew ? index : other, isNew ? other : index);
        return isNew ? index : other;
      },
      rows: (): Some => ({ ...rows, ...(leftOut && { leftOut }) }),
    };
  const groups = new Map<number, { sum: StrengthSum; count: number; most: number }>();
  return {
    choose(index: number, first: number): number {
      const start = rows.ratings[first];
      const group = groups.get(first) ?? { sum: new StrengthSum().add(start), count: 1, most: start };
      const value = rows.ratings[index];
      group.sum.add(value);
      group.count++;
      group.most = Math.max(group.most, value);
      groups.set(first, group);
      if (times) times[first] = Math.max(times[first], times[index]);
      join(first, index);
      return first;
    },
    rows(): Some {
      const ratings =
        duplicates === 'count' ? new Float32Array(rows.users.length).fill(1) : rows.ratings.slice();
      for (const [first, { sum, count, most }] of groups)
        ratings[first] = { mean: sum.total / count, sum: sum.total, count, max: most }[duplicates];
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

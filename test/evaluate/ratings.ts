import { Ratings } from '../../src/data/dataset/ratings.ts';

export type Row = readonly [user: number, item: number, rating: number];

/** Ratings by row numbers, with the ids `u0`, `u1`, … and `i0`, `i1`, …; the row after the last is unknown. */
export function ratingsOf(users: number, items: number, rows: readonly Row[]): Ratings {
  const unknown = {
    users: Number(rows.some(([user]) => user === users)),
    items: Number(rows.some(([, item]) => item === items)),
  };
  return new Ratings({
    userIds: Array.from({ length: users }, (_, row) => `u${row}`),
    itemIds: Array.from({ length: items }, (_, row) => `i${row}`),
    users: Int32Array.from(rows, ([user]) => user),
    items: Int32Array.from(rows, ([, item]) => item),
    ratings: Float32Array.from(rows, ([, , rating]) => rating),
    ...(unknown.users + unknown.items > 0 && { unknown }),
  });
}

import { tileSize } from './triangle.ts';

/** How large a system is. */
export interface Sizes {
  /** Users with two items or more; see `usersWithSeveral`. */
  readonly users: number;
  readonly items: number;
  /** Pairs of user and item. */
  readonly pairs: number;
}

/** Whose matrix is inverted: of [items, items] or of [users, users]. */
export type Side = 'users' | 'items';

/** Floating-point operations in a second, measured on two cores: of a product in the runtime, and of plain code. */
const SPEED = { products: 80e9, plain: 7e8 };

const BYTES = 4;
/** What the runtime, compiled code and garbage take: measured as 30 to 80 MB. */
const BESIDE = 100e6;

/** Estimated time of a side, in seconds: to invert its matrix, and to make all rows. */
const secondsOfSide = (side: Side, { users, items, pairs }: Sizes): number =>
  side === 'items'
    ? items ** 3 / SPEED.products
    : // Rows are sums over users and over pairs.
      users ** 3 / SPEED.products + (pairs * (users + items)) / SPEED.plain;

/** Estimated time of `solved` and all of its rows, in seconds. */
export const secondsOf = (sizes: Sizes): number => secondsOfSide(sideOf(sizes), sizes);

/** The side that is estimated to be faster, of those that fit into some bytes; if neither does, the one that takes fewer. */
export function sideOf(sizes: Sizes, memory = Number.POSITIVE_INFINITY): Side {
  const isFaster = secondsOfSide('users', sizes) < secondsOfSide('items', sizes);
  const [faster, other]: Side[] = isFaster ? ['users', 'items'] : ['items', 'users'];
  const needed = memoryOfSide(faster, sizes);
  return needed <= memory || needed <= memoryOfSide(other, sizes) ? faster : other;
}

/**
 * Bytes that `solved` takes at most, beside its input: of the side that it chooses if it may take `memory`.
 */
export const memoryOf = (sizes: Sizes, memory?: number): number => memoryOfSide(sideOf(sizes, memory), sizes);

/**
 * The largest number of items that fits into some bytes.
 *
 * @param bytesOf how many bytes a number of items takes
 */
export function mostItems(memory: number, bytesOf: (items: number) => number): number {
  let [fits, over] = [0, 2 ** 31];
  while (over - fits > 1) {
    const items = Math.floor((fits + over) / 2);
    if (bytesOf(items) <= memory) fits = items;
    else over = items;
  }
  return fits;
}

function memoryOfSide(side: Side, { users, items, pairs }: Sizes): number {
  const n = side === 'items' ? items : users;
  const size = tileSize(n);
  // The diagonal's tiles are whole; beside the matrix there are one tile and a few copies of one while it is inverted.
  const inverted = (n * (n + size)) / 2 + 8 * size ** 2;
  // Rows of the users' side are sums of rows of the whole matrix.
  const matrix = side === 'items' ? inverted : n ** 2 + 8 * size ** 2;
  const lists = 4 * pairs + 10 * (users + items);
  return BYTES * (matrix + lists) + BESIDE;
}

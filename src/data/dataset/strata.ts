import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import { UserError } from '../../errors.ts';
import { generator, shuffled } from '../../util/random.ts';
import { emptyRows, type Rows } from './rows.ts';

/** Rows dealt into blocks, so that each has about as many rows, and as many ratings. */
export interface Blocks {
  /** The row at each place: the places of a block lie side by side. */
  readonly order: Int32Array;
  /** The first place of each block; last, the number of rows. */
  readonly starts: Int32Array;
}

/** How many blocks of users and of items there are. */
export type BlockCounts = readonly [users: number, items: number];

/** Ratings of some items by some users, by their places in the blocks. */
export type Stratum = Rows;

/** Ratings by block of users and block of items, in random order within each. */
export interface Strata {
  readonly users: Blocks;
  readonly items: Blocks;
  /** Where each stratum begins: that of the user block u and the item block i is number u · item blocks + i. */
  readonly starts: Float64Array;
  /** A stratum's ratings, in memory of their own. */
  read(number: number): Promise<Stratum>;
}

/** Ratings that a stratum should have at least, so that what goes in and out with it costs little. */
const RATINGS = 2 ** 14;
/** Rows that a block should have at least; of so few, two tables of 50 factors stay in a core's cache. */
const ROWS = 3000;

/**
 * How many blocks there are to be.
 *
 * @param multiple both numbers are a multiple of it: how many strata are to be run side by side
 * @param wanted instead of the best: as many as the cache asks for, where the ratings suffice
 * @throws UserError where that cannot be
 */
export function blockCounts(
  { users, items, ratings }: { readonly users: number; readonly items: number; readonly ratings: number },
  multiple: number,
  wanted?: readonly number[],
): BlockCounts {
  const most = [users, items];
  if (wanted === undefined) {
    const rows = Math.max(ROWS, Math.sqrt((users * items * RATINGS) / ratings));
    const best = most.map((count) =>
      Math.min(count, Math.max(multiple, Math.round(count / rows / multiple) * multiple)),
    );
    return [best[0], best[1]];
  }
  if (
    wanted.length !== 2 ||
    !wanted.every((count, at) => Number.isSafeInteger(count) && count >= 1 && count <= most[at])
  )
    throw new UserError(
      'argument',
      `blocks is ${wanted}; give two whole numbers, of users and of items, up to ${most.join(' and ')}`,
    );
  return [wanted[0], wanted[1]];
}

/** Deals rows to blocks back and forth, the most rated first; `counts` says how often each is rated. */
export function blocksOf(counts: ArrayLike<number>, blocks: number): Blocks {
  const byCount = Array.from(counts, (_, row) => row).sort((one, other) => counts[other] - counts[one]);
  const sizes = new Int32Array(blocks + 1);
  for (let place = 0; place < byCount.length; place++) sizes[blockOf(place, blocks) + 1]++;
  const starts = sizes.map((_, block) => sizes.subarray(0, block + 1).reduce((sum, size) => sum + size, 0));
  const order = new Int32Array(byCount.length);
  for (const [place, row] of byCount.entries())
    order[starts[blockOf(place, blocks)] + Math.floor(place / blocks)] = row;
  return { order, starts };
}

/** The block of the row that is so many-th by how often it is rated; in it, it is number ⌊place / blocks⌋. */
export function blockOf(place: number, blocks: number): number {
  const along = place % blocks;
  return Math.floor(place / blocks) % 2 === 0 ? along : blocks - 1 - along;
}

/** The strata of ratings that are in memory, in the order that a seed gives. */
export function strataOf(
  { users, items, ratings, userIds, itemIds }: Rows & Vocabulary,
  counts: BlockCounts,
  seed: number,
): Strata {
  const [userBlocks, itemBlocks] = [
    blocksOf(timesRated(users, userIds.length), counts[0]),
    blocksOf(timesRated(items, itemIds.length), counts[1]),
  ];
  const [userPlaces, itemPlaces] = [userBlocks, itemBlocks].map(placesIn);
  const stratumOf = (place: number): number =>
    userPlaces.blocks[users[place]] * counts[1] + itemPlaces.blocks[items[place]];
  const starts = new Float64Array(counts[0] * counts[1] + 1);
  for (let place = 0; place < ratings.length; place++) starts[stratumOf(place) + 1]++;
  for (let number = 1; number < starts.length; number++) starts[number] += starts[number - 1];
  const next = starts.slice();
  const sorted = emptyRows(ratings.length);
  for (const place of shuffled(ratings.length, generator(seed, STREAM))) {
    const to = next[stratumOf(place)]++;
    sorted.users[to] = userPlaces.places[users[place]];
    sorted.items[to] = itemPlaces.places[items[place]];
    sorted.ratings[to] = ratings[place];
  }
  return {
    users: userBlocks,
    items: itemBlocks,
    starts,
    async read(number) {
      const [start, end] = starts.subarray(number, number + 2);
      const part = <T extends Int32Array | Float32Array>(column: T) => column.slice(start, end) as T;
      return { users: part(sorted.users), items: part(sorted.items), ratings: part(sorted.ratings) };
    },
  };
}

const STREAM = -3;

/** Of each row its block, and its place in it. */
function placesIn({ order, starts }: Blocks): { readonly blocks: Int32Array; readonly places: Int32Array } {
  const blocks = new Int32Array(order.length);
  const places = new Int32Array(order.length);
  for (let block = 0; block + 1 < starts.length; block++) {
    for (let place = starts[block]; place < starts[block + 1]; place++) {
      blocks[order[place]] = block;
      places[order[place]] = place - starts[block];
    }
  }
  return { blocks, places };
}

export function timesRated(rows: Int32Array, count: number): Int32Array {
  const times = new Int32Array(count);
  for (const row of rows) times[row]++;
  return times;
}

export async function* stratumByStratum(
  { users, items, starts, read }: Strata,
  numbers: Iterable<number> = Array.from({ length: starts.length - 1 }, (_, number) => number),
): AsyncGenerator<Rows> {
  const itemBlocks = items.starts.length - 1;
  for (const number of numbers) {
    const stratum = await read(number);
    const firstUser = users.starts[Math.floor(number / itemBlocks)];
    const firstItem = items.starts[number % itemBlocks];
    yield {
      users: stratum.users.map((place) => users.order[firstUser + place]),
      items: stratum.items.map((place) => items.order[firstItem + place]),
      ratings: stratum.ratings,
    };
  }
}

/** About so many of the ratings, by row; all in whole strata, of which one is like another. */
export async function sampleOf(strata: Strata, count: number): Promise<Rows> {
  const { starts } = strata;
  const all = starts.length - 1;
  const wanted = Math.min(all, Math.max(1, Math.round((all * count) / starts[all])));
  const numbers = Array.from({ length: wanted }, (_, place) => Math.floor((place * all) / wanted));
  const length = numbers.reduce((sum, number) => sum + starts[number + 1] - starts[number], 0);
  const sample = emptyRows(length);
  let place = 0;
  for await (const { users, items, ratings } of stratumByStratum(strata, numbers)) {
    sample.users.set(users, place);
    sample.items.set(items, place);
    sample.ratings.set(ratings, place);
    place += ratings.length;
  }
  return sample;
}

import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import { UserError } from '../../errors.ts';
import { generator, shuffled } from '../../util/random.ts';
import { emptyRows, type Rows } from './rows.ts';

// Strata: users and items are divided into blocks. The ratings of one block of users and one block of items are a stratum.
// Strata that share neither users nor items can be trained in parallel, because they update different rows.

/** Rows of users or items in blocks with about equal numbers of rows and of ratings. */
export interface Blocks {
  /** The rows, block after block. */
  readonly order: Int32Array;
  /** Index in `order` of the first row of each block, and the number of rows at the end. */
  readonly starts: Int32Array;
}

/** Number of blocks of users and of items. */
export type BlockCounts = readonly [users: number, items: number];

/** The ratings of a stratum. Users and items are numbered by their positions in their blocks. */
export type Stratum = Rows;

/** Ratings by strata, in random order within each. */
export interface Strata {
  readonly users: Blocks;
  readonly items: Blocks;
  /** Index of each stratum's first rating. The stratum of user block u and item block i is number u · item blocks + i. */
  readonly starts: Float64Array;
  /** A copy of a stratum's ratings. */
  read(number: number): Promise<Stratum>;
}

/** A stratum should have at least so many ratings, to make up for the cost of loading its rows. */
const RATINGS = 50_000;
/** A block should have at least so many rows. Two tables with 3,000 rows of 50 factors fit in a core's cache. */
const ROWS = 3000;
/** Numbers of strata that can be trained in parallel: powers of two, so that threads share them evenly. */
const PARALLEL = [16, 8, 4, 2];

/**
 * Chooses the number of blocks. It depends on the data alone, so that any number of threads trains the same model.
 *
 * @param wanted numbers of blocks that the user chose. Default: as many as 16 threads need and as fit in the cache, if there are
 *   enough ratings
 * @throws UserError if the numbers that the user chose are invalid
 */
export function blockCounts(
  { users, items, ratings }: { readonly users: number; readonly items: number; readonly ratings: number },
  wanted?: readonly number[],
): BlockCounts {
  const most = [users, items];
  if (wanted === undefined) {
    const parallel = PARALLEL.find((count) => ratings >= RATINGS * count ** 2) ?? 1;
    const rows = Math.max(ROWS, Math.sqrt((users * items * RATINGS) / ratings));
    const blocks = (count: number, limit: number): number => {
      const multiple = Math.min(Math.round(count / rows / parallel), Math.floor(limit / parallel));
      return Math.min(count, Math.max(1, multiple) * parallel);
    };
    const short = blocks(Math.min(users, items), Number.POSITIVE_INFINITY);
    const long = blocks(Math.max(users, items), ratings / (RATINGS * short));
    return users >= items ? [long, short] : [short, long];
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

/** Deals rows to blocks in turn, back and forth, the most rated first. `counts` has the number of ratings of each row. */
export function blocksOf(counts: ArrayLike<number>, blocks: number): Blocks {
  const byCount = Array.from(counts, (_, row) => row).sort((one, other) => counts[other] - counts[one]);
  const sizes = new Int32Array(blocks + 1);
  for (let index = 0; index < byCount.length; index++) sizes[blockOf(index, blocks) + 1]++;
  const starts = sizes.map((_, block) => sizes.subarray(0, block + 1).reduce((sum, size) => sum + size, 0));
  const order = new Int32Array(byCount.length);
  for (const [index, row] of byCount.entries())
    order[starts[blockOf(index, blocks)] + Math.floor(index / blocks)] = row;
  return { order, starts };
}

/** The block of the row with this index in the order of ratings. Its position in the block is ⌊index / blocks⌋. */
export function blockOf(index: number, blocks: number): number {
  const along = index % blocks;
  return Math.floor(index / blocks) % 2 === 0 ? along : blocks - 1 - along;
}

/** Divides ratings in memory into strata. The seed sets their order within a stratum. */
export function strataOf(
  { users, items, ratings, userIds, itemIds }: Rows & Vocabulary,
  counts: BlockCounts,
  seed: number,
): Strata {
  const [userBlocks, itemBlocks] = [
    blocksOf(timesRated(users, userIds.length), counts[0]),
    blocksOf(timesRated(items, itemIds.length), counts[1]),
  ];
  const [userPositions, itemPositions] = [userBlocks, itemBlocks].map(positionsIn);
  const stratumOf = (index: number): number =>
    userPositions.blocks[users[index]] * counts[1] + itemPositions.blocks[items[index]];
  const starts = new Float64Array(counts[0] * counts[1] + 1);
  for (let index = 0; index < ratings.length; index++) starts[stratumOf(index) + 1]++;
  for (let number = 1; number < starts.length; number++) starts[number] += starts[number - 1];
  const next = starts.slice();
  const sorted = emptyRows(ratings.length);
  for (const index of shuffled(ratings.length, generator(seed, STREAM))) {
    const to = next[stratumOf(index)]++;
    sorted.users[to] = userPositions.positions[users[index]];
    sorted.items[to] = itemPositions.positions[items[index]];
    sorted.ratings[to] = ratings[index];
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

/** The block of each row, and its position in the block. */
function positionsIn({ order, starts }: Blocks): {
  readonly blocks: Int32Array;
  readonly positions: Int32Array;
} {
  const blocks = new Int32Array(order.length);
  const positions = new Int32Array(order.length);
  for (let block = 0; block + 1 < starts.length; block++) {
    for (let index = starts[block]; index < starts[block + 1]; index++) {
      blocks[order[index]] = block;
      positions[order[index]] = index - starts[block];
    }
  }
  return { blocks, positions };
}

/** Number of ratings of each row. */
export function timesRated(rows: Int32Array, count: number): Int32Array {
  const times = new Int32Array(count);
  for (const row of rows) times[row]++;
  return times;
}

/** A stratum, and the rows of its blocks: those that its positions stand for. */
interface StratumInBlocks {
  readonly stratum: Stratum;
  readonly userRows: Int32Array;
  readonly itemRows: Int32Array;
}

/** Strata with the rows of their blocks. */
export async function* stratumInBlocks(
  { users, items, starts, read }: Strata,
  numbers: Iterable<number> = Array.from({ length: starts.length - 1 }, (_, number) => number),
): AsyncGenerator<StratumInBlocks> {
  const itemBlocks = items.starts.length - 1;
  const rowsOf = ({ order, starts }: Blocks, block: number): Int32Array =>
    order.subarray(starts[block], starts[block + 1]);
  for (const number of numbers) {
    yield {
      stratum: await read(number),
      userRows: rowsOf(users, Math.floor(number / itemBlocks)),
      itemRows: rowsOf(items, number % itemBlocks),
    };
  }
}

/** The ratings of strata, with the row numbers of all users and items. */
export async function* stratumByStratum(strata: Strata, numbers?: Iterable<number>): AsyncGenerator<Rows> {
  for await (const { stratum, userRows, itemRows } of stratumInBlocks(strata, numbers))
    yield {
      users: stratum.users.map((at) => userRows[at]),
      items: stratum.items.map((at) => itemRows[at]),
      ratings: stratum.ratings,
    };
}

/** About `count` ratings, in whole strata. Because rows are dealt to blocks evenly, any strata are a fair sample. */
export async function sampleOf(strata: Strata, count: number): Promise<Rows> {
  const { starts } = strata;
  const all = starts.length - 1;
  const wanted = Math.min(all, Math.max(1, Math.round((all * count) / starts[all])));
  const numbers = Array.from({ length: wanted }, (_, at) => Math.floor((at * all) / wanted));
  const length = numbers.reduce((sum, number) => sum + starts[number + 1] - starts[number], 0);
  const sample = emptyRows(length);
  let at = 0;
  for await (const { users, items, ratings } of stratumByStratum(strata, numbers)) {
    sample.users.set(users, at);
    sample.items.set(items, at);
    sample.ratings.set(ratings, at);
    at += ratings.length;
  }
  return sample;
}

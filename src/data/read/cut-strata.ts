import { generator } from '../../util/random.ts';
import {
  type Duplicates,
  hasRepeats,
  type MoreRows,
  type Sizes,
  withoutRepeats,
} from '../dataset/repeats.ts';
import { type BlockCounts, blockOf } from '../dataset/strata.ts';
import { BYTES_PER_RATING } from '../dataset/strata-file.ts';
import type { Chunk, RowStore } from './row-store.ts';

/** Stream of random numbers of the first stratum; the others have those below. */
const STREAM = -1000;

/** Rows of users or items in the order of how often they occur. */
export interface Ranked {
  /** The old rows, the most frequent first; those that do not occur are left out. */
  readonly order: Int32Array;
  /** The new row of each old row; −1 for one that does not occur. */
  readonly rank: Int32Array;
  /** How often each new row occurs. */
  readonly counts: Int32Array;
}

/** Ranks rows by how often they occur; of equals, the first stays first. */
export function ranked(counts: Int32Array): Ranked {
  const most = counts.reduce((max, one) => Math.max(max, one), 0);
  const starts = new Int32Array(most + 2);
  for (const count of counts) starts[most - count + 1]++;
  for (let at = 0; at <= most; at++) starts[at + 1] += starts[at];
  const occurring = counts.length === 0 ? 0 : starts[most];
  const order = new Int32Array(occurring);
  const rank = new Int32Array(counts.length).fill(-1);
  for (let row = 0; row < counts.length; row++) {
    if (counts[row] === 0) continue;
    rank[row] = starts[most - counts[row]]++;
    order[rank[row]] = row;
  }
  return { order, rank, counts: order.map((row) => counts[row]) };
}

/** Whether a row of a chunk is held out. */
export type IsHeld = (chunk: Chunk, index: number) => boolean;

export interface Cutting {
  readonly users: Ranked;
  readonly items: Ranked;
  readonly blocks: BlockCounts;
  /** Whether a row is not trained on. Default: all are */
  readonly isHeld?: IsHeld | undefined;
  readonly duplicates: Duplicates;
  /** Whether it is known that nothing repeats. */
  readonly hasNoRepeats: boolean;
  /** Whether times decide which of two rows counts. */
  readonly isTimed: boolean;
  /** Value of every row, if their values do not count. */
  readonly value?: number | undefined;
  readonly seed: number;
  /** Bytes of memory for rows that are cut at once. */
  readonly room: number;
}

/** A stratum: positions in blocks, in random order. */
export type CutStratum = Required<Pick<MoreRows, 'users' | 'items' | 'ratings'>> & Pick<MoreRows, 'leftOut'>;

/**
 * Cuts rows into strata by a counting sort, merges what repeats in each, and shuffles it. Calls back for each stratum, in order;
 * while one is written, the next is cut.
 * As many strata are cut at once as there is memory for; the result does not depend on it.
 */
export async function cutStrata(
  rows: RowStore,
  cutting: Cutting,
  onStratum: (stratum: CutStratum) => Promise<void>,
): Promise<void> {
  const [ofUsers, ofItems] = cutting.blocks;
  const places = {
    users: placesOf(cutting.users.rank, ofUsers),
    items: placesOf(cutting.items.rank, ofItems),
  };
  for (let block = 0; block < places.users.blocks.length; block++) places.users.blocks[block] *= ofItems;
  const counts = countStrata(rows, cutting, places);
  const most = Math.max(1, Math.floor(cutting.room / (BYTES_PER_RATING + (cutting.isTimed ? 8 : 0))));
  let isTimed = false;
  for (let first = 0; first < counts.length; ) {
    let last = first;
    let length = counts[first];
    while (last + 1 < counts.length && length + counts[last + 1] <= most) length += counts[++last];
    const group = { first, counts: counts.subarray(first, last + 1), length };
    let sorted = sortGroup(rows, { ...cutting, isTimed }, places, group);
    let start = 0;
    const taken: Promise<void>[] = [];
    for (let number = first; number <= last; number++) {
      const end = start + counts[number];
      const repeats = repeatsIn(partOf(sorted, start, end), cutting);
      // Times tell which of two is the later. Few files have repeats, so times are only sorted when one is found.
      if (repeats && cutting.isTimed && !isTimed) {
        isTimed = true;
        sorted = sortGroup(rows, cutting, places, group);
      }
      taken.push(onStratum(finished(partOf(sorted, start, end), number, cutting, repeats)));
      start = end;
    }
    await Promise.all(taken);
    first = last + 1;
  }
}

/** The block and the position in it of each old row. */
interface Places {
  readonly blocks: Int32Array;
  readonly positions: Int32Array;
}

const placesOf = (rank: Int32Array, blocks: number): Places => ({
  blocks: rank.map((row) => (row < 0 ? 0 : blockOf(row, blocks))),
  positions: rank.map((row) => Math.floor(row / blocks)),
});

interface BothPlaces {
  readonly users: Places;
  readonly items: Places;
}

function countStrata(
  rows: RowStore,
  { blocks, isHeld }: Cutting,
  { users: userPlaces, items: itemPlaces }: BothPlaces,
): Float64Array {
  const counts = new Int32Array(blocks[0] * blocks[1]);
  const [ofUser, ofItem] = [userPlaces.blocks, itemPlaces.blocks];
  for (const chunk of rows.chunks()) {
    const { users, items, length } = chunk;
    for (let index = 0; index < length; index++)
      if (!isHeld?.(chunk, index)) counts[ofUser[users[index]] + ofItem[items[index]]]++;
  }
  return Float64Array.from(counts);
}

interface Group {
  readonly first: number;
  readonly counts: Float64Array;
  readonly length: number;
}

/** The rows of some strata, one stratum after the other, each in the order of the files. */
function sortGroup(
  rows: RowStore,
  { isHeld, isTimed, value }: Cutting,
  { users: userPlaces, items: itemPlaces }: BothPlaces,
  { first, counts, length: size }: Group,
): MoreRows {
  const next = new Int32Array(counts.length);
  for (let at = 1; at < next.length; at++) next[at] = next[at - 1] + counts[at - 1];
  const sorted = {
    users: new Int32Array(size),
    items: new Int32Array(size),
    ratings: new Float32Array(size),
    ...(isTimed && { times: new Float64Array(size) }),
    ...(rows.flagged && { leftOut: new Uint8Array(size) }),
  };
  const { users: toUsers, items: toItems, ratings: toRatings } = sorted;
  const [ofUser, ofItem, inUser, inItem] = [
    userPlaces.blocks,
    itemPlaces.blocks,
    userPlaces.positions,
    itemPlaces.positions,
  ];
  const last = counts.length;
  for (const chunk of rows.chunks()) {
    const { users, items, ratings, times, leftOut, length } = chunk;
    for (let index = 0; index < length; index++) {
      const user = users[index];
      const item = items[index];
      const stratum = ofUser[user] + ofItem[item] - first;
      if (stratum < 0 || stratum >= last || isHeld?.(chunk, index)) continue;
      const to = next[stratum]++;
      toUsers[to] = inUser[user];
      toItems[to] = inItem[item];
      toRatings[to] = ratings[index];
      if (sorted.times && times) sorted.times[to] = times[index];
      if (sorted.leftOut && leftOut) sorted.leftOut[to] = leftOut[index];
    }
  }
  if (value !== undefined) toRatings.fill(value);
  return sorted;
}

const partOf = (rows: MoreRows, start: number, end: number): MoreRows => ({
  users: rows.users.subarray(start, end),
  items: rows.items.subarray(start, end),
  ratings: rows.ratings.subarray(start, end),
  times: rows.times?.subarray(start, end),
  leftOut: rows.leftOut?.subarray(start, end),
});

const sizesOf = ({ users, items, blocks }: Cutting): Sizes => ({
  users: Math.ceil(users.order.length / blocks[0]),
  items: Math.ceil(items.order.length / blocks[1]),
});

const repeatsIn = (stratum: MoreRows, cutting: Cutting): boolean =>
  cutting.duplicates === 'count' || (!cutting.hasNoRepeats && hasRepeats(stratum, sizesOf(cutting)));

/** Merges what repeats in a stratum, and shuffles it. */
function finished(stratum: MoreRows, number: number, cutting: Cutting, repeats: boolean): CutStratum {
  const merged = repeats ? withoutRepeats(stratum, sizesOf(cutting), cutting.duplicates) : stratum;
  shuffle(merged, generator(cutting.seed, STREAM - number));
  return merged;
}

/** Shuffles rows in place (Fisher–Yates), by xorshift128 (Marsaglia 2003), which is fast enough for each row. */
function shuffle({ users, items, ratings, leftOut }: MoreRows, random: ReturnType<typeof generator>): void {
  let [x, y, z, w] = [random.next() | 1, random.next(), random.next(), random.next()];
  for (let last = ratings.length - 1; last > 0; last--) {
    const t = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w ^= (w >>> 19) ^ t ^ (t >>> 8);
    const other = Math.floor((w >>> 0) * 2 ** -32 * (last + 1));
    const user = users[last];
    const item = items[last];
    const rating = ratings[last];
    users[last] = users[other];
    users[other] = user;
    items[last] = items[other];
    items[other] = item;
    ratings[last] = ratings[other];
    ratings[other] = rating;
    if (leftOut) [leftOut[last], leftOut[other]] = [leftOut[other], leftOut[last]];
  }
}

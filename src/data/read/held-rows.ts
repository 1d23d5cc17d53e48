import { option, UserError } from '../../errors.ts';
import type { HoldOut } from '../dataset/split.ts';
import type { IsHeld } from './cut-strata.ts';
import type { RowStore } from './row-store.ts';

/**
 * Which rows are held out: `fraction` of them, at random by the seed, whatever the order of the rows; or the latest.
 *
 * @throws UserError if there are no times to split by, or they do not differ
 */
export function heldRows(
  rows: RowStore,
  fraction: number,
  { split, seed = 1 }: Pick<HoldOut, 'split' | 'seed'>,
): IsHeld {
  if (split !== 'time') return atRandom(fraction, seed);
  if (!rows.timed)
    throw new UserError(
      'data',
      `a split by time needs times, and there are none; name their column with ${option('timeColumn')}`,
    );
  const first = firstHeld(rows, Math.round(fraction * rows.count));
  return ({ times }, index) => (times as Float64Array)[index] >= first;
}

/** By user and item, so that all rows of a pair are in the same part. */
const atRandom =
  (part: number, seed: number): IsHeld =>
  ({ users, items }, index) => {
    const [user, item] = [users[index], items[index]];
    let hash =
      Math.imul(user + 1, 0x9e3779b1) ^ Math.imul(item + 1, 0x85ebca6b) ^ Math.imul(seed | 0, 0xc2b2ae35);
    for (const factor of [0x85ebca6b, 0xc2b2ae35]) hash = Math.imul(hash ^ (hash >>> 15), factor);
    return ((hash ^ (hash >>> 16)) >>> 0) * 2 ** -32 < part;
  };

const BINS = 2 ** 16;

/**
 * The time from which rows are held out, such that about `count` are. Rows of the same time are in the same part, so that the order
 * of the files does not matter. Counts times in bins, then in bins of the bin where the part ends, in little memory.
 *
 * @throws UserError if all times are the same
 */
function firstHeld(rows: RowStore, count: number): number {
  let [low, high] = rangeWhere(rows, () => true);
  const earliest = low;
  let above = 0;
  while (low < high) {
    const width = (high - low) / BINS;
    const binOf = (time: number): number => Math.min(BINS - 1, Math.floor((time - low) / width));
    const bins = new Float64Array(BINS);
    for (const { times, length } of rows.chunks())
      for (let index = 0; index < length; index++) {
        const time = (times as Float64Array)[index];
        if (time >= low && time <= high) bins[binOf(time)]++;
      }
    let bin = BINS - 1;
    while (bin > 0 && above + bins[bin] < count) above += bins[bin--];
    const inBin = (time: number): boolean => time >= low && time <= high && binOf(time) === bin;
    [low, high] = rangeWhere(rows, inBin);
  }
  if (low > earliest) return low;
  const next = rangeWhere(rows, (time) => time > earliest)[0];
  if (Number.isFinite(next)) return next;
  throw new UserError(
    'data',
    'a split by time needs times that differ, and all are the same; use a random split',
  );
}

/** The earliest and the latest of some times. */
function rangeWhere(rows: RowStore, isMeant: (time: number) => boolean): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { times, length } of rows.chunks())
    for (let index = 0; index < length; index++) {
      const time = (times as Float64Array)[index];
      if (!isMeant(time)) continue;
      if (time < low) low = time;
      if (time > high) high = time;
    }
  return [low, high];
}

import type { DataKind } from '../../../graphs/models/model.ts';
import { option, UserError } from '../../errors.ts';
import { checkArgument, checkedLater, flag, number, type OptionTable } from '../../util/options.ts';
import { generator, shuffled } from '../../util/random.ts';
import { type Ratings, renumbered, selectRows, someRatings } from './ratings.ts';
import { indicesByUser, rangeOf } from './rows.ts';

/** Ratings in two parts. The ids of both are those in `train`. An id that is only in `valid` has the unknown row. */
export interface Split {
  train: Ratings;
  valid: Ratings;
}

export const SPLITS = ['random', 'time', 'leave-last-out'] as const;

export interface HoldOut {
  /**
   * Fraction of the ratings to hold out, between 0 and 1; ignored by leave-last-out. `'auto'` is a tenth, but 100,000 ratings of
   * more than 5 million, and none of fewer than 100. @default none
   */
  readonly valid?: number | 'auto' | undefined;
  /** @default 'random' */
  readonly split?: (typeof SPLITS)[number] | undefined;
  /** @default 1 */
  readonly seed?: number | undefined;
  /**
   * Whether to return all ratings, too: a recipe that was judged on the held-out ones can then be trained on everything. Of more
   * than 5 million ratings, they are not. @default false
   */
  readonly whole?: boolean | undefined;
}

export const HOLD_OUT_OPTIONS: OptionTable<HoldOut> = {
  valid: checkedLater,
  split: checkedLater,
  seed: number,
  whole: flag,
};

/** Of more ratings, training takes so long that it happens once. */
export const MOST_TO_TRAIN_TWICE = 5_000_000;
/** What is held out of them by `'auto'`. */
const MOST_HELD_OUT = 100_000;
const PART = 0.1;
/** Of fewer ratings, a tenth says nothing. */
const FEWEST = 100;

/** The fraction to hold out of some number of ratings; undefined for none. */
export function fractionOf(valid: HoldOut['valid'], ratings: number): number | undefined {
  if (valid !== 'auto') return valid;
  if (ratings < FEWEST) return undefined;
  return ratings > MOST_TO_TRAIN_TWICE ? MOST_HELD_OUT / ratings : PART;
}

/** @returns the ratings to train on, those that are held out, and, if options ask for it, both together */
export function holdOut(
  ratings: Ratings,
  options: HoldOut,
): { readonly train: Ratings; readonly valid?: Ratings; readonly whole?: Ratings } {
  const parts = partsOf(ratings, options);
  const returnsAll = options.whole && parts.valid && ratings.ratings.length <= MOST_TO_TRAIN_TWICE;
  return { ...parts, ...(returnsAll && { whole: ratings }) };
}

/**
 * Splits off validation ratings, if options ask for it.
 *
 * @throws UserError as each split does
 */
function partsOf(ratings: Ratings, { valid, split, seed = 1 }: HoldOut): { train: Ratings; valid?: Ratings } {
  if (split !== undefined && !SPLITS.includes(split))
    throw new UserError('argument', `split is ${JSON.stringify(split)}; give one of ${SPLITS.join(', ')}`);
  if (split === 'leave-last-out') return leaveLastOut(ratings);
  const fraction = fractionOf(valid, ratings.ratings.length);
  if (fraction === undefined) return { train: ratings };
  return split === 'time' ? timeSplit(ratings, fraction) : randomSplit(ratings, fraction, seed);
}

/**
 * Holds out a random `fraction` of the ratings.
 *
 * @throws UserError if a part would be empty
 */
export const randomSplit = (ratings: Ratings, fraction: number, seed: number): Split =>
  split(ratings, heldAtRandom(ratings, fraction, seed));

/** The same, as 1 for each rating that is held out, and 0 for the others. */
export function heldAtRandom(ratings: Ratings, fraction: number, seed: number): Uint8Array {
  checkArgument('the ratings are', ratings, someRatings);
  const length = ratings.users.length;
  const held = new Uint8Array(length);
  // Stream −1, because training uses the streams 1 and 1000, 1001, …
  const order = shuffled(length, generator(seed, -1));
  for (const index of order.subarray(0, validLength(length, fraction, ratings.kind))) held[index] = 1;
  return held;
}

/**
 * Holds out the latest `fraction` of the ratings. Of ratings with the same time, the last in the file are held out.
 *
 * @throws UserError if there are no times, or a part would be empty
 */
export const timeSplit = (ratings: Ratings, fraction: number): Split =>
  split(ratings, heldLatest(ratings, fraction));

export function heldLatest(ratings: Ratings, fraction: number): Uint8Array {
  const times = timesOf(ratings);
  const length = validLength(times.length, fraction, ratings.kind);
  const first = times.slice().sort()[times.length - length];
  const held = Uint8Array.from(times, (time) => (time > first ? 1 : 0));
  let missing = length - held.reduce((sum, one) => sum + one, 0);
  for (let index = times.length - 1; missing > 0; index--) {
    if (times[index] !== first) continue;
    held[index] = 1;
    missing--;
  }
  return held;
}

/**
 * Holds out the ratings of a date and later.
 *
 * @param date Unix seconds
 * @throws UserError if there are no times, or a part would be empty
 */
export const dateSplit = (ratings: Ratings, date: number): Split => split(ratings, heldSince(ratings, date));

export function heldSince(ratings: Ratings, date: number): Uint8Array {
  const times = timesOf(ratings);
  const held = Uint8Array.from(times, (time) => (time >= date ? 1 : 0));
  if (held.includes(0) && held.includes(1)) return held;
  const { low, high } = rangeOf(times);
  const [from, to, at] = [low, high, date].map(dayOf);
  throw new UserError(
    'argument',
    `all ${ratings.kind} are ${held.includes(1) ? `of ${at} or later` : `before ${at}`}: they are from ${from} to ${to}; give a date between`,
  );
}

/** `2026-12-24`; for a time that no calendar has, its seconds. */
function dayOf(time: number): string {
  const date = new Date(1000 * time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString().slice(0, 10);
}

/** @throws UserError if there are none */
function timesOf(ratings: Ratings): Float64Array {
  checkArgument('the ratings are', ratings, someRatings);
  const { times, kind } = ratings;
  if (times === undefined)
    throw new UserError(
      'data',
      `a split by time needs times, and the ${kind} have none; name their column with ${option('timeColumn')}`,
    );
  return times;
}

/**
 * Holds out the last rating of each user who has two or more: the latest by time, or the last in the file if there are no
 * times.
 *
 * @throws UserError if no user has two ratings
 */
export const leaveLastOut = (ratings: Ratings): Split => split(ratings, heldLast(ratings));

export function heldLast(ratings: Ratings): Uint8Array {
  checkArgument('the ratings are', ratings, someRatings);
  const { users, userIds, times } = ratings;
  const held = new Uint8Array(users.length);
  // The unknown row counts as one user.
  for (const indices of indicesByUser(users, userIds.length + 1)) {
    if (indices.length < 2) continue;
    held[indices.reduce((last, index) => (times && times[index] < times[last] ? last : index))] = 1;
  }
  if (!held.includes(1))
    throw new UserError(
      'data',
      `no user has two ${ratings.kind}, so none can be held out; use a random split`,
    );
  return held;
}

/**
 * K-fold cross-validation: divides the ratings at random into `count` parts whose sizes differ by at most one. Each split
 * holds out one part.
 *
 * @throws UserError if a part would be empty
 */
export const folds = (ratings: Ratings, count: number, seed: number): Split[] =>
  Array.from(heldByFold(ratings, count, seed), (held) => split(ratings, held));

export function* heldByFold(ratings: Ratings, count: number, seed: number): Generator<Uint8Array> {
  checkArgument('the ratings are', ratings, someRatings);
  const length = ratings.users.length;
  if (!(Number.isSafeInteger(count) && count >= 2 && count <= length))
    throw new UserError(
      'argument',
      `the number of folds is ${count}; give a whole number from 2 to ${length}, the ${ratings.kind}`,
    );
  const parts = new Int32Array(length);
  for (const [at, index] of shuffled(length, generator(seed, -2)).entries()) parts[index] = at % count;
  for (let fold = 0; fold < count; fold++) yield Uint8Array.from(parts, (part) => (part === fold ? 1 : 0));
}

/**
 * The number of ratings to hold out.
 *
 * @throws UserError if a part would be empty
 */
export function validLength(length: number, fraction: number, kind: DataKind = 'ratings'): number {
  if (!(fraction > 0 && fraction < 1))
    throw new UserError(
      'argument',
      `the fraction to hold out is ${fraction}; give a number between 0 and 1, for example 0.2`,
    );
  const held = Math.round(length * fraction);
  if (held === 0 || held === length)
    throw new UserError(
      'argument',
      `holding out ${fraction} of ${length} ${kind} leaves ${held === 0 ? 'none to validate' : 'none to train'} with; ` +
        `change the fraction or give more ${kind}`,
    );
  return held;
}

function split(ratings: Ratings, held: Uint8Array): Split {
  const indices = Int32Array.from(held, (_, index) => index);
  const train = selectRows(
    ratings,
    indices.filter((index) => held[index] === 0),
  );
  const valid = selectRows(
    ratings,
    indices.filter((index) => held[index] === 1),
  );
  const vocabulary = {
    userIds: occurring(ratings.userIds, train.users),
    itemIds: occurring(ratings.itemIds, train.items),
  };
  return { train: renumbered(train, vocabulary), valid: renumbered(valid, vocabulary) };
}

/** The ratings without the ids that none of them has. */
export const withOccurring = (ratings: Ratings): Ratings =>
  renumbered(ratings, {
    userIds: occurring(ratings.userIds, ratings.users),
    itemIds: occurring(ratings.itemIds, ratings.items),
  });

function occurring(ids: readonly string[], rows: Int32Array): string[] {
  const present = new Uint8Array(ids.length + 1);
  for (const row of rows) present[row] = 1;
  return ids.filter((_, row) => present[row] === 1);
}

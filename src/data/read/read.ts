import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import { UserError } from '../../errors.ts';
import * as expected from '../../util/options.ts';
import { checkArgument, checkOptions, type OptionTable } from '../../util/options.ts';
import type { Dataset } from '../dataset/dataset.ts';
import { withoutRepeats } from '../dataset/repeats.ts';
import { HOLD_OUT_OPTIONS, type HoldOut } from '../dataset/split.ts';
import { tableFrom } from './collected.ts';
import { NO_ID } from './collector.ts';
import { checkMeaning, MEANING_OPTIONS, type MeaningOptions, wantedColumns } from './meaning.ts';
import { SOURCE_OPTIONS, type SourceOptions } from './part.ts';
import { type Reading, readingOf } from './reading.ts';
import { readToStore, STORE_OPTIONS, type StoreOptions } from './store.ts';
import { nameOf, readFiles, readTable, type WhenRead } from './table.ts';
import { type Understanding, understandingOf } from './understanding.ts';

export interface ReadOptions extends SourceOptions, MeaningOptions, HoldOut {
  /** Ids whose row numbers to use, such as a model's or those of other ratings. Default: the ids in the file */
  readonly vocabulary?: Vocabulary | undefined;
}

type MayStore = ReadOptions & { readonly store?: StoreOptions | boolean | undefined };

const READ_OPTIONS: OptionTable<MayStore> = {
  ...SOURCE_OPTIONS,
  ...MEANING_OPTIONS,
  ...HOLD_OUT_OPTIONS,
  vocabulary: {
    fits: (value) => {
      const { userIds, itemIds } = (value ?? {}) as Partial<Vocabulary>;
      return Array.isArray(userIds) && Array.isArray(itemIds);
    },
    give: 'an object with userIds and itemIds, such as Ratings',
  },
  store: {
    fits: (value) => typeof value === 'boolean' || (typeof value === 'object' && value !== null),
    give: 'true, false, or an object of options',
  },
};

/**
 * Reads ratings, or interactions such as clicks, plays and purchases, from CSV, TSV, `::`-separated text, JSON, JSON lines, or Parquet; text may be compressed with gzip or
 * zstd: `const { ratings, valid } = await readRatings('ratings.csv', { valid: 0.2 })`.
 *
 * Of several ratings of an item by the same user, the latest by time counts, or the last in the files if there are no
 * times. Several interactions of a user with an item become one, whose strength is the sum of theirs: of their counts by the
 * weights of their events, or 1 each.
 *
 * With `store`, 500,000 ratings and more are kept in a temporary file, by strata, and are never in memory all at once.
 * The split leave-last-out, and a vocabulary, need them in memory.
 *
 * @param path files or glob patterns
 * @throws UserError with the file and, if there is one, the line
 */
export function readRatings(path: string | readonly string[], options?: ReadOptions): Promise<Reading>;
export function readRatings(path: string | readonly string[], options: MayStore): Promise<Reading<Dataset>>;
export async function readRatings(
  path: string | readonly string[],
  given: MayStore = {},
): Promise<Reading<Dataset>> {
  return readWith(path, given, (reading) => reading);
}

/**
 * Reads as `readRatings` does, and says how the files were understood: format, columns, the first rows, what is in them, and
 * everything that was assumed. What `cofactor train --dry-run` prints.
 *
 * @throws UserError as `readRatings` does
 */
export const understandRatings = (
  path: string | readonly string[],
  options: MayStore = {},
): Promise<Understanding> =>
  readWith(path, options, async (reading, collector) => {
    await reading.ratings.close();
    return understandingOf(collector, reading);
  });

async function readWith<T>(
  path: string | readonly string[],
  given: MayStore,
  done: WhenRead<T | Promise<T>>,
): Promise<T> {
  checkArgument('the path is', path, expected.paths);
  checkOptions(given, READ_OPTIONS);
  const { store, ...options } = given;
  if (typeof store === 'object') checkOptions(store, STORE_OPTIONS, 'store is');
  checkMeaning(options);
  const paths = [path].flat();
  const { split = 'random', vocabulary } = options;
  const reading = { ...options, mayLackEvents: vocabulary !== undefined, canSkip: true };
  if (store && split !== 'leave-last-out' && !vocabulary)
    return readToStore(paths, reading, store === true ? {} : store, done);
  const collector = await readFiles(paths, reading, wantedColumns(options));
  return done(readingOf(tableFrom(collector), nameOf(paths), options), collector);
}

/**
 * Reads the ratings of one person. Of several ratings of an item, the latest counts.
 *
 * @throws UserError as `readRatings` does, or for ratings by several users
 */
export async function readOwnRatings(
  path: string,
  options: SourceOptions = {},
): Promise<{ item: string; rating: number }[]> {
  checkReading(path, options);
  const table = await readTable([path], options, { wanted: ['item', 'rating'], welcome: ['user', 'time'] });
  if (table.userIds.length > 1)
    throw new UserError(
      'data',
      `${path}: has ratings by ${table.userIds.length} users; give those of one person`,
    );
  const { itemIds } = table;
  const { items, ratings } = withoutRepeats(table, { users: 1, items: itemIds.length }, 'last');
  return Array.from(items, (item, index) => ({ item: itemIds[item], rating: ratings[index] }));
}

/**
 * Reads the items of one person. Duplicates are removed.
 *
 * @throws UserError as `readRatings` does, or for items of several users
 */
export async function readOwnItems(path: string, options: SourceOptions = {}): Promise<readonly string[]> {
  checkReading(path, options);
  const table = await readTable([path], options, { wanted: ['item'], welcome: ['user'] });
  if (table.userIds.length > 1)
    throw new UserError(
      'data',
      `${path}: has items of ${table.userIds.length} users; give those of one person`,
    );
  return table.itemIds;
}

/** Reads a list of users. Duplicates are removed. */
export async function readUsers(path: string, options: SourceOptions = {}): Promise<readonly string[]> {
  checkReading(path, options);
  return (await readTable([path], options, { wanted: ['user'], welcome: [] })).userIds;
}

/** Items to leave out of recommendations, as `Recommender.recommend` takes them. */
export interface Exclusions {
  /** Items that are left out for everyone: those of a file without a column of users. */
  readonly exclude?: readonly string[];
  /** Items that are left out for one user, by user id: those of a file with a column of users. */
  readonly excludeByUser?: ReadonlyMap<string, readonly string[]>;
}

/**
 * Reads the items to leave out of recommendations: `recommend(users, await readExclusions('owned.csv'))`.
 *
 * @param path a file with a column of items and, where they are those of single users, a column of users
 * @throws UserError as `readRatings` does
 */
export async function readExclusions(path: string, options: SourceOptions = {}): Promise<Exclusions> {
  checkReading(path, options);
  const { userIds, itemIds, users, items } = await readTable([path], options, {
    wanted: ['item'],
    welcome: ['user'],
  });
  if (userIds.length === 0 || userIds.includes(NO_ID)) return { exclude: itemIds };
  const lists = userIds.map((): string[] => []);
  for (const [index, row] of users.entries()) lists[row].push(itemIds[items[index]]);
  return { excludeByUser: new Map(userIds.map((id, row) => [id, lists[row]])) };
}

/** Reads pairs of users and items to predict ratings for, in order. A column of ratings is ignored. */
export async function readPairs(
  path: string | readonly string[],
  options: SourceOptions = {},
): Promise<{ users: string[]; items: string[] }> {
  checkReading(path, options, expected.paths);
  const { userIds, itemIds, users, items } = await readTable([path].flat(), options, {
    wanted: ['user', 'item'],
    welcome: [],
  });
  return {
    users: Array.from(users, (row) => userIds[row]),
    items: Array.from(items, (row) => itemIds[row]),
  };
}

function checkReading(path: unknown, options: SourceOptions, expectedPath = expected.path): void {
  checkArgument('the path is', path, expectedPath);
  checkOptions(options, SOURCE_OPTIONS);
}

import type { FileHandle } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import { replaceFileBy } from '../util/files.ts';
import { checkArgument, path as somePath } from '../util/options.ts';
import { type Ratings, someRatings } from './dataset/ratings.ts';
import { Guard } from './spreadsheet.ts';
import { type ColumnTypes, checkTable, fillTable } from './write.ts';

/**
 * Writes ratings or interactions to a `.csv` or `.parquet` file, from which `readRatings` reads the same. The columns are user, item,
 * rating and, if there are times, time (Unix seconds). Interactions have a column count in place of rating, if their strengths differ.
 * The file only appears when it is complete.
 *
 * Ids are written as they are, also those that a spreadsheet runs as a formula: an apostrophe before them would make other ids.
 *
 * @throws UserError for another extension, rows without an id, or a file that cannot be written
 */
export async function writeRatings(path: string, ratings: Ratings): Promise<void> {
  checkArgument('the path is', path, somePath);
  checkArgument('the ratings are', ratings, someRatings);
  const { users = 0, items = 0 } = ratings.unknown ?? {};
  if (users + items > 0)
    throw new UserError(
      'data',
      `${ratings.name}: some users or items have no id here, as in a held-out part; write the parts of a file with cofactor split`,
    );
  await checkTable(path);
  await replaceFileBy(path, 'the ratings', (file, incoming) =>
    fillRatings(file, { path: incoming, name: path }, { ratings }),
  );
}

/** Some of the ratings. */
export interface SomeRatings {
  readonly ratings: Ratings;
  /** 1 for those to take. @default all */
  readonly taken?: Uint8Array | undefined;
}

/** Writes ratings to a new file. @param target its path, and its name, whose extension is that of the format */
export const fillRatings = (
  file: FileHandle,
  { path, name }: { readonly path: string; readonly name: string },
  { ratings, taken }: SomeRatings,
): Promise<void> =>
  fillTable(
    file,
    { path, name, isParquet: name.endsWith('.parquet') },
    { columns: columnsOf(ratings), rows: rowsOf(ratings, taken), guard: new Guard(true) },
  );

/** Whether the value of each row is written: it says nothing of interactions that are all alike. */
const haveValues = ({ kind, facts: { low, high } }: Ratings): boolean =>
  kind === 'ratings' || low !== 1 || high !== 1;

const areWhole = (values: Float32Array | Float64Array): boolean => values.every(Number.isSafeInteger);

function columnsOf(ratings: Ratings): ColumnTypes {
  const { kind, times } = ratings;
  return {
    user: 'VARCHAR',
    item: 'VARCHAR',
    ...(haveValues(ratings) && {
      [kind === 'ratings' ? 'rating' : 'count']: areWhole(ratings.ratings) ? 'BIGINT' : 'FLOAT',
    }),
    ...(times && { time: areWhole(times) ? 'BIGINT' : 'DOUBLE' }),
  };
}

function* rowsOf(ratings: Ratings, taken?: Uint8Array): Generator<(string | number)[]> {
  const { users, items, userIds, itemIds, times } = ratings;
  const hasValues = haveValues(ratings);
  for (const [index, user] of users.entries())
    if (!taken || taken[index] === 1)
      yield [
        userIds[user],
        itemIds[items[index]],
        ...(hasValues ? [ratings.ratings[index]] : []),
        ...(times ? [times[index]] : []),
      ];
}

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import type { DataKind } from '../../../graphs/models/model.ts';
import { option, UserError } from '../../errors.ts';
import { count, notNegative, type OptionTable, path } from '../../util/options.ts';
import { type Dataset, MANY } from '../dataset/dataset.ts';
import { Ratings } from '../dataset/ratings.ts';
import { emptyRows, type Rows } from '../dataset/rows.ts';
import { type HoldOut, validLength } from '../dataset/split.ts';
import { type BlockCounts, blockCounts, blocksOf, type Strata, sampleOf } from '../dataset/strata.ts';
import { StrataFile } from '../dataset/strata-file.ts';
import { type Connection, identifier, numbers, rows, withDatabase } from './duckdb.ts';
import { type MeaningOptions, mostOf, wantedColumns } from './meaning.ts';
import { findFiles } from './open.ts';
import { explain } from './problems.ts';
import { meaningOf, type Reading, readingOf, withoutStrength } from './reading.ts';
import type { Part, SourceOptions } from './source.ts';
import { checkStrengths, STRENGTH } from './strengths.ts';
import { assumptions, kindOfParts, type Loaded, loadAll, openParts, tableOf } from './table.ts';
import { writeStrata } from './write-strata.ts';

export interface StoreOptions {
  /** Number of ratings from which they are kept in a file. @default 500_000 */
  readonly from?: number | undefined;
  /** Folder for temporary files. @default the system's temporary folder */
  readonly folder?: string | undefined;
  /** Memory of the whole process while it reads, in bytes. @default 2e9 */
  readonly memory?: number | undefined;
  /** Number of threads that will train. @default the number of cores */
  readonly workers?: number | undefined;
  /** Number of blocks of users and items. Default: chosen from the data */
  readonly blocks?: BlockCounts | undefined;
}

export const STORE_OPTIONS: OptionTable<StoreOptions> = {
  from: notNegative,
  folder: path,
  memory: notNegative,
  workers: count,
  blocks: { fits: Array.isArray, give: 'two whole numbers, such as [4, 4]' },
};

/**
 * Reads ratings into memory or, if there are many, into a file, by strata and shuffled, without holding all in memory.
 *
 * @throws UserError as `readRatings` does
 */
export async function readToStore(
  paths: readonly string[],
  options: SourceOptions & MeaningOptions & HoldOut,
  { from = MANY, folder = tmpdir(), memory = 2e9, workers = availableParallelism(), blocks }: StoreOptions,
): Promise<Reading<Dataset>> {
  const name = paths.join(', ');
  const scratch = await mkdtemp(join(folder, 'cofactor-')).catch((error: NodeJS.ErrnoException) => {
    throw new UserError('file', `${folder}: cannot be written (${error.code}); choose another folder`);
  });
  // DuckDB gets a part of the memory. Node, and the results that DuckDB returns, need the rest.
  const database = { memory: Math.floor(memory * 0.4), folder: join(scratch, 'duckdb') };
  try {
    return await withDatabase(async (connection) => {
      const files = await findFiles(connection, paths);
      const parts = await openParts(connection, files, options, wantedColumns(options));
      const loaded =
        (await openDirectly(connection, parts, from)) ?? (await loadAll(connection, parts, options));
      const { length } = loaded;
      if (length < from) return readingOf(await tableOf(connection, parts, loaded, options), name, options);
      if (options.valid !== undefined) validLength(length, options.valid, kindOfParts(parts, options).kind);
      return store(connection, parts, { ...options, ...loaded, name, folder, workers, blocks });
    }, database);
  } catch (error) {
    const lack = shortage(error as Error, folder);
    if (lack || error instanceof UserError) throw lack ?? error;
    throw explain((error as Error).message, name);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The error for a lack of disk space or memory; undefined for any other error. */
function shortage({ message }: Error, folder: string): UserError | undefined {
  if (/ENOSPC|No space left|max_temp_directory_size/.test(message))
    return new UserError('file', `${folder}: the disk is full; make room, or choose another folder`);
  if (/Out of Memory Error|could not allocate block/.test(message))
    return new UserError(
      'argument',
      `reading the ratings needs more memory than it may take; allow more with ${option('memory')}`,
    );
  return undefined;
}

/**
 * Makes `raw` a view of Parquet files, which DuckDB reads as fast as its own tables.
 *
 * @returns the number of rows; undefined if there are few, or if they must be read as text
 */
async function openDirectly(
  connection: Connection,
  parts: readonly Part[],
  from: number,
): Promise<Loaded | undefined> {
  if (!parts.every(({ source, columns }) => source.kind === 'parquet' && columns.event === undefined))
    return undefined;
  const selects = parts.map(({ source: { names, table }, columns: { user, item, rating, count } }) => {
    const [userId, itemId] = [user as number, item as number].map((index) => identifier(names[index]));
    const value = rating ?? count;
    const number = value === undefined ? '1::FLOAT' : identifier(names[value]);
    return `SELECT ${userId} AS user_id, ${itemId} AS item_id, ${number} AS rating_id FROM ${table}`;
  });
  try {
    const query = (select: string) => `SELECT column_type FROM (DESCRIBE ${select})`;
    const types = await Promise.all(selects.map((select) => rows(connection, query(select))));
    // DuckDB would convert ids of several types to one type, which changes ids.
    if (new Set(types.map(String)).size > 1 || !NUMERIC.test(String(types[0][2]))) return undefined;
    const all = selects.join(' UNION ALL ');
    const [[count]] = await rows(connection, `SELECT count(*)::INTEGER FROM (${all})`);
    if (Number(count) < from) return undefined;
    await connection.run(
      `CREATE VIEW raw AS SELECT user_id, item_id, TRY_CAST(rating_id AS FLOAT) AS rating FROM (${all})`,
    );
    const isText = types[0].slice(0, 2).map((type) => String(type) === 'VARCHAR');
    const badTexts = ['user_id', 'item_id']
      .filter((_, at) => isText[at])
      .map((id) => ` OR ${id} = '' OR contains(${id}, chr(0))`);
    const [[bad]] = await rows(
      connection,
      `SELECT count(*)::INTEGER FROM raw
       WHERE user_id IS NULL OR item_id IS NULL OR rating IS NULL OR NOT isfinite(rating)${badTexts.join('')}`,
    );
    if (bad === 0) return { length: Number(count), withoutUser: 0 };
  } catch {
    // `loadAll` finds out what is wrong.
  }
  // `loadAll` is slower, but says where the fault is.
  await connection.run('DROP VIEW IF EXISTS raw');
  return undefined;
}

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*)$/;

interface Storing
  extends MeaningOptions,
    HoldOut,
    Loaded,
    Required<Pick<StoreOptions, 'folder' | 'workers'>> {
  readonly name: string;
  readonly blocks?: BlockCounts | undefined;
}

async function store(
  connection: Connection,
  parts: readonly Part[],
  { folder, seed = 1, ...storing }: Storing,
): Promise<Reading<Dataset>> {
  const { kind, counts, because } = await meaningOfRaw(connection, parts, storing);
  await connection.run('SET preserve_insertion_order = false');
  await connection.run(
    `CREATE MACRO draw(user_id, item_id, purpose) AS hash(user_id, item_id, ${seed}, purpose)`,
  );
  const file = await StrataFile.create(folder);
  try {
    const value = counts ? 'rating' : '1::FLOAT AS rating';
    const writing = { ...storing, kind, value };
    if (kind === 'interactions')
      await checkStrengths(connection, `SELECT user_id, item_id, ${value} FROM raw`, storing.name);
    let duplicates = 0;
    let stored = await writeRatings(connection, file, writing);
    if (!stored) {
      duplicates = await dropDuplicates(connection, parts, storing);
      stored = (await writeRatings(connection, file, writing)) as NonNullable<typeof stored>;
    }
    const { ratings, valid } = stored;
    const read = ratings.facts.ratings + (valid?.ratings.length ?? 0);
    const report = {
      kind,
      ratings: read,
      users: ratings.facts.users + (valid?.unknown?.users ?? 0),
      items: ratings.facts.items + (valid?.unknown?.items ?? 0),
      // Interactions are added up while they are written.
      duplicates: kind === 'interactions' ? storing.length - read : duplicates,
      withoutUser: storing.withoutUser,
      withoutStrength:
        ratings.facts.ratings -
        ratings.itemCounts.reduce((sum, one) => sum + one, 0) +
        (valid ? withoutStrength(valid) : 0),
      assumptions: [...assumptions(parts), ...because],
    };
    return { ...stored, report };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What the rows of `raw` mean: see `meaningOf`. */
async function meaningOfRaw(
  connection: Connection,
  parts: readonly Part[],
  { length, ...options }: MeaningOptions & Pick<Loaded, 'length'>,
) {
  const known = kindOfParts(parts, options);
  if (!known.column) return meaningOf(known, undefined);
  const [spread] = await rows(
    connection,
    `SELECT low, high, parts[1]::DOUBLE, parts[2]::DOUBLE, parts[3]::DOUBLE, parts[4]::DOUBLE, whole::INTEGER, different::DOUBLE
     FROM (SELECT min(rating)::DOUBLE AS low, max(rating)::DOUBLE AS high, bool_and(rating = round(rating)) AS whole,
         quantile_disc(rating, [0.25, 0.5, 0.75, ${mostOf(length)}]) AS parts, approx_count_distinct(rating) AS different
       FROM raw)`,
  );
  const [low, high, quarter, median, threeQuarters, most, whole, about] = spread.map(Number);
  // Counting exactly takes memory for each different value, and only few are a scale.
  const exactly = 'SELECT count(DISTINCT rating)::INTEGER FROM raw';
  const distinct = about > 1000 ? about : Number((await rows(connection, exactly))[0][0]);
  return meaningOf(known, {
    ...{ values: length, low, high, most, distinct, whole: whole === 1 },
    quartiles: [quarter, median, threeQuarters],
  });
}

interface Writing extends Omit<Storing, 'folder'> {
  readonly kind: DataKind;
  /** SQL expression of the value of a row of `raw`, named `rating`. */
  readonly value: string;
}

/** @returns undefined if a user rated an item twice */
async function writeRatings(
  connection: Connection,
  file: StrataFile,
  { name, kind, value, leaveOut, valid: part, workers, blocks: wanted }: Writing,
): Promise<Omit<Reading<Dataset>, 'report'> | undefined> {
  const isHeld =
    part === undefined ? 'false' : `(draw(user_id, item_id, 1) >> 11)::DOUBLE / ${2 ** 53} < ${part}`;
  const columns = `user_id, item_id, ${value}${leaveOut ? ', left_out' : ''}`;
  await connection.run(`CREATE OR REPLACE VIEW train AS SELECT ${columns} FROM raw WHERE NOT (${isHeld})`);
  const users = await number(connection, 'user');
  const items = await number(connection, 'item');
  // A hash that does not depend on the order of the ratings.
  const hash = 'hash(user_id, item_id, rating)';
  const query = `SELECT count(*)::INTEGER, bit_xor(${hash})::VARCHAR || ' ' || sum(${hash}::HUGEINT)::VARCHAR FROM train`;
  const [[count, hashed]] = await rows(connection, query);
  if (count === 0)
    throw new UserError('argument', `holding out ${part} of the ${kind} leaves none to train with`);
  const sizes = { users: users.ids.length, items: items.ids.length };
  const storedIn = blockCounts({ ...sizes, ratings: Number(count) }, workers, wanted);
  const blocks = { users: blocksOf(users.counts, storedIn[0]), items: blocksOf(items.counts, storedIn[1]) };
  const held = `SELECT ${columns} FROM raw WHERE ${isHeld}`;
  const adds = kind === 'interactions';
  const written =
    (adds || !(await hasDuplicates(connection, held))) &&
    (await writeStrata(connection, { ...blocks, adds }, file));
  if (!written) return undefined;
  const { starts, itemCounts, itemSums, low, high } = written;
  const vocabulary = { userIds: users.ids, itemIds: items.ids };
  const valid = part === undefined ? undefined : await heldOut(connection, held, vocabulary, kind);
  const strata: Strata = { ...blocks, starts, read: (number) => file.read(starts, number) };
  const sha = createHash('sha256').update([JSON.stringify(vocabulary), String(hashed)].join());
  const hashes = sha.digest('hex');
  const ratings = starts[starts.length - 1];
  const leftOut = leaveOut && (await leftOutIn(connection));
  return {
    ...(valid && { valid }),
    ratings: {
      name,
      ...vocabulary,
      facts: {
        ...{ kind, ...sizes, ratings, low, high },
        mean: itemSums.reduce((sum, one) => sum + one, 0) / ratings,
      },
      itemCounts,
      itemAverages: itemSums.map((sum, row) => sum / itemCounts[row]),
      storedIn,
      sample: (count) => sampleOf(strata, count),
      leavesOutSome: leaveOut !== undefined,
      toLeaveOut: async () => leftOut ?? sampleOf(strata, Number.POSITIVE_INFINITY),
      strata: () => strata,
      hashes: async () => hashes,
      close: () => file.close(),
    },
  };
}

/** The pairs of `train` that recommendations leave out. */
async function leftOutIn(connection: Connection): Promise<Pick<Rows, 'users' | 'items'>> {
  const pairs = 'SELECT DISTINCT user_id, item_id FROM train WHERE left_out';
  const [[found]] = await rows(connection, `SELECT count(*)::INTEGER FROM (${pairs})`);
  const { users, items } = emptyRows(Number(found));
  const result = await connection.stream(
    `SELECT users.row, items.row FROM (${pairs}) JOIN users ON users.id = user_id JOIN items ON items.id = item_id
     ORDER BY ALL`,
  );
  let at = 0;
  for await (const chunk of result) {
    users.set(numbers<Int32Array>(chunk, 0).subarray(0, chunk.rowCount), at);
    items.set(numbers<Int32Array>(chunk, 1).subarray(0, chunk.rowCount), at);
    at += chunk.rowCount;
  }
  return { users, items };
}

/** Numbers the ids in `train`, the most rated first: makes a table `users` or `items` with id, row and ratings. */
async function number(connection: Connection, role: 'user' | 'item') {
  await connection.run(
    `CREATE OR REPLACE TABLE ${role}s AS
     SELECT id, (row_number() OVER (ORDER BY ratings DESC, id) - 1)::INTEGER AS row, ratings::INTEGER AS ratings
     FROM (SELECT ${role}_id AS id, count(*) AS ratings FROM train GROUP BY ALL)`,
  );
  const result = await rows(connection, `SELECT id::VARCHAR, ratings FROM ${role}s ORDER BY row`);
  return {
    ids: result.map(([id]) => String(id)),
    counts: Int32Array.from(result, ([, ratings]) => Number(ratings)),
  };
}

async function hasDuplicates(connection: Connection, query: string): Promise<boolean> {
  const pairs = `SELECT 1 FROM (${query}) GROUP BY user_id, item_id HAVING count(*) > 1 LIMIT 1`;
  return (await rows(connection, pairs)).length > 0;
}

/**
 * Makes `raw` a table without duplicates: of several ratings of an item by the same user, it keeps the latest.
 *
 * @returns the number of ratings that it removes
 */
async function dropDuplicates(
  connection: Connection,
  parts: readonly Part[],
  options: MeaningOptions,
): Promise<number> {
  const isView = (await rows(connection, "SELECT 1 FROM duckdb_views() WHERE view_name = 'raw'")).length > 0;
  if (isView) {
    await connection.run('DROP VIEW raw');
    // Without times, the order of rows says which is the latest.
    await connection.run('SET preserve_insertion_order = true');
    await loadAll(connection, parts, options);
  }
  const timed = parts.every(({ columns }) => columns.time !== undefined);
  // Only pairs with equal hashes can be duplicates. To check those takes far less memory than to group by ids.
  const { rowsChanged } = await connection.run(
    `DELETE FROM raw WHERE rowid IN (
       SELECT rowid FROM raw
       WHERE draw(user_id, item_id, 0) IN (SELECT draw(user_id, item_id, 0) FROM raw GROUP BY ALL HAVING count(*) > 1)
       QUALIFY row_number() OVER (PARTITION BY user_id, item_id ORDER BY ${timed ? 'time DESC, ' : ''}rowid DESC) > 1)`,
  );
  return rowsChanged;
}

/**
 * The ratings of a query, with the row numbers of `users` and `items`; unknown ids get the unknown row. Interactions of a pair
 * are added up.
 */
async function heldOut(
  connection: Connection,
  query: string,
  { userIds, itemIds }: Vocabulary,
  kind: DataKind,
): Promise<Ratings> {
  const isFlagged = (await rows(connection, `SELECT column_name FROM (DESCRIBE ${query})`)).length > 3;
  const merged =
    kind === 'ratings'
      ? query
      : `SELECT user_id, item_id, ${STRENGTH} AS rating${isFlagged ? ', bool_or(left_out) AS left_out' : ''}
         FROM (${query}) GROUP BY user_id, item_id`;
  const [[count, users, items]] = await rows(
    connection,
    `SELECT count(*)::INTEGER, (count(DISTINCT user_id) FILTER (WHERE users.row IS NULL))::INTEGER,
       (count(DISTINCT item_id) FILTER (WHERE items.row IS NULL))::INTEGER
     FROM (${merged}) LEFT JOIN users ON users.id = user_id LEFT JOIN items ON items.id = item_id`,
  );
  const held = emptyRows(Number(count));
  const leftOut = isFlagged ? new Uint8Array(Number(count)) : undefined;
  const result = await connection.stream(
    `SELECT coalesce(users.row, ${userIds.length}), coalesce(items.row, ${itemIds.length}), rating::FLOAT${isFlagged ? ', left_out::UTINYINT' : ''}
     FROM (${merged}) LEFT JOIN users ON users.id = user_id LEFT JOIN items ON items.id = item_id ORDER BY draw(user_id, item_id, 0)`,
  );
  let at = 0;
  for await (const chunk of result) {
    held.users.set(numbers<Int32Array>(chunk, 0).subarray(0, chunk.rowCount), at);
    held.items.set(numbers<Int32Array>(chunk, 1).subarray(0, chunk.rowCount), at);
    held.ratings.set(numbers<Float32Array>(chunk, 2).subarray(0, chunk.rowCount), at);
    leftOut?.set(numbers<Uint8Array>(chunk, 3).subarray(0, chunk.rowCount), at);
    at += chunk.rowCount;
  }
  return new Ratings({
    ...{ kind, userIds, itemIds, ...held },
    ...(leftOut && { leftOut }),
    unknown: { users: Number(users), items: Number(items) },
  });
}

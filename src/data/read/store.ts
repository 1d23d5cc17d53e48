import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { oneLine } from '../../util/text.ts';
import { checkTrainable, latestOnly, type Ratings } from '../dataset/ratings.ts';
import { randomSplit, validLength } from '../dataset/split.ts';
import { LARGE, type StoredRatings } from '../dataset/stored.ts';
import { blocksOf, countsOf, type Strata, sampleOf } from '../dataset/strata.ts';
import { openUnnamed, readStratum, writeStrata } from '../dataset/strata-file.ts';
import { type DuckDBConnection, identifier, numbers, rows, withDatabase } from './duckdb.ts';
import { explain } from './problems.ts';
import type { ReadOptions } from './read.ts';
import { findFiles } from './source.ts';
import { assumptions, loadAll, openParts, type Part, tableOf } from './table.ts';

export interface StoreOptions extends Omit<ReadOptions, 'vocabulary'> {
  /** Where files are kept while they are needed; the system's folder for such files unless told otherwise. */
  readonly folder?: string;
  /** Bytes of memory that all of it may take, as a whole process; 2 GB unless told otherwise. */
  readonly memory?: number;
  /** Threads that are to train side by side; as many as there are cores unless told otherwise. */
  readonly workers?: number;
  /** Into how many blocks users, and items, are cut where ratings are many; chosen by the data unless told otherwise. */
  readonly blocks?: readonly [users: number, items: number];
  /** For what is held out, and the order of the ratings. */
  readonly seed?: number;
  /** The part of the ratings to hold out, at random. */
  readonly valid?: number;
}

export interface Training {
  readonly train: Ratings | StoredRatings;
  readonly valid?: Ratings;
  /** How many there are of each, held out or not. */
  readonly read: { readonly ratings: number; readonly users: number; readonly items: number };
}

/**
 * Reads ratings to train with: into memory, or, if they are many, into a file, by strata and shuffled, without ever
 * holding them all.
 *
 * @throws UserError as `readRatings` does
 */
export async function readTraining(path: string | string[], options: StoreOptions = {}): Promise<Training> {
  const { folder = tmpdir(), seed = 1, workers = availableParallelism(), valid } = options;
  if (!Number.isSafeInteger(workers) || workers < 1)
    throw new UserError(`workers is ${workers}; give whole numbers from 1`);
  const scratch = await mkdtemp(join(folder, 'cofactor-')).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(oneLine(`${folder}: cannot be written (${error.code}); choose another folder`));
  });
  // DuckDB's own part of the memory: what it hands out, and Node, need the rest.
  const memory = Math.floor((options.memory ?? MEMORY) * 0.4);
  try {
    return await withDatabase(
      async (connection) => {
        const files = await findFiles(connection, [path].flat());
        const parts = await openParts(connection, files, options, ['user', 'item', 'rating'], ['time']);
        const direct = await openDirectly(connection, parts);
        const length = direct ?? (await loadAll(connection, parts));
        if (length >= LARGE) {
          if (valid !== undefined) validLength(length, valid);
          return store(connection, parts, { valid, folder, seed, workers, blocks: options.blocks });
        }
        const all = latestOnly(await tableOf(connection, parts, length));
        checkTrainable(all, files.join(', '));
        return {
          ...(valid === undefined ? { train: all } : randomSplit(all, valid, seed)),
          read: { ratings: all.ratings.length, users: all.userIds.length, items: all.itemIds.length },
        };
      },
      { memory, folder: join(scratch, 'duckdb') },
    );
  } catch (error) {
    const lack = shortage(error as Error, folder);
    if (lack || error instanceof UserError) throw lack ?? error;
    throw explain((error as Error).message, [path].flat().join(', '));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const MEMORY = 2e9;

/** Says that an error is for want of space; undefined where it is not. */
function shortage({ message }: Error, folder: string): UserError | undefined {
  if (/ENOSPC|No space left|max_temp_directory_size/.test(message))
    return new UserError(oneLine(`${folder}: the disk is full; make room, or choose another folder`));
  if (/Out of Memory Error|could not allocate block/.test(message))
    return new UserError('the ratings need more memory to be read than they may take; allow more');
  return undefined;
}

/**
 * Makes `raw` a view of Parquet files, which DuckDB reads as fast as a table of its own.
 *
 * @returns how many rows it has; undefined where they are few, or must be read as text
 */
async function openDirectly(
  connection: DuckDBConnection,
  parts: readonly Part[],
): Promise<number | undefined> {
  if (!parts.every(({ source }) => source.kind === 'parquet')) return undefined;
  const columns = ['user', 'item', 'rating'] as const;
  const selects = parts.map(({ source: { names, table }, columns: places }) => {
    const quoted = columns.map((role) => identifier(names[places[role] as number]));
    return `SELECT ${quoted.map((name, at) => `${name} AS ${columns[at]}_id`).join(', ')} FROM ${table}`;
  });
  try {
    const query = (select: string) => `SELECT column_type FROM (DESCRIBE ${select})`;
    const types = await Promise.all(selects.map((select) => rows(connection, query(select))));
    // DuckDB would make ids of several types ids of one, and so others.
    if (new Set(types.map(String)).size > 1 || !NUMERIC.test(String(types[0][2]))) return undefined;
    const all = selects.join(' UNION ALL ');
    const [[count]] = await rows(connection, `SELECT count(*)::INTEGER FROM (${all})`);
    if (Number(count) < LARGE) return undefined;
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
    if (bad === 0) return Number(count);
  } catch {
    // What is wrong is found below.
  }
  // The slow way says where the fault is.
  await connection.run('DROP VIEW IF EXISTS raw');
  return undefined;
}

/** Types of ratings that are read directly. */
const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*)$/;

async function store(
  connection: DuckDBConnection,
  parts: readonly Part[],
  {
    valid,
    seed,
    workers,
    folder,
    blocks: wanted,
  }: StoreOptions & Required<Pick<StoreOptions, 'folder' | 'seed' | 'workers'>>,
): Promise<Training> {
  await connection.run('SET preserve_insertion_order = false');
  await connection.run(
    `CREATE MACRO draw(user_id, item_id, purpose) AS hash(user_id, item_id, ${seed}, purpose)`,
  );
  const isHeld =
    valid === undefined ? 'false' : `(draw(user_id, item_id, 1) >> 11)::DOUBLE / ${2 ** 53} < ${valid}`;
  const file = await openUnnamed(folder);
  try {
    const stored = await storeRaw(0);
    return { ...stored, train: { ...stored.train, assumptions: assumptions(parts) } };
  } catch (error) {
    await file.close();
    throw error;
  }

  async function storeRaw(duplicates: number): Promise<Training & { train: StoredRatings }> {
    await connection.run(
      `CREATE OR REPLACE VIEW train AS SELECT user_id, item_id, rating FROM raw WHERE NOT (${isHeld})`,
    );
    const users = await number(connection, 'user');
    const items = await number(connection, 'item');
    // Of the ratings in any order.
    const hash = 'hash(user_id, item_id, rating)';
    const query = `SELECT count(*)::INTEGER, min(rating), max(rating),
      bit_xor(${hash})::VARCHAR || ' ' || sum(${hash}::HUGEINT)::VARCHAR FROM train`;
    const [facts] = await rows(connection, query);
    const [count, low, high] = facts.map(Number);
    if (count === 0) throw new UserError(`holding out ${valid} of the ratings leaves none to train with`);
    const sizes = { users: users.ids.length, items: items.ids.length, ratings: count };
    const counts = countsOf(sizes, workers, wanted);
    const blocks = {
      users: blocksOf(users.counts, counts.users),
      items: blocksOf(items.counts, counts.items),
    };
    const held = `SELECT * FROM raw WHERE ${isHeld}`;
    const written = !(await hasDuplicates(connection, held)) && (await writeStrata(connection, blocks, file));
    if (!written) return storeRaw(await dropDuplicates(connection, parts));
    const { starts, itemSums } = written;
    const vocabulary = { userIds: users.ids, itemIds: items.ids };
    const out = valid === undefined ? undefined : await heldOut(connection, held, vocabulary);
    const strata: Strata = { ...blocks, starts, read: (number) => readStratum(file, starts, number) };
    return {
      read: {
        ratings: count + (out?.ratings.length ?? 0),
        users: users.ids.length + (out?.unknown?.users ?? 0),
        items: items.ids.length + (out?.unknown?.items ?? 0),
      },
      ...(out && { valid: out }),
      train: {
        ...vocabulary,
        count,
        low,
        high,
        mean: itemSums.reduce((sum, one) => sum + one, 0) / count,
        itemCounts: items.counts,
        itemAverages: itemSums.map((sum, row) => sum / items.counts[row]),
        strata,
        sample: (size) => sampleOf(strata, size),
        fingerprint: hashOf(JSON.stringify(vocabulary), String(facts[3])),
        duplicates,
        assumptions: [],
        close: () => file.close(),
      },
    };
  }
}

/** Numbers the ids of a table `train` in a table of their own: id, row, ratings; the most rated first. */
async function number(
  connection: DuckDBConnection,
  role: 'user' | 'item',
): Promise<{ ids: string[]; counts: Int32Array }> {
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

/** Whether a user of a query's ratings rated an item twice. */
async function hasDuplicates(connection: DuckDBConnection, query: string): Promise<boolean> {
  const pairs = `SELECT 1 FROM (${query}) GROUP BY user_id, item_id HAVING count(*) > 1 LIMIT 1`;
  return (await rows(connection, pairs)).length > 0;
}

/**
 * Of ratings of one item by one user leaves the latest alone, in a table `raw`.
 *
 * @returns how many it removes
 */
async function dropDuplicates(connection: DuckDBConnection, parts: readonly Part[]): Promise<number> {
  const isView = (await rows(connection, "SELECT 1 FROM duckdb_views() WHERE view_name = 'raw'")).length > 0;
  if (isView) {
    await connection.run('DROP VIEW raw');
    // The order says which is the latest.
    await connection.run('SET preserve_insertion_order = true');
    await loadAll(connection, parts);
  }
  const timed = parts.every(({ columns }) => columns.time !== undefined);
  // To look at likely pairs alone takes far less memory than to group by ids.
  const { rowsChanged } = await connection.run(
    `DELETE FROM raw WHERE rowid IN (
       SELECT rowid FROM raw
       WHERE draw(user_id, item_id, 0) IN (SELECT draw(user_id, item_id, 0) FROM raw GROUP BY ALL HAVING count(*) > 1)
       QUALIFY row_number() OVER (PARTITION BY user_id, item_id ORDER BY ${timed ? 'time DESC, ' : ''}rowid DESC) > 1)`,
  );
  return rowsChanged;
}

/** The ratings of a query, by the rows of `users` and `items`; an id that is not there has the unknown row. */
async function heldOut(
  connection: DuckDBConnection,
  query: string,
  { userIds, itemIds }: Pick<Ratings, 'userIds' | 'itemIds'>,
): Promise<Ratings> {
  const [[count, users, items]] = await rows(
    connection,
    `SELECT count(*)::INTEGER, (count(DISTINCT user_id) FILTER (WHERE users.row IS NULL))::INTEGER,
       (count(DISTINCT item_id) FILTER (WHERE items.row IS NULL))::INTEGER
     FROM (${query}) LEFT JOIN users ON users.id = user_id LEFT JOIN items ON items.id = item_id`,
  );
  const ratings: Ratings = {
    userIds,
    itemIds,
    users: new Int32Array(Number(count)),
    items: new Int32Array(Number(count)),
    ratings: new Float32Array(Number(count)),
    unknown: { users: Number(users), items: Number(items) },
    duplicates: 0,
    assumptions: [],
  };
  const result = await connection.stream(
    `SELECT coalesce(users.row, ${userIds.length}), coalesce(items.row, ${itemIds.length}), rating
     FROM (${query}) LEFT JOIN users ON users.id = user_id LEFT JOIN items ON items.id = item_id ORDER BY draw(user_id, item_id, 0)`,
  );
  let place = 0;
  for await (const chunk of result) {
    ratings.users.set(numbers<Int32Array>(chunk, 0).subarray(0, chunk.rowCount), place);
    ratings.items.set(numbers<Int32Array>(chunk, 1).subarray(0, chunk.rowCount), place);
    ratings.ratings.set(numbers<Float32Array>(chunk, 2).subarray(0, chunk.rowCount), place);
    place += chunk.rowCount;
  }
  return ratings;
}

const hashOf = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join()).digest('hex');

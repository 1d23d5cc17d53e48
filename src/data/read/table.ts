import { oneLine, UserError } from '../../errors.ts';
import { emptyRows } from '../dataset/rows.ts';
import { type Columns, findColumns, type Role, type WantedColumns } from './columns.ts';
import { type Connection, literal, numbers, rows, withDatabase } from './duckdb.ts';
import { findFiles, openSource } from './open.ts';
import { diagnose, fieldError } from './problems.ts';
import type { Table } from './reading.ts';
import type { Part, Source, SourceOptions } from './source.ts';

/** The id where a file has no column of ids. An id in a file must not be empty. */
export const NO_ID = '';

const roles: readonly Role[] = ['user', 'item', 'rating', 'time'];

/**
 * Reads files, one after the other, into one table. Row numbers of ids are in order of first appearance. Where there is no
 * column, ids are NO_ID and ratings 0.
 */
export function readTable(
  paths: readonly string[],
  options: SourceOptions,
  wanted: readonly Role[],
  welcome: readonly Role[] = [],
): Promise<Table> {
  return withDatabase(async (connection) => {
    const files = await findFiles(connection, paths);
    const parts = await openParts(connection, files, options, { wanted, welcome });
    return tableOf(connection, parts, await loadAll(connection, parts));
  });
}

/** Opens files, and finds their columns. */
export async function openParts(
  connection: Connection,
  files: readonly string[],
  options: SourceOptions,
  roles: WantedColumns,
): Promise<Part[]> {
  const parts: Part[] = [];
  for (const file of files) {
    const source = await openSource(connection, file, options, roles.wanted);
    parts.push({ source, columns: findColumns(file, source.names, roles, options) });
  }
  return parts;
}

/**
 * Loads files into the table `raw`: user_id, item_id, rating, time.
 *
 * @returns the number of rows
 */
export async function loadAll(connection: Connection, parts: readonly Part[]): Promise<number> {
  await connection.run('CREATE TABLE raw (user_id VARCHAR, item_id VARCHAR, rating FLOAT, time DOUBLE)');
  await connection.run(`
    CREATE MACRO seconds(value) AS CASE WHEN abs(value) > 1e11 THEN value / 1000 ELSE value END;
    CREATE MACRO is_bad(id) AS coalesce(id, '') = '' OR contains(id, chr(0))`);
  let length = 0;
  for (const { source, columns } of parts) {
    const added = await load(connection, source, columns);
    await checkRows(connection, source, columns, length);
    length += added;
  }
  return length;
}

/** The rows of the table `raw`, in order. */
export async function tableOf(connection: Connection, parts: readonly Part[], size: number): Promise<Table> {
  const timed = parts.every(({ columns }) => columns.time !== undefined);
  return { ...(await numbered(connection, size, timed)), assumptions: assumptions(parts) };
}

/** Appends a file to the table. Text that is not a number or a time becomes null, a missing column 0. */
async function load(connection: Connection, source: Source, columns: Columns): Promise<number> {
  const { user, item, rating, time } = columns;
  const text = source.expressions;
  const id = (index: number | undefined): string => (index === undefined ? literal(NO_ID) : text[index]);
  const { rowsChanged } = await connection
    .run(
      `INSERT INTO raw SELECT ${id(user)}, ${id(item)},
         ${rating === undefined ? 0 : `TRY_CAST(${decimal(source, text[rating])} AS FLOAT)`},
         ${
           time === undefined
             ? 0
             : `coalesce(seconds(TRY_CAST(${text[time]} AS DOUBLE)), epoch(TRY_CAST(${text[time]} AS TIMESTAMPTZ)))`
         }
       FROM ${source.table}`,
    )
    .catch(async (error: Error) => {
      throw await diagnose(error, connection, source);
    });
  // A list of ids may be empty.
  if (rowsChanged === 0 && columns.user !== undefined && columns.item !== undefined)
    throw new UserError(
      'data',
      `${source.file}: has a header and no ratings; give a file with one rating a line`,
    );
  return rowsChanged;
}

/** Where the delimiter is not a comma, a comma may be the decimal separator. */
function decimal(source: Source, text: string): string {
  return source.kind === 'text' && source.delimiter !== ',' ? `replace(${text}, ',', '.')` : text;
}

/** Throws for the first row from `start` on with an invalid id, rating or time. */
async function checkRows(connection: Connection, source: Source, columns: Columns, start: number) {
  const [fault] = await rows(
    connection,
    `SELECT rowid::INTEGER - ${start} AS row, CASE
       WHEN ${columns.user !== undefined} AND is_bad(user_id) THEN 'user'
       WHEN ${columns.item !== undefined} AND is_bad(item_id) THEN 'item'
       WHEN rating IS NULL OR NOT isfinite(rating) THEN 'rating'
       WHEN time IS NULL OR NOT isfinite(time) THEN 'time'
     END AS role
     FROM raw WHERE rowid >= ${start} AND role IS NOT NULL ORDER BY row LIMIT 1`,
  );
  if (fault !== undefined)
    throw await fieldError(connection, { source, columns }, fault[1] as Role, Number(fault[0]));
}

async function numbered(connection: Connection, length: number, timed: boolean) {
  for (const role of ['user', 'item'])
    await connection.run(
      `CREATE TABLE ${role}s AS
       SELECT ${role}_id, (row_number() OVER (ORDER BY min(rowid)) - 1)::INTEGER AS row FROM raw GROUP BY ${role}_id`,
    );
  const ids = async (role: string) =>
    (await rows(connection, `SELECT ${role}_id FROM ${role}s ORDER BY row`)).map(([id]) => String(id));
  const { users, items, ratings } = emptyRows(length);
  const times = timed ? new Float64Array(length) : undefined;
  const result = await connection.run(
    `SELECT raw.rowid::INTEGER, users.row, items.row, rating, time
     FROM raw JOIN users USING (user_id) JOIN items USING (item_id)`,
  );
  // A join does not keep the order, so each row brings its index.
  for await (const chunk of result) {
    const index = numbers<Int32Array>(chunk, 0);
    const user = numbers<Int32Array>(chunk, 1);
    const item = numbers<Int32Array>(chunk, 2);
    const rating = numbers<Float32Array>(chunk, 3);
    const time = numbers<Float64Array>(chunk, 4);
    for (let row = 0; row < index.length; row++) {
      users[index[row]] = user[row];
      items[index[row]] = item[row];
      ratings[index[row]] = rating[row];
      if (times) times[index[row]] = time[row];
    }
  }
  return {
    userIds: await ids('user'),
    itemIds: await ids('item'),
    users,
    items,
    ratings,
    ...(times && { times }),
  };
}

/** What the reader assumed, in sentences. */
export function assumptions(parts: readonly Part[]): string[] {
  const said = parts.flatMap(({ source, columns }) => {
    if (source.kind !== 'text' || source.header) return [];
    const order = roles.filter((role) => columns[role] !== undefined);
    const named = order.map((role) => `${role} ${(columns[role] as number) + 1}`).join(', ');
    return [oneLine(`${source.file}: no header, so columns by position: ${named}`)];
  });
  const untimed = parts.filter(({ columns }) => columns.time === undefined);
  if (untimed.length > 0 && untimed.length < parts.length)
    said.push(oneLine(`${untimed[0].source.file}: has no times, so times are not used`));
  return said;
}

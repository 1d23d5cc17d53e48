import { oneLine, option, UserError } from '../../errors.ts';
import { quoted } from '../../util/text.ts';
import { emptyRows } from '../dataset/rows.ts';
import {
  type Columns,
  columnLabel,
  findColumns,
  idsInWords,
  type Role,
  type WantedColumns,
} from './columns.ts';
import { type Connection, literal, numbers, rows, withDatabase } from './duckdb.ts';
import { faults } from './faults.ts';
import { checkAlike, interactionsInWords, kindByColumns, type MeaningOptions } from './meaning.ts';
import { findFiles, openSource } from './open.ts';
import { diagnose, fieldError } from './problems.ts';
import type { Table } from './reading.ts';
import type { Part, Source, SourceOptions } from './source.ts';

/** The id where a file has no column of ids. An id in a file must not be empty. */
export const NO_ID = '';

const roles: readonly Role[] = ['user', 'item', 'rating', 'count', 'event', 'time'];

interface LoadOptions extends MeaningOptions {
  /** Whether `leaveOut` may name events that no row has, as in data to evaluate on. */
  readonly mayLackEvents?: boolean;
}

/**
 * Reads files, one after the other, into one table. Row numbers of ids are in order of first appearance. Where there is no
 * column, ids are NO_ID and ratings 1.
 */
export function readTable(
  paths: readonly string[],
  options: SourceOptions & LoadOptions,
  wanted: WantedColumns,
): Promise<Table> {
  return withDatabase(async (connection) => {
    const files = await findFiles(connection, paths);
    const parts = await openParts(connection, files, options, wanted);
    return tableOf(connection, parts, await loadAll(connection, parts, options), options);
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
    const columns = findColumns(file, source, roles, options);
    const isInteractions = roles.welcome.includes('count') && columns.rating === undefined;
    parts.push({ source, columns, isInteractions });
  }
  checkAlike(parts.map(({ source: { file }, columns }) => ({ file, columns })));
  return parts;
}

/** The number of rows of `raw`, and of those that were left out because they have no user. */
export interface Loaded {
  readonly length: number;
  readonly withoutUser: number;
}

/**
 * Loads files into the table `raw`: user_id, item_id, rating (or strength of an interaction), time; and left_out, if only some
 * kinds of events are left out of recommendations.
 */
export async function loadAll(
  connection: Connection,
  parts: readonly Part[],
  options: LoadOptions = {},
): Promise<Loaded> {
  const { leaveOut } = options;
  await connection.run(
    `CREATE TABLE raw (user_id VARCHAR, item_id VARCHAR, rating FLOAT, time DOUBLE${leaveOut ? ', left_out BOOLEAN' : ''})`,
  );
  await connection.run(`
    CREATE MACRO seconds(value) AS CASE WHEN abs(value) > 1e11 THEN value / 1000 ELSE value END;
    CREATE MACRO is_bad(id) AS coalesce(id, '') = '' OR contains(id, chr(0))`);
  let length = 0;
  for (const part of parts) {
    const { source, columns } = part;
    const added = await load(connection, source, columns, options);
    await checkRows(connection, part, length, options);
    length += added;
  }
  if (leaveOut && !options.mayLackEvents) await checkLeaveOut(connection, parts, leaveOut);
  return withUsers(connection, parts, length);
}

/** Leaves out interactions without a user, such as the orders of guests. */
async function withUsers(connection: Connection, parts: readonly Part[], length: number): Promise<Loaded> {
  if (parts.some(({ isInteractions }) => !isInteractions)) return { length, withoutUser: 0 };
  const [[found]] = await rows(
    connection,
    "SELECT count(*)::INTEGER FROM raw WHERE coalesce(user_id, '') = ''",
  );
  const withoutUser = Number(found);
  if (withoutUser === length && length > 0)
    throw new UserError(
      'data',
      `${parts[0].source.file}: no row has a user; name another column with ${option('userColumn')}`,
    );
  if (withoutUser > 0)
    // A new table, because the numbers of its rows must have no gaps.
    await connection.run(`
      CREATE TABLE with_users AS SELECT * FROM raw WHERE coalesce(user_id, '') <> '' ORDER BY rowid;
      DROP TABLE raw; ALTER TABLE with_users RENAME TO raw`);
  return { length: length - withoutUser, withoutUser };
}

async function checkLeaveOut(connection: Connection, parts: readonly Part[], leaveOut: readonly string[]) {
  for (const name of leaveOut) {
    let found = 0;
    for (const { source, columns } of parts) {
      const event = source.expressions[columns.event as number];
      const query = `SELECT count(*)::INTEGER FROM ${source.table} WHERE coalesce(${event}, '') = ${literal(name)}
        AND coalesce(${source.expressions[columns.user as number]}, '') <> ''`;
      found += Number((await rows(connection, query))[0][0]);
    }
    if (found === 0)
      throw new UserError(
        'data',
        `${parts[0].source.file}: no row has the event ${quoted(name)} (${option('leaveOut')}); correct the name`,
      );
  }
}

/** The rows of the table `raw`, in order. */
export async function tableOf(
  connection: Connection,
  parts: readonly Part[],
  { length, withoutUser }: Loaded,
  options: MeaningOptions = {},
): Promise<Table> {
  const timed = parts.every(({ columns }) => columns.time !== undefined);
  return {
    ...(await numbered(connection, length, { timed, flagged: options.leaveOut !== undefined })),
    ...kindOfParts(parts, options),
    withoutUser,
    assumptions: assumptions(parts),
  };
}

/** The kind of the rows, undefined where the values decide, and the name of the column of ratings. */
export function kindOfParts(
  [{ source, columns }]: readonly Part[],
  options: MeaningOptions,
): Pick<Table, 'kind' | 'column' | 'ids'> {
  const { rating } = columns;
  return {
    kind: kindByColumns(options, columns),
    ids: idsInWords(source, columns),
    ...(rating !== undefined && {
      column: { label: columnLabel(source, rating), isNamed: options.ratingColumn !== undefined },
    }),
  };
}

/** Appends a file to the table. Text that is not a number or a time becomes null; a missing time is 0, a missing rating 1. */
async function load(
  connection: Connection,
  source: Source,
  columns: Columns,
  { eventWeights, leaveOut }: MeaningOptions,
): Promise<number> {
  const { user, item, rating, time, count, event } = columns;
  const text = source.expressions;
  const id = (index: number | undefined): string => (index === undefined ? literal(NO_ID) : text[index]);
  const value = rating ?? count;
  const number = value === undefined ? '1::DOUBLE' : `TRY_CAST(${decimal(source, text[value])} AS DOUBLE)`;
  const weight = event === undefined ? '' : ` * ${weightOf(text[event], eventWeights)}`;
  const isLeftOut = leaveOut && `, coalesce(${text[event as number]}, '') IN (${leaveOut.map(literal)})`;
  const { rowsChanged } = await connection
    .run(
      `INSERT INTO raw SELECT ${id(user)}, ${id(item)}, TRY_CAST(${number}${weight} AS FLOAT), ${time === undefined ? 0 : timeOf(text[time])}${isLeftOut ?? ''}
       FROM ${source.table}`,
    )
    .catch(async (error: Error) => {
      throw await diagnose(error, connection, source);
    });
  // A list of ids may be empty.
  if (rowsChanged === 0 && columns.user !== undefined && columns.item !== undefined)
    throw new UserError('data', `${source.file}: ${faults.none(columns)}`);
  return rowsChanged;
}

/** The weight of an event, null for one without a weight, which is a fault. */
const weightOf = (event: string, weights: MeaningOptions['eventWeights']): string =>
  weights
    ? `CASE coalesce(${event}, '') ${Object.entries(weights)
        .map(([name, weight]) => `WHEN ${literal(name)} THEN ${weight}::DOUBLE`)
        .join(' ')} END`
    : `CASE WHEN coalesce(${event}, '') <> '' THEN 1 END`;

/** Unix seconds of a number of seconds or milliseconds, of an ISO date, or of a date such as 24.12.2026. */
const timeOf = (time: string): string =>
  `coalesce(seconds(TRY_CAST(${time} AS DOUBLE)),
    epoch(TRY_CAST(regexp_replace(${time}, '(:\\d\\d(?:\\.\\d*)?) +([+-]\\d\\d(?::?\\d\\d)?)$', '\\1\\2') AS TIMESTAMPTZ)),
    CASE WHEN regexp_matches(${time}, '^\\d{1,2}\\.\\d{1,2}\\.\\d{4}( |$)')
      THEN epoch(TRY_STRPTIME(${time}, ['%d.%m.%Y', '%d.%m.%Y %H:%M', '%d.%m.%Y %H:%M:%S'])) END)`;

/** Where the delimiter is not a comma, a comma may be the decimal separator. */
function decimal(source: Source, text: string): string {
  return source.kind === 'text' && source.delimiter !== ',' ? `replace(${text}, ',', '.')` : text;
}

/** Throws for the first row from `start` on with an invalid id, rating or time. */
async function checkRows(connection: Connection, part: Part, start: number, options: MeaningOptions) {
  const { columns } = part;
  // Rows without a user are left out, whatever else is wrong with them.
  const counts = part.isInteractions ? "coalesce(user_id, '') <> ''" : 'true';
  const [fault] = await rows(
    connection,
    `SELECT rowid::INTEGER - ${start} AS row, CASE
       WHEN ${columns.user !== undefined} AND is_bad(user_id) THEN 'user'
       WHEN ${columns.item !== undefined} AND is_bad(item_id) THEN 'item'
       WHEN rating IS NULL OR NOT isfinite(rating) THEN 'rating'
       WHEN time IS NULL OR NOT isfinite(time) THEN 'time'
     END AS role
     FROM raw WHERE rowid >= ${start} AND ${counts} AND role IS NOT NULL ORDER BY row LIMIT 1`,
  );
  if (fault !== undefined)
    throw await fieldError(connection, part, { role: fault[1] as Role, index: Number(fault[0]) }, options);
}

async function numbered(
  connection: Connection,
  length: number,
  { timed, flagged }: { readonly timed: boolean; readonly flagged: boolean },
) {
  for (const role of ['user', 'item'])
    await connection.run(
      `CREATE TABLE ${role}s AS
       SELECT ${role}_id, (row_number() OVER (ORDER BY min(rowid)) - 1)::INTEGER AS row FROM raw GROUP BY ${role}_id`,
    );
  const ids = async (role: string) =>
    (await rows(connection, `SELECT ${role}_id FROM ${role}s ORDER BY row`)).map(([id]) => String(id));
  const { users, items, ratings } = emptyRows(length);
  const times = timed ? new Float64Array(length) : undefined;
  const leftOut = flagged ? new Uint8Array(length) : undefined;
  const result = await connection.run(
    `SELECT raw.rowid::INTEGER, users.row, items.row, rating, time${flagged ? ', left_out::UTINYINT' : ''}
     FROM raw JOIN users USING (user_id) JOIN items USING (item_id)`,
  );
  // A join does not keep the order, so each row brings its index.
  for await (const chunk of result) {
    const index = numbers<Int32Array>(chunk, 0);
    const user = numbers<Int32Array>(chunk, 1);
    const item = numbers<Int32Array>(chunk, 2);
    const rating = numbers<Float32Array>(chunk, 3);
    const time = numbers<Float64Array>(chunk, 4);
    const flag = leftOut && numbers<Uint8Array>(chunk, 5);
    for (let row = 0; row < index.length; row++) {
      users[index[row]] = user[row];
      items[index[row]] = item[row];
      ratings[index[row]] = rating[row];
      if (times) times[index[row]] = time[row];
      if (leftOut && flag) leftOut[index[row]] = flag[row];
    }
  }
  return {
    userIds: await ids('user'),
    itemIds: await ids('item'),
    users,
    items,
    ratings,
    ...(times && { times }),
    ...(leftOut && { leftOut }),
  };
}

/** What the reader assumed, in sentences. */
export function assumptions(parts: readonly Part[]): string[] {
  const said = parts.flatMap(({ source, columns }) => {
    if (!source.positional) return [];
    const order = roles.filter((role) => columns[role] !== undefined);
    const named = order.map((role) => `${role} ${(columns[role] as number) + 1}`).join(', ');
    return [oneLine(`${source.file}: no header, so columns by position: ${named}`)];
  });
  const untimed = parts.filter(({ columns }) => columns.time === undefined);
  if (untimed.length > 0 && untimed.length < parts.length)
    said.push(oneLine(`${untimed[0].source.file}: has no times, so times are not used`));
  const words = parts.map(({ source, columns, isInteractions }) =>
    isInteractions ? interactionsInWords(source, columns) : [],
  );
  const areAlike = words.every((sentences) => sentences.join() === words[0].join());
  for (const [at, { source }] of parts.slice(0, areAlike ? 1 : undefined).entries())
    said.push(...words[at].map((sentence) => oneLine(areAlike ? sentence : `${source.file}: ${sentence}`)));
  return said;
}

import { access, constants, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { DuckDBAppender } from '@duckdb/node-api';
import { option, UserError } from '../errors.ts';
import { replaceFileBy } from '../util/files.ts';
import { literal, withDatabase } from './read/duckdb.ts';
import { Guard } from './spreadsheet.ts';

export type ColumnTypes = Readonly<Record<string, keyof typeof APPEND>>;

type Rows = Iterable<Row> | AsyncIterable<Row>;
type Row = readonly (string | number)[];

/**
 * Writes rows to a `.csv` or `.parquet` file. The file only appears when it is complete.
 *
 * @param options raw: whether texts that begin like a formula stay as they are in CSV; in Parquet they do
 * @returns how many texts were changed
 * @throws UserError if the file cannot be written
 */
export async function writeTable(
  path: string,
  columns: ColumnTypes,
  rows: Rows,
  { raw = false }: { readonly raw?: boolean | undefined } = {},
): Promise<number> {
  const isParquet = path.endsWith('.parquet');
  const guard = new Guard(raw || isParquet);
  await replaceFileBy(path, 'the table', (file, incoming) =>
    fillTable(file, { path: incoming, name: path, isParquet }, { columns, rows, guard }),
  );
  return guard.count;
}

interface Target {
  readonly path: string;
  /** Its name for messages. */
  readonly name: string;
  readonly isParquet: boolean;
}

interface Content {
  readonly columns: ColumnTypes;
  readonly rows: Rows;
  readonly guard: Guard;
}

/**
 * Writes rows to a new file.
 *
 * @throws UserError if it cannot be written
 */
export const fillTable = (
  file: FileHandle,
  { path, name, isParquet }: Target,
  { columns, rows, guard }: Content,
): Promise<void> =>
  withDatabase(async (connection) => {
    const types = Object.entries(columns).map(([name, type]) => `"${name}" ${type}`);
    await connection.run(`CREATE TABLE result (${types.join(', ')})`);
    const appender = await connection.createAppender('result');
    const append = Object.values(columns).map((type) => APPEND[type]);
    for await (const row of rows) {
      for (const [index, value] of row.entries())
        append[index](appender, typeof value === 'string' ? guard.cell(value) : value);
      appender.endRow();
    }
    appender.closeSync();
    const texts = Object.keys(columns).filter((name) => columns[name] === 'VARCHAR');
    const quotes = guard.quotes ? `, FORCE_QUOTE (${texts.map(literal).join(', ')})` : '';
    const format = isParquet ? 'FORMAT parquet' : `FORMAT csv, HEADER${quotes}`;
    // Linux opens the file that the handle has, whatever is at its path.
    const target = process.platform === 'linux' ? `/proc/self/fd/${file.fd}` : path;
    await connection
      .run(`COPY result TO ${literal(target)} (${format}, USE_TMP_FILE false)`)
      .catch((error: Error) => {
        throw new UserError('file', `${name}: cannot be written: ${error.message.split('\n')[0]}`);
      });
  });

const APPEND = {
  VARCHAR: (appender: DuckDBAppender, value: unknown) => appender.appendVarchar(value as string),
  INTEGER: (appender: DuckDBAppender, value: unknown) => appender.appendInteger(value as number),
  FLOAT: (appender: DuckDBAppender, value: unknown) => appender.appendFloat(value as number),
  DOUBLE: (appender: DuckDBAppender, value: unknown) => appender.appendDouble(value as number),
  BIGINT: (appender: DuckDBAppender, value: unknown) => appender.appendBigInt(BigInt(value as number)),
};

/**
 * Checks, before the work starts, that a table can be written to `path`.
 *
 * @throws UserError for another extension, or for a folder that cannot be written
 */
export async function checkTable(path: string): Promise<void> {
  if (!/\.(csv|parquet)$/.test(path))
    throw new UserError(
      'file',
      `${path}: is not a .csv or a .parquet file; give ${option('out')} one of these`,
    );
  await access(dirname(resolve(path)), constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      'file',
      error.code === 'ENOENT'
        ? `${path}: cannot be written, because its folder does not exist; make it, or choose another`
        : `${path}: cannot be written, because its folder cannot (${error.code}); choose another`,
    );
  });
}

/** One line of CSV, with quotes where they are needed (RFC 4180). */
export function csvLine(fields: readonly (string | number)[]): string {
  return fields
    .map((field) => (/[",;\t\r\n]/.test(String(field)) ? `"${String(field).replaceAll('"', '""')}"` : field))
    .join(',');
}

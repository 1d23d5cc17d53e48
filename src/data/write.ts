import { rename, rm } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import { literal, withDatabase } from './duckdb.ts';

/** Columns of one length, by name. */
export type Columns = Readonly<Record<string, readonly (string | number)[]>>;

/**
 * Writes columns to a `.csv` or `.parquet` file, whole or not at all.
 *
 * @throws UserError if the file cannot be written
 */
export async function writeTable(path: string, columns: Columns): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await withDatabase(async (connection) => {
      const entries = Object.entries(columns);
      const types = entries.map(
        ([name, values]) => `"${name}" ${typeof values[0] === 'number' ? 'FLOAT' : 'VARCHAR'}`,
      );
      await connection.run(`CREATE TABLE result (${types.join(', ')})`);
      const appender = await connection.createAppender('result');
      for (let row = 0; row < entries[0][1].length; row++) {
        for (const [, values] of entries) {
          const value = values[row];
          if (typeof value === 'number') appender.appendFloat(value);
          else appender.appendVarchar(value);
        }
        appender.endRow();
      }
      appender.closeSync();
      const format = path.endsWith('.parquet') ? '(FORMAT parquet)' : '(FORMAT csv, HEADER)';
      await connection.run(`COPY result TO ${literal(temporary)} ${format}`);
    });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new UserError(`${path}: cannot be written: ${(error as Error).message.split('\n')[0]}`);
  }
}

/** One line of CSV, quoted where it must be (RFC 4180). */
export function csvLine(fields: readonly (string | number)[]): string {
  return fields
    .map((field) => (/[",\r\n]/.test(String(field)) ? `"${String(field).replaceAll('"', '""')}"` : field))
    .join(',');
}

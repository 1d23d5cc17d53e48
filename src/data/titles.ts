import { basename } from 'node:path';
import { UserError } from '../errors.ts';
import { usualColumn } from './columns.ts';
import { rows, withDatabase } from './duckdb.ts';
import { diagnose } from './problems.ts';
import { findFiles, openSource } from './source.ts';
import { list, oneLine } from './text.ts';

/**
 * Titles by item id, from MovieLens's `movies.csv`, `movies.dat` or `u.item`, or any table that has a column of ids
 * and one of titles or names. An item without a title is left out; of two titles the first counts.
 *
 * @throws UserError if the file cannot be read or has no such columns
 */
export function readTitles(path: string): Promise<Map<string, string>> {
  return withDatabase(async (connection) => {
    // These two have no header and are older than UTF-8.
    const old = /^(u\.item|movies\.dat)(\.gz|\.zst)?$/.test(basename(path));
    const [file] = await findFiles(connection, [path]);
    const source = await openSource(connection, file, {
      header: !old,
      ...(old && { encoding: 'latin-1' as const }),
    });
    const id = old ? 0 : usualColumn(source.names, 'id');
    const title = old ? 1 : usualColumn(source.names, 'title');
    if (id === -1 || title === -1)
      throw new UserError(
        oneLine(
          `${file}: no columns of ids and titles; the columns are ${list(source.names)}; call them id and title`,
        ),
      );
    const query = `SELECT ${source.expressions[id]}, ${source.expressions[title]} FROM ${source.table}`;
    const titles = await rows(connection, query).catch(async (error: Error) => {
      throw await diagnose(error, connection, source);
    });
    const known = titles.filter((row): row is [string, string] => row[0] !== null && row[1] !== null);
    return new Map(known.reverse());
  });
}

import { basename } from 'node:path';
import * as expected from '../../util/options.ts';
import { checkArgument, checkOptions, type OptionTable } from '../../util/options.ts';
import { type ColumnOptions, findItemColumns } from './columns.ts';
import { rows, withDatabase } from './duckdb.ts';
import { genresIn, type ItemTable } from './item-table.ts';
import { findFiles, openSource } from './open.ts';
import { diagnose } from './problems.ts';

/** Genres of the columns from the seventh on in `u.item` of MovieLens 100K, as its `u.genre` lists them; 1 marks a genre. */
const OLD_GENRES = genresIn(
  "Action|Adventure|Animation|Children's|Comedy|Crime|Documentary|Drama|Fantasy|Film-Noir|Horror|Musical|Mystery|Romance|Sci-Fi|Thriller|War|Western",
);

const OLD_COLUMNS = { id: 0, title: 1, genre: 2 };

const ITEM_OPTIONS: OptionTable<Pick<ColumnOptions, 'itemColumn'>> = { itemColumn: expected.text };

/**
 * Reads titles and genres from `movies.csv`, `movies.dat` or `u.item` of MovieLens, or from any table with a column of ids
 * and a column of titles or names. Genres are separated by `|`. Items without a title are left out. Of two titles of an
 * item, the first counts.
 *
 * @param path a file in a format that `readRatings` reads
 * @param options `itemColumn`: name of the column of ids. Default: found by its usual names
 * @throws UserError if the file cannot be read or does not have these columns
 */
export async function readItems(
  path: string,
  options: Pick<ColumnOptions, 'itemColumn'> = {},
): Promise<ItemTable> {
  checkArgument('the path is', path, expected.path);
  checkOptions(options, ITEM_OPTIONS);
  const { itemColumn } = options;
  return withDatabase(async (connection) => {
    // These two files have no header, and are in Latin-1.
    const old = /^(u\.item|movies\.dat)(\.gz|\.zst)?$/.exec(basename(path))?.[1];
    const [file] = await findFiles(connection, [path]);
    const source = await openSource(connection, file, {
      header: !old,
      ...(old && { encoding: 'latin-1' as const, delimiter: old === 'u.item' ? '|' : '::' }),
    });
    const { id, title, genre } = old ? OLD_COLUMNS : findItemColumns(file, source.names, itemColumn);
    const { expressions } = source;
    const genres = old === 'u.item' ? expressions.slice(6) : (expressions[genre] ?? []);
    const query = `SELECT ${[expressions[id], expressions[title], genres].flat()} FROM ${source.table}`;
    const table = await rows(connection, query).catch(async (error: Error) => {
      throw await diagnose(error, connection, source);
    });
    const known = table.filter(([id, title]) => id && title).reverse() as string[][];
    return {
      titles: new Map(known.map(([id, title]) => [id, title])),
      genres: new Map(
        known.map(([id, , ...cells]) => [
          id,
          old === 'u.item' ? OLD_GENRES.filter((_, index) => cells[index] === '1') : genresIn(cells[0] ?? ''),
        ]),
      ),
    };
  });
}

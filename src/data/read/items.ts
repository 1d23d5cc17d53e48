import * as expected from '../../util/options.ts';
import { checkArgument, checkOptions, type OptionTable } from '../../util/options.ts';
import { type ColumnOptions, findItemColumns } from './columns.ts';
import { withLazyDatabase } from './duckdb.ts';
import { withFiles } from './files.ts';
import { isParquet } from './format.ts';
import type { ItemTable } from './item-table.ts';
import { checkStart, itemsFrom, itemTable } from './items-from.ts';
import { allBytes, firstBytes } from './open.ts';
import { textsOfParquet } from './parquet.ts';

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
  return withLazyDatabase((connect) =>
    withFiles(connect, [path], async ([found]) => {
      if (!isParquet(await firstBytes(found)))
        return itemsFrom(
          await allBytes(found, (start) => checkStart(start, found.file)),
          found.file,
          itemColumn,
        );
      const { names, rows } = await textsOfParquet(await connect(), found);
      return itemTable(rows, findItemColumns(found.file, names, itemColumn));
    }),
  );
}

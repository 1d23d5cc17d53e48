import type { Dataset } from '../dataset/dataset.ts';
import { tableFrom } from './collected.ts';
import { type CollectOptions, Collector } from './collector.ts';
import type { WantedColumns } from './columns.ts';
import { type DatabaseOptions, withLazyDatabase } from './duckdb.ts';
import { INPUT_NAME, STANDARD_INPUT, withFiles } from './files.ts';
import { checkAlike } from './meaning.ts';
import { type Opened, openFile } from './open.ts';
import type { Reading, Table } from './reading.ts';
import type { Overflow } from './row-store.ts';

/**
 * Opens files and finds their columns, and then runs `work`. DuckDB is only started for what needs it.
 *
 * @throws UserError for files that are missing, damaged, not alike, or without the columns that are wanted
 */
export async function withOpened<T>(
  paths: readonly string[],
  options: CollectOptions & { readonly database?: DatabaseOptions },
  wanted: WantedColumns,
  work: (opened: readonly Opened[]) => Promise<T>,
): Promise<T> {
  return withLazyDatabase(
    (connect) =>
      withFiles(connect, paths, async (files) => {
        const opened: Opened[] = [];
        for (const found of files) opened.push(await openFile(connect, found, wanted, options));
        checkAlike(opened.map(({ part }) => part));
        return work(opened);
      }),
    options.database,
  );
}

/** Reads files, one after the other. */
export const readFiles = (
  paths: readonly string[],
  options: CollectOptions,
  wanted: WantedColumns,
): Promise<Collector> => withOpened(paths, options, wanted, (opened) => collect(opened, options));

/** Reads files that are opened. */
export async function collect(
  opened: readonly Opened[],
  options: CollectOptions,
  overflow?: Overflow,
): Promise<Collector> {
  const collector = new Collector(
    opened.map(({ part }) => part),
    options,
    overflow,
  );
  for (const { read } of opened) await read(collector);
  collector.finish();
  return collector;
}

/** What is done with what was read, before temporary files are removed. */
export type WhenRead<T> = (reading: Reading<Dataset>, collector: Collector) => T;

/** What messages call several files. */
export const nameOf = (paths: readonly string[]): string =>
  paths.map((path) => (path === STANDARD_INPUT ? INPUT_NAME : path)).join(', ');

/**
 * Reads files, one after the other, into one table. Row numbers of ids are in order of first appearance. Where there is no
 * column, ids are NO_ID and ratings 1.
 */
export const readTable = async (...of: Parameters<typeof readFiles>): Promise<Table> =>
  tableFrom(await readFiles(...of));

import module from 'node:module';
import { availableParallelism } from 'node:os';
import type * as DuckDB from '@duckdb/node-api';

export type Connection = DuckDB.DuckDBConnection;
export type DuckDBResult = DuckDB.DuckDBResult;
export type DuckDBDataChunk = DuckDB.DuckDBDataChunk;

/** Gives a database, which is opened at the first call. */
export type Connect = () => Promise<Connection>;

export interface DatabaseOptions {
  /** Limit of its memory in bytes. Default: most of the machine's memory. */
  readonly memory?: number;
  /** Folder for what does not fit in its memory. Default: it writes no files. */
  readonly folder?: string;
}

/** Opens a new in-memory database. The first call loads the native module. */
async function openDatabase({
  memory,
  folder = '',
}: DatabaseOptions = {}): Promise<{ readonly connection: Connection; close(): void }> {
  // `require`, because `import` of this CommonJS package takes twice as long: Node searches its text for exports.
  const require = module.createRequire(import.meta.url);
  const { DuckDBInstance } = require('@duckdb/node-api') as typeof DuckDB;
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    // One core is for what is made of the rows meanwhile.
    threads: String(Math.max(1, availableParallelism() - 1)),
    preserve_insertion_order: 'true',
    // With '' nothing is written beside the user's files, even if the process is killed.
    temp_directory: folder,
    ...(memory !== undefined && { memory_limit: `${Math.floor(memory / 2 ** 20)}MiB` }),
  });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  return {
    connection,
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Runs `work` with a way to a database, which is only opened if it is used. */
export async function withLazyDatabase<T>(
  work: (connect: Connect) => Promise<T>,
  options?: DatabaseOptions,
): Promise<T> {
  let database: ReturnType<typeof openDatabase> | undefined;
  try {
    return await work(async () => {
      database ??= openDatabase(options);
      return (await database).connection;
    });
  } finally {
    (await database?.catch(() => undefined))?.close();
  }
}

/** Runs `work` on a new in-memory database. */
export const withDatabase = <T>(
  work: (connection: Connection) => Promise<T>,
  options?: DatabaseOptions,
): Promise<T> => withLazyDatabase(async (connect) => work(await connect()), options);

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Escapes a path, so that DuckDB does not take it for a pattern. */
export const withoutPattern = (path: string): string => path.replace(/[*?[]/g, '[$&]');

/** All rows of a query whose columns are text or integers. */
export async function rows(connection: Connection, query: string): Promise<(string | number | null)[][]> {
  const result = await connection.runAndReadAll(query);
  return result.getRowsJS() as (string | number | null)[][];
}

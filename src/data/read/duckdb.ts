import module from 'node:module';
import type * as DuckDB from '@duckdb/node-api';

export type Connection = DuckDB.DuckDBConnection;
export type DuckDBResult = DuckDB.DuckDBResult;
export type DuckDBDataChunk = DuckDB.DuckDBDataChunk;

export interface DatabaseOptions {
  /** Bytes that it may take; most of the machine's memory unless told otherwise. */
  readonly memory?: number;
  /** Where it may write what does not fit into its memory; nowhere when absent. */
  readonly folder?: string;
}

/** Runs `work` on an in-memory database of its own. The native module is loaded on the first call. */
export async function withDatabase<T>(
  work: (connection: Connection) => Promise<T>,
  { memory, folder = '' }: DatabaseOptions = {},
): Promise<T> {
  // To import the package, which is CommonJS, takes twice as long: Node first looks for its exports in the text.
  const require = module.createRequire(import.meta.url);
  const { DuckDBInstance } = require('@duckdb/node-api') as typeof DuckDB;
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    preserve_insertion_order: 'true',
    // Unless told otherwise nothing is written beside the user's files, even if the process is killed.
    temp_directory: folder,
    ...(memory !== undefined && { memory_limit: `${Math.floor(memory / 2 ** 20)}MiB` }),
  });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    return await work(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** All rows of a query whose columns are texts or integers. */
export async function rows(connection: Connection, query: string): Promise<(string | number | null)[][]> {
  const result = await connection.runAndReadAll(query);
  return result.getRowsJS() as (string | number | null)[][];
}

export function numbers<T>(chunk: DuckDB.DuckDBDataChunk, column: number): T {
  return (chunk.getColumnVector(column) as unknown as { items: T }).items;
}

import type { ColumnOptions, Columns } from './columns.ts';

export interface SourceOptions extends ColumnOptions {
  /** What separates fields of a text file, where `\t` means a tab; found from its first line by default. */
  delimiter?: string;
  /** Whether a text file starts with a line of column names; found from its first line by default. */
  header?: boolean;
  /** UTF-8 by default, UTF-16 (little endian) where the file starts with its mark. */
  encoding?: 'utf-8' | 'latin-1' | 'utf-16';
}

export interface Source {
  /** As the user gave it. */
  file: string;
  kind: 'text' | 'json' | 'json array' | 'parquet';
  /** SQL of the table of all its columns. */
  table: string;
  /** SQL of the table of its lines, one column `line`, null where the line is empty. */
  lines: string;
  /** Column names, and the same as SQL expressions of text. */
  names: string[];
  expressions: string[];
  header: boolean;
  delimiter: string;
  quote: boolean;
}

export interface Part {
  readonly source: Source;
  readonly columns: Columns;
}

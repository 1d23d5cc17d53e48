import { checkedLater, flag, type OptionTable, oneOf, text } from '../../util/options.ts';
import type { ColumnNames, ColumnOptions, Columns } from './columns.ts';

export interface SourceOptions extends ColumnOptions {
  /** Separator of fields in a text file; `\t` is a tab. Default: detected from the first line */
  delimiter?: string | undefined;
  /** Whether the first line of a text file has the column names. Default: detected from the first line */
  header?: boolean | undefined;
  /** Default: UTF-8, or UTF-16 (little-endian) if the file starts with a byte order mark */
  encoding?: 'utf-8' | 'latin-1' | 'utf-16' | undefined;
}

export const SOURCE_OPTIONS: OptionTable<SourceOptions> = {
  userColumn: text,
  itemColumn: text,
  ratingColumn: text,
  timeColumn: text,
  countColumn: text,
  eventColumn: text,
  optionNames: checkedLater,
  delimiter: text,
  header: flag,
  encoding: oneOf(['utf-8', 'latin-1', 'utf-16']),
};

export interface Source extends ColumnNames {
  /** The path that the user gave. */
  file: string;
  kind: 'text' | 'json' | 'json array' | 'parquet';
  /** SQL expression of the table with all columns. */
  table: string;
  /** SQL expression of the table of lines, with one column `line`, which is null for an empty line. */
  lines: string;
  names: string[];
  /** SQL expressions of the columns as text. */
  expressions: string[];
  header: boolean;
  positional: boolean;
  guessed: boolean;
  delimiter: string;
  quote: boolean;
}

export interface Part {
  readonly source: Source;
  readonly columns: Columns;
  /** Whether the rows are interactions, whatever their values. */
  readonly isInteractions: boolean;
}

import { checkedLater, flag, type OptionTable, oneOf, text } from '../../util/options.ts';
import type { ColumnNames, ColumnOptions, Columns, WantedColumns } from './columns.ts';
import { encodingName } from './decode.ts';
import type { JsonForm } from './scan-json.ts';
import type { DecimalMark } from './values.ts';

/** How files are read. */
export interface SourceOptions extends ColumnOptions {
  /** Separator of fields in a text file; `\t` is a tab, and a space is any number of spaces. Default: detected from the first lines */
  delimiter?: string | undefined;
  /** Whether the first line of a text file has the column names. Default: detected from the first line */
  header?: boolean | undefined;
  /** Whether fields of a text may be in quotes, with delimiters and line breaks in them. Default: true, but for `::` */
  quotes?: boolean | undefined;
  /**
   * Encoding of text files, by any name of the Encoding Standard, such as `windows-1252` or `gbk`. Default: UTF-8, or UTF-16 if the file
   * starts with its byte order mark
   */
  encoding?: string | undefined;
  /** The character before the decimals of a number. Default: a point; where no comma separates fields, also a comma */
  decimal?: DecimalMark | undefined;
  /** Leaves out rows that cannot be read, and says how many. @default false */
  skipBadRows?: boolean | undefined;
  /** A rating that means "not rated", such as 0: its rows are left out. */
  dropRating?: number | undefined;
  /** The file is a matrix with a row for each user and a column for each item. @default false */
  wide?: boolean | undefined;
  /** The value of a cell that is not rated in a `wide` file, such as `99`. Empty cells never are. */
  missing?: string | number | undefined;
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
  quotes: flag,
  encoding: encodingName,
  decimal: oneOf([',', '.']),
  skipBadRows: flag,
  dropRating: { fits: (value) => Number.isFinite(value), give: 'a number, such as 0' },
  wide: flag,
  missing: {
    fits: (value) => typeof value === 'string' || Number.isFinite(value),
    give: 'the value of a cell that is not rated, such as 99',
  },
};

/** A file, and what it is understood as. */
export interface Part extends ColumnNames {
  /** What messages call it. */
  readonly file: string;
  /** Where it is; a page has no paths. */
  readonly path?: string | undefined;
  /** Of Parquet: whether folders such as `year=2020` are columns. */
  readonly partitioned?: boolean | undefined;
  readonly format: 'text' | 'JSON' | 'Parquet';
  readonly compression?: 'gzip' | 'zstd' | undefined;
  readonly encoding?: string | undefined;
  readonly columns: Columns;
  /** Whether the rows are interactions, whatever their values. */
  readonly isInteractions: boolean;
  /** What a message calls a record. */
  readonly unit: 'line' | 'row';
  /** Of a text. */
  readonly text?: TextPart | undefined;
  /** Of JSON. */
  readonly json?: JsonForm | undefined;
}

export interface TextPart {
  readonly delimiter: string;
  readonly quote: boolean;
  readonly header: boolean;
  /** Whether the text goes on from elsewhere, so that it does not start with the header. */
  readonly isContinued?: boolean | undefined;
  /** Lines before the first record or header: `sep=;`, and comments. */
  readonly skipped: number;
  /** The character that comments start with, where the file starts with a comment. */
  readonly comment?: string | undefined;
  readonly wide?: WidePart | undefined;
}

/** The columns of a matrix of users and items. */
export interface WidePart {
  /** Index of the column of user ids; undefined if rows have none, so that their numbers are the ids. */
  readonly user: number | undefined;
  /** Index of a column that is no item: it has the number of ratings in each row. */
  readonly counts?: number | undefined;
  /** The item of each column. */
  readonly items: readonly string[];
  readonly missing: string | undefined;
}

/** Whether rows with these columns are interactions, whatever their values. */
export const areInteractions = ({ rating }: Columns, { welcome }: WantedColumns): boolean =>
  welcome.includes('count') && rating === undefined;

/** Where and how a part was read, for people. */
export const formatInWords = ({ format, text, json }: Part): string => {
  if (text?.wide) return 'text, a matrix of users and items';
  if (json?.kind === 'list') return `JSON, a list under ${JSON.stringify(json.key)}`;
  if (json)
    return { lines: 'JSON lines', values: 'JSON, one object after the other', array: 'JSON, a list' }[
      json.kind
    ];
  return format;
};

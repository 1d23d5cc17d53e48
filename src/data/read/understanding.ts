import type { Dataset } from '../dataset/dataset.ts';
import type { Collector } from './collector.ts';
import type { Role } from './columns.ts';
import { formatInWords, type Part } from './part.ts';
import type { Reading, ReadReport } from './reading.ts';
import type { RowStore } from './row-store.ts';

/** What a file was understood as. */
export interface UnderstoodFile {
  readonly file: string;
  /** Such as `text`, `JSON lines` or `Parquet`. */
  readonly format: string;
  readonly compression?: string | undefined;
  readonly encoding?: string | undefined;
  /** Of a text. A space stands for any number of spaces. */
  readonly delimiter?: string | undefined;
  /** Whether the first line of a text has the column names. */
  readonly header?: boolean | undefined;
  /** The columns in the order of the file, and the role of each that is read. */
  readonly columns: readonly { readonly name: string; readonly role?: Role | undefined }[];
}

/** How files were understood, and what is in them. */
export interface Understanding extends ReadReport {
  readonly files: readonly UnderstoodFile[];
  /** The first three rows, as they were read. */
  readonly firstRows: readonly { readonly [Name in Role]?: string | undefined }[];
  /** The lowest and the highest rating, or strength. */
  readonly low: number;
  readonly high: number;
  /** The first and the last time, in Unix seconds, if there are times. */
  readonly times?: readonly [first: number, last: number] | undefined;
}

export function understandingOf(
  { parts, firstRows, rows }: Collector,
  { ratings, valid, report }: Reading<Dataset>,
): Understanding {
  const all = [ratings.facts, ...(valid ? [valid.facts] : [])];
  return {
    ...report,
    files: parts.map(understoodFile),
    firstRows,
    low: Math.min(...all.map(({ low }) => low)),
    high: Math.max(...all.map(({ high }) => high)),
    ...(rows.timed && { times: timesOf(rows) }),
  };
}

const understoodFile = (part: Part): UnderstoodFile => {
  const roleOf = new Map(Object.entries(part.columns).map(([role, at]) => [at, role as Role]));
  const { file, compression, encoding, text, names, positional } = part;
  return {
    file,
    format: formatInWords(part),
    compression,
    encoding,
    delimiter: text?.delimiter,
    header: text?.header,
    columns: text?.wide
      ? text.wide.items.map((name, at) => ({
          name,
          role:
            at === text.wide?.user
              ? ('user' as const)
              : at === text.wide?.counts
                ? undefined
                : ('item' as const),
        }))
      : names.map((name, at) => ({ name: positional ? String(at + 1) : name, role: roleOf.get(at) })),
  };
};

function timesOf(rows: RowStore): [first: number, last: number] {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { times, length } of rows.chunks())
    for (const time of times?.subarray(0, length) ?? []) {
      if (time < first) first = time;
      if (time > last) last = time;
    }
  return [first, last];
}

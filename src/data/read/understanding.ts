import type { Collector } from './collector.ts';
import type { Role } from './columns.ts';
import { formatInWords, type Part } from './part.ts';
import type { Reading, ReadReport } from './reading.ts';

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
  { parts, firstRows }: Collector,
  { ratings, valid, report }: Reading,
): Understanding {
  const all = [ratings, ...(valid ? [valid] : [])];
  const times = all.flatMap((part) => (part.times && part.times.length > 0 ? [rangeOf(part.times)] : []));
  return {
    ...report,
    files: parts.map(understoodFile),
    firstRows,
    low: Math.min(...all.map(({ facts }) => facts.low)),
    high: Math.max(...all.map(({ facts }) => facts.high)),
    ...(times.length > 0 && {
      times: [Math.min(...times.map(([first]) => first)), Math.max(...times.map(([, last]) => last))],
    }),
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
          ...(at === text.wide?.user && { role: 'user' as const }),
        }))
      : names.map((name, at) => ({ name: positional ? String(at + 1) : name, role: roleOf.get(at) })),
  };
};

function rangeOf(times: Float64Array): [number, number] {
  let [first, last] = [times[0], times[0]];
  for (const time of times) {
    if (time < first) first = time;
    if (time > last) last = time;
  }
  return [first, last];
}

import { oneLine } from '../../errors.ts';
import { count, plural, short } from '../../util/format.ts';
import { quoted } from '../../util/text.ts';
import type { Role } from './columns.ts';
import type { Understanding, UnderstoodFile } from './understanding.ts';

// How files were understood, as tables for people: on the command line and in a page.

/** A row of a table: what, and how it was understood. */
export type InWords = readonly [name: string, value: string];

/** The delimiters that have names. */
const DELIMITERS: Readonly<Record<string, string>> = { '\t': 'a tab', ' ': 'spaces' };

export function fileInWords({
  format,
  compression,
  encoding,
  delimiter,
  header,
  columns,
}: UnderstoodFile): InWords[] {
  const name = (column: { readonly name: string }): string => quoted(oneLine(column.name));
  const read = columns.flatMap((column) =>
    column.role === undefined ? [] : [`${column.role} ${name(column)}`],
  );
  const unread = columns.filter(({ role }) => role === undefined).map(name);
  return [
    ['format', [format, compression && `compressed with ${compression}`].filter(Boolean).join(', ')],
    ...row('encoding', encoding),
    ...row('delimiter', delimiter && (DELIMITERS[delimiter] ?? quoted(delimiter))),
    ...row('header', header === undefined ? undefined : header ? 'the first line' : 'none'),
    ['columns', firstOf(read)],
    ...row('not read', unread.length > 0 ? firstOf(unread) : undefined),
  ];
}

export function contentInWords(of: Understanding): InWords[] {
  const { duplicates, withoutUser, withoutStrength } = of;
  return [
    ['users', count(of.users)],
    ['items', count(of.items)],
    [of.kind, count(of.ratings)],
    [of.kind === 'ratings' ? 'scale' : 'strength', `${short(of.low)} to ${short(of.high)}`],
    ['times', of.times ? of.times.map(dateOf).join(' to ') : 'none'],
    [
      'duplicates',
      duplicates > 0 ? `${plural(duplicates, 'row')} with the same user and item as another` : 'none',
    ],
    ...row('left out', withoutUser > 0 ? `${plural(withoutUser, 'row')} without a user` : undefined),
    ...row(
      'nobody has',
      withoutStrength > 0 ? `${plural(withoutStrength, 'pair')}, returned or of no weight` : undefined,
    ),
  ];
}

/** The first rows as they were read: the roles of the columns, then the rows. */
export function firstRowsInWords({ firstRows }: Understanding): string[][] {
  const roles = Object.keys(firstRows[0] ?? {}) as Role[];
  return [roles, ...firstRows.map((row) => roles.map((role) => quoted(oneLine(row[role] ?? ''))))];
}

const row = (name: string, value: string | undefined): InWords[] =>
  value === undefined ? [] : [[name, value]];

/** The first dozen names of a list. */
const firstOf = (names: readonly string[]): string =>
  names.slice(0, 12).join(', ') + (names.length > 12 ? ', …' : '');

/** `2026-12-24` */
function dateOf(seconds: number): string {
  const date = new Date(1000 * seconds);
  return Number.isNaN(date.getTime()) ? `${short(seconds)} seconds` : date.toISOString().slice(0, 10);
}

import { tmpdir } from 'node:os';
import { understandRatings } from '../data/read/read.ts';
import type { Understanding, UnderstoodFile } from '../data/read/understanding.ts';
import { oneLine } from '../errors.ts';
import { capital, count, plural, short } from '../util/format.ts';
import { quoted } from '../util/text.ts';
import { readingToTrain } from './choice-options.ts';
import { sentenceWithFlags } from './flag-names.ts';
import { printJson, printLine, printTable } from './output.ts';
import type { DataFlags } from './train-data.ts';

/** Prints how files are understood, and trains nothing. */
export async function dryRun(
  files: readonly string[],
  flags: DataFlags & { readonly json?: boolean | undefined },
): Promise<void> {
  const { memory, workers, json } = flags;
  const store = { folder: tmpdir(), memory, workers };
  const understanding = await understandRatings(files, { ...readingToTrain(flags), store });
  if (json) printJson(understanding);
  else print(understanding);
}

/** The delimiters that have names. */
const DELIMITERS: Readonly<Record<string, string>> = { '\t': 'a tab', ' ': 'spaces' };

function print(of: Understanding): void {
  for (const file of of.files) printRows(oneLine(file.file), fileInWords(file));
  const roles = Object.keys(of.firstRows[0] ?? {}) as (keyof (typeof of.firstRows)[number])[];
  printLine('First rows');
  printTable(
    [roles, ...of.firstRows.map((row) => roles.map((role) => quoted(oneLine(row[role] ?? ''))))].map(
      (row) => ['', ...row],
    ),
  );
  printRows('In all', [
    ['users', count(of.users)],
    ['items', count(of.items)],
    [of.kind, count(of.ratings)],
    [of.kind === 'ratings' ? 'scale' : 'strength', `${short(of.low)} to ${short(of.high)}`],
    ['times', of.times ? of.times.map(dateOf).join(' to ') : 'none'],
    ['duplicates', duplicatesInWords(of)],
    ...(of.withoutUser > 0 ? [['left out', `${plural(of.withoutUser, 'row')} without a user`]] : []),
    ...(of.withoutStrength > 0
      ? [['nobody has', `${plural(of.withoutStrength, 'pair')}, returned or of no weight`]]
      : []),
  ]);
  if (of.assumptions.length > 0)
    printRows(
      'Assumed',
      of.assumptions.map((sentence) => [sentenceWithFlags(sentence)]),
    );
}

function printRows(title: string, rows: readonly (readonly string[])[]): void {
  printLine(title);
  const width = Math.max(...rows.map(([name, value]) => (value === undefined ? 0 : name.length)));
  for (const [name, value] of rows)
    printLine(value === undefined ? `  ${name}` : `  ${capital(name).padEnd(width)}  ${value}`);
}

function fileInWords({
  format,
  compression,
  encoding,
  delimiter,
  header,
  columns,
}: UnderstoodFile): string[][] {
  const read = columns.flatMap(({ name, role }) =>
    role === undefined ? [] : [`${role} ${quoted(oneLine(name))}`],
  );
  const unread = columns.filter(({ role }) => role === undefined).map(({ name }) => quoted(oneLine(name)));
  return [
    ['format', [format, compression && `compressed with ${compression}`].filter(Boolean).join(', ')],
    ...(encoding === undefined ? [] : [['encoding', encoding]]),
    ...(delimiter === undefined ? [] : [['delimiter', DELIMITERS[delimiter] ?? quoted(delimiter)]]),
    ...(header === undefined ? [] : [['header', header ? 'the first line' : 'none']]),
    ['columns', firstOf(read)],
    ...(unread.length > 0 ? [['not read', firstOf(unread)]] : []),
  ];
}

/** The first dozen names of a list. */
const firstOf = (names: readonly string[]): string =>
  names.slice(0, 12).join(', ') + (names.length > 12 ? ', …' : '');

const duplicatesInWords = ({ duplicates, kind }: Understanding): string =>
  duplicates === 0
    ? 'none'
    : `${count(duplicates)}, ${kind === 'ratings' ? 'replaced by a later rating' : 'added to an earlier row'}`;

/** `2026-12-24` */
function dateOf(seconds: number): string {
  const date = new Date(1000 * seconds);
  return Number.isNaN(date.getTime()) ? `${short(seconds)} seconds` : date.toISOString().slice(0, 10);
}

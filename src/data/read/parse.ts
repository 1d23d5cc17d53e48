import { oneLine, option, UserError } from '../../errors.ts';
import { likelyDelimiter, quoted, splitLine } from '../../util/text.ts';
import { emptyRows } from '../dataset/rows.ts';
import type { HoldOut } from '../dataset/split.ts';
import {
  type ColumnOptions,
  type Columns,
  columnLabel,
  findColumns,
  findItemColumns,
  idsInWords,
  looksLikeHeader,
  positionalNames,
  type Role,
} from './columns.ts';
import { faults } from './faults.ts';
import { genresIn, type ItemTable } from './item-table.ts';
import {
  checkMeaning,
  interactionsInWords,
  kindByColumns,
  type MeaningOptions,
  wantedColumns,
} from './meaning.ts';
import { type Reading, readingOf } from './reading.ts';

// The reader for pages, where there is no DuckDB. Its results and messages are the same as those of Node's reader.

/** A page has no flags that messages could name. */
const optionNames = {};

/** How a page reads a file: which columns it reads, what the rows mean, and what is held out. */
export interface ParseOptions
  extends MeaningOptions,
    Pick<ColumnOptions, 'userColumn' | 'itemColumn' | 'timeColumn'>,
    HoldOut {}

interface Record {
  /** Number of its first line, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** A text whose column names are known. */
interface Table {
  readonly names: string[];
  readonly header: boolean;
  readonly delimiter: string;
  /** @throws UserError with the line of the first broken record */
  records(): Record[];
}

/**
 * Parses ratings or interactions as `readRatings` does: CSV, TSV, or fields separated by `;`, `|` or `::`, with or without a
 * header.
 *
 * @param file its name, for messages
 * @throws UserError with the line of a broken record, or with the columns if one is missing
 */
export function parseRatings(text: string, file: string, options: ParseOptions = {}): Reading {
  checkMeaning(options);
  const roles = wantedColumns(options);
  const {
    names,
    header,
    delimiter,
    records: read,
  } = openTable(text, file, {
    wanted: roles.wanted,
    columns: options,
  });
  const named = { names, positional: !header, guessed: false };
  const columns = findColumns(file, named, roles, { ...options, optionNames });
  const all = read();
  if (all.length === 0) throw new UserError('data', `${file}: ${faults.none(columns)}`);
  const { user, rating } = columns as Required<typeof columns>;
  // Interactions may lack users, such as orders of guests.
  const records = rating === undefined ? all.filter(({ fields }) => fields[user] !== '') : all;
  if (records.length === 0)
    throw new UserError(
      'data',
      `${file}: no row has a user; name another column with ${option('userColumn')}`,
    );
  const table = rowsOf(records, { file, names, delimiter, columns }, options);
  const order = (['user', 'item', 'rating', 'count', 'event', 'time'] as const).filter(
    (role) => columns[role] !== undefined,
  );
  const positions = order.map((role) => `${role} ${(columns[role] as number) + 1}`).join(', ');
  const { valid, split, seed } = options;
  return readingOf(
    {
      ...table,
      kind: kindByColumns(options, columns),
      ...(rating !== undefined && {
        column: {
          label: columnLabel(named, rating),
          isNamed: options.ratingColumn !== undefined,
        },
      }),
      ids: idsInWords(named, columns),
      withoutUser: all.length - records.length,
      assumptions: [
        ...(header ? [] : [oneLine(`${file}: no header, so columns by position: ${positions}`)]),
        ...(rating === undefined ? interactionsInWords(named, columns).map(oneLine) : []),
      ],
    },
    file,
    { valid, split, seed },
  );
}

interface Opened {
  readonly file: string;
  readonly names: readonly string[];
  readonly delimiter: string;
  readonly columns: Columns;
}

/** The numbers of each record. @throws UserError for the first field that does not fit */
function rowsOf(
  records: readonly Record[],
  { file, names, delimiter, columns }: Opened,
  { eventWeights, leaveOut }: MeaningOptions,
) {
  const { user, item, rating, time, count, event } = columns as Required<typeof columns>;
  const userRows = new Map<string, number>();
  const itemRows = new Map<string, number>();
  const table = {
    ...emptyRows(records.length),
    ...(time !== undefined && { times: new Float64Array(records.length) }),
    ...(leaveOut && { leftOut: new Uint8Array(records.length) }),
  };
  const events = new Set<string>();
  for (const [index, { line, fields }] of records.entries()) {
    const check = (role: Role, good: boolean): void => {
      const at = columns[role] as number;
      if (!good)
        throw new UserError(
          'data',
          `${file}, line ${line}: ${faults.field(role, fields[at], names[at], 'line')}`,
        );
    };
    check('user', isId(fields[user]));
    check('item', isId(fields[item]));
    table.users[index] = rowOf(userRows, fields[user]);
    table.items[index] = rowOf(itemRows, fields[item]);
    const value = rating ?? count;
    const decimal =
      value !== undefined && (delimiter === ',' ? fields[value] : fields[value].replace(',', '.'));
    const number = decimal === false ? 1 : numberIn(decimal);
    table.ratings[index] = number;
    check(
      rating === undefined ? 'count' : 'rating',
      Number.isFinite(event === undefined ? table.ratings[index] : number),
    );
    if (event !== undefined) {
      const weight = weightOf(fields[event], eventWeights);
      check('event', weight !== undefined);
      table.ratings[index] = number * (weight as number);
      check('count', Number.isFinite(table.ratings[index]));
      events.add(fields[event]);
      if (table.leftOut && leaveOut?.includes(fields[event])) table.leftOut[index] = 1;
    }
    if (!table.times) continue;
    table.times[index] = secondsIn(fields[time]);
    check('time', Number.isFinite(table.times[index]));
  }
  const missing = leaveOut?.find((name) => !events.has(name));
  if (missing !== undefined)
    throw new UserError(
      'data',
      `${file}: no row has the event ${quoted(missing)} (${option('leaveOut')}); correct the name`,
    );
  return { ...table, userIds: [...userRows.keys()], itemIds: [...itemRows.keys()] };
}

/**
 * Parses titles and genres as `readItems` does, from text with a header, such as `movies.csv` of MovieLens.
 *
 * @throws UserError with the line of a broken record, or with the columns if one is missing
 */
export function parseItems(text: string, file: string): ItemTable {
  const { names, records } = openTable(text, file, { hasHeader: true });
  const { id, title, genre } = findItemColumns(file, names);
  const known = records()
    .map(({ fields }) => fields)
    .filter((fields) => fields[id] !== '' && fields[title] !== '')
    .reverse();
  return {
    titles: new Map(known.map((fields) => [fields[id], fields[title]])),
    genres: new Map(known.map((fields) => [fields[id], genresIn(fields[genre] ?? '')])),
  };
}

/** @param hasHeader whether the first line is a header. Default: detected, by the columns that are wanted */
function openTable(
  text: string,
  file: string,
  {
    hasHeader,
    wanted = [],
    columns = {},
  }: {
    readonly hasHeader?: boolean;
    readonly wanted?: readonly Role[];
    readonly columns?: ColumnOptions;
  },
): Table {
  // Lines, and the line breaks between them, which are part of the field if they are in quotes.
  const parts = text.replace(/^\ufeff/, '').split(/(\r\n|\n|\r)/);
  const first = parts.findIndex((part, at) => at % 2 === 0 && part !== '');
  if (first === -1) throw new UserError('data', `${file}: is empty; give a file with one rating a line`);
  const delimiter = likelyDelimiter(parts[first]);
  const quote = delimiter !== '::';
  const { fields: start, open } = splitLine(parts[first], delimiter, quote);
  if (open) throw new UserError('data', `${file}, line ${first / 2 + 1}: ${faults.firstLine}`);
  const header = hasHeader ?? looksLikeHeader(start, wanted, columns);
  const records = (): Record[] => {
    const found: Record[] = [];
    for (let at = first; at < parts.length; at += 2) {
      if (parts[at] === '') continue;
      const line = at / 2 + 1;
      const bad = (what: string) => new UserError('data', `${file}, line ${line}: ${what}`);
      let { fields, open, broken } = splitLine(parts[at], delimiter, quote);
      while (open && at + 2 < parts.length) {
        const lineBreak = parts[at + 1];
        at += 2;
        const next = splitLine(parts[at], delimiter, quote, true);
        fields.push(`${fields.pop()}${lineBreak}${next.fields.shift() ?? ''}`, ...next.fields);
        ({ open, broken } = next);
      }
      if (open || broken) throw bad(faults.quote);
      // Extra fields at the end are ignored if they are empty.
      while (fields.length > start.length && fields.at(-1) === '') fields.pop();
      if (fields.length !== start.length) throw bad(faults.fields(fields.length, start.length, header));
      found.push({ line, fields });
    }
    return header ? found.slice(1) : found;
  };
  return { names: header ? start : positionalNames(start, wanted), header, delimiter, records };
}

/** The weight of an event; undefined for one without. */
function weightOf(event: string, weights: MeaningOptions['eventWeights']): number | undefined {
  if (!weights) return event === '' ? undefined : 1;
  return Object.hasOwn(weights, event) ? weights[event] : undefined;
}

const isId = (field: string): boolean => field !== '' && !field.includes('\0');

function rowOf(rows: Map<string, number>, id: string): number {
  const row = rows.get(id) ?? rows.size;
  rows.set(id, row);
  return row;
}

/** A decimal number; NaN for other text, such as an empty field or 0x10. */
function numberIn(field: string): number {
  return /^[\t-\r ]*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?[\t-\r ]*$/i.test(field) ? Number(field) : Number.NaN;
}

/** Unix seconds from seconds, milliseconds, or a date. */
function secondsIn(field: string): number {
  const number = numberIn(field);
  if (Number.isNaN(number)) return secondsOfDate(field);
  return Math.abs(number) > 1e11 ? number / 1000 : number;
}

const ISO_DATE =
  /^(\d{1,6})([-/])(\d{1,2})\2(\d{1,2})(?:(?:T| +)(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d*)?(Z| UTC| GMT| *[+-]\d\d(?::?\d\d)?)?)?)?$/;

/** 24.12.2026, with or without a time of day. */
const DOTTED_DATE = /^(\d{1,2})\.(\d{1,2})\.(\d{4})(?= |$)/;

/**
 * Unix seconds of an ISO date, to the microsecond, or of a date such as 24.12.2026; NaN for any other text. Unlike in
 * `Date.parse`, UTC is the default.
 */
function secondsOfDate(text: string): number {
  const field = text.replace(DOTTED_DATE, '$3-$2-$1');
  const [whole, year, , month, day, hour = 0, minute = 0, second = 0, part = '', zone = ''] =
    ISO_DATE.exec(field) ?? [];
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const clock = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const real = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  if (!whole || !real || Number(minute) > 59 || Number(second) > 59 || clock > 86_400) return Number.NaN;
  const [, sign, hours = 0, minutes = 0] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone.trim()) ?? [];
  const ahead = Number(`${sign ?? ''}1`) * (Number(hours) * 3600 + Number(minutes) * 60);
  const microseconds = Math.round(Number(`0${part.slice(0, 7)}`) * 1e6);
  // One division at the end, so that the result is rounded only once.
  return ((date.getTime() / 1000 + clock - ahead) * 1e6 + microseconds) / 1e6;
}

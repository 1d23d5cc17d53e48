import { UserError } from '../errors.ts';
import { findColumns, looksLikeHeader, positionalNames, type Role, usualColumn } from './columns.ts';
import { faults } from './faults.ts';
import { genresIn, type ItemTable } from './item-table.ts';
import { latestOnly, type Ratings } from './ratings.ts';
import { likelyDelimiter, list, oneLine, splitLine } from './text.ts';

// What DuckDB reads in Node is read here where there is none: in a page. Both give the same, word for word.

/** Names of columns in messages: there are no flags to name them by. */
const flags = {};
const wanted: readonly Role[] = ['user', 'item', 'rating'];

interface Record {
  /** Where it starts, counted from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

interface Table {
  readonly names: string[];
  readonly header: boolean;
  readonly delimiter: string;
  readonly records: readonly Record[];
}

/**
 * The ratings in a text, as `readRatings` reads them from a file: CSV, TSV, or fields separated by `;`, `|` or `::`, with
 * or without a header.
 *
 * @param file what messages call it
 * @throws UserError that names the line, or the columns there are
 */
export function parseRatings(text: string, file: string): Ratings {
  const { names, header, delimiter, records } = parseTable(text, file);
  const columns = findColumns(file, names, wanted, ['time'], { flags });
  const { user, item, rating, time } = columns as Required<typeof columns>;
  const userRows = new Map<string, number>();
  const itemRows = new Map<string, number>();
  const table = {
    users: new Int32Array(records.length),
    items: new Int32Array(records.length),
    ratings: new Float32Array(records.length),
    ...(time !== undefined && { times: new Float64Array(records.length) }),
  };
  for (const [place, { line, fields }] of records.entries()) {
    const check = (role: Role, good: boolean): void => {
      const at = columns[role] as number;
      if (!good)
        throw new UserError(
          oneLine(`${file}, line ${line}: ${faults.field(role, fields[at], names[at], 'line')}`),
        );
    };
    check('user', isId(fields[user]));
    check('item', isId(fields[item]));
    table.users[place] = rowOf(userRows, fields[user]);
    table.items[place] = rowOf(itemRows, fields[item]);
    table.ratings[place] = numberIn(delimiter === ',' ? fields[rating] : fields[rating].replace(',', '.'));
    check('rating', Number.isFinite(table.ratings[place]));
    if (!table.times) continue;
    table.times[place] = secondsIn(fields[time]);
    check('time', Number.isFinite(table.times[place]));
  }
  const order = [...wanted, ...(time === undefined ? [] : (['time'] as const))];
  const places = order.map((role) => `${role} ${(columns[role] as number) + 1}`).join(', ');
  return latestOnly({
    ...table,
    userIds: [...userRows.keys()],
    itemIds: [...itemRows.keys()],
    duplicates: 0,
    assumptions: header ? [] : [oneLine(`${file}: no header, so columns by place: ${places}`)],
  });
}

/**
 * Titles and genres in a text with a header, such as MovieLens's `movies.csv`: as `readItems` reads them.
 *
 * @param file what messages call it
 * @throws UserError that names the line, or the columns there are
 */
export function parseItems(text: string, file: string): ItemTable {
  const { names, records } = parseTable(text, file, true);
  const [id, title, genre] = (['id', 'title', 'genre'] as const).map((role) => usualColumn(names, role));
  if (id === -1 || title === -1)
    throw new UserError(
      oneLine(
        `${file}: no columns of ids and titles; the columns are ${list(names)}; call them id and title`,
      ),
    );
  const known = records
    .map(({ fields }) => fields)
    .filter((fields) => fields[id] !== '' && fields[title] !== '')
    .reverse();
  return {
    titles: new Map(known.map((fields) => [fields[id], fields[title]])),
    genres: new Map(known.map((fields) => [fields[id], genresIn(fields[genre] ?? '')])),
  };
}

/** @param hasHeader whether the first line is one; found from it when absent */
function parseTable(text: string, file: string, hasHeader?: boolean): Table {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  const first = lines.findIndex((line) => line !== '');
  if (first === -1) throw new UserError(oneLine(`${file}: is empty; give a file with one rating a line`));
  const delimiter = likelyDelimiter(lines[first]);
  const quote = delimiter !== '::';
  const { fields: start } = splitLine(lines[first], delimiter, quote);
  const header = hasHeader ?? looksLikeHeader(start, wanted, {});
  const records: Record[] = [];
  for (let at = first; at < lines.length; at++) {
    if (lines[at] === '') continue;
    const line = at + 1;
    let { fields, open, broken } = splitLine(lines[at], delimiter, quote);
    while (open && at + 1 < lines.length) {
      const next = splitLine(lines[++at], delimiter, quote, true);
      fields = [...fields.slice(0, -1), `${fields.at(-1)}\n${next.fields[0]}`, ...next.fields.slice(1)];
      ({ open, broken } = next);
    }
    if (open || broken) throw new UserError(oneLine(`${file}, line ${line}: ${faults.quote}`));
    if (fields.length !== start.length)
      throw new UserError(
        oneLine(`${file}, line ${line}: ${faults.fields(fields.length, start.length, header)}`),
      );
    records.push({ line, fields });
  }
  if (header) records.shift();
  if (records.length === 0)
    throw new UserError(oneLine(`${file}: has a header and no ratings; give a file with one rating a line`));
  return { names: header ? start : positionalNames(start, wanted), header, delimiter, records };
}

const isId = (field: string): boolean => field !== '' && !field.includes('\0');

function rowOf(rows: Map<string, number>, id: string): number {
  const row = rows.get(id) ?? rows.size;
  rows.set(id, row);
  return row;
}

/** NaN for what is no decimal number, such as an empty field or 0x10. */
function numberIn(field: string): number {
  return /^\s*[+-]?(\d|\.\d)[\d.]*(e[+-]?\d+)?\s*$/i.test(field) ? Number(field) : Number.NaN;
}

/** Unix seconds of seconds, milliseconds, or a date. */
function secondsIn(field: string): number {
  const number = numberIn(field);
  if (Number.isNaN(number)) return Date.parse(field) / 1000;
  return Math.abs(number) > 1e11 ? number / 1000 : number;
}

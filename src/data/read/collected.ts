import { oneLine, option } from '../../errors.ts';
import { count, plural } from '../../util/format.ts';
import { nounOfColumn } from '../../util/nouns.ts';
import { quoted } from '../../util/text.ts';
import type { Collector } from './collector.ts';
import {
  choicesInWords,
  columnLabel,
  eventColumnIn,
  idsInWords,
  maybeRatings,
  type Role,
} from './columns.ts';
import type { IdTable } from './ids.ts';
import { interactionsInWords, kindByColumns, type MeaningOptions } from './meaning.ts';
import type { Part } from './part.ts';
import type { Table } from './reading.ts';
import { wideInWords } from './wide.ts';

// What becomes of rows that were collected, for Node's reader and the page's.

const roles: readonly Role[] = ['user', 'item', 'rating', 'count', 'event', 'time'];

/** The rows as a table in memory. */
export function tableFrom(collector: Collector): Table {
  const { withoutUser, parts, options } = collector;
  const ids = collector.ids();
  return {
    ...ids,
    ...collector.rows.all(),
    ...kindOfParts(parts, options),
    withoutUser,
    hasUnused: collector.hasUnused,
    noun: nounIn(parts[0]),
    assumptions: assumptionsOf(collector, ids),
  };
}

/** The kind of the rows, undefined where the values decide, and the name of the column of ratings. */
export function kindOfParts(
  [part]: readonly Part[],
  options: MeaningOptions,
): Pick<Table, 'kind' | 'column' | 'ids'> {
  const { rating } = part.columns;
  return {
    kind: kindByColumns(options, part.columns),
    ids: idsInWords(part, part.columns),
    ...(rating !== undefined && {
      column: {
        label: columnLabel(part, rating),
        isNamed: options.ratingColumn !== undefined,
        isPositional: part.positional && !part.text?.wide,
      },
    }),
  };
}

/** What the reader assumed, in sentences. */
export function assumptionsOf(
  collector: Collector,
  ids: { readonly userIds: readonly string[]; readonly itemIds: readonly string[] },
): string[] {
  const { parts, options } = collector;
  const said = parts.flatMap((part) => positionsInWords(part).map((sentence) => `${part.file}: ${sentence}`));
  const untimed = parts.filter(({ columns }) => columns.time === undefined);
  if (untimed.length > 0 && untimed.length < parts.length)
    said.push(`${untimed[0].file}: has no times, so times are not used`);
  const words = parts.map((part) => [
    ...(part.isInteractions ? interactionsInWords(part, part.columns) : []),
    ...choicesInWords(part, part.columns, options),
    ...(options.ratingColumn === undefined ? unreadInWords(part) : []),
  ]);
  const areAlike = words.every((sentences) => sentences.join() === words[0].join());
  for (const [at, { file }] of parts.slice(0, areAlike ? 1 : undefined).entries())
    said.push(...words[at].map((sentence) => (areAlike ? sentence : `${file}: ${sentence}`)));
  said.push(...leftOutInWords(collector), ...idsInDoubt('user', ids.userIds, collector.users));
  said.push(...idsInDoubt('item', ids.itemIds, collector.items), ...orderInDoubt(collector));
  said.push(...valuesInDoubt(collector, ids.userIds.length), ...firstLineInDoubt(collector));
  return said.map(oneLine);
}

/** Says which columns may hold ratings, or kinds of events, and are not read. */
function unreadInWords(part: Part): string[] {
  const ratings = maybeRatings(part, part.columns);
  const event = part.columns.event === undefined && !part.positional ? eventColumnIn(part.names) : undefined;
  return [
    ...(ratings.length > 0
      ? [
          `no column was taken for the ratings: if one of ${ratings.map(quoted).join(', ')} has them, name it with ${option('ratingColumn')}`,
        ]
      : []),
    ...(event !== undefined && !part.isInteractions
      ? [
          `${quoted(event)} is not read: if the rows are events, not ratings, give ${option("ratingColumn: ''")} and ${option(`eventColumn: '${event}'`)}`,
        ]
      : []),
  ];
}

/** What an item is called, by the name of its column. */
export const nounIn = ({ positional, names, columns }: Part): string | undefined =>
  positional || columns.item === undefined ? undefined : nounOfColumn(names[columns.item] ?? '');

function positionsInWords({ positional, columns, text, json }: Part): string[] {
  if (json?.kind === 'list' && json.others?.length)
    return [`the list ${quoted(json.key)} is read, not ${json.others.map(quoted).join(', ')}`];
  if (text?.wide) return wideInWords(text.wide, text.header);
  if (!positional) return [];
  const order = roles.filter((role) => columns[role] !== undefined);
  const named = order.map((role) => `${role} ${(columns[role] as number) + 1}`).join(', ');
  return [`no header, so columns by position: ${named}`];
}

function leftOutInWords({ bad, dropped, options }: Collector): string[] {
  const rows = (number: number): string =>
    `${count(number)} ${number === 1 ? 'row is' : 'rows are'} left out`;
  return [
    ...(dropped > 0 ? [`${rows(dropped)}, whose rating is ${options.dropRating}`] : []),
    ...(bad.count > 0 ? [`${rows(bad.count)}, which cannot be read: ${bad.first.join('; ')}`] : []),
  ];
}

/** So many ids that look alike are named. */
const NAMED = 3;

/** Says what may be wrong with ids: white space, and ids that look alike. */
function idsInDoubt(role: 'user' | 'item', ids: readonly string[], { trimmed }: IdTable): string[] {
  const cut = `${plural(trimmed, `${role} id`)} had white space at an end, which is cut off`;
  const said = trimmed > 0 ? [cut] : [];
  const rounded = ids.find((id) => /^\d[.,]\d+E\+\d+$/.test(id));
  if (rounded !== undefined)
    said.push(
      `${role} ids such as ${quoted(rounded)} are numbers that a spreadsheet has rounded, so several may have become one`,
    );
  const odd = ids.filter((id) => /^-?\d+\.0*$|[^\x21-\x7e]/.test(id));
  if (odd.length === 0) return said;
  const known = new Set(ids);
  const plainOf = (id: string): string =>
    id
      .replace(/^(-?\d+)\.0*$/, '$1')
      .normalize('NFC')
      .replace(/\s+/gu, ' ')
      .replace(/[\u200b-\u200f\u2060\ufeff]/gu, '');
  const alike = odd.filter((id) => plainOf(id) !== id && known.has(plainOf(id)));
  if (alike.length === 0) return said;
  const pairs = alike.slice(0, NAMED).map((id) => `${quoted(id)} and ${quoted(plainOf(id))}`);
  const more = alike.length > NAMED ? `, and ${count(alike.length - NAMED)} more pairs` : '';
  return [...said, `${role} ids look alike, and are taken for different ones: ${pairs.join(', ')}${more}`];
}

/** Smaller times are hours, years, or days of a spreadsheet, not Unix times. */
const LEAST_TIME = 100_000;
/** Fewer rows, or items with several ratings, do not tell. */
const [ENOUGH_ROWS, ENOUGH_ITEMS] = [100, 20];

/** Says what may be wrong with columns by their values: times that are none, properties of items, row numbers. */
function valuesInDoubt({ parts: [part], rows }: Collector, users: number): string[] {
  const [{ items, ratings, times, length }] = rows.chunks();
  const { names, columns } = part;
  const label = (at: number | undefined): string =>
    columnLabel({ names, positional: part.positional }, at as number);
  if (length < ENOUGH_ROWS) return [];
  const early = times?.subarray(0, length).filter((time) => time < LEAST_TIME).length ?? 0;
  return [
    ...(early > length / 20
      ? [
          `times of ${label(columns.time)} are hours, years or the like, not Unix times; if their order means nothing, give ${option("timeColumn: ''")}`,
        ]
      : []),
    ...(columns.rating !== undefined && areOfItems(items, ratings, length)
      ? [
          `every item has one value of ${label(columns.rating)} in all its rows, as its price or its average has: is it what users gave?`,
        ]
      : []),
    ...(users === rows.count && columns.user !== undefined
      ? [`every row has a user of its own: does ${label(columns.user)} hold users?`]
      : []),
  ];
}

/** Whether each item has the same value whoever rated it, though values differ. */
function areOfItems(items: Int32Array, ratings: Float32Array, length: number): boolean {
  const first = new Map<number, number>();
  const again = new Set<number>();
  for (let index = 0; index < length; index++) {
    const known = first.get(items[index]);
    if (known === undefined) first.set(items[index], ratings[index]);
    else if (known !== ratings[index]) return false;
    else again.add(items[index]);
  }
  return again.size >= ENOUGH_ITEMS && new Set(first.values()).size > 1;
}

/** Says if the first line of two columns may be a header: its words come nowhere else. */
function firstLineInDoubt({
  parts: [part],
  rows,
  firstRows: [row],
  users,
  items,
  options,
}: Collector): string[] {
  const { user = '', item = '' } = row ?? {};
  const areWords = [user, item].every((text) => /^\p{L}[\p{L} _-]*$/u.test(text));
  const [chunk] = rows.chunks();
  const isGuess = part.positional && options.header === undefined && part.names.length === 2;
  if (!isGuess || !areWords || chunk.length < ENOUGH_ITEMS || users.size + items.size > chunk.length)
    return [];
  const isAgain = (ids: Int32Array): boolean => ids.subarray(1, chunk.length).includes(ids[0]);
  if (isAgain(chunk.users) || isAgain(chunk.items)) return [];
  return [
    `the first line, ${quoted(user)} and ${quoted(item)}, is read as a row; if it names the columns, give ${option('header: true')}`,
  ];
}

/** How many times longer the pauses between ratings of an item are than those between ratings of a user, by far. */
const LONGER = 10;
/** Fewer pauses do not tell. */
const ENOUGH_PAUSES = 20;

/**
 * Says if the times of a file without a header suggest that its second column is that of the users: people rate many items in a
 * row, but an item is rated now and then.
 */
function orderInDoubt({ parts, rows, options }: Collector): string[] {
  const isGuessed = parts.every(({ positional, text }) => positional && !text?.wide);
  if (!isGuessed || !rows.timed || options.userColumn !== undefined || options.itemColumn !== undefined)
    return [];
  const [{ users, items, times, length }] = rows.chunks();
  if (!times) return [];
  const [first, second] = [users, items].map((ids) => medianPause(ids, times, length));
  if (first === undefined || second === undefined || !(first > LONGER * Math.max(1, second))) return [];
  return [
    `the times suggest that the second column is that of the users: if so, give ${option("userColumn: '2'")} and ${option("itemColumn: '1'")}`,
  ];
}

/** The median of the times between two successive rows with the same id; undefined if there are too few. */
function medianPause(ids: Int32Array, times: Float64Array, length: number): number | undefined {
  const order = Array.from({ length }, (_, index) => index).sort(
    (one, other) => ids[one] - ids[other] || times[one] - times[other],
  );
  const pauses = order.flatMap((index, at) =>
    at > 0 && ids[index] === ids[order[at - 1]] ? [times[index] - times[order[at - 1]]] : [],
  );
  if (pauses.length < ENOUGH_PAUSES) return undefined;
  return pauses.sort((one, other) => one - other)[pauses.length >> 1];
}

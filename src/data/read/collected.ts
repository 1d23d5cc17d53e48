import { oneLine, option } from '../../errors.ts';
import { count, plural } from '../../util/format.ts';
import { quoted } from '../../util/text.ts';
import type { Collector } from './collector.ts';
import { choicesInWords, columnLabel, idsInWords, type Role } from './columns.ts';
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
      column: { label: columnLabel(part, rating), isNamed: options.ratingColumn !== undefined },
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
  ]);
  const areAlike = words.every((sentences) => sentences.join() === words[0].join());
  for (const [at, { file }] of parts.slice(0, areAlike ? 1 : undefined).entries())
    said.push(...words[at].map((sentence) => (areAlike ? sentence : `${file}: ${sentence}`)));
  said.push(...leftOutInWords(collector), ...idsInDoubt('user', ids.userIds, collector.users));
  said.push(...idsInDoubt('item', ids.itemIds, collector.items), ...orderInDoubt(collector));
  return said.map(oneLine);
}

function positionsInWords({ positional, columns, text }: Part): string[] {
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

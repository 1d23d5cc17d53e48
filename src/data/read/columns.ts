import { option, UserError } from '../../errors.ts';
import { list, quoted } from '../../util/text.ts';

/** The columns: names from the header, or numbers from 1. Default: found by their usual names. */
export interface ColumnOptions {
  user?: string | undefined;
  item?: string | undefined;
  rating?: string | undefined;
  /** '' reads no times. */
  time?: string | undefined;
  /** How often, or for how long, of an interaction: plays, a quantity, seconds. '' reads no counts. */
  countColumn?: string | undefined;
  /** The kind of an event, such as `view` or `purchase`. Default: none, whatever the names */
  eventColumn?: string | undefined;
  /** Names of these options, for messages. @default the names above */
  optionNames?: Partial<Record<Role, string>> | undefined;
}

/** Index of the column of each role. */
export interface Columns {
  user?: number;
  item?: number;
  rating?: number;
  time?: number;
  count?: number;
  event?: number;
}

export type Role = keyof Columns;

/** Roles whose columns must be there, and roles whose columns are read if they are there. */
export interface WantedColumns {
  readonly wanted: readonly Role[];
  readonly welcome: readonly Role[];
}

const itemNames = `item items itemid iid movie movieid product productid asin isbn book bookid song songid track trackid
  artist artistid article articleid game gameid anime animeid business businessid recipe recipeid film filmid`;

/** Usual names, the most specific first, in lower case, without spaces, `_`, `-` and `.`. */
const usualNames = {
  user: `user users userid uid username member memberid customer customerid reviewer reviewerid account accountid
    visitor visitorid client clientid person personid`,
  item: itemNames,
  rating: 'rating ratings score stars star value overall rate bookrating starrating userrating reviewscore',
  time: `timestamp time ts date datetime unixtime unixreviewtime unixtimestamp ratingtimestamp ratingdate ratedat
    createdat`,
  count: `count counts playcount plays listencount listens viewcount views clickcount clicks purchasecount purchases
    quantity qty times frequency duration durationms seconds minutes hours hoursplayed playtime watchtime dwelltime weight`,
  id: `${itemNames} id`,
  genre: 'genres genre category categories tags',
  title: 'title name movietitle booktitle itemtitle itemname producttitle productname',
};

const ownNames = {
  ...{ user: 'user', item: 'item', rating: 'rating', time: 'time' },
  ...{ count: 'countColumn', event: 'eventColumn' },
};

/** The column that an option names for a role. */
const givenFor = (role: Role, options: ColumnOptions): string | undefined =>
  role === 'count' ? options.countColumn : role === 'event' ? options.eventColumn : options[role];

/** Names of columns that may hold kinds of events, which are read only if an option names them. */
const EVENT_NAMES = ['event', 'eventtype', 'type', 'action', 'behavior', 'behaviour', 'interaction'];

/** The name of a column that may hold kinds of events; undefined if there is none. */
export const eventColumnIn = (names: readonly string[]): string | undefined =>
  names.find((name) => EVENT_NAMES.includes(plainName(name)));

/** Index of the column with a usual name for the role, or −1. */
function usualColumn(names: string[], role: keyof typeof usualNames): number {
  const plain = names.map(plainName);
  const name = usualNames[role].split(/\s+/).find((candidate) => plain.includes(candidate));
  return name === undefined ? -1 : plain.indexOf(name);
}

/**
 * Finds the columns of a file.
 *
 * @throws UserError with the names of the columns, if one is missing
 */
export function findColumns(
  file: string,
  names: string[],
  { wanted, welcome }: WantedColumns,
  options: ColumnOptions,
): Columns {
  const { optionNames = ownNames } = options;
  const found: Columns = {};
  const missing: Role[] = [];
  for (const role of [...wanted, ...welcome]) {
    const given = givenFor(role, options);
    if ((role === 'time' || role === 'count') && given === '') continue;
    if (role === 'event' && given === undefined) continue;
    // With ratings, other numbers are no counts, unless an option says so.
    if (role === 'count' && given === undefined && found.rating !== undefined) continue;
    const index =
      given === undefined ? usualColumn(names, role as keyof typeof usualNames) : givenColumn(names, given);
    if (index !== -1) found[role] = index;
    else if (given !== undefined)
      throw new UserError(
        'data',
        `${file}: no column ${quoted(given)} (${option(String(optionNames[role]))}); the columns are ${list(names)}`,
      );
    else if (wanted.includes(role)) missing.push(role);
  }
  if (missing.length > 0)
    throw new UserError(
      'data',
      `${file}: no ${missing.join(', ')} column found; the columns are ${list(names)}; ` +
        (missing.every((role) => optionNames[role])
          ? `name the right ones with ${missing.map((role) => option(String(optionNames[role]))).join(', ')}`
          : `call the right ones ${missing.join(', ')}`),
    );
  return found;
}

/** Index of each column of a file of items; −1 for genres that are not there. */
export interface ItemColumns {
  readonly id: number;
  readonly title: number;
  readonly genre: number;
}

/**
 * Finds the columns of a file of items. Of two columns, the one that is not the ids is the titles.
 *
 * @param item name of the column of ids, if the file has it. Default: found by its usual names
 * @throws UserError with the names of the columns, if one is missing
 */
export function findItemColumns(file: string, names: string[], item?: string): ItemColumns {
  const given = item === undefined ? -1 : givenColumn(names, item);
  const id = given === -1 ? usualColumn(names, 'id') : given;
  const usual = usualColumn(names, 'title');
  const title = usual === -1 && id !== -1 && names.length === 2 ? 1 - id : usual;
  const missing = [...(id === -1 ? ['ids'] : []), ...(title === -1 ? ['titles'] : [])];
  if (missing.length > 0)
    throw new UserError(
      'data',
      `${file}: no column of ${missing.join(' and none of ')} found; the columns are ${list(names)}; call them id and title`,
    );
  return { id, title, genre: usualColumn(names, 'genre') };
}

/** Whether the first line is a header: its rating is not a number, or, without a rating, a column has a usual name. */
export function looksLikeHeader(fields: string[], wanted: readonly Role[], options: ColumnOptions): boolean {
  const positional = positionalNames(fields, wanted);
  const rating = Number(options.rating ?? options.countColumn) || positional.indexOf('rating') + 1;
  if (isNumber(fields[rating - 1])) return false;
  if (fields[rating - 1] !== undefined) return true;
  if (positional[2] === 'time') return false;
  if (fields.length > 2 || fields.length < Math.min(2, wanted.length)) return true;
  return (['user', 'item'] as const).some((role) => {
    const given = options[role];
    return given === undefined
      ? usualColumn(fields, role) !== -1
      : fields.map(plainName).includes(plainName(given));
  });
}

/**
 * The columns of a file without a header: user, item, rating, and time if the fourth field can be a time. A third field that
 * can only be a time is one, and there are no ratings. A file with only as many columns as are wanted has those.
 */
export function positionalNames(fields: string[], wanted: readonly Role[]): string[] {
  if (fields.length <= wanted.length && wanted.length < 3) return wanted.slice(0, fields.length);
  const usualOrder =
    !wanted.includes('rating') && isSurelyTime(fields[2])
      ? ['user', 'item', 'time']
      : ['user', 'item', 'rating', 'time'];
  return fields.map((field, index) =>
    index < 3 || (index === 3 && (isNumber(field) || !Number.isNaN(Date.parse(field))))
      ? (usualOrder[index] ?? String(index + 1))
      : String(index + 1),
  );
}

/** Whether a field is an ISO date, or whole Unix seconds or milliseconds from 1995 on. */
const isSurelyTime = (field: string | undefined): boolean =>
  /^\s*(\d{4}-\d\d-\d\d([ T].*)?|(79|[89]\d|1\d\d)\d{7}(\d{3})?)\s*$/.test(field ?? '');

/** A column as messages call it: `"stars"`, or `column 3` where its name is only that of its position. */
export const columnLabel = (
  { names, positional }: { readonly names: readonly string[]; readonly positional: boolean },
  index: number,
): string => (positional ? `column ${index + 1}` : quoted(names[index]));

function givenColumn(names: string[], given: string): number {
  const exact = names.indexOf(given);
  if (exact !== -1) return exact;
  const similar = names.map(plainName).indexOf(plainName(given));
  if (similar !== -1) return similar;
  return /^\d+$/.test(given) && Number(given) <= names.length ? Number(given) - 1 : -1;
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[\s_.-]/g, '');
}

function isNumber(field: string | undefined): boolean {
  return field !== undefined && field.trim() !== '' && Number.isFinite(Number(field));
}

import { option, UserError } from '../../errors.ts';
import { list, quoted } from '../../util/text.ts';
import { isUnixTime, secondsOfDate } from './values.ts';

/** The columns: names from the header, or numbers from 1. Default: found by their usual names. */
export interface ColumnOptions {
  userColumn?: string | undefined;
  itemColumn?: string | undefined;
  /** '' reads no ratings, so that the rows are interactions. */
  ratingColumn?: string | undefined;
  /** '' reads no times. */
  timeColumn?: string | undefined;
  /** How often, or for how long, of an interaction: plays, a quantity, seconds. '' reads no counts. */
  countColumn?: string | undefined;
  /** The kind of an event, such as `view` or `purchase`. Default: none, whatever the names */
  eventColumn?: string | undefined;
  /** Names of these options, for messages. @default the names above */
  optionNames?: Partial<Record<Role, string>> | undefined;
}

/** The columns of a file. */
export interface ColumnNames {
  readonly names: readonly string[];
  /** Whether they are only those of positions. */
  readonly positional: boolean;
  /** Whether they are from a first line that looks like a header. */
  readonly guessed: boolean;
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

const itemNames = `item items itemid iid movie movieid product productid sku asin isbn stockcode book bookid song songid track trackid
  artist artistid article articleid artikel produkt game gameid anime animeid business businessid recipe recipeid film filmid
  appid videoid beerid venueid postid courseid hotelid jokeid restaurantid placeid`;

/** Usual names, the most specific first, in lower case, without spaces, `_`, `-` and `.`. */
const usualNames = {
  user: `user users userid uid username member memberid customer customerid reviewer reviewerid account accountid
    visitor visitorid client clientid person personid kunde kundennummer benutzer custid player playerid listener viewer viewerid email`,
  item: itemNames,
  rating: `userrating rating ratings score stars star value overall rate bookrating starrating reviewscore
    myrating yourrating ratingvalue reviewrating overallrating ratingscore bewertung sterne voto valoracion calificacion 評価
    thumb thumbs vote votes liked like likes reaction feedback`,
  time: `timestamp time ts date datetime unixtime unixreviewtime unixtimestamp ratingtimestamp ratingdate ratedat
    createdat eventtime orderdate purchasedate invoicedate datum`,
  count: `count counts playcount plays listencount listens viewcount views clickcount clicks purchasecount purchases
    quantity qty times frequency duration durationms seconds minutes hours hoursplayed playtime watchtime dwelltime menge weight`,
  id: `${itemNames} id`,
  genre: 'genres genre category categories tags',
  title: 'title name movietitle booktitle itemtitle itemname producttitle productname',
};

const ownNames = {
  user: 'userColumn',
  item: 'itemColumn',
  rating: 'ratingColumn',
  time: 'timeColumn',
  count: 'countColumn',
  event: 'eventColumn',
} as const;

/** The column that an option names for a role. */
const givenFor = (role: Role, options: ColumnOptions): string | undefined => options[ownNames[role]];

/** The columns that options name by a path, such as `user.id`. */
export const pathsIn = (options: ColumnOptions): string[] =>
  roles.flatMap((role) => givenFor(role, options) ?? []).filter((name) => name.includes('.'));

/** Names of columns that may hold kinds of events, which are read only if an option names them. */
const EVENT_NAMES = ['event', 'eventtype', 'type', 'action', 'behavior', 'behaviour', 'interaction'];

/** The name of a column that may hold kinds of events; undefined if there is none. */
export const eventColumnIn = (names: readonly string[]): string | undefined =>
  names.find((name) => EVENT_NAMES.includes(plainName(name)));

/** Indices of the columns with a usual name for the role, the best first: of `customer` and `customer_id` the latter. */
function usualColumns(
  names: readonly string[],
  role: keyof typeof usualNames,
  taken: ReadonlySet<number> = new Set(),
): number[] {
  const plain = names.map((name, index) => (taken.has(index) ? '' : plainName(name)));
  const found = usualNames[role].split(/\s+/).filter((candidate) => plain.includes(candidate));
  const withId = found.map((name) => (found.includes(`${name}id`) ? `${name}id` : name));
  return [...new Set([...withId.slice(0, 1), ...found])].map((name) => plain.indexOf(name));
}

const usualColumn = (...of: Parameters<typeof usualColumns>): number => usualColumns(...of)[0] ?? -1;

/** Whether a name is usual for a role. */
export const isNamedFor = (role: keyof typeof usualNames, name: string): boolean =>
  usualColumn([name], role) === 0;

/** The columns that are not read, but may hold ratings by their names. */
export const maybeRatings = (
  { names, positional }: Pick<ColumnNames, 'names' | 'positional'>,
  columns: Columns,
): string[] =>
  positional || columns.rating !== undefined
    ? []
    : names.filter((name, at) => !Object.values(columns).includes(at) && MAYBE_RATING.test(name));

const MAYBE_RATING = /rating|score|stars|bewertung|sterne|punkte|points|grade|note\b|voto|valoraci/i;

/** Says which of several columns that fit a role was taken, where no option names it. */
export function choicesInWords(
  { names, positional }: Pick<ColumnNames, 'names' | 'positional'>,
  columns: Columns,
  options: ColumnOptions,
): string[] {
  if (positional) return [];
  return (['user', 'item', 'rating', 'time', 'count'] as const).flatMap((role) => {
    const index = columns[role];
    if (index === undefined || givenFor(role, options) !== undefined) return [];
    const taken = new Set(Object.values(columns).filter((one) => one !== index));
    const others = usualColumns(names, role, taken).filter((one) => one !== index);
    if (others.length === 0) return [];
    return [
      `${role} ${quoted(names[index])}, not ${others.map((one) => quoted(names[one])).join(' or ')}: name another with ${option(ownNames[role])}`,
    ];
  });
}

/**
 * Finds the columns of a file.
 *
 * @throws UserError with the names of the columns, if one is missing
 */
export function findColumns(
  file: string,
  { names, guessed, positional }: ColumnNames,
  { wanted, welcome }: WantedColumns,
  options: ColumnOptions,
): Columns {
  const { optionNames = ownNames } = options;
  const found: Columns = {};
  // A column that an option names has no other role.
  const given = roles.flatMap((role) => givenFor(role, options) || []);
  const taken = new Set(given.map((name) => givenColumn(names, name)));
  // Where others than the first two columns are the users and items, positions do not tell what the rest is.
  const others = [options.userColumn, options.itemColumn].map((name) =>
    name ? givenColumn(names, name) : 2,
  );
  const isNumbered =
    positional && options.userColumn && options.itemColumn && others.some((index) => index > 1);
  checkRoles(file, names, options);
  const missing: Role[] = [];
  for (const role of [...wanted, ...welcome]) {
    const given = givenFor(role, options);
    if ((role === 'time' || role === 'count') && given === '') continue;
    if (role === 'event' && given === undefined) continue;
    // With ratings, other numbers are no counts, unless an option says so.
    if (role === 'count' && given === undefined && found.rating !== undefined) continue;
    const index =
      given !== undefined
        ? givenColumn(names, given)
        : isNumbered
          ? -1
          : usualColumn(names, role as keyof typeof usualNames, taken);
    if (index !== -1) found[role] = onlyOne(file, names, { index, role, given });
    else if (given !== undefined)
      throw new UserError(
        'data',
        `${file}: no column ${quoted(given)} (${option(String(optionNames[role]))}); the columns are ${list([...names])}`,
      );
    else if (wanted.includes(role)) missing.push(role);
  }
  if (missing.length > 0)
    throw new UserError(
      'data',
      `${file}: no ${missing.join(', ')} column found; the columns are ${list([...names])}; ` +
        (missing.every((role) => optionNames[role])
          ? `name the right ones with ${missing.map((role) => option(String(optionNames[role]))).join(', ')}${
              guessed ? `; if the first line is no header, say so with ${option('header: false')}` : ''
            }`
          : `call the right ones ${missing.join(', ')}`),
    );
  return found;
}

/** @throws UserError if two columns have the name that the column of a role was found by */
function onlyOne(
  file: string,
  names: readonly string[],
  { index, role, given }: { readonly index: number; readonly role: Role; readonly given: string | undefined },
): number {
  const alike = [...names.keys()].filter((at) => plainName(names[at]) === plainName(names[index]));
  if (alike.length > 1 && !/^\d+$/.test(given ?? ''))
    throw new UserError(
      'data',
      `${file}: columns ${alike.map((at) => at + 1).join(' and ')} have one name, ${[...new Set(alike.map((at) => quoted(names[at])))].join(' or ')}; give the number of the right one with ${option(ownNames[role])}`,
    );
  return index;
}

/** @throws UserError if options name one column for two roles */
function checkRoles(file: string, names: readonly string[], options: ColumnOptions): void {
  const seen = new Map<number, Role>();
  for (const role of roles) {
    const given = givenFor(role, options);
    const index = given ? givenColumn(names, given) : -1;
    const other = seen.get(index);
    if (index >= 0 && other)
      throw new UserError(
        'data',
        `${file}: ${option(ownNames[other])} and ${option(ownNames[role])} name the same column, ${quoted(names[index])}; give each its own`,
      );
    if (index >= 0) seen.set(index, role);
  }
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
      `${file}: no column of ${missing.join(' and none of ')} found; the columns are ${list([...names])}; call them id and title`,
    );
  return { id, title, genre: usualColumn(names, 'genre') };
}

const roles: readonly Role[] = ['user', 'item', 'rating', 'time', 'count', 'event'];
const NAMED = ['user', 'item', 'rating', 'time', 'count'] as const;

/** Whether the options name columns, and all by their numbers, as those of a file without a header are. */
function areNumbers(options: ColumnOptions): boolean {
  const given = roles.map((role) => givenFor(role, options)).filter(Boolean);
  return given.length > 0 && given.every((name) => /^\d+$/.test(String(name)));
}

/**
 * Whether the first line is a header: its rating is not a number, or, without a rating, a column has a usual name.
 *
 * @param hasComma whether numbers may have a decimal comma
 */
export function looksLikeHeader(
  fields: readonly string[],
  wanted: readonly Role[],
  options: ColumnOptions,
  hasComma = false,
): boolean {
  const positional = positionalNames(fields, wanted);
  const given = Number(options.ratingColumn || options.countColumn);
  const rating = given || positional.indexOf('rating') + 1;
  const field = fields[rating - 1];
  if (isNumber(field, hasComma)) return false;
  const hasUsualName = (): boolean =>
    NAMED.some((role) => usualColumn(fields, role) !== -1) || eventColumnIn(fields) !== undefined;
  if (field !== undefined && (wanted.includes('rating') || rating === given))
    // A missing value in the first row of ratings is no name of a column.
    return !areNumbers(options) || hasUsualName() || !/^\s*(\W*|n\/?a|nan|null|none)\s*$/i.test(field);
  if (areNumbers(options)) return hasUsualName();
  if (field !== undefined) return true;
  if (positional[2] === 'time') return hasUsualName();
  if (fields.length > 2 || fields.length < Math.min(2, wanted.length)) return true;
  // In a list, words without digits are names of columns, not an id of a user and one of an item.
  if (wanted.length === 1 && fields.length > 1 && !fields.some((field) => /\d/.test(field))) return true;
  return (['user', 'item'] as const).some((role) => {
    const given = givenFor(role, options);
    return given === undefined
      ? usualColumn(fields, role) !== -1
      : fields.map(plainName).includes(plainName(given));
  });
}

/**
 * The columns of a file without a header: user, item, rating, and time if the fourth field can be a time. A third field that
 * can only be a time is one, and there are no ratings. A file with only as many columns as are wanted has those.
 */
export function positionalNames(fields: readonly string[], wanted: readonly Role[]): string[] {
  if (fields.length <= wanted.length && wanted.length < 3) return wanted.slice(0, fields.length);
  const usualOrder =
    !wanted.includes('rating') && isSurelyTime(fields[2])
      ? ['user', 'item', 'time']
      : ['user', 'item', 'rating', 'time'];
  return fields.map((field, index) =>
    index < 3 || (index === 3 && (isNumber(field) || mayBeDate(field)))
      ? (usualOrder[index] ?? String(index + 1))
      : String(index + 1),
  );
}

const mayBeDate = (field: string): boolean => !Number.isNaN(Date.parse(field)) || isDate(field);

/** Whether a field is a date, with or without a time of day. */
export const isDate = (field: string): boolean => !Number.isNaN(secondsOfDate(field.trim()));

/** Whether a field is a date, or whole Unix seconds or milliseconds from 1995 on. */
const isSurelyTime = (field = ''): boolean =>
  isNumber(field) ? isUnixTime(Number(field)) : !Number.isNaN(secondsOfDate(field.trim()));

/** The columns of users and items in words, where a header has other names for them. */
export const idsInWords = (
  table: Pick<ColumnNames, 'names' | 'positional'>,
  { user, item }: Columns,
): string[] =>
  user === undefined ||
  item === undefined ||
  table.positional ||
  (plainName(table.names[user]) === 'user' && plainName(table.names[item]) === 'item')
    ? []
    : [`user ${columnLabel(table, user)}, item ${columnLabel(table, item)}`];

/** A column as messages call it: `"stars"`, or `column 3` where its name is only that of its position. */
export const columnLabel = (
  { names, positional }: Pick<ColumnNames, 'names' | 'positional'>,
  index: number,
): string => (positional ? `column ${index + 1}` : quoted(names[index]));

function givenColumn(names: readonly string[], given: string): number {
  const exact = names.indexOf(given);
  if (exact !== -1) return exact;
  const similar = names.map(plainName).indexOf(plainName(given));
  if (similar !== -1) return similar;
  return /^\d+$/.test(given) && Number(given) <= names.length ? Number(given) - 1 : -1;
}

/** A name without case, spaces and punctuation, and without the `#` of a comment or the type of RecBole's `user_id:token`. */
function plainName(name: string): string {
  return name
    .toLowerCase()
    .replace(/:(token|float)(_seq)?$/, '')
    .replace(/[\s_.-]|^#/g, '');
}

function isNumber(field: string | undefined, hasComma = false): boolean {
  const text = hasComma ? field?.replace(',', '.') : field;
  return text !== undefined && text.trim() !== '' && Number.isFinite(Number(text));
}

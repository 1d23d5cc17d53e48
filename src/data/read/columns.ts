import { UserError } from '../../errors.ts';
import { list, quoted } from '../../util/text.ts';

/** Which column holds what: names from the header, or 1-based numbers. An empty name for `time`: read no times. */
export interface ColumnOptions {
  user?: string;
  item?: string;
  rating?: string;
  time?: string;
  /** How whoever gave the file names its columns, for messages: `--user`, … unless told otherwise. */
  flags?: Partial<Record<Role, string>>;
}

export interface Columns {
  user?: number;
  item?: number;
  rating?: number;
  time?: number;
}

export type Role = keyof Columns;

export interface WantedColumns {
  readonly wanted: readonly Role[];
  readonly welcome: readonly Role[];
}

const itemNames = `item items itemid iid movie movieid product productid asin isbn book bookid song songid track trackid
  artist artistid article articleid game gameid anime animeid business businessid recipe recipeid film filmid`;

/** Usual names, the most telling first, without case, spaces, `_`, `-` and `.`. */
const usualNames = {
  user: `user users userid uid username member memberid customer customerid reviewer reviewerid account accountid
    visitor visitorid client clientid person personid`,
  item: itemNames,
  rating: 'rating ratings score stars star value overall rate bookrating starrating userrating reviewscore',
  time: `timestamp time ts date datetime unixtime unixreviewtime unixtimestamp ratingtimestamp ratingdate ratedat
    createdat`,
  id: `${itemNames} id`,
  genre: 'genres genre category categories tags',
  title: 'title name movietitle booktitle itemtitle itemname producttitle productname',
};

const usualFlags = { user: '--user', item: '--item', rating: '--rating', time: '--time' };

/** The place of the column with a usual name for its role, or −1. */
export function usualColumn(names: string[], role: keyof typeof usualNames): number {
  const plain = names.map(plainName);
  const name = usualNames[role].split(/\s+/).find((candidate) => plain.includes(candidate));
  return name === undefined ? -1 : plain.indexOf(name);
}

/** @throws UserError that lists the names there are */
export function findColumns(
  file: string,
  names: string[],
  { wanted, welcome }: WantedColumns,
  options: ColumnOptions,
): Columns {
  const { flags = usualFlags } = options;
  const found: Columns = {};
  const missing: Role[] = [];
  for (const role of [...wanted, ...welcome]) {
    const given = options[role];
    if (role === 'time' && given === '') continue;
    const place = given === undefined ? usualColumn(names, role) : givenColumn(names, given);
    if (place !== -1) found[role] = place;
    else if (given !== undefined)
      throw new UserError(
        'data',
        `${file}: no column ${quoted(given)} (${flags[role]}); the columns are ${list(names)}`,
      );
    else if (wanted.includes(role)) missing.push(role);
  }
  if (missing.length > 0)
    throw new UserError(
      'data',
      `${file}: no ${missing.join(', ')} column found; the columns are ${list(names)}; ` +
        (missing.every((role) => flags[role])
          ? `name the right ones with ${missing.map((role) => flags[role]).join(', ')}`
          : `call the right ones ${missing.join(', ')}`),
    );
  return found;
}

/** A header has no number for its rating or, where it has no rating, a usual name. */
export function looksLikeHeader(fields: string[], wanted: readonly Role[], options: ColumnOptions): boolean {
  const rating = Number(options.rating) || positionalNames(fields, wanted).indexOf('rating') + 1;
  if (isNumber(fields[rating - 1])) return false;
  if (fields[rating - 1] !== undefined) return true;
  if (fields.length > 2 || fields.length < Math.min(2, wanted.length)) return true;
  return (['user', 'item'] as const).some((role) => {
    const given = options[role];
    return given === undefined
      ? usualColumn(fields, role) !== -1
      : fields.map(plainName).includes(plainName(given));
  });
}

/**
 * The columns of a file without a header: user, item, rating, and time when the fourth field can be one; or only those
 * wanted, where it has no more.
 */
export function positionalNames(fields: string[], wanted: readonly Role[]): string[] {
  if (fields.length <= wanted.length && wanted.length < 3) return wanted.slice(0, fields.length);
  const usualOrder = ['user', 'item', 'rating', 'time'];
  return fields.map((field, place) =>
    place < 3 || (place === 3 && (isNumber(field) || !Number.isNaN(Date.parse(field))))
      ? usualOrder[place]
      : String(place + 1),
  );
}

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

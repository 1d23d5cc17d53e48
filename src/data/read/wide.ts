import { option, UserError } from '../../errors.ts';
import { quoted } from '../../util/text.ts';
import { isNamedFor, type WantedColumns } from './columns.ts';
import type { SourceOptions, TextPart, WidePart } from './part.ts';
import { numberInText } from './values.ts';

// A matrix with a row for each user and a column for each item, instead of a row for each rating.

/** So many columns at least are a matrix. */
const LEAST = 4;
/** Cells of a matrix are on a scale within these limits, or say that there is no rating. */
const SCALE = 10;
const NOT_RATED = new Set([99, 999, -99, -999]);
/** So many columns of numbers within wider limits are a matrix, too: times and most ids are larger. */
const MANY = 8;
const WIDE_SCALE = 1000;

const isWhole = (field: string): boolean => /^\s*\d+\s*$/.test(field);

/** Whether the cells of these rows, but for the first column, are numbers up to `most`, above or below 0, or empty. */
const areCells = (rows: readonly (readonly string[])[], most: number): boolean =>
  rows.every((fields) =>
    fields.slice(1).every((field) => {
      const value = numberInText(field.replace(',', '.'));
      return field.trim() === '' || Math.abs(value) <= most || NOT_RATED.has(value);
    }),
  );

/** The part of the cells that are empty or 0. */
function emptyPart(rows: readonly (readonly string[])[]): number {
  const cells = rows.flatMap((fields) => fields.slice(1));
  return cells.filter((cell) => cell.trim() === '' || Number(cell) === 0).length / cells.length;
}

/** Whether columns are named by ids of items: whole numbers, or names none of which is usual for a column. */
function isHeaderOfItems(first: readonly string[], rows: readonly (readonly string[])[]): boolean {
  const items = first.slice(1);
  if (new Set(items).size < items.length || items.includes('') || rows.length === 0) return false;
  const isUser = first[0].trim() === '' || isNamedFor('user', first[0]) || isNamedFor('id', first[0]);
  if (items.every(isWhole))
    return (
      !isWhole(first[0]) &&
      (isUser || items.every((item, at) => at === 0 || Number(item) > Number(items[at - 1])))
    );
  const isOther = (name: string): boolean =>
    (['user', 'item', 'rating', 'time', 'count'] as const).some((role) => isNamedFor(role, name));
  return isUser && !items.some(isOther) && items.every((name) => Number.isNaN(numberInText(name)));
}

/** Whether rows are of a matrix, not of ratings. */
export function looksWide(
  first: readonly string[],
  rows: readonly (readonly string[])[],
  { wanted }: WantedColumns,
  { userColumn, itemColumn, ratingColumn, countColumn, header }: SourceOptions,
): boolean {
  if (
    first.length < LEAST ||
    wanted.length < 2 ||
    [userColumn, itemColumn, ratingColumn, countColumn].some(Boolean)
  )
    return false;
  if (rows.some((fields) => fields.length !== first.length)) return false;
  if (header !== false && isHeaderOfItems(first, rows)) return areCells(rows, Number.POSITIVE_INFINITY);
  // Without a header, ratings with a time or more have larger numbers, such as ids.
  const all = [first, ...rows];
  const isMostlyEmpty = first.length >= MANY && emptyPart(all) > 0.5;
  const most = isMostlyEmpty ? Number.POSITIVE_INFINITY : first.length >= MANY ? WIDE_SCALE : SCALE;
  return header !== true && first.length > LEAST && areCells(all, most);
}

/** The columns of a matrix. */
export function wideColumns(
  file: string,
  first: readonly string[],
  rows: readonly (readonly string[])[],
  options: SourceOptions,
): Pick<TextPart, 'header'> & { readonly wide: WidePart } {
  const { header, userColumn, missing } = options;
  for (const name of ['itemColumn', 'ratingColumn', 'timeColumn', 'countColumn', 'eventColumn'] as const)
    if (options[name])
      throw new UserError(
        'argument',
        `${option(name)} is for files with a row for each rating; leave it out, or ${option('wide: true')}`,
      );
  const any = Number.POSITIVE_INFINITY;
  const hasWords = rows.length > 0 && !areCells([first], any) && areCells(rows, any);
  const isHeader = header ?? (isHeaderOfItems(first, rows) || hasWords);
  const names = isHeader ? first : first.map((_, index) => String(index + 1));
  const all = isHeader ? rows : [first, ...rows];
  const wide = { items: names, missing: missing === undefined ? undefined : String(missing).trim() };
  if (userColumn === undefined && !isHeader && countsRatings(all, wide.missing))
    return { header: isHeader, wide: { ...wide, user: undefined, counts: 0 } };
  const user = userColumn === undefined ? usersIn(all, isHeader) : givenIn(file, names, userColumn);
  return { header: isHeader, wide: { ...wide, user } };
}

/** The column that an option names, by its name or its number; undefined for none. */
function givenIn(file: string, names: readonly string[], given: string): number | undefined {
  if (given === '') return undefined;
  const index = names.findIndex((name) => name.trim() === given.trim());
  const byNumber = index === -1 && isWhole(given) ? Number(given) - 1 : index;
  if (byNumber >= 0 && byNumber < names.length) return byNumber;
  throw new UserError('data', `${file}: no column ${quoted(given)} (${option('userColumn')})`);
}

/** The column of users: the first if there is a header, or if it has words, or numbers that are all different and no ratings. */
function usersIn(rows: readonly (readonly string[])[], isHeader: boolean): number | undefined {
  const ids = rows.map(([id]) => id);
  const isDifferent = ids.length > 1 && new Set(ids).size === ids.length;
  const areWords = ids.every((id) => id.trim() !== '' && Number.isNaN(numberInText(id.replace(',', '.'))));
  const areIds = isDifferent && ids.every(isWhole) && !areCells([['', ...ids]], SCALE);
  return isHeader || areWords || areIds ? 0 : undefined;
}

/** Whether the first column has the number of ratings in each row, as in Jester. */
function countsRatings(rows: readonly (readonly string[])[], missing: string | undefined): boolean {
  const none = missing === undefined ? Number.NaN : numberInText(missing);
  return rows.every(([count, ...cells]) => {
    const rated = cells.filter(
      (cell) => cell.trim() !== '' && cell.trim() !== missing && numberInText(cell) !== none,
    );
    return isWhole(count) && Number(count) === rated.length;
  });
}

/** What was assumed of a matrix. */
export function wideInWords({ user, items, missing, counts }: WidePart, header: boolean): string[] {
  const users =
    user === undefined ? 'numbered from 1' : `by ${header ? quoted(items[user]) : `column ${user + 1}`}`;
  const unrated = `cells that are empty${missing === undefined ? '' : ` or ${missing}`} are not rated`;
  return [
    `a matrix: each row is a user, ${users}, and each column an item, by its ${header ? 'name' : 'number'}; ${unrated}`,
    ...(counts === undefined
      ? []
      : [`column ${counts + 1} has the number of ratings in each row, and is not read`]),
  ];
}

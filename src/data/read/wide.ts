import { option, UserError } from '../../errors.ts';
import { quoted } from '../../util/text.ts';
import { isNamedFor, type WantedColumns } from './columns.ts';
import type { SourceOptions, TextPart, WidePart } from './part.ts';
import { numberInText } from './values.ts';

// A matrix with a row for each user and a column for each item, instead of a row for each rating.

/** So many columns at least are a matrix. */
const LEAST = 4;
/** Cells of a matrix are on a scale within these limits, or say that there is no rating. */
const [LOWEST, HIGHEST] = [-10, 10];
const NOT_RATED = new Set([99, 999, -99, -999]);

const isWhole = (field: string): boolean => /^\s*\d+\s*$/.test(field);

/** Whether the cells of these rows, but for the first column, are ratings or empty. */
const areCells = (rows: readonly (readonly string[])[]): boolean =>
  rows.every((fields) =>
    fields.slice(1).every((field) => {
      const value = numberInText(field.replace(',', '.'));
      return field.trim() === '' || (value >= LOWEST && value <= HIGHEST) || NOT_RATED.has(value);
    }),
  );

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
  if (header !== false && isHeaderOfItems(first, rows)) return areCells(rows);
  // Without a header, ratings with a time or more have larger numbers, such as ids.
  return header !== true && first.length > LEAST && areCells([first, ...rows]);
}

/** The columns of a matrix. */
export function wideColumns(
  file: string,
  first: readonly string[],
  rows: readonly (readonly string[])[],
  { header, userColumn, missing }: SourceOptions,
): Pick<TextPart, 'header'> & { readonly wide: WidePart } {
  const isHeader = header ?? isHeaderOfItems(first, rows);
  const names = isHeader ? first : first.map((_, index) => String(index + 1));
  const given = userColumn === undefined ? -1 : names.findIndex((name) => name.trim() === userColumn.trim());
  const byNumber = isWhole(userColumn ?? '') ? Number(userColumn) - 1 : -1;
  const named = given === -1 ? byNumber : given;
  if (userColumn && !(named >= 0 && named < names.length))
    throw new UserError('data', `${file}: no column ${quoted(userColumn)} (${option('userColumn')})`);
  const ids = new Set([...(isHeader ? [] : [first]), ...rows].map(([id]) => id));
  // Without a header, a first column whose numbers are all different and no ratings are ids.
  const isFirst =
    isHeader ||
    (rows.length > 0 && ids.size === rows.length + 1 && [...ids].every(isWhole) && !areCells([['', ...ids]]));
  const user = userColumn === '' ? undefined : userColumn !== undefined ? named : isFirst ? 0 : undefined;
  return {
    header: isHeader,
    wide: { user, items: names, missing: missing === undefined ? undefined : String(missing).trim() },
  };
}

/** What was assumed of a matrix. */
export const wideInWords = ({ user, items, missing }: WidePart, header: boolean): string[] => [
  `a matrix: each row is a user, ${user === undefined ? 'numbered from 1' : `by ${header ? quoted(items[user]) : `column ${user + 1}`}`}, and each column an item, by its ${header ? 'name' : 'number'}; cells that are empty${missing === undefined ? '' : ` or ${missing}`} are not rated`,
];

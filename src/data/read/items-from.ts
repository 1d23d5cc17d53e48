import { UserError } from '../../errors.ts';
import { findItemColumns, type ItemColumns } from './columns.ts';
import { Decoder, encodingOf, linesIn } from './decode.ts';
import { BadRows, faults, MOST_ITEMS, recordFault, tooMany } from './faults.ts';
import { checkFormat, looksBinary, notText, startOf as startOfFile } from './format.ts';
import { genresIn, type ItemTable } from './item-table.ts';
import { isJson, recordsIn } from './read-json.ts';
import { pastSpace } from './scan-json.ts';
import { MOST_BYTES, TextScanner } from './scan-text.ts';
import { delimiterOf, startOf } from './understand-text.ts';
import { textOf } from './values.ts';

/** Genres of the columns from the seventh on in `u.item` of MovieLens 100K, as its `u.genre` lists them; 1 marks a genre. */
const OLD_GENRES = genresIn(
  "Action|Adventure|Animation|Children's|Comedy|Crime|Documentary|Drama|Fantasy|Film-Noir|Horror|Musical|Mystery|Romance|Sci-Fi|Thriller|War|Western",
);
const OLD_COLUMNS = { id: 0, title: 1, genre: 2 };
/** Where the flags of genres start in `u.item`. */
const FLAGS = 6;

type Rows = readonly (readonly string[])[];

/**
 * Titles and genres from the bytes of a file: a table with a header, `movies.dat` or `u.item` of MovieLens by any name, or JSON.
 *
 * @throws UserError with the line of a broken record, or with the columns if one is missing
 */
export function itemsFrom(bytes: Uint8Array, file: string, item?: string): ItemTable {
  checkStart(bytes, file);
  const sample = { file, bytes: decoded(bytes, file), isWhole: true };
  if (isJson(sample)) {
    const { names, rows } = recordsIn(sample);
    return itemTable(rows, findItemColumns(file, names, item));
  }
  const delimiter = delimiterOf(startOf(sample), []);
  const records = rowsOf(sample.bytes, file, delimiter);
  const [first] = records;
  const isNumber = /^\d+$/.test(first[0]);
  if (isNumber && delimiter === '::' && first.length === 3) return itemTable(records, OLD_COLUMNS);
  if (isNumber && delimiter === '|')
    return itemTable(records, OLD_COLUMNS, (fields) =>
      OLD_GENRES.filter((_, index) => fields[FLAGS + index] === '1'),
    );
  return itemTable(records.slice(1), findItemColumns(file, [...first], item));
}

/**
 * Refuses by its first bytes what can be no table, before all of it is read.
 *
 * @throws UserError for another format, and for bytes without a record
 */
export function checkStart(bytes: Uint8Array, file: string): void {
  checkFormat(bytes, file);
  const isUtf16 = /^utf-16/.test(encodingOf(bytes, undefined));
  if (!isUtf16 && looksBinary(startOfFile(bytes))) throw notText(file, 'CSV, TSV, JSON or Parquet');
  const start = pastSpace(bytes, 0);
  if (start === bytes.length) throw new UserError('data', `${file}: ${faults.empty}`);
  // A list of JSON may be one line.
  const hasLine = bytes.length < MOST_BYTES || bytes.includes(10) || bytes.includes(13);
  if (!hasLine && !isJson({ file, bytes, isWhole: false }))
    throw new UserError('data', `${file}, line 1: ${faults.long}`);
}

/** As UTF-8. MovieLens's older files are in Latin-1, and do not say so. */
function decoded(bytes: Uint8Array, file: string): Uint8Array {
  const decode = (encoding: string): Uint8Array =>
    new Decoder({ file, encoding }).push(bytes, true, (before) => 1 + linesIn(before));
  try {
    return decode(encodingOf(bytes, undefined));
  } catch (error) {
    if (/^\d+(::|\|)/.test(textOf(bytes, 0, Math.min(bytes.length, 20)))) return decode('windows-1252');
    throw error;
  }
}

function rowsOf(bytes: Uint8Array, file: string, delimiter: string): Rows {
  const rows: string[][] = [];
  const bad = new BadRows();
  const scanner: TextScanner = new TextScanner(
    { delimiter, quote: delimiter !== '::' && delimiter !== '|' },
    (count) => {
      if (count === 0) return true;
      const { starts, ends } = scanner;
      const fields = Array.from({ length: count }, (_, at) => textOf(scanner.bytes, starts[at], ends[at]));
      const width = rows[0]?.length ?? count;
      while (fields.length > width && fields.at(-1) === '') fields.pop();
      const isGood = fields.length === width;
      if (rows.length === MOST_ITEMS) throw tooMany(file);
      if (isGood) rows.push(fields);
      else bad.addBroken(`${file}, line ${scanner.line}`, faults.fields(fields.length, width, true));
      return isGood;
    },
    (fault) => bad.addBroken(`${file}, line ${scanner.line}`, recordFault(fault), fault === 'open quote'),
  );
  scanner.push(bytes, true);
  bad.check(false);
  if (rows.length === 0) throw new UserError('data', `${file}: ${faults.empty}`);
  return rows;
}

/** Items without a title are left out. Of two titles of an item, the first counts. */
export function itemTable(
  rows: Rows,
  { id, title, genre }: ItemColumns,
  genresOf = (fields: readonly string[]) => genresIn(fields[genre] ?? ''),
): ItemTable {
  const known = rows
    .map((fields) => ({ id: (fields[id] ?? '').trim(), title: fields[title], genres: genresOf(fields) }))
    .filter((one) => one.id && one.title)
    .reverse();
  return {
    titles: new Map(known.map((one) => [one.id, one.title])),
    genres: new Map(known.map((one) => [one.id, one.genres])),
  };
}

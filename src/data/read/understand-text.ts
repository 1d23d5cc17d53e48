import { option, UserError } from '../../errors.ts';
import { quoted } from '../../util/text.ts';
import {
  findColumns,
  isDate,
  isNamedFor,
  looksLikeHeader,
  positionalNames,
  type Role,
  type WantedColumns,
} from './columns.ts';
import { faults } from './faults.ts';
import { areInteractions, type Part, type SourceOptions, type TextPart } from './part.ts';
import { type RecordFault, type TextForm, TextScanner } from './scan-text.ts';
import { numberInText, textOf } from './values.ts';
import { looksWide, wideColumns } from './wide.ts';

/** So many bytes at the start tell what a file is: more than a record may have. */
export const SAMPLE = 3 * 2 ** 20;
/** So many records tell what a file is. */
const ENOUGH = 200;
const DELIMITERS = [',', '\t', ';', '|', '::'];

export interface Sample {
  readonly file: string;
  /** The first bytes, as UTF-8. */
  readonly bytes: Uint8Array;
  /** Whether they are the whole file. */
  readonly isWhole: boolean;
}

/** A record as texts. */
interface Record {
  readonly line: number;
  readonly fields: readonly string[];
}

type Rows = readonly (readonly string[])[];

/** The first records of a text. */
function recordsOf(
  { bytes, isWhole }: Sample,
  form: TextForm,
): { readonly records: Record[]; readonly fault?: RecordFault; readonly line: number } {
  const records: Record[] = [];
  let fault: RecordFault | undefined;
  let line = 0;
  const scanner: TextScanner = new TextScanner(
    form,
    (count) => {
      if (count === 0 || fault || records.length === ENOUGH) return true;
      const fields = Array.from({ length: count }, (_, at) =>
        textOf(scanner.bytes, scanner.starts[at], scanner.ends[at]),
      );
      records.push({ line: scanner.line, fields });
      return true;
    },
    (found) => {
      if (fault || records.length === ENOUGH) return;
      fault = found;
      line = scanner.line;
    },
  );
  scanner.push(bytes, isWhole);
  return { records, ...(fault && { fault }), line };
}

const firstLine = (text: string): string => /^[^\r\n]*/.exec(text)?.[0] ?? '';

/** How a text starts before its records. */
function preambleOf(bytes: Uint8Array): {
  readonly skipped: number;
  readonly delimiter?: string;
  readonly comment?: string;
  /** The last comment. */
  readonly last?: string;
} {
  const lines = textOf(bytes, 0, Math.min(bytes.length, 2 ** 16)).split(/\r\n|\n|\r/);
  const [, delimiter] = /^"?sep=(.|\\t)"?$/i.exec(lines[0]) ?? [];
  if (delimiter) return { skipped: 1, delimiter };
  // `# made by …`; but `#1,x,5` may be a row.
  const mark = /^([#%])(?=[\s#%]|$)/.exec(lines[0])?.[1];
  const skipped = mark === undefined ? 0 : lines.findIndex((line) => !line.startsWith(mark));
  if (mark === undefined || skipped < 1) return { skipped: 0 };
  return { skipped, comment: mark, last: lines[skipped - 1].replace(/^[#%\s]+/, '') };
}

/** The names of the columns, where the header has one name fewer than the rows: R leaves out that of the names of the rows. */
const namesOfR = (first: readonly string[], rows: Rows): string[] | undefined =>
  rows.length > 0 &&
  rows.every(({ length }) => length === first.length + 1) &&
  first.every((name) => !isNumber(name))
    ? ['row names', ...first]
    : undefined;

/** The names of the columns, if the comment before the first record has them: `# user item rating`. */
function namesInComment(
  { last = '' }: ReturnType<typeof preambleOf>,
  delimiter: string,
  width: number,
): string[] | undefined {
  const names = delimiter === ' ' ? last.split(/\s+/) : last.split(delimiter);
  const isNamed = (['user', 'item'] as const).every((role) => names.some((name) => isNamedFor(role, name)));
  return names.length === width && isNamed ? names : undefined;
}

/** The text after some lines. */
function after(bytes: Uint8Array, lines: number): Uint8Array {
  let at = 0;
  for (let line = 0; line < lines && at < bytes.length; at++)
    if (bytes[at] === 10 || (bytes[at] === 13 && bytes[at + 1] !== 10)) line++;
  return bytes.subarray(at);
}

/** As much of a sample as tells: 64 kB, if a record ends there. */
export function startOf(sample: Sample): Sample {
  const bytes = sample.bytes.subarray(0, 2 ** 16);
  return bytes.length === sample.bytes.length || !bytes.includes(10, 2 ** 12)
    ? sample
    : { ...sample, bytes, isWhole: false };
}

/** The delimiter that divides the first line into the most fields, if it divides the other lines alike. */
export function delimiterOf(sample: Sample, wanted: readonly Role[]): string {
  const widths = DELIMITERS.map((delimiter) => {
    const { records } = recordsOf(sample, { delimiter, quote: delimiter !== '::' });
    const width = records[0]?.fields.length ?? 1;
    const isEven = records.every(({ fields }) => fields.length === width);
    return { delimiter, width, isEven };
  });
  const most = (of: typeof widths) => of.reduce((best, one) => (one.width > best.width ? one : best), of[0]);
  const even = widths.filter(({ width, isEven }) => isEven && width > 1);
  const best = most(even.length > 0 ? even : widths);
  if (best.width > 2 || wanted.length < 2) return best.delimiter;
  const other = [...DELIMITERS.filter((delimiter) => delimiter !== ','), ' '].find((delimiter) => {
    const { records } = recordsOf(sample, { delimiter, quote: delimiter !== '::' });
    const rows = records.map(({ fields }) => fields);
    // In `ann::x::4,5`, the comma separates decimals.
    const isDecimal =
      best.delimiter === ',' && rows.flat().every((field) => !field.includes(',') || isNumber(field));
    const isTable = (best.width === 1 && delimiter === ' ') || (isDecimal && best.width === 2);
    return isTable && columnsOfNumbers(rows) > 0 && widthOf(rows) >= Math.max(2, wanted.length);
  });
  return other ?? best.delimiter;
}

/** Whether a field is a number, with a point or a comma before its decimals. */
const isNumber = (field: string): boolean => !Number.isNaN(numberInText(field.replace(',', '.')));

/** So many of the rows have the width of a table; others may be bad. */
const NEARLY_ALL = 0.9;

/** The number of fields that nearly all rows have; 0 for prose. */
function widthOf(rows: Rows): number {
  const counts = new Map<number, number>();
  for (const { length } of rows) counts.set(length, (counts.get(length) ?? 0) + 1);
  const [width, count] = [...counts].reduce((best, one) => (one[1] > best[1] ? one : best), [0, 0]);
  return count >= NEARLY_ALL * rows.length || count >= rows.length - 1 ? width : 0;
}

/** The number of columns that have numbers in nearly all rows, but for a header. */
function columnsOfNumbers(rows: Rows): number {
  const width = widthOf(rows);
  const body = rows.slice(rows.length > 1 ? 1 : 0).filter(({ length }) => length === width);
  const areNumbers = (at: number): boolean =>
    body.filter((fields) => isNumber(fields[at])).length >= NEARLY_ALL * body.length;
  return Array.from({ length: width }, (_, at) => at).filter(areNumbers).length;
}

/**
 * Understands a text from its first bytes.
 *
 * @throws UserError for a text without records, or without the columns that are wanted
 */
export function understandText(sample: Sample, roles: WantedColumns, options: SourceOptions): Part {
  const { file } = sample;
  const preamble = preambleOf(sample.bytes);
  const bytes = after(sample.bytes, preamble.skipped);
  const rest = startOf({ ...sample, bytes });
  const given = options.delimiter || preamble.delimiter;
  const delimiter = given ? given.replaceAll('\\t', '\t') : delimiterOf(rest, roles.wanted);
  if (/["\r\n]/.test(delimiter))
    throw new UserError(
      'argument',
      `${file}: ${quoted(delimiter)} cannot separate fields (${option('delimiter')})`,
    );
  const form = { delimiter, quote: options.quotes ?? delimiter !== '::' };
  const { records, fault, line } = recordsOf(rest, form);
  if (records.length === 0) throw noRecords(rest, fault, preamble.skipped + line);
  const [{ fields: first }, ...others] = records;
  const isComma = options.decimal === ',' || (delimiter !== ',' && options.decimal === undefined);
  const rows = others.map(({ fields }) => fields);
  const plain = { delimiter, quote: form.quote, skipped: preamble.skipped, comment: preamble.comment };
  const part = { file, format: 'text', unit: 'line' } as const;
  if (options.missing !== undefined && !options.wide)
    throw new UserError(
      'argument',
      `${option('missing')} is for ${option('wide: true')}; give both, or none`,
    );
  if (options.wide || looksWide(first, rows, roles, options)) {
    if (!options.wide) throw wideFault(file);
    const wide = wideColumns(file, first, rows, options);
    const text: TextPart = { ...plain, ...wide };
    const columns = { user: 0, item: 1, rating: 2 };
    const names = Object.keys(columns);
    return { ...part, names, positional: true, guessed: false, columns, isInteractions: false, text };
  }
  const said = namesInComment(preamble, delimiter, first.length) ?? namesOfR(first, rows);
  const isCommented = said !== undefined && said.length === first.length;
  const header = said
    ? !isCommented
    : (options.header ?? looksLikeHeader(first, roles.wanted, options, isComma));
  const names = said ?? (header ? first : positionalNames(first, roles.wanted));
  const named = {
    names,
    positional: !header && !isCommented,
    guessed: header && options.header === undefined,
  };
  const columns = findColumns(file, named, roles, options);
  if (named.positional && columns.item === 1 && !options.itemColumn && isDate(first[1]))
    throw new UserError(
      'data',
      `${file}: no header, and the second column has times, not items; give the numbers of the right columns with ${option('userColumn')} and ${option('itemColumn')}`,
    );
  return {
    ...part,
    ...named,
    columns,
    isInteractions: areInteractions(columns, roles),
    text: { ...plain, header },
  };
}

const wideFault = (file: string): UserError =>
  new UserError(
    'data',
    `${file}: looks like a matrix with a row for each user and a column for each item; read it with ${option('wide: true')} (and ${option("missing: '99'")} for the value of what is not rated), or name its columns with ${option('userColumn')}, ${option('itemColumn')}, ${option('ratingColumn')}`,
  );

/** The error for a text without a record. */
function noRecords({ file, bytes }: Sample, fault: RecordFault | undefined, line: number): UserError {
  const where = `${file}, line ${line}`;
  if (fault === 'open quote' || fault === 'quote')
    return new UserError('data', `${where}: ${faults.firstLine}`);
  if (fault === 'long' || firstLine(textOf(bytes, 0, bytes.length)).length > 2 ** 20)
    return new UserError('data', `${file}, line 1: ${faults.long}`);
  return new UserError('data', `${file}: ${faults.empty}`);
}

import { option, UserError } from '../../errors.ts';
import { splitLine } from '../../util/text.ts';
import type { Role } from './columns.ts';
import { type Connection, rows } from './duckdb.ts';
import { faults } from './faults.ts';
import type { MeaningOptions } from './meaning.ts';
import type { Part, Source } from './source.ts';

/** Turns an error that DuckDB had with `source` into one that names the line and says what to do. */
export async function diagnose(error: Error, connection: Connection, source: Source): Promise<UserError> {
  if (source.kind === 'parquet' || source.kind === 'json array') return explain(error.message, source.file);
  const at = (line: number, what: string) => new UserError('data', `${source.file}, line ${line}: ${what}`);
  try {
    for await (const record of records(connection, source)) {
      if (record.json !== undefined) {
        const reason = jsonError(record.json);
        if (reason !== undefined)
          return at(record.line, `broken JSON (${reason}); correct or remove the line`);
      } else if (record.broken) {
        return at(record.line, faults.quote);
      } else if (record.fields !== source.names.length) {
        return at(record.line, faults.fields(record.fields, source.names.length, source.header));
      }
    }
  } catch (later) {
    // DuckDB's line number is exact when it reads lines, but not when it reads records with quoted line breaks.
    return explain((later as Error).message, source.file);
  }
  return explain(error.message, source.file);
}

/** Names of columns that may hold words, such as comments, instead of ratings. */
const MAYBE_RATINGS = /thumb|vote|like|reaction|feedback/i;

/** The error for an invalid field in record number `index` (from 0). */
export async function fieldError(
  connection: Connection,
  { source, columns }: Part,
  at: { readonly role: Role; readonly index: number },
  { eventWeights, ratingColumn }: MeaningOptions,
): Promise<UserError> {
  const { index } = at;
  const textOf = async (column: number): Promise<string> => {
    const query = `SELECT ${source.expressions[column]} FROM ${source.table} LIMIT 1 OFFSET ${index}`;
    return String((await rows(connection, query))[0][0] ?? '');
  };
  let { role } = at;
  // The strength of an interaction is a count, by the weight of its event.
  if (role === 'rating' && columns.rating === undefined) {
    const event = columns.event === undefined ? undefined : await textOf(columns.event);
    const isWeighted =
      event === undefined || (eventWeights ? Object.hasOwn(eventWeights, event) : event !== '');
    role = isWeighted ? 'count' : 'event';
  }
  const column = columns[role] as number;
  const where = await locate(connection, source, index);
  const what = faults.field(role, await textOf(column), source.names[column], where.split(' ')[0]);
  const more =
    role === 'time'
      ? `, or read no times with ${option("timeColumn: ''")}`
      : role === 'rating' && ratingColumn === undefined && MAYBE_RATINGS.test(source.names[column])
        ? `, or read no ratings with ${option("ratingColumn: ''")}`
        : '';
  return new UserError('data', `${source.file}, ${where}: ${what}${more}`);
}

/** The line, or else the row, of record number `index` (from 0). */
async function locate(connection: Connection, source: Source, index: number): Promise<string> {
  if (source.kind === 'text' || source.kind === 'json')
    try {
      let passed = 0;
      for await (const record of records(connection, source)) {
        if (passed++ === index) return `line ${record.line}`;
      }
    } catch {
      // In a file that mixes kinds of line breaks, lines cannot be counted, but rows can.
    }
  return `row ${index + 1}`;
}

/** Translates a message of DuckDB. Of an unknown message it gives the first line. */
export function explain(message: string, file: string): UserError {
  const line = /Line: (\d+)/.exec(message)?.[1];
  const where = line === undefined ? file : `${file}, line ${line}`;
  const say = (text: string) => new UserError('data', text);
  if (/Invalid unicode|invalid UTF-8/i.test(message))
    return say(`${where}: is not UTF-8 text; name its encoding, such as ${option("encoding: 'latin-1'")}`);
  const encoding = /File is not (\S+) encoded/.exec(message)?.[1];
  if (encoding !== undefined)
    return say(
      `${file}: is not ${encoding} text; name its encoding with ${option('encoding')}, or save it as UTF-8`,
    );
  if (/Maximum line size/.test(message))
    return say(`${where}: the line is longer than 2 MB; is a line break or a closing quote missing?`);
  if (/state machine reached an invalid state/.test(message))
    return say(`${file}: mixes kinds of line breaks; save it with one kind (LF or CR LF)`);
  const json = /Malformed JSON .*: (.*?)\. /.exec(message)?.[1];
  if (json !== undefined) return say(`${file}: broken JSON (${json}); correct the file`);
  const first = message.split('\n')[0].replace(/^[A-Z][\w ]* Error: /, '');
  if (/\.parquet$|parquet|magic bytes|decompress|enough bytes/i.test(`${file} ${first}`))
    return say(`${file}: the file is damaged or cut off (${first}); fetch or write it again`);
  return say(`${where}: ${first}`);
}

/** The records of a text or JSON lines file: the number of the first line (from 1), and the number of fields. */
async function* records(connection: Connection, source: Source) {
  const result = await connection.stream(`SELECT line FROM ${source.lines}`);
  let number = 0;
  let start = 0;
  let fields = 0;
  let open = false;
  let header = source.header;
  for await (const chunk of result) {
    for (const line of chunk.getColumnValues(0) as (string | null)[]) {
      number++;
      if (!open && line === null) continue;
      if (source.kind === 'json') {
        yield { line: number, fields: 1, broken: false, json: line ?? '' };
        continue;
      }
      const part = splitLine(line ?? '', source.delimiter, source.quote, open);
      if (!open) start = number;
      fields = part.fields.length + (open ? fields - 1 : 0);
      open = part.open;
      if (open) continue;
      // DuckDB ignores extra fields at the end if they are empty.
      for (const last of part.fields.reverse())
        if (last === '' && fields > source.names.length) fields--;
        else break;
      if (!header) yield { line: start, fields, broken: part.broken };
      header = false;
    }
  }
  if (open) yield { line: start, fields, broken: true };
}

function jsonError(line: string): string | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'not an object';
  } catch (error) {
    return (error as Error).message;
  }
}

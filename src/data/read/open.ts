import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { UserError } from '../../errors.ts';
import { likelyDelimiter, splitLine } from '../../util/text.ts';
import { looksLikeHeader, positionalNames, type Role } from './columns.ts';
import { type Connection, identifier, literal, rows } from './duckdb.ts';
import { faults } from './faults.ts';
import { diagnose, explain } from './problems.ts';
import type { Source, SourceOptions } from './source.ts';

/**
 * The files of paths and glob patterns: the file with exactly this name, else the matches, sorted by name.
 *
 * @throws UserError for a missing file, a pattern without a match, or a directory
 */
export async function findFiles(connection: Connection, paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const information = await stat(path).catch((error: NodeJS.ErrnoException) => error);
    if (!(information instanceof Error)) {
      if (information.isDirectory())
        throw new UserError(
          'file',
          `${path}: is a directory; give a file in it, or a pattern such as ${path}/*.csv`,
        );
      if (!information.isFile())
        throw new UserError('file', `${path}: is not a file; save the data to a file first`);
      files.push(path);
    } else if (information.code === 'ENOENT' && /[*?[]/.test(path)) {
      const pattern = literal(resolve(withoutPattern(process.cwd()), path));
      const matches = await rows(connection, `SELECT file FROM glob(${pattern}) ORDER BY file`);
      if (matches.length === 0)
        throw new UserError('file', `${path}: no file matches this pattern; check the path`);
      for (const [match] of matches)
        files.push(isAbsolute(path) ? String(match) : relative(process.cwd(), String(match)));
    } else {
      const reason =
        information.code === 'ENOENT' ? 'no such file' : `cannot be opened (${information.code})`;
      throw new UserError(
        'file',
        `${path}: ${reason}; check the path, or fetch data with "npx cofactor download ml-latest-small"`,
      );
    }
  }
  return files;
}

/**
 * Detects the format of a file from its first bytes and its name, and its columns from its first line.
 *
 * @throws UserError for a file that is empty or damaged, or not a table
 */
export async function openSource(
  connection: Connection,
  file: string,
  options: SourceOptions,
  wanted: readonly Role[] = ['user', 'item', 'rating'],
): Promise<Source> {
  const bytes = await firstBytes(file);
  const starts = (mark: string) => bytes.toString('latin1', 0, mark.length) === mark;
  const path = literal(withoutPattern(resolve(file)));
  if (starts('PAR1')) return openParquet(connection, file, path);
  if (starts('PK\x03\x04'))
    throw new UserError('data', `${file}: is a zip archive or a spreadsheet; unzip it, or save it as CSV`);
  if (starts('\xfe\xff'))
    throw new UserError('data', `${file}: is big-endian UTF-16, which is not read; save it as UTF-8`);

  const compression = starts('\x1f\x8b') ? 'gzip' : starts('\x28\xb5\x2f\xfd') ? 'zstd' : 'uncompressed';
  const encoding = options.encoding ?? (starts('\xff\xfe') ? 'utf-16' : 'utf-8');
  if (compression === 'gzip') await checkGzip(file);
  if (compression === 'uncompressed' && encoding !== 'utf-16' && looksBinary(bytes))
    throw new UserError('data', `${file}: is not a text file; give CSV, TSV, JSON lines or Parquet`);

  const reading = `compression = '${compression}', encoding = ${literal(encoding)}, hive_partitioning = false`;
  const linesBy = (more: string) =>
    `read_csv(${path}, auto_detect = false, header = false, columns = {'line': 'VARCHAR'}, ` +
    `delim = '${noDelimiter}', quote = '', escape = '', ${more})`;
  const lines = linesBy(reading);
  // Not strict, so that line breaks in quotes may differ from those between lines. If some lines still cannot be read,
  // reading the table gives a better error later.
  const firstLines = (more: string) =>
    rows(connection, `SELECT line FROM ${linesBy(`strict_mode = false, ${more}${reading}`)} LIMIT 1000`);
  const start = await firstLines('').catch(async (error: Error) => {
    const readable = await firstLines('ignore_errors = true, ').catch(() => []);
    if (readable.length === 0) throw explain(error.message, file);
    return readable;
  });
  const blank = start.findIndex(([line]) => line !== null);
  if (blank === -1) throw new UserError('data', `${file}: is empty; give a file with one rating a line`);
  const line = String(start[blank][0]);
  if (/\.(json|jsonl|ndjson)(\.gz|\.zst)?$/i.test(file))
    return openJson(connection, { file, lines }, { path, line, compression });
  // Skips blank lines: DuckDB would take the second of two for the header.
  return openText(
    { file, lines },
    { path, line, blank, reading: `skip = ${blank}, ${reading}` },
    wanted,
    options,
  );
}

async function openParquet(connection: Connection, file: string, path: string): Promise<Source> {
  const table = `read_parquet(${path}, hive_partitioning = false)`;
  const names = await rows(connection, `SELECT column_name FROM (DESCRIBE FROM ${table})`).catch(
    (error: Error) => {
      throw explain(error.message, file);
    },
  );
  return { ...plain, file, kind: 'parquet', table, lines: '', ...named(names) };
}

async function openJson(
  connection: Connection,
  source: Pick<Source, 'file' | 'lines'>,
  { path, line, compression }: { path: string; line: string; compression: string },
): Promise<Source> {
  const array = line.trimStart().startsWith('[');
  const table = (columns: string) =>
    `read_json(${path}, format = '${array ? 'array' : 'newline_delimited'}', ${columns}, ` +
    `hive_partitioning = false, compression = '${compression}')`;
  const opened: Source = { ...plain, ...source, kind: array ? 'json array' : 'json', table: '' };
  const names = await rows(
    connection,
    `SELECT column_name FROM (DESCRIBE FROM ${table('maximum_depth = 1')})`,
  ).catch(async (error: Error) => {
    throw await diagnose(error, connection, opened);
  });
  // As text, so that ids such as "01" or a date stay as they are.
  const columns = names.map(([name]) => `${literal(String(name))}: 'VARCHAR'`).join(', ');
  return { ...opened, table: table(`columns = {${columns}}`), ...named(names) };
}

function openText(
  source: Pick<Source, 'file' | 'lines'>,
  { path, line, blank, reading }: { path: string; line: string; blank: number; reading: string },
  wanted: readonly Role[],
  options: SourceOptions,
): Source {
  const delimiter = (options.delimiter || likelyDelimiter(line)).replaceAll('\\t', '\t');
  const quote = delimiter !== '::';
  const { fields, open } = splitLine(line, delimiter, quote);
  if (open) throw new UserError('data', `${source.file}, line ${blank + 1}: ${faults.firstLine}`);
  const header = options.header ?? looksLikeHeader(fields, wanted, options);
  const expressions = fields.map((_, index) => `c${index}`);
  const columns = expressions.map((name) => `${name}: 'VARCHAR'`).join(', ');
  const mark = quote ? `'"'` : `''`;
  const table =
    `read_csv(${path}, auto_detect = false, header = ${header}, columns = {${columns}}, ` +
    `delim = ${literal(delimiter)}, quote = ${mark}, escape = ${mark}, ${reading})`;
  const names = header ? fields : positionalNames(fields, wanted);
  return {
    ...source,
    kind: 'text',
    table,
    names,
    expressions,
    header,
    positional: !header,
    guessed: header && options.header === undefined,
    delimiter,
    quote,
  };
}

/** A delimiter that occurs in no text, so that a line is one field. */
const noDelimiter = '\x01\x02\x03';

const plain = {
  ...{ names: [], expressions: [], header: false, positional: false, guessed: false },
  ...{ delimiter: '\n', quote: false },
};

function named(described: (string | number | null)[][]): Pick<Source, 'names' | 'expressions'> {
  const names = described.map(([name]) => String(name));
  return { names, expressions: names.map((name) => `${identifier(name)}::VARCHAR`) };
}

/** Escapes a path, so that DuckDB does not take it for a pattern. */
function withoutPattern(path: string): string {
  return path.replace(/[*?[]/g, '[$&]');
}

async function firstBytes(file: string): Promise<Buffer> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    throw new UserError('file', `${file}: cannot be opened (${error.code}); check its permissions`);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Whether the first line has a control character other than white space, or more than 5 % of the first 4 KB are such. */
function looksBinary(bytes: Buffer): boolean {
  const controls = (part: Buffer) => part.filter((byte) => byte < 32 && !(byte >= 9 && byte <= 13)).length;
  const lineEnd = bytes.indexOf('\n');
  return (
    controls(lineEnd === -1 ? bytes : bytes.subarray(0, lineEnd)) > 0 ||
    (bytes.length > 500 && controls(bytes) * 20 > bytes.length)
  );
}

/** Checks a gzip file: DuckDB reads a truncated one without an error. */
async function checkGzip(file: string): Promise<void> {
  const discard = async (chunks: AsyncIterable<Buffer>) => {
    for await (const _ of chunks);
  };
  await pipeline(createReadStream(file), createGunzip(), discard).catch((error: Error) => {
    throw new UserError(
      'data',
      `${file}: the gzip file is damaged or cut off (${error.message}); fetch or compress it again`,
    );
  });
}

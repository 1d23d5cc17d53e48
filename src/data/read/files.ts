import { createWriteStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../../errors.ts';
import { codeOf } from '../../util/files.ts';
import { ScratchFolder } from '../../util/scratch-folder.ts';
import { type Connect, literal, rows, withoutPattern } from './duckdb.ts';

/** A path for standard input. */
export const STANDARD_INPUT = '-';
export const INPUT_NAME = 'standard input';

/** A file: where it is, and what messages call it. */
export interface Found {
  readonly path: string;
  readonly file: string;
}

/**
 * The files of paths and glob patterns: the file with exactly this name, else the matches, sorted by name; of a folder its
 * parts.
 *
 * @throws UserError for a missing file, a pattern without a match, or a folder without parts of one kind
 */
export async function findFiles(connect: Connect, paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const information = await stat(path).catch((error: NodeJS.ErrnoException) => error);
    if (!(information instanceof Error)) {
      if (information.isDirectory()) files.push(...(await partsIn(path)));
      else if (information.isFile()) files.push(path);
      else throw new UserError('file', `${path}: is not a file; save the data to a file first`);
    } else if (information.code === 'ENOENT' && /[*?[]/.test(path)) {
      const pattern = literal(resolve(withoutPattern(process.cwd()), path));
      const matches = await rows(await connect(), `SELECT file FROM glob(${pattern}) ORDER BY file`).catch(
        (error: Error) => {
          throw /unicode/i.test(error.message)
            ? new UserError('file', `${path}: matches a name that is not in UTF-8; rename that file`)
            : error;
        },
      );
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
  // Partitions, and the data of Iceberg, are in folders below that of the log.
  const folders = new Set(
    files.flatMap((file) => [file, dirname(file), dirname(dirname(file))].map(dirname)),
  );
  for (const folder of folders) await checkNoLog(folder);
  return files;
}

/** Names of files that may be parts of one table, by their kind. */
const PARTS = /\.(parquet|pq|parq|csv|tsv|jsonl|ndjson|json)(\.gz|\.zst)?$/i;

/**
 * The parts of a table in a folder and the folders in it, such as those that Spark writes. Names with `_` or `.` at the start
 * are not data.
 */
async function partsIn(folder: string): Promise<string[]> {
  const files = await namesIn(folder);
  const kinds = new Map(files.map((file) => [PARTS.exec(file)?.[1].toLowerCase(), file]));
  if (files.length === 0)
    throw new UserError(
      'file',
      `${folder}: is a directory; give a file in it, or a pattern such as ${folder}/*.csv`,
    );
  if (kinds.size > 1)
    throw new UserError(
      'file',
      `${folder}: has files of several kinds (${[...kinds.values()].map((file) => basename(file)).join(', ')}); give a file in it, or a pattern such as ${folder}/*.${[...kinds.keys()][0]}`,
    );
  return files;
}

async function namesIn(folder: string, above: readonly string[] = []): Promise<string[]> {
  if (above.includes(await realpath(folder)))
    throw new UserError('file', `${folder}: is a link to a folder that it is in; remove it`);
  await checkNoLog(folder);
  const files: string[] = [];
  for (const name of (await readdir(folder)).toSorted()) {
    if (/^[_.]/.test(name)) continue;
    const path = join(folder, name);
    const isFolder = await stat(path).then(
      (found) => found.isDirectory(),
      (error: NodeJS.ErrnoException) => {
        throw new UserError(
          'file',
          name.includes('\ufffd')
            ? `${path}: has a name that is not in UTF-8; rename it`
            : `${path}: cannot be opened (${error.code}); check the link, or remove it`,
        );
      },
    );
    if (isFolder) files.push(...(await namesIn(path, [...above, await realpath(folder)])));
    else if (PARTS.test(name)) files.push(path);
  }
  return files;
}

/** @throws UserError for the folder of a table whose log says which files count */
async function checkNoLog(folder: string): Promise<void> {
  const kinds = [
    ['_delta_log', 'a Delta table'],
    ['.hoodie', 'a Hudi table'],
    ['metadata', 'an Iceberg table'],
  ] as const;
  for (const [name, what] of kinds) {
    const inside = await readdir(join(folder, name)).catch(() => []);
    if (name === 'metadata' ? inside.some((one) => one.endsWith('.metadata.json')) : inside.length > 0)
      throw new UserError(
        'data',
        `${folder}: is ${what}, whose log says which of its files count; export its current rows to a Parquet or CSV file`,
      );
  }
}

function scratchFolder(): ScratchFolder {
  try {
    return new ScratchFolder(tmpdir());
  } catch (error) {
    return noCopy(error);
  }
}

function noCopy(error: unknown): never {
  throw new UserError(
    'file',
    `${tmpdir()}: standard input cannot be copied there (${codeOf(error)}); make room, or set TMPDIR to another folder`,
  );
}

/**
 * Runs `work` with the files of paths and patterns. `-` is standard input, of which a temporary copy is read.
 *
 * @throws UserError as `findFiles` does
 */
export async function withFiles<T>(
  connect: Connect,
  paths: readonly string[],
  work: (files: readonly Found[]) => Promise<T>,
): Promise<T> {
  const found = async (path: string): Promise<Found[]> =>
    (await findFiles(connect, [path])).map((file) => ({ path: file, file }));
  if (!paths.includes(STANDARD_INPUT)) return work((await Promise.all(paths.map(found))).flat());
  const folder = scratchFolder();
  try {
    const copy = { path: join(folder.path, 'input'), file: INPUT_NAME };
    await pipeline(process.stdin, createWriteStream(copy.path)).catch(noCopy);
    const files = await Promise.all(paths.map((path) => (path === STANDARD_INPUT ? [copy] : found(path))));
    return await work(files.flat());
  } finally {
    folder.remove();
  }
}

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, constants, mkdir, rename, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yauzl, { type Entry } from 'yauzl';
import { UserError } from '../errors.ts';
import { codeOf, placeOf, withIncoming } from '../util/files.ts';
import * as expected from '../util/options.ts';
import { checkArgument, checkOptions, type OptionTable } from '../util/options.ts';
import { checkNotHidden } from '../util/own-folder.ts';

/**
 * The data sets, with the MD5 sums of their archives that GroupLens publishes. The archive of ml-latest-small may change,
 * so its sum is downloaded with it.
 */
export const dataSets = {
  'ml-latest-small': undefined,
  'ml-100k': '0e33842e24a9c977be4e0107933c0723',
  'ml-1m': 'c4d9eecfca2ab87c1945afe126590906',
  'ml-25m': '6b51fb2759a8657d3bfcbfc42b592ada',
  'ml-32m': 'd472be332d4daa821edc399621853b57',
} as const;

export type DataSet = keyof typeof dataSets;

export interface DownloadOptions {
  /** Called as bytes arrive; `total` is undefined if the server does not say. */
  onProgress?: ((received: number, total: number | undefined) => void) | undefined;
  /** Stops the download, and leaves no file. */
  signal?: AbortSignal | undefined;
  /** @default the global `fetch` */
  fetch?: typeof globalThis.fetch | undefined;
  /** URL of the folder with the archives. @default the one of GroupLens */
  baseUrl?: string | undefined;
  /** Expected MD5 sums; one that is undefined is downloaded. @default those of GroupLens */
  sums?: Partial<Record<DataSet, string>> | undefined;
}

const DOWNLOAD_OPTIONS: OptionTable<DownloadOptions> = {
  onProgress: expected.callback,
  signal: expected.abortSignal,
  fetch: expected.callback,
  baseUrl: expected.text,
  sums: expected.checkedLater,
};

export interface Download {
  /** The folder of the data set. */
  path: string;
  /** Whether the folder existed, so that nothing was downloaded. */
  existed: boolean;
  /** The terms of use, in one sentence. */
  notice: string;
}

/** Limit in bytes; the largest set is smaller. */
const largestUnpacked = 4e9;

/**
 * Downloads a MovieLens data set from GroupLens, checks its MD5 sum, and unpacks it to `directory/name`. The folder only
 * appears when it is complete.
 *
 * @throws UserError without a network, for a wrong sum, a broken archive, or a folder that cannot be written
 */
export async function download(
  name: DataSet,
  directory: string,
  options: DownloadOptions = {},
): Promise<Download> {
  if (!Object.hasOwn(dataSets, name))
    throw new UserError(
      'argument',
      `no data set is called "${name}"; there are ${Object.keys(dataSets).join(', ')}`,
    );
  checkArgument('the folder is', directory, expected.path);
  checkOptions(options, DOWNLOAD_OPTIONS);
  const path = join(directory, name);
  const notice =
    'MovieLens data is by GroupLens, University of Minnesota: free for research that acknowledges it, ' +
    `no commercial use without permission; see the README in ${path}`;
  if (await stat(path).catch(() => undefined)) {
    // Removes what a call left that was killed after its last step.
    await withIncoming(path, path, async () => undefined).catch(() => undefined);
    return { path, existed: true, notice };
  }

  const made = await makeFolder(directory);
  checkNotHidden(directory, await placeOf(directory));
  await withIncoming(path, path, async (temporary) => {
    await mkdir(temporary);
    const archive = join(temporary, 'archive.zip');
    await fetchArchive(name, directory, archive, options);
    const unpacked = join(temporary, 'unpacked');
    await unzip(archive, unpacked).catch((error: NodeJS.ErrnoException) => {
      throw new UserError(
        'network',
        `${name}.zip: cannot be unpacked (${error.errno === undefined ? error.message : codeOf(error)}); try again`,
      );
    });
    await rename(join(unpacked, name), path).catch((error: NodeJS.ErrnoException) => {
      throw new UserError('file', `${path}: cannot be moved into place (${codeOf(error)}); try again`);
    });
  }).catch(async (error) => {
    // Only removes a folder that is empty.
    if (made !== undefined) await rmdir(directory).catch(() => undefined);
    throw isOfFiles(error) ? unwritable(directory, error) : error;
  });
  return { path, existed: false, notice };
}

/** @returns the first folder that it made; undefined if all were there */
async function makeFolder(directory: string): Promise<string | undefined> {
  try {
    const made = await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK);
    return made;
  } catch (error) {
    throw unwritable(directory, error);
  }
}

const unwritable = (directory: string, error: unknown): UserError =>
  new UserError(
    'file',
    `${directory}: cannot be written (${codeOf(error)}); make room, or name another folder`,
  );

/** Whether the system could not do something with a file, rather than with the network. */
const isOfFiles = (error: unknown): boolean =>
  ['open', 'write', 'mkdir', 'fsync'].includes(String((error as NodeJS.ErrnoException).syscall));

async function fetchArchive(
  name: DataSet,
  directory: string,
  archive: string,
  options: DownloadOptions,
): Promise<void> {
  const {
    onProgress,
    signal,
    fetch = globalThis.fetch,
    baseUrl = 'https://files.grouplens.org/datasets/movielens',
  } = options;
  const url = `${baseUrl}/${name}.zip`;
  const hash = createHash('md5');
  let expected: string | undefined = { ...dataSets, ...options.sums }[name];
  try {
    if (expected === undefined) {
      const text = await (await answer(await fetch(`${url}.md5`, { signal }))).text();
      expected = /\b[0-9a-f]{32}\b/i.exec(text)?.[0].toLowerCase();
      if (expected === undefined)
        throw new UserError('network', `${url}.md5: has no MD5 sum; try again later`);
    }
    const response = await answer(await fetch(url, { signal }));
    const total = Number(response.headers.get('content-length')) || undefined;
    let received = 0;
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        received += chunk.length;
        onProgress?.(received, total);
        done(null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(response.body as never), meter, createWriteStream(archive), { signal });
  } catch (error) {
    if (error instanceof UserError || signal?.aborted || isOfFiles(error)) throw error;
    throw networkError(error as Error, url, directory);
  }
  const sum = hash.digest('hex');
  if (sum !== expected)
    throw new UserError(
      'network',
      `${url}: arrived damaged, or has changed (MD5 ${sum}, not ${expected}); try again`,
    );
}

async function answer(response: Response): Promise<Response> {
  if (response.ok) return response;
  await response.body?.cancel();
  throw new UserError('network', `${response.url}: the server answered ${response.status}; try again later`);
}

function networkError(error: Error, url: string, directory: string): UserError {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  const code = (error as NodeJS.ErrnoException).code ?? cause?.code ?? cause?.message ?? error.message;
  return new UserError(
    'network',
    `no network: could not reach ${new URL(url).host} (${code}); download it by hand from ${url} ` +
      `and unzip it to ${directory}`,
  );
}

/** The part of yauzl 3 that is used here. Its published types are those of yauzl 2. */
interface Zip {
  eachEntry(): AsyncIterable<Entry>;
  openReadStreamPromise(entry: Entry): Promise<Readable>;
  close(): void;
}

/** Unpacks an archive into `folder`. yauzl refuses names outside it, and entries that are longer than they declare. */
async function unzip(archive: string, folder: string): Promise<void> {
  const { openPromise } = yauzl as unknown as { openPromise(path: string): Promise<Zip> };
  const zip = await openPromise(archive);
  try {
    let size = 0;
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      size += entry.uncompressedSize;
      if (size > largestUnpacked) throw new Error('it unpacks to more than 4 GB');
      const target = join(folder, entry.fileName);
      await mkdir(dirname(target), { recursive: true });
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, { flags: 'wx' }));
    }
  } finally {
    zip.close();
  }
}

import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UserError } from '../../errors.ts';
import type { Collector } from './collector.ts';
import type { WantedColumns } from './columns.ts';
import { Decoder, linesIn } from './decode.ts';
import type { Connect } from './duckdb.ts';
import { faults } from './faults.ts';
import type { Found } from './files.ts';
import { compressionOf, damaged, isParquet, textEncoding } from './format.ts';
import { readParquet, understandParquet } from './parquet.ts';
import type { Part, SourceOptions } from './part.ts';
import { PartReader } from './part-reader.ts';
import { readBytes, stepsOf } from './read-bytes.ts';
import { isJson, understandJson } from './read-json.ts';
import { SAMPLE, type Sample, understandText } from './understand-text.ts';
import { unzstd } from './zstd.ts';

/** Bytes that are read at once. */
const STEP = 2 ** 20;

/** A file that is opened: what it is understood as, and a way to read it. */
export interface Opened {
  readonly part: Part;
  read(collector: Collector): Promise<void>;
}

/**
 * Finds out what a file is, by its first bytes.
 *
 * @throws UserError for a file that is empty or damaged, or not a table
 */
export async function openFile(
  connect: Connect,
  found: Found,
  roles: WantedColumns,
  options: SourceOptions,
): Promise<Opened> {
  const { path } = found;
  const start = await firstBytes(found);
  if (isParquet(start)) {
    const connection = await connect();
    const part = await understandParquet(connection, found, roles, options);
    return { part, read: (collector) => readParquet(connection, part, collector) };
  }
  const { sample, compression, encoding } = await sampleOf(found, start, options);
  const understand = isJson(sample) ? understandJson : understandText;
  const part = { ...understand(sample, roles, options), path, compression, encoding };
  return { part, read: (collector) => readFile(part, collector) };
}

/** The start of a text file as UTF-8. */
export async function sampleOf(
  found: Found,
  start: Uint8Array,
  options: Pick<SourceOptions, 'encoding'>,
): Promise<{ readonly sample: Sample } & Pick<Part, 'compression' | 'encoding'>> {
  const { file } = found;
  const compression = compressionOf(start);
  const parts: Uint8Array[] = [];
  let length = 0;
  let isWhole = true;
  for await (const bytes of bytesOf(found, compression)) {
    if (length >= SAMPLE) {
      isWhole = false;
      break;
    }
    parts.push(bytes.slice());
    length += bytes.length;
  }
  const bytes = plain(Buffer.concat(parts));
  const encoding = textEncoding(bytes, file, options.encoding, 'CSV, TSV, JSON lines or Parquet');
  const decoder = new Decoder({ file, encoding, isUtf8 });
  const text = decoder.push(bytes, isWhole, (before) => 1 + linesIn(before));
  if (text.length === 0) throw new UserError('data', `${file}: ${faults.empty}`);
  return { sample: { file, bytes: text, isWhole }, compression, encoding };
}

/** Most bytes of a file that is read at once. */
const MOST_AT_ONCE = 2 ** 30;

/**
 * All bytes of a file, decompressed.
 *
 * @param check gets the first bytes, before the others are read
 * @throws UserError for a file of more than 1 GiB
 */
export async function allBytes(found: Found, check: (start: Uint8Array) => void): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of bytesOf(found, compressionOf(await firstBytes(found)))) {
    parts.push(bytes.slice());
    if (length < SAMPLE && length + bytes.length >= SAMPLE) check(plain(Buffer.concat(parts)));
    length += bytes.length;
    if (length > MOST_AT_ONCE)
      throw new UserError(
        'data',
        `${found.file}: has more than 1 GiB; give a table with a column of ids and one of titles alone`,
      );
  }
  return plain(Buffer.concat(parts));
}

/** Reads a text file into a collector. */
async function readFile(part: Part, collector: Collector): Promise<void> {
  const { file, path = file, compression } = part;
  const found = { file, path };
  collector.begin(part);
  if (compression === undefined) await withHandle(found, (handle) => readBytes(part, collector, handle));
  else {
    const reader = new PartReader(part, collector);
    for await (const bytes of bytesOf(found, compression)) reader.push(bytes);
    reader.end();
  }
  collector.end();
}

/** The same bytes, whose `slice` is a copy, unlike that of a Buffer. */
const plain = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The bytes of a file, decompressed. @throws UserError for a file that is damaged or cut off */
async function* bytesOf(found: Found, compression: Part['compression']): AsyncGenerator<Uint8Array> {
  if (compression === undefined) {
    const handle = await opened(found);
    try {
      yield* stepsOf(handle, { from: 0, to: Number.POSITIVE_INFINITY });
    } finally {
      await handle.close();
    }
    return;
  }
  const chunks = createReadStream(found.path, { highWaterMark: STEP });
  try {
    for await (const bytes of compression === 'zstd' ? unzstd(chunks) : gunzip(chunks)) yield plain(bytes);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw damaged(found.file, compression, error as Error);
  } finally {
    chunks.destroy();
  }
}

function gunzip(chunks: Readable): Readable {
  const unzip = createGunzip({ chunkSize: 2 ** 18 });
  chunks.on('error', (error) => unzip.destroy(error));
  return chunks.pipe(unzip);
}

const opened = ({ path, file }: Found) =>
  open(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError('file', `${file}: cannot be opened (${error.code}); check its permissions`);
  });

async function withHandle<T>(found: Found, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await opened(found);
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}

export const firstBytes = (found: Found): Promise<Uint8Array> =>
  withHandle(found, async (handle) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    return buffer.subarray(0, bytesRead);
  });

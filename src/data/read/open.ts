import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { UserError } from '../../errors.ts';
import type { Collector } from './collector.ts';
import type { WantedColumns } from './columns.ts';
import { Decoder, encodingOf, linesIn } from './decode.ts';
import type { Connect } from './duckdb.ts';
import { faults } from './faults.ts';
import type { Found } from './files.ts';
import { readParquet, understandParquet } from './parquet.ts';
import type { Part, SourceOptions } from './part.ts';
import { isJson, JsonReader, understandJson } from './read-json.ts';
import { TextReader } from './read-text.ts';
import { nameOfFormat } from './signature.ts';
import { type Sample, understandText } from './understand-text.ts';
import { unzstd } from './zstd.ts';

/** Bytes that are read at once. */
const STEP = 2 ** 20;
/** So many bytes tell what a file is: more than a record may have. */
const SAMPLE = 3 * 2 ** 20;

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
  return { part, read: (collector) => readBytes(part, collector) };
}

export const isParquet = (start: Buffer): boolean => start.toString('latin1', 0, 4) === 'PAR1';

const compressionOf = (start: Buffer): Part['compression'] => {
  const mark = start.toString('latin1', 0, 4);
  // zstd, or a frame of it that a reader skips.
  if (mark === '\x28\xb5\x2f\xfd' || (start[0] >> 4 === 5 && mark.endsWith('\x2a\x4d\x18'))) return 'zstd';
  return mark.startsWith('\x1f\x8b') ? 'gzip' : undefined;
};

/** The start of a text file as UTF-8. */
export async function sampleOf(
  found: Found,
  start: Buffer,
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
  checkFormat(bytes, file);
  const encoding = encodingOf(bytes, options.encoding);
  if (!/^utf-?16/i.test(encoding) && looksBinary(bytes.subarray(0, 4096)))
    throw new UserError('data', `${file}: is not a text file; give CSV, TSV, JSON lines or Parquet`);
  const decoder = new Decoder({ file, encoding, isUtf8 });
  const text = decoder.push(bytes, isWhole, (before) => 1 + linesIn(before));
  if (text.length === 0) throw new UserError('data', `${file}: ${faults.empty}`);
  return { sample: { file, bytes: text, isWhole }, compression, encoding };
}

/** All bytes of a file, decompressed. */
export async function allBytes(found: Found): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const bytes of bytesOf(found, compressionOf(await firstBytes(found)))) parts.push(bytes.slice());
  const bytes = plain(Buffer.concat(parts));
  checkFormat(bytes, found.file);
  return bytes;
}

/** @throws UserError for bytes that are no text */
function checkFormat(bytes: Uint8Array, file: string): void {
  const what = nameOfFormat(bytes.subarray(0, 4096), file);
  if (what !== undefined) throw new UserError('data', `${file}: is ${what}`);
}

/** Reads a text file into a collector. */
async function readBytes(part: Part, collector: Collector): Promise<void> {
  const { file, path = file, format, compression, encoding = 'utf-8' } = part;
  const reader = format === 'JSON' ? new JsonReader(part, collector) : new TextReader(part, collector);
  const decoder = new Decoder({ file, encoding, isUtf8 });
  const push = (bytes: Uint8Array, isLast: boolean): void =>
    reader.push(
      decoder.push(bytes, isLast, (before) => reader.lineAfter(before)),
      isLast,
    );
  collector.begin(part);
  for await (const bytes of bytesOf({ file, path }, compression)) push(bytes, false);
  push(new Uint8Array(0), true);
  collector.end();
}

/** The same bytes, whose `slice` is a copy, unlike that of a Buffer. */
const plain = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The bytes of a file, decompressed. @throws UserError for a file that is damaged or cut off */
async function* bytesOf(found: Found, compression: Part['compression']): AsyncGenerator<Uint8Array> {
  if (compression === undefined) {
    yield* plainBytes(found);
    return;
  }
  try {
    const chunks = createReadStream(found.path, { highWaterMark: STEP });
    const unzip = createGunzip({ chunkSize: 2 ** 18 });
    chunks.on('error', (error) => unzip.destroy(error));
    for await (const bytes of compression === 'zstd' ? unzstd(chunks) : chunks.pipe(unzip))
      yield plain(bytes);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      'data',
      `${found.file}: the ${compression} file is damaged or cut off (${(error as Error).message}); fetch or compress it again`,
    );
  }
}

/** The bytes of a file. A part is valid until the one after the next. */
async function* plainBytes(found: Found): AsyncGenerator<Uint8Array> {
  const handle = await opened(found);
  const buffers = [new Uint8Array(STEP), new Uint8Array(STEP)];
  let coming = handle.read(buffers[0], 0, STEP, 0);
  let position = 0;
  try {
    for (let turn = 1; ; turn = 1 - turn) {
      const { bytesRead, buffer } = await coming;
      if (bytesRead === 0) return;
      position += bytesRead;
      coming = handle.read(buffers[turn], 0, STEP, position);
      // An error is thrown when the part is asked for.
      coming.catch(() => undefined);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await coming.catch(() => undefined);
    await handle.close();
  }
}

const opened = ({ path, file }: Found) =>
  open(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError('file', `${file}: cannot be opened (${error.code}); check its permissions`);
  });

export async function firstBytes(found: Found): Promise<Buffer> {
  const handle = await opened(found);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Whether the first line has a control character other than white space, or more than 5 % of the first 4 KB are such. */
function looksBinary(bytes: Uint8Array): boolean {
  const controls = (part: Uint8Array) =>
    part.filter((byte) => byte < 32 && !(byte >= 9 && byte <= 13)).length;
  const lineEnd = bytes.indexOf(10);
  return (
    controls(lineEnd === -1 ? bytes : bytes.subarray(0, lineEnd)) > 0 ||
    (bytes.length > 500 && controls(bytes) * 20 > bytes.length)
  );
}

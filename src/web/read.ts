import { compressionOf, damaged, isParquet } from '../data/read/format.ts';
import { UserError } from '../errors.ts';

/** Largest file that a page reads. */
const MOST_BYTES = 256 * 2 ** 20;

type Compression = ReturnType<typeof compressionOf>;

/**
 * Reads a file that may be compressed.
 *
 * @throws UserError for a file that is too large, damaged, or Parquet
 */
export async function readBytes(
  file: Blob,
  name: string,
): Promise<{ readonly bytes: Uint8Array; readonly compression: Compression }> {
  const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (isParquet(start))
    throw new UserError('data', `${name}: Parquet is not read in a page; give CSV or JSON, also compressed`);
  if (file.size > MOST_BYTES) throw tooLarge(name);
  const compression = compressionOf(start);
  const bytes = compression ? await unpacked(file, name, compression) : await file.arrayBuffer();
  return { bytes: new Uint8Array(bytes), compression };
}

const tooLarge = (name: string): UserError =>
  new UserError(
    'data',
    `${name}: is larger than the 256 MiB that a page reads; train it with cofactor on the command line`,
  );

async function unpacked(
  file: Blob,
  name: string,
  compression: NonNullable<Compression>,
): Promise<ArrayBuffer> {
  const parts: BlobPart[] = [];
  let length = 0;
  try {
    for await (const part of await unpack[compression](file.stream())) {
      length += part.length;
      if (length > MOST_BYTES) break;
      parts.push(part.slice());
    }
  } catch (error) {
    throw damaged(name, compression, error as Error);
  }
  if (length > MOST_BYTES) throw tooLarge(name);
  return new Blob(parts).arrayBuffer();
}

type Stream = ReadableStream<Uint8Array<ArrayBuffer>>;

const unpack = {
  gzip: (stream: Stream) => chunksOf(stream.pipeThrough(new DecompressionStream('gzip'))),
  /** Few files need it, so that it is fetched only where one does. */
  zstd: async (stream: Stream) => (await import('../data/read/zstd.ts')).unzstd(chunksOf(stream)),
};

/** Not every browser can iterate over a stream. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

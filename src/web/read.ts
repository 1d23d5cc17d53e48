import { UserError } from '../errors.ts';

/** Largest file that a page reads. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * Reads a text file, plain or gzipped.
 *
 * @throws UserError for a file that is too large, damaged, or not text
 */
export async function readText(file: Blob, name: string): Promise<string> {
  const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  const starts = (...bytes: number[]) => bytes.every((byte, index) => start[index] === byte);
  if (starts(0x50, 0x4b, 3, 4))
    throw new UserError('data', `${name}: is a zip archive or a spreadsheet; unzip it, or save it as CSV`);
  if (starts(0x50, 0x41, 0x52, 0x31) || starts(0x28, 0xb5, 0x2f, 0xfd))
    throw new UserError(
      'data',
      `${name}: Parquet and zstd are not read in a page; give CSV, plain or as .gz`,
    );
  if (file.size > MOST_BYTES) throw new UserError('data', tooLarge(name));
  const plain = starts(0x1f, 0x8b) ? await unzipped(file, name) : await file.arrayBuffer();
  const utf16 = starts(0xff, 0xfe);
  try {
    const text = new TextDecoder(utf16 ? 'utf-16le' : 'utf-8', { fatal: true }).decode(plain);
    if (!text.slice(0, 4096).includes('\0')) return text;
  } catch {
    throw new UserError('data', `${name}: is not UTF-8 text; save it as UTF-8`);
  }
  throw new UserError('data', `${name}: is not a text file; give CSV or TSV`);
}

const tooLarge = (name: string): string =>
  `${name}: is larger than the 256 MiB that a page reads; train it with cofactor on the command line`;

async function unzipped(file: Blob, name: string): Promise<ArrayBuffer> {
  const parts: BlobPart[] = [];
  let length = 0;
  try {
    const stream = file.stream().pipeThrough(new DecompressionStream('gzip'));
    for (const reader = stream.getReader(); length <= MOST_BYTES; ) {
      const { done, value } = await reader.read();
      if (done) return await new Blob(parts).arrayBuffer();
      parts.push(value);
      length += value.length;
    }
  } catch {
    throw new UserError('data', `${name}: the gzip file is damaged or cut off; fetch or compress it again`);
  }
  throw new UserError('data', tooLarge(name));
}

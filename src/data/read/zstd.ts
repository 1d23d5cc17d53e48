import type { Decompress } from 'fzstd';
import type { XXHash } from 'xxhash-wasm';

/** What fzstd looks back without mistakes. Of distances of 96 MB and more it loses the highest bit. */
const MOST_DISTANCE = 64 * 2 ** 20;
/** Largest window that is allocated. */
const MOST_WINDOW = 128 * 2 ** 20;
const MOST_BLOCK = 128 * 2 ** 10;

const FRAME = 0xfd2fb528;
const SKIPPABLE_FRAME = 0x184d2a50;
const RLE_BLOCK = 1;
const COMPRESSED_BLOCK = 2;
const RESERVED_BLOCK = 3;
const COMPRESSED_LITERALS = 2;

/**
 * Decompresses zstd, part by part. Checks what fzstd does not: that the file is whole, and each frame's length and
 * checksum, where it states them. The names of its parts are those of RFC 8878, section 3.1.
 *
 * @throws Error for data that is cut off or damaged, or needs a dictionary or a larger window
 */
export async function* unzstd(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const [fzstd, { default: xxhash }] = await Promise.all([import('fzstd'), import('xxhash-wasm')]);
  const { create64 } = await xxhash();
  const source = new Source(chunks);
  try {
    do {
      const magic = littleEndian(await source.take(4));
      if (magic === FRAME) yield* contentOf(source, new fzstd.Decompress(), create64());
      else if (magic - (magic & 15) === SKIPPABLE_FRAME)
        await source.skip(littleEndian(await source.take(4)));
      else throw new Error('no zstd frame where one should start');
    } while (!(await source.isAtEnd()));
  } finally {
    await source.close();
  }
}

async function* contentOf(source: Source, decompress: Decompress, hash: XXHash<bigint>) {
  const { header, window, length, hasChecksum } = await frameHeader(source);
  const mostBlock = Math.min(window, MOST_BLOCK);
  let parts: Uint8Array[] = [];
  decompress.ondata = (part) => parts.push(part);
  decompress.push(header);
  let done = 0;
  for (let isLast = false; !isLast; ) {
    const blockHeader = await source.take(3);
    const bits = littleEndian(blockHeader);
    isLast = (bits & 1) === 1;
    const type = (bits >> 1) & 3;
    const size = bits >> 3;
    if (type === RESERVED_BLOCK || size > mostBlock) throw new Error('invalid zstd data');
    const content = await source.take(type === RLE_BLOCK ? 1 : size);
    if (type === COMPRESSED_BLOCK && hasEndlessWeights(content)) throw new Error('invalid zstd data');
    parts = [];
    try {
      decompress.push(joined(blockHeader, content), isLast);
    } catch (cause) {
      // On damaged data fzstd throws whatever its arrays throw.
      throw new Error('invalid zstd data', { cause });
    }
    for (const part of parts) {
      done += part.length;
      if (Math.min(done, window) > MOST_DISTANCE) throw tooFar();
      hash.update(part);
      if (part.length > 0) yield part;
    }
  }
  if (length !== undefined && length !== done) throw new Error('wrong length');
  if (hasChecksum && littleEndian(await source.take(4)) !== Number(hash.digest() & 0xffffffffn))
    throw new Error('wrong checksum');
}

/** Reads what follows the magic number, and writes a header for fzstd that announces no checksum. */
async function frameHeader(source: Source) {
  const [descriptor] = await source.take(1);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const windowSize = isSingleSegment ? 0 : 1;
  const dictionarySize = [0, 1, 2, 4][descriptor & 3];
  const lengthSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6];
  const fields = await source.take(windowSize + dictionarySize + lengthSize);
  const lengthStart = windowSize + dictionarySize;
  const length =
    lengthSize > 0 ? littleEndian(fields.subarray(lengthStart)) + (lengthSize === 2 ? 256 : 0) : undefined;
  const window = isSingleSegment
    ? (length as number)
    : 2 ** (10 + (fields[0] >> 3)) * (1 + (fields[0] & 7) / 8);
  if (littleEndian(fields.subarray(windowSize, lengthStart)) !== 0)
    throw new Error('needs a zstd dictionary, which is not read; decompress it first');
  if (window > MOST_WINDOW) throw tooFar();
  const hasChecksum = (descriptor & 4) !== 0;
  const magic = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
  return { header: joined(magic, Uint8Array.of(descriptor & ~4), fields), window, length, hasChecksum };
}

/**
 * Whether the Huffman weights of a block have an FSE table that gives all of its states to one weight. No compressor
 * writes such a table, whose states take no bits: fzstd would read weights from it for ever.
 */
function hasEndlessWeights(block: Uint8Array): boolean {
  const table = [3, 3, 4, 5][(block[0] >> 2) & 3] + 1;
  if ((block[0] & 3) !== COMPRESSED_LITERALS || block[table - 1] >= 128) return false;
  const accuracy = (block[table] & 15) + 5;
  let place = table * 8 + 4;
  const bits = (count: number) =>
    (littleEndian(block.subarray(place >> 3, (place >> 3) + 4)) >>> (place & 7)) & (2 ** count - 1);
  // Weights that do not occur are a 1 and, in twos, how many more of them follow; 3 says that another two bits do.
  while (bits(accuracy) === 1) {
    place += accuracy;
    while (bits(2) === 3) place += 2;
    place += 2;
  }
  return bits(accuracy + 1) === 2 ** (accuracy + 1) - 1;
}

const tooFar = () =>
  new Error('needs a zstd window of more than 64 MB; compress it again without --long or --ultra');

const littleEndian = (bytes: Uint8Array): number => bytes.reduceRight((value, byte) => value * 256 + byte, 0);

function joined(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}

/** Takes bytes in pieces of any length from chunks of any length. */
class Source {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return true;
      this.#rest = value;
    }
    return false;
  }

  async take(length: number): Promise<Uint8Array> {
    const taken = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      if (await this.isAtEnd()) throw new Error('unexpected end of file');
      const part = this.#rest.subarray(0, length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return taken;
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0; ) left -= (await this.take(Math.min(left, MOST_BLOCK))).length;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { literal, withDatabase } from '../../src/data/read/duckdb.ts';
import { unzstd } from '../../src/data/read/zstd.ts';
import { temporaryFolder } from '../support/files.ts';

const text = `user,item,rating\n${Array.from(
  { length: 40 },
  (_, row) => `u${row % 5},item${row % 8},${(row % 10) / 2}\n`,
).join('')}`;
/** `text` by the `zstd` program: one compressed block, its length, its checksum. */
const bytes = Buffer.from(
  'KLUv/WTxAP0DAKJGEhKwpw0NBZrNweCSbK7s3TNKgBFzShN94lkRfeJZEX3iWRF94p3Slq4TmqD1dP45c+dkRtwx3+2cymY75aqdgBAOoPBQDsFFMTYoqBHwBhYYQ/sGYC1oDhAqkQlaeAgrpTFOykqcKe8xBtNMJDAAEsJvIP6wAwTfhllAqwLAsenl',
  'base64',
);

/** A skippable frame. */
const skippable = (length: number) => {
  const frame = Buffer.alloc(8 + length, 7);
  frame.writeUInt32LE(0x184d2a53, 0);
  frame.writeUInt32LE(length, 4);
  return frame;
};

/** A frame of a window descriptor, and of a block `aaa…` for each of some lengths. */
const runs = (descriptor: number, ...lengths: number[]) =>
  Buffer.from([
    ...[0x28, 0xb5, 0x2f, 0xfd, 0, descriptor],
    ...lengths.flatMap((length, index) => {
      const header = length * 8 + 2 + Number(index === lengths.length - 1);
      return [header & 255, (header >> 8) & 255, header >> 16, 97];
    }),
  ]);

async function* inChunks(content: Buffer, size: number) {
  for (let start = 0; start < content.length; start += size) yield content.subarray(start, start + size);
}

async function plain(content: Buffer, size = 1000): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of unzstd(inChunks(content, size))) parts.push(part);
  return Buffer.concat(parts);
}

const textOf = async (content: Buffer, size?: number) => (await plain(content, size)).toString();

const failure = (content: Buffer) =>
  plain(content).then(
    () => 'no error',
    (error: Error) => error.message,
  );

/** A copy with one byte changed. */
function changed(content: Buffer, place: number, value = content[place] ^ 1): Buffer {
  const copy = Buffer.from(content);
  copy[place] = value;
  return copy;
}

test.each([1, 2, 7, 1000])('chunks of %i bytes', async (size) => {
  expect(await textOf(bytes, size)).toBe(text);
  expect(await textOf(Buffer.concat([skippable(5), bytes, skippable(0), bytes]), size)).toBe(text + text);
});

test('a frame without content, and only skippable frames', async () => {
  expect(await textOf(Buffer.from('28b52ffd240001000099e9d851', 'hex'))).toBe('');
  expect(await textOf(skippable(300_000))).toBe('');
});

describe('a file by DuckDB, which states neither length nor checksum', () => {
  const folder = temporaryFolder();
  let packed: Buffer;
  let whole: Buffer;

  beforeAll(async () => {
    const [one, other] = ['a.csv', 'a.csv.zst'].map((name) => join(folder.path, name));
    await withDatabase(async (connection) => {
      const query = `SELECT hash(range) % 999 AS "user", hash(-range) % 99 AS item, range % 9 FROM range(100000)`;
      await connection.run(`COPY (${query}) TO ${literal(one)} (FORMAT csv)`);
      await connection.run(`COPY (${query}) TO ${literal(other)} (FORMAT csv, COMPRESSION zstd)`);
    });
    [whole, packed] = await Promise.all([readFile(one), readFile(other)]);
    expect(whole.length).toBeGreaterThan(5 * 2 ** 17);
  });

  test.each([10, 65_536, 10_000_000])('in chunks of %i bytes', async (size) => {
    expect((await plain(packed, size)).equals(whole)).toBe(true);
  });

  test('part by part', async () => {
    const read: number[] = [];
    async function* counted() {
      for await (const chunk of inChunks(packed, 1000)) {
        read.push(chunk.length);
        yield chunk;
      }
    }
    for await (const part of unzstd(counted())) {
      expect(part.length).toBeLessThanOrEqual(2 ** 17);
      break;
    }
    expect(read.length).toBeLessThan(packed.length / 1000 / 2);
  });

  test('cut off', async () => {
    for (let length = 1; length < packed.length; length += 10_007)
      expect(await failure(packed.subarray(0, length))).toBe('unexpected end of file');
    expect(await failure(packed.subarray(0, -1))).toBe('unexpected end of file');
  });
});

test('cut off at any byte', async () => {
  const two = Buffer.concat([bytes, skippable(9), bytes]);
  const ends = [bytes.length, bytes.length + 17];
  for (let length = 0; length < two.length; length++)
    expect([length, await failure(two.subarray(0, length))]).toEqual([
      length,
      ends.includes(length) ? 'no error' : 'unexpected end of file',
    ]);
});

test('with any bit changed, never another text', async () => {
  const messages = new Set<string>();
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = changed(bytes, bit >> 3, bytes[bit >> 3] ^ (1 << (bit & 7)));
    // Some bits have no meaning, such as the last ones of a bit stream.
    const end = await textOf(damaged).then(
      (read) => read === text || 'another text',
      ({ message }: Error) => messages.add(message) && true,
    );
    expect([bit, end]).toEqual([bit, true]);
  }
  expect(messages).toContain('wrong checksum');
  expect(messages).toContain('invalid zstd data');
});

test('Huffman weights without end', async () => {
  expect(await failure(changed(bytes, 14, bytes[14] ^ 64))).toBe('invalid zstd data');
});

test('a wrong checksum, and a wrong length', async () => {
  expect(await failure(changed(bytes, bytes.length - 1))).toBe('wrong checksum');
  expect(await failure(changed(bytes, 5, bytes[5] + 1))).toBe('wrong length');
});

test('what follows the last frame', async () => {
  for (const rest of ['user', 'user,item,rating\n', '\0\0\0\0'])
    expect(await failure(Buffer.concat([bytes, Buffer.from(rest)]))).toBe(
      'no zstd frame where one should start',
    );
  expect(await failure(Buffer.concat([bytes, Buffer.from('u')]))).toBe('unexpected end of file');
});

test('blocks of one byte over and over, which may not be longer than the window', async () => {
  expect(await textOf(runs(0, 3, 0, 1024))).toBe('a'.repeat(1027));
  expect(await failure(runs(0, 3, 1025))).toBe('invalid zstd data');
});

describe('what is refused', () => {
  const tooFar = 'needs a zstd window of more than 64 MB; compress it again without --long or --ultra';

  test('a window of more than 128 MB', async () => {
    expect(await failure(runs(0x89, 3))).toBe(tooFar);
    expect(await failure(Buffer.from('28b52ffda001000008010000', 'hex'))).toBe(tooFar);
  });

  test('a window of more than 64 MB, as soon as it is used', async () => {
    const block = 2 ** 17;
    const most = Array<number>(512).fill(block);
    let length = 0;
    const read = async () => {
      for await (const part of unzstd(inChunks(runs(0x81, ...most, 1), 1000))) length += part.length;
    };
    await expect(read()).rejects.toThrow(tooFar);
    expect(length).toBe(64 * 2 ** 20);
  });

  test('a dictionary', async () => {
    expect(await failure(Buffer.from('28b52ffd2107030000', 'hex'))).toBe(
      'needs a zstd dictionary, which is not read; decompress it first',
    );
  });
});

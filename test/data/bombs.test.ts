import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readItems } from '../../src/data/read/items.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { temporaryFolder } from '../support/files.ts';

const folder = temporaryFolder();
const MB = 2 ** 20;

const rows = Array.from({ length: 40 }, (_, row) => `u${row % 5},i${row % 8},${1 + (row % 5)}\n`).join('');
const ratings = `user,item,rating\n${rows}`;
const json = '{"user":"a","item":"b","rating":1}\n{"user":"b","item":"c","rating":2}\n';

const gzip = (start: string, fill: string, megabytes: number): Buffer =>
  gzipSync(Buffer.concat([Buffer.from(start), Buffer.alloc(megabytes * MB, fill)]));

/** A frame of zstd with blocks of one byte each, which stand for 128 kB of it. */
function zstdBomb(fill: string, megabytes: number): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]);
  const blocks = Array.from({ length: megabytes * 8 }, (_, at) => {
    const bits = (at === megabytes * 8 - 1 ? 1 : 0) | (1 << 1) | ((128 * 1024) << 3);
    return Buffer.from([bits & 255, (bits >> 8) & 255, bits >> 16, fill.charCodeAt(0)]);
  });
  return Buffer.concat([header, ...blocks]);
}

const one: [what: string, fill: string, ratings: RegExp, items: RegExp][] = [
  ['NUL', '\0', /is not a text file; give CSV, TSV, JSON lines or Parquet$/, /is not a text file; give CSV/],
  ['0', '0', /line 1: the line is longer than 2 MB/, /line 1: the line is longer than 2 MB/],
  ['a', 'a', /line 1: the line is longer than 2 MB/, /line 1: the line is longer than 2 MB/],
  ['a comma', ',', /line 1: the line is longer than 2 MB/, /line 1: the line is longer than 2 MB/],
  ['a quote', '"', /line 1: the line is longer than 2 MB/, /line 1: the line is longer than 2 MB/],
  ['a space', ' ', /line 1: the line is longer than 2 MB/, /is empty/],
  ['a line feed', '\n', /is empty/, /is empty/],
  ['a carriage return', '\r', /is empty/, /is empty/],
];

test.each(one)('a file of nothing but %s is refused by its start', async (_, fill, ofRatings, ofItems) => {
  const path = await folder.write('one.csv.gz', gzip('', fill, 5));
  await expect(readRatings(path)).rejects.toThrow(ofRatings);
  await expect(readItems(path)).rejects.toThrow(ofItems);
  const large = await folder.write('one.csv.zst', zstdBomb(fill, 40_000));
  await expect(readRatings(large)).rejects.toThrow(ofRatings);
  await expect(readItems(large)).rejects.toThrow(ofItems);
});

const BARREN =
  /line \d+: 64 MB before it have no row that can be read; is it another file, or a part of it empty\?$/;

test.each([' ', '\n', ','])('%j without end behind good rows is refused', async (fill) => {
  // So many rows that their start is text.
  const path = await folder.write('end.csv.gz', gzip(ratings + rows.repeat(20), fill, 80));
  await expect(readRatings(path)).rejects.toThrow(BARREN);
  await expect(readRatings(path, { skipBadRows: true })).rejects.toThrow(BARREN);
});

test('white space without end between objects is refused', async () => {
  await expect(readRatings(await folder.write('end.jsonl.gz', gzip(json, '\n', 80)))).rejects.toThrow(BARREN);
});

test('blank lines are counted, and left out', async () => {
  const path = await folder.write('blank.csv', `${ratings}\n\n\r\n\r\n\n${rows}\n\nbroken\n`);
  await expect(readRatings(path)).rejects.toThrow(/line 89: 1 field where the header has 3/);
  const good = await folder.write('good.csv.gz', gzip(ratings, '\n', 30));
  expect((await readRatings(good)).ratings.ratings.length).toBeGreaterThan(0);
});

test('a table of titles with more than 1 GiB, or with very many rows, is refused', async () => {
  const start = gzipSync('item,title\n1,a\n2,b\n');
  const part = gzipSync(Buffer.alloc(64 * MB, '\n'));
  const large = await folder.write('large.csv.gz', Buffer.concat([start, ...Array(17).fill(part)]));
  await expect(readItems(large)).rejects.toThrow(
    /has more than 1 GiB; give a table with a column of ids and one of titles alone$/,
  );
  const many = gzipSync(`item,title\n${'1,a\n'.repeat(2 ** 23 + 1)}`, { level: 1 });
  await expect(readItems(await folder.write('many.csv.gz', many))).rejects.toThrow(
    /has more than 8,388,608 rows; give those of the items that are rated$/,
  );
});

import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { checkTrainable } from '../../src/data/dataset/dataset.ts';
import { withDatabase } from '../../src/data/read/duckdb.ts';
import { type ReadOptions, readPairs, readRatings } from '../../src/data/read/read.ts';
import { temporaryFolder, userError } from '../support/files.ts';

const folder = temporaryFolder();

/** The message for a file of this content, with `FILE` for its path. */
async function messageFor(content: string | Buffer, name = 'bad.csv', options: ReadOptions = {}) {
  const path = await folder.write(name, content);
  return (await userError(readRatings(path, options))).replace(path, 'FILE');
}

const good = 'user,item,rating\na,x,3\n';
const garbage = (length: number) =>
  Buffer.from(Array.from({ length }, (_, index) => (index * 197 + (index >> 3)) & 255));

test.each<[string, string | Buffer, string, string?, ReadOptions?]>([
  ['empty', '', 'FILE: is empty; give a file with one rating a line'],
  ['only blank lines', '\n\n\n', 'FILE: is empty; give a file with one rating a line'],
  ['an empty gzip file', gzipSync(''), 'FILE: is empty; give a file with one rating a line', 'e.csv.gz'],
  ['an empty JSON file', '', 'FILE: is empty; give a file with one rating a line', 'e.jsonl'],
  [
    'only a header',
    'user,item,rating\n',
    'FILE: has a header and no ratings; give a file with one rating a line',
  ],
  [
    'too few fields',
    `${good}b,y\n`,
    'FILE, line 3: 2 fields where the header has 3; correct or remove the line',
  ],
  [
    'too many fields',
    `${good}b,y,4,5\n`,
    'FILE, line 3: 4 fields where the header has 3; correct or remove the line',
  ],
  [
    'one field',
    `${good}   \nb,y,4\n`,
    'FILE, line 3: 1 field where the header has 3; correct or remove the line',
  ],
  [
    'a bad line after blank ones',
    `${good}\n\n\nb,y\n`,
    'FILE, line 6: 2 fields where the header has 3; correct or remove the line',
  ],
  [
    'a bad line after a quoted break',
    'user,item,rating\n"a\nb",x,3\nb,y\n',
    'FILE, line 4: 2 fields where the header has 3; correct or remove the line',
  ],
  [
    'a bad line without a header',
    'a\tx\t3\nb\ty\n',
    'FILE, line 2: 2 fields where the first line has 3; correct or remove the line',
    'u.data',
  ],
  [
    'a bad line of ::',
    '1::2::3::4\n1::2::3\n',
    'FILE, line 2: 3 fields where the first line has 4; correct or remove the line',
    'ratings.dat',
  ],
  [
    'a bad line in a gzip file',
    gzipSync(`${good}b,y\n`),
    'FILE, line 3: 2 fields where the header has 3; correct or remove the line',
    'b.csv.gz',
  ],
  [
    'an unclosed quote',
    `${good}"b,y,4\nc,y,4\n`,
    'FILE, line 3: a quote is not closed, or text follows it; write a quote within a field twice',
  ],
  [
    'an unclosed quote in a large file',
    `${good}"b,y,4\n${'c,y,4\n'.repeat(500_000)}`,
    'FILE, line 3: a quote is not closed, or text follows it; write a quote within a field twice',
  ],
  [
    'text after a quote',
    `${good}"b"c,y,4\n`,
    'FILE, line 3: a quote is not closed, or text follows it; write a quote within a field twice',
  ],
  [
    'an empty user id',
    `${good},y,4\n`,
    'FILE, line 3: an empty id in column "user"; correct or remove the line',
  ],
  [
    'a quoted empty user id',
    `${good}"",y,4\n`,
    'FILE, line 3: an empty id in column "user"; correct or remove the line',
  ],
  [
    'an empty item id',
    `${good}\nb,,4\n`,
    'FILE, line 4: an empty id in column "item"; correct or remove the line',
  ],
  [
    'a NUL byte',
    `${good}b,y\0z,4\n`,
    'FILE, line 3: a NUL byte in the id in column "item"; correct or remove the line',
  ],
  [
    'a word as rating',
    `${good}b,y,good\n`,
    'FILE, line 3: "good" in column "rating" is not a finite number; correct or remove the line',
  ],
  [
    'a comma as decimal point between commas',
    'user,item,rating\na,x,"3,5"\n',
    'FILE, line 2: "3,5" in column "rating" is not a finite number; correct or remove the line',
  ],
  [
    'a long word over two lines',
    `${good}b,y,"go\nod${'d'.repeat(100)}"\n`,
    `FILE, line 3: "go od${'d'.repeat(35)}…" in column "rating" is not a finite number; correct or remove the line`,
  ],
  [
    'an empty rating',
    `${good}b,y,\n`,
    'FILE, line 3: an empty field in column "rating" is not a finite number; correct or remove the line',
  ],
  [
    'NaN',
    `${good}b,y,NaN\n`,
    'FILE, line 3: "NaN" in column "rating" is not a finite number; correct or remove the line',
  ],
  [
    'infinity',
    `${good}b,y,-Infinity\n`,
    'FILE, line 3: "-Infinity" in column "rating" is not a finite number; correct or remove the line',
  ],
  [
    'a number too large',
    `${good}b,y,1e300\n`,
    'FILE, line 3: "1e300" in column "rating" is not a finite number; correct or remove the line',
  ],
  [
    'the first of two faults',
    `${good}b,y,x\n,y,4\n`,
    'FILE, line 3: "x" in column "rating" is not a finite number; correct or remove the line',
  ],
  [
    'a bad time',
    'user,item,rating,date\na,x,3,May 5\n',
    'FILE, line 2: "May 5" in column "date" is not a time (Unix seconds or milliseconds, 2026-12-24, or 24.12.2026); correct it, or read no times with `timeColumn: \'\'`',
  ],
  [
    'an empty time',
    'user,item,rating,date\na,x,3,\n',
    'FILE, line 2: an empty field in column "date" is not a time (Unix seconds or milliseconds, 2026-12-24, or 24.12.2026); correct it, or read no times with `timeColumn: \'\'`',
  ],
  [
    'no user column',
    'who,item,rating\na,x,3x\n',
    'FILE: no user column found; the columns are "who", "item", "rating"; name the right ones with `userColumn`',
  ],
  [
    'no column at all',
    'root:x:0:0:root:/root:/bin/bash\n',
    'FILE: no user, item column found; the columns are "root:x:0:0:root:/root:/bin/bash"; name the right ones with `userColumn`, `itemColumn`',
    'passwd',
  ],
  [
    'a named column that is missing',
    good,
    'FILE: no column "stars" (`ratingColumn`); the columns are "user", "item", "rating"',
    'bad.csv',
    { ratingColumn: 'stars' },
  ],
  [
    'a column number too large',
    good,
    'FILE: no column "4" (`userColumn`); the columns are "user", "item", "rating"',
    'bad.csv',
    { userColumn: '4' },
  ],
  [
    'a line of 10 MB',
    `${good}${'b'.repeat(1e7)},y,4\n`,
    'FILE, line 3: the line is longer than 2 MB; is a line break or a closing quote missing?',
  ],
  [
    'a file of one line of 10 MB',
    'x'.repeat(1e7),
    'FILE, line 1: the line is longer than 2 MB; is a line break or a closing quote missing?',
  ],
  [
    'Latin-1',
    Buffer.from(`user,item,rating\n"a\nb",x,3\né,y,4\n`, 'latin1'),
    "FILE, line 4: is not UTF-8 text; name its encoding, such as `encoding: 'latin-1'`",
  ],
  [
    'Latin-1 that is none',
    Buffer.from(`${good}\x92,y,4\n`, 'latin1'),
    'FILE: is not latin-1 text; name its encoding with `encoding`, or save it as UTF-8',
    'bad.csv',
    { encoding: 'latin-1' },
  ],
  ['garbage', garbage(100_000), 'FILE: is not a text file; give CSV, TSV, JSON lines or Parquet'],
  ['short garbage', garbage(20), 'FILE: is not a text file; give CSV, TSV, JSON lines or Parquet'],
  [
    'a picture',
    Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'), garbage(3000)]),
    'FILE: is not a text file; give CSV, TSV, JSON lines or Parquet',
    'cat.png',
  ],
  [
    'a zip archive',
    Buffer.from('PK\x03\x04…'),
    'FILE: is a zip archive or a spreadsheet; unzip it, or save it as CSV',
    'r.xlsx',
  ],
  [
    'text called gzip',
    'user,item,rating\n',
    'FILE: has a header and no ratings; give a file with one rating a line',
    'text.csv.gz',
  ],
  [
    'a gzip file that was cut off',
    gzipSync(good.repeat(1000)).subarray(0, 60),
    'FILE: the gzip file is damaged or cut off (unexpected end of file); fetch or compress it again',
    'cut.csv.gz',
  ],
  [
    'broken JSON',
    '{"user":1,"item":2,"rating":3}\n\n{"user":',
    'FILE, line 3: broken JSON (Unexpected end of JSON input); correct or remove the line',
    'bad.jsonl',
  ],
  [
    'JSON that is no object',
    '{"user":1,"item":2,"rating":3}\n[1,2,3]\n',
    'FILE, line 2: broken JSON (not an object); correct or remove the line; or leave it out with `skipBadRows: true`',
    'bad.jsonl',
  ],
  [
    'a JSON record without a rating',
    '{"user":1,"item":2,"rating":3}\n\n{"user":1,"item":3}\n',
    'FILE, line 3: an empty field in column "rating" is not a finite number; correct or remove the line',
    'bad.jsonl',
  ],
  [
    'a broken JSON array',
    '[{"user":1,"item":2,"rating":3},\n{"user":',
    'FILE: broken JSON (unexpected end of data); correct the file',
    'bad.json',
  ],
  [
    'a bad rating in a JSON array',
    '[{"user":1,"item":2,"rating":3},\n{"user":1,"item":3,"rating":"x"}]',
    'FILE, row 2: "x" in column "rating" is not a finite number; correct or remove the row',
    'bad.json',
  ],
  ['a Parquet file that is none', 'PAR1, or not', 'FILE: the file is damaged or cut off', 'bad.parquet'],
])('%s', async (_, content, message, name, options) => {
  expect(await messageFor(content, name, options)).toContain(message);
});

test('the line is exact far down a file', async () => {
  const lines = Array.from({ length: 200_000 }, (_, index) =>
    index % 1000 === 7 ? `"u\n${index}",x,3` : `u${index},x,3`,
  );
  const before = lines.slice(0, 150_000).join('\n').split('\n').length;
  lines[150_000] = 'u,x,three';
  expect(await messageFor(`user,item,rating\n${lines.join('\n')}`)).toContain(
    `FILE, line ${before + 2}: "three"`,
  );
  lines[150_000] = 'u,x';
  expect(await messageFor(`user,item,rating\n${lines.join('\n')}`)).toContain(
    `FILE, line ${before + 2}: 2 fields`,
  );
});

test('of several files the right one is named', async () => {
  const one = await folder.write('one.csv', good.repeat(1));
  const two = await folder.write('two.csv', `${good}b,y,x\n`);
  expect(await userError(readRatings([one, two]))).toContain(`${two}, line 3: "x"`);
});

test.each([{ delimiter: '"' }, { delimiter: '\n' }, { delimiter: '|||||' }])(
  'an option that cannot be: %j',
  async (options) => {
    expect(await messageFor(good, 'bad.csv', options)).toMatch(/^FILE/);
  },
);

test('an encoding that there is not', async () => {
  expect(await messageFor(good, 'bad.csv', { encoding: "ebcdic'" })).toBe(
    'encoding is "ebcdic\'"; give a name of the Encoding Standard, such as utf-8, latin-1, windows-1252, utf-16 or gbk',
  );
});

describe('Parquet', () => {
  const write = (query: string, name: string) =>
    withDatabase(async (connection) => {
      const path = join(folder.path, name);
      await connection.run(`COPY (${query}) TO '${path}'`);
      return path;
    });

  test('a bad row', async () => {
    const path = await write(
      `SELECT range AS "user", 1 AS item, nullif(range, 5) AS rating FROM range(10)`,
      'row.parquet',
    );
    expect(await userError(readRatings(path))).toBe(
      `${path}, row 6: an empty field in column "rating" is not a finite number; correct or remove the row; or leave it out with \`skipBadRows: true\``,
    );
  });

  test('damaged in the middle, or cut off', async () => {
    const path = await write(
      `SELECT range AS "user", range * 7 AS item, 3 AS rating FROM range(10000)`,
      'whole.parquet',
    );
    const bytes = await readFile(path);
    expect(await messageFor(bytes.subarray(0, bytes.length / 2), 'cut.parquet')).toMatch(
      /^FILE: the file is damaged or cut off \(.+\); fetch or write it again$/,
    );
    expect(await messageFor(Buffer.from(bytes).fill(7, 40, 300), 'worn.parquet')).toMatch(
      /^FILE: the file is damaged/,
    );
  });
});

describe('paths', () => {
  const advice = 'check the path, or fetch data with "npx cofactor download ml-latest-small"';

  test('missing', async () => {
    expect(await userError(readRatings('no such.csv'))).toBe(`no such.csv: no such file; ${advice}`);
    expect(await userError(readRatings('no\nsuch.csv'))).toBe(`no such.csv: no such file; ${advice}`);
    expect(await userError(readRatings('package.json/x.csv'))).toBe(
      `package.json/x.csv: cannot be opened (ENOTDIR); ${advice}`,
    );
    expect(await userError(readRatings('https://example.org/ratings.csv'))).toContain('no such file');
    expect(await userError(readRatings('s3://bucket/*.csv'))).toContain('no file matches');
  });

  test('a pattern without a match', async () => {
    expect(await userError(readRatings(join(folder.path, '*.nothing')))).toMatch(
      /nothing: no file matches this pattern; check the path$/,
    );
  });

  test('a folder', async () => {
    const path = join(folder.path, 'folder.csv');
    await mkdir(path);
    expect(await userError(readRatings(path))).toBe(
      `${path}: is a directory; give a file in it, or a pattern such as ${path}/*.csv`,
    );
  });

  test('a device', async () => {
    expect(await userError(readRatings('/dev/null'))).toBe(
      '/dev/null: is not a file; save the data to a file first',
    );
  });

  test.skipIf(process.getuid?.() === 0)(
    'a file that may not be read (skipped for root, who may read all)',
    async () => {
      const path = await folder.write('secret.csv', good);
      await chmod(path, 0);
      expect(await userError(readRatings(path))).toBe(
        `${path}: cannot be opened (EACCES); check its permissions`,
      );
    },
  );
});

test('pairs fail alike', async () => {
  const path = await folder.write('pairs.csv', 'user,item\na,x\nb,\n');
  expect(await userError(readPairs(path))).toBe(
    `${path}, line 3: an empty id in column "item"; correct or remove the line`,
  );
});

test('a file name with a line break stays on one line', async () => {
  const path = await folder.write('a\nb.csv', `${good}b,y,x\n`);
  expect(await userError(readRatings(path))).toContain('a b.csv, line 3: "x"');
});

test.each([
  ['a,x,3\na,y,4', 'all ratings are by one user, "a"; training needs at least 2 users'],
  ['a,x,3\nb,x,4', 'all ratings are of one item, "x"; training needs at least 2 items'],
  [
    'a,x,3\nb,y,3',
    'all ratings are 3, which is no scale: a model can learn to recommend from them, as from interactions without ratings, but not to predict them',
  ],
])('too little to train on: %j', async (rows, message) => {
  const path = await folder.write('few.csv', `user,item,rating\n${rows}\n`);
  const { ratings } = await readRatings(path);
  await expect(userError((async () => checkTrainable(ratings))())).resolves.toBe(`${path}: ${message}`);
});

test('enough to train on', async () => {
  const path = await folder.write('enough.csv', 'user,item,rating\na,x,3\nb,y,4\n');
  checkTrainable((await readRatings(path)).ratings);
});

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { withDatabase } from '../../src/data/read/duckdb.ts';
import { type ReadOptions, readRatings } from '../../src/data/read/read.ts';
import { temporaryFolder, userError } from '../support/files.ts';
import { listed } from '../support/reading.ts';

const folder = temporaryFolder();

async function read(content: string | Buffer, options: ReadOptions = {}, name = 'data.csv') {
  const { ratings, report } = await readRatings(await folder.write(name, content), options);
  return { rows: listed(ratings), kind: report.kind, said: report.assumptions.join('\n'), report };
}

const refused = async (content: string, options: ReadOptions = {}, name = 'data.csv') =>
  userError(readRatings(await folder.write(name, content), options));

const many = (count: number, row: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => row(at)).join('\n');

describe('a quote that is not closed takes in no rows in silence', () => {
  const tsv = 'user\titem\trating\ttext\na\tx\t5\t"Best\nb\tx\t4\tfine\nb\ty\t2\t12"\na\ty\t3\tok\n';

  test('which is refused', async () =>
    expect(await refused(tsv)).toMatch(/line 2: a quote is not closed: .* `quotes: false`/));

  test('costs one row if bad rows are skipped', async () => {
    const { rows, said } = await read(tsv, { skipBadRows: true });
    expect(rows.map(([user]) => user)).toEqual(['b', 'b', 'a']);
    expect(said).toContain('1 row is left out');
  });

  test('means nothing if an option says so', async () =>
    expect((await read(tsv, { quotes: false })).rows.length).toBe(4));

  test('but a line break in quotes is part of a field', async () =>
    expect((await read('user,item,rating,text\n"a\n1",x,5,"good,\nvery"\nb,x,4,ok\n')).rows).toEqual([
      ['a\n1', 'x', 5],
      ['b', 'x', 4],
    ]));
});

describe('without a header', () => {
  test('ids in the third column are no ratings', async () =>
    expect(
      await refused(many(30, (at) => `${at % 7},${at},${2_520_377 + (at % 9)},pv,${1_511_544_070 + at}`)),
    ).toMatch(/column 3 has values from 2520377 to 2520385, which are no ratings/));

  test('only columns with numbers are read, where others than the first are users and items', async () => {
    const { rows, kind } = await read(
      many(30, (at) => `${at % 5}\t2010-10-${10 + (at % 20)}T23:55:27Z\t30.${at}\t-97.${at}\t${at % 9}`),
      { userColumn: '1', itemColumn: '5' },
    );
    expect(kind).toBe('interactions');
    expect(rows.every((row) => row.length === 3)).toBe(true);
  });

  test('users and items may be the other way round', async () =>
    expect(
      (await read('x,ann,4,1600000000\ny,ben,3,1600000001\n', { userColumn: '2', itemColumn: '1' })).rows,
    ).toEqual([
      ['ann', 'x', 4, 1_600_000_000],
      ['ben', 'y', 3, 1_600_000_001],
    ]));
});

describe('times', () => {
  test('20240131 is a date', async () =>
    expect((await read('user,item,rating,date\na,x,3,20240131\n')).rows).toEqual([
      ['a', 'x', 3, 1_706_659_200],
    ]));

  test('that are hours are pointed out', async () =>
    expect(
      (
        await read(
          `user,item,rating,time\n${many(200, (at) => `u${at % 9},i${at},${1 + (at % 5)},${at % 24}`)}`,
        )
      ).said,
    ).toContain('not Unix times'));

  test('of years with two digits are refused', async () =>
    expect(await refused('user,item,rating,date\na,x,1,05/01/23\n')).toContain('is not a time'));
});

test.each([
  ['far below the rest', (at: number) => (at % 20 === 0 ? -999 : 1 + (at % 5)), '`dropRating: -999`'],
  [
    '0, which is frequent',
    (at: number) => (at % 10 === 0 ? 0 : at % 37 === 0 ? 1 : 3 + (at % 3)),
    '`dropRating: 0`',
  ],
  ['of the items', (at: number) => 1 + (at % 5), 'every item has one value of "rating"'],
])('ratings %s are pointed out', async (_, rating, words) => {
  const rows = many(300, (at) => `u${at % 31},i${at % 50},${rating(at)}`);
  expect((await read(`user,item,rating\n${rows}\n`)).said).toContain(words);
});

test('columns that may have ratings, or events, are named', async () => {
  expect((await read('user,item,Rating (1-5)\na,x,5\nb,x,1\n')).said).toContain('"Rating (1-5)"');
  expect((await read('user,item,value,event_type\na,x,9.5,view\nb,x,1.5,buy\n')).said).toContain(
    '"event_type" is not read',
  );
});

test.each(['.', ','] as const)('numbers of both kinds of marks with decimal %j', async (decimal) => {
  const [one, other] = decimal === '.' ? ['1,500.25', '1.500,25'] : ['1.500,25', '1,500.25'];
  expect(
    (await read(`user;item;rating\na;x;${one}\nb;y;2\n`, { decimal, ratingColumn: 'rating' })).rows[0][2],
  ).toBe(1500.25);
  expect(await refused(`user;item;rating\na;x;${other}\n`, { decimal })).toContain(`"${other}"`);
});

test('a point before three digits is not guessed where commas are before decimals', async () =>
  expect(await refused('user;item;plays\na;x;1.500\nb;y;2,5\n')).toMatch(/line 2: "1.500".*`decimal: '\.'`/));

test('R writes one name fewer than there are fields', async () =>
  expect(
    (await read('"user" "item" "rating"\n"1" "ann" "x" 5\n"2" "bob" "y" 4\n', {}, 'r.txt')).rows,
  ).toEqual([
    ['ann', 'x', 5],
    ['bob', 'y', 4],
  ]));

describe('JSON', () => {
  test('of several lists has one with ratings', async () => {
    const text =
      '{"favorites":[{"user":"a","item":"x"}],"ratings":[{"user":"a","item":"x","rating":4},{"user":"b","item":"y","rating":2}]}';
    const { rows, said } = await read(text, {}, 'data.json');
    expect(rows).toEqual([
      ['a', 'x', 4],
      ['b', 'y', 2],
    ]);
    expect(said).toContain('the list "ratings" is read, not "favorites"');
  });

  test('by columns, as pandas writes it, is refused', async () =>
    expect(
      await refused(
        '{"user":{"0":"a","1":"b"},"item":{"0":"x","1":"y"},"rating":{"0":5,"1":4}}',
        {},
        'data.json',
      ),
    ).toContain("orient='records'"));

  test.each([
    ['a list', '[5]'],
    ['an object', '{"stars":5}'],
  ])('%s is no rating', async (_, value) =>
    expect(await refused(`{"user":"a","item":"x","rating":${value}}\n`, {}, 'data.jsonl')).toContain(
      'not a finite number',
    ),
  );
});

describe('Parquet', () => {
  async function parquet(query: string, name: string): Promise<string> {
    const path = join(folder.path, name);
    await withDatabase((connection) => connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet)`));
    return path;
  }

  test('numbers of seven digits and more are one id however they are read', async () => {
    const path = await parquet(
      `SELECT * FROM (VALUES (12345678, 1, 3), (12345678, 2, 3), (12345679, 1, 4), (12345678, 3, 5), (12345678, 4, 1), (12345679, 2, 2)) t(user, item, rating)`,
      'ids.parquet',
    );
    expect((await readRatings(path)).ratings.userIds).toEqual(['12345678', '12345679']);
  });

  test('bytes are text', async () => {
    const path = await parquet(
      `SELECT encode('café') AS user, encode('O''Neil') AS item, 4 AS rating`,
      'bytes.parquet',
    );
    expect(listed((await readRatings(path)).ratings)).toEqual([['café', "O'Neil", 4]]);
  });

  test('folders of a partition are columns, but not in place of those in the file', async () => {
    await mkdir(join(folder.path, 'parts', 'user=0x10'), { recursive: true });
    await parquet('SELECT 1 AS item, 4 AS rating', 'parts/user=0x10/a.parquet');
    expect(listed((await readRatings(join(folder.path, 'parts'))).ratings)).toEqual([['0x10', '1', 4]]);
    await mkdir(join(folder.path, 'own', 'user=bob'), { recursive: true });
    await parquet(`SELECT 'ann' AS user, 1 AS item, 4 AS rating`, 'own/user=bob/a.parquet');
    expect(listed((await readRatings(join(folder.path, 'own'))).ratings)).toEqual([['ann', '1', 4]]);
  });

  test('a column may be called as DuckDB calls the numbers of rows', async () => {
    const path = await parquet(
      'SELECT 7 AS user, 8 AS item, 4 AS rating, 1 AS "File_Row_Number"',
      'rows.parquet',
    );
    expect(listed((await readRatings(path)).ratings)).toEqual([['7', '8', 4]]);
  });
});

test('counted rows have the facts of their counts in a file of strata, too', async () => {
  const path = await folder.write(
    'counted.csv',
    `user,item,rating\n${many(400, (at) => `u${at % 20},i${Math.floor(at / 20)},${1 + (at % 5)}`)}`,
  );
  const options = { duplicates: 'count', kind: 'ratings' } as const;
  const memory = await readRatings(path, options);
  const stored = await readRatings(path, {
    ...options,
    store: { from: 1, blocks: [2, 2], folder: folder.path },
  });
  expect(stored.ratings.facts).toEqual(memory.ratings.facts);
  await stored.ratings.close();
});

test.skipIf(process.platform !== 'linux')(
  'a gzip file of which only the start is read stays open no longer (skipped where there is no /proc)',
  async () => {
    const path = await folder.write(
      'large.csv.gz',
      gzipSync(`user,item,rating\n${many(400_000, (at) => `u${at % 977},i${at},${1 + (at % 5)}`)}`),
    );
    const open = async () => (await readdir('/proc/self/fd')).length;
    await readRatings(path);
    const before = await open();
    for (let turn = 0; turn < 3; turn++) await readRatings(path);
    await expect.poll(open).toBeLessThanOrEqual(before);
  },
);

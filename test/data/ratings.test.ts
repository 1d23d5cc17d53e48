import { mkdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Ratings, renumbered, selectRows } from '../../src/data/dataset/ratings.ts';
import { leaveLastOut, randomSplit, type Split, timeSplit } from '../../src/data/dataset/split.ts';
import { withDatabase } from '../../src/data/read/duckdb.ts';
import { parseRatings } from '../../src/data/read/parse.ts';
import { type ReadOptions, readPairs, readRatings } from '../../src/data/read/read.ts';
import { hasShared, sample, shared, temporaryFolder, why } from '../support/files.ts';
import { runs } from '../support/soak.ts';

const folder = temporaryFolder();

/** The ratings of files, without the report. */
const ratingsIn = async (path: string | readonly string[], options?: ReadOptions): Promise<Ratings> =>
  (await readRatings(path, options)).ratings;

/** The ratings as a person would list them. */
function listed({ userIds, itemIds, users, items, ratings, times }: Ratings) {
  return Array.from(users, (user, place) => [
    userIds[user],
    itemIds[items[place]],
    ratings[place],
    ...(times ? [times[place]] : []),
  ]);
}

const three = [
  ['7', '01', 4.5, 900000001],
  ['7', '1', 3, 900000002],
  ['8', '01', 0.5, 900000003],
];

describe('formats', () => {
  const csv = (separator: string, header = true) =>
    [...(header ? [['userId', 'movieId', 'rating', 'timestamp']] : []), ...three]
      .map((row) => row.join(separator))
      .join('\n');

  test.each([
    ['ratings.csv', csv(',')],
    ['windows.csv', csv(',').replaceAll('\n', '\r\n')],
    ['classic.csv', csv(',').replaceAll('\n', '\r')],
    ['ending.csv', `${csv(',')}\n`],
    ['blank.csv', `\n\n${csv(',').replaceAll('\n', '\n\n')}\n\n`],
    ['mark.csv', `\ufeff${csv(',')}`],
    ['semicolons.csv', csv(';')],
    ['bars.txt', csv('|')],
    ['tabs.tsv', csv('\t')],
    ['u.data', csv('\t', false)],
    ['u1.base', csv('\t', false)],
    ['ratings.dat', csv('::', false)],
    ['bare.csv', csv(',', false)],
    ['compressed.csv.gz', gzipSync(csv(','))],
    ['compressed-without-extension', gzipSync(csv(','))],
    ['utf-16.csv', Buffer.from(`\ufeff${csv(',')}`, 'utf16le')],
    [
      'rows.jsonl',
      three.map(([user, item, score, ts]) => JSON.stringify({ score, item, user, ts })).join('\n\n'),
    ],
    [
      'rows.ndjson',
      three
        .map(([userId, asin, overall, date]) =>
          JSON.stringify({ userId, asin, overall, date, x: { y: [1] } }),
        )
        .join('\n'),
    ],
    ['rows.json', JSON.stringify(three.map(([user, item, stars, time]) => ({ user, item, stars, time })))],
    [
      'rows.jsonl.gz',
      gzipSync(
        three.map(([user, item, rating, time]) => JSON.stringify({ user, item, rating, time })).join('\n'),
      ),
    ],
  ])('%s', async (name, content) => {
    const { ratings, valid, report } = await readRatings(await folder.write(name, content));
    expect(listed(ratings)).toEqual(three);
    expect(valid).toBeUndefined();
    expect(ratings.userIds).toEqual(['7', '8']);
    expect(ratings.itemIds).toEqual(['01', '1']);
    expect(report).toMatchObject({ ratings: 3, users: 2, items: 2, duplicates: 0 });
  });

  test('Parquet, with whole numbers as ids and a time with a zone', async () => {
    const path = join(folder.path, 'rows.parquet');
    await withDatabase((connection) =>
      connection.run(
        `COPY (SELECT * FROM (VALUES (7, 'a', 4::TINYINT, TIMESTAMPTZ '1970-01-01 02:00:05+02'), (9007199254740993, 'b', 3, NULL))
         AS t("User ID", "item-id", "RATING", "Date") WHERE "Date" IS NOT NULL OR true) TO '${path}'`,
      ),
    );
    await expect(readRatings(path)).rejects.toThrow('row 2');
    expect(listed(await ratingsIn(path, { timeColumn: '' }))).toEqual([
      ['7', 'a', 4],
      ['9007199254740993', 'b', 3],
    ]);
  });

  test('zstd', async () => {
    const path = join(folder.path, 'rows.csv.zst');
    await withDatabase((connection) =>
      connection.run(
        `COPY (SELECT 'é' AS "user", range AS item, 3 AS rating FROM range(3)) TO '${path}' (COMPRESSION zstd)`,
      ),
    );
    expect(listed(await ratingsIn(path))).toEqual([
      ['é', '0', 3],
      ['é', '1', 3],
      ['é', '2', 3],
    ]);
  });

  test('Latin-1, when named', async () => {
    const path = await folder.write('latin.csv', Buffer.from('user,item,rating\né,ü,3\n', 'latin1'));
    expect(listed(await ratingsIn(path, { encoding: 'latin-1' }))).toEqual([['é', 'ü', 3]]);
  });

  test('a file without a header says what was assumed', async () => {
    const path = await folder.write('headless.csv', 'a,b,3,x\nc,d,4,y\n');
    const { ratings, report } = await readRatings(path);
    expect(report.assumptions).toEqual([
      `${path}: no header, so columns by position: user 1, item 2, rating 3`,
    ]);
    expect(ratings.times).toBeUndefined();
  });
});

describe('columns', () => {
  test.each([
    ['User-ID;ISBN;Book-Rating', 'a;b;3'],
    ['reviewerID,asin,reviewerName,overall', 'a,b,Bob,3'],
    ['business_id,user_id,stars', 'b,a,3'],
    ['CUSTOMER,Track Id,Score', 'a,b,3'],
    ['title,rating,user,item', 't,3,a,b'],
  ])('%s', async (header, row) => {
    const path = await folder.write('columns.csv', `${header}\n${row}\n`);
    expect(listed(await ratingsIn(path))).toEqual([['a', 'b', 3]]);
  });

  test('by given names, which need not match in case', async () => {
    const path = await folder.write('given.csv', 'Who,What,How Much\na,b,3\n');
    const ratings = await ratingsIn(path, {
      userColumn: 'who',
      itemColumn: 'What',
      ratingColumn: 'how_much',
    });
    expect(listed(ratings)).toEqual([['a', 'b', 3]]);
  });

  test('by given numbers', async () => {
    const path = await folder.write('numbers.csv', '3,b,a\n4,d,c\n');
    const ratings = await ratingsIn(path, { userColumn: '3', itemColumn: '2', ratingColumn: '1' });
    expect(listed(ratings)).toEqual([
      ['a', 'b', 3],
      ['c', 'd', 4],
    ]);
  });

  test('header and delimiter as told', async () => {
    const path = await folder.write('told.csv', 'a.b.x\na.b.3\n');
    const ratings = await ratingsIn(path, {
      header: true,
      delimiter: '.',
      userColumn: 'a',
      itemColumn: 'b',
      ratingColumn: 'x',
    });
    expect(listed(ratings)).toEqual([['a', 'b', 3]]);
  });
});

test.each(['', '\\t', '\t'])('the delimiter %j on a file of tabs', async (delimiter) => {
  const path = await folder.write('tab.txt', 'user\titem\trating\na,b\tx\t3\n');
  expect(listed(await ratingsIn(path, { delimiter }))).toEqual([['a,b', 'x', 3]]);
});

describe('times', () => {
  test.each([
    ['1000000000', 1e9],
    ['1000000000.5', 1e9 + 0.5],
    ['1000000000000', 1e9],
    ['2001-09-09', 999993600],
    ['2001-09-09 01:46:40', 1e9],
    ['2001-09-09T01:46:40Z', 1e9],
    ['2001-09-09T03:46:40+02:00', 1e9],
    ['0', 0],
    ['-5', -5],
  ])('%s', async (text, seconds) => {
    const path = await folder.write('times.csv', `user,item,rating,time\na,b,3,${text}\n`);
    expect((await ratingsIn(path)).times).toEqual(Float64Array.of(seconds));
  });

  test('are dropped, with a word, when one of the files has none', async () => {
    const one = await folder.write('timed.csv', 'user,item,rating,time\na,b,3,5\n');
    const two = await folder.write('untimed.csv', 'user,item,rating\na,c,4\n');
    const { ratings, report } = await readRatings([one, two]);
    expect(ratings.times).toBeUndefined();
    expect(report.assumptions).toEqual([`${two}: has no times, so times are not used`]);
  });
});

describe('names of files', () => {
  test.each([
    "it's.csv",
    'ü 日本.csv',
    'a[1].csv',
    'a*.csv',
    'a?.csv',
    'x"y$1{z}.csv',
    'back\\slash.csv',
    'line\nbreak.csv',
    '-flag.csv',
    '[x',
    'dir=1.csv',
  ])('%j is read as such', async (name) => {
    await folder.write('a1.csv', 'user,item,rating\nwrong,x,1\n');
    const path = await folder.write(name, 'user,item,rating\nright,x,1\n');
    expect((await ratingsIn(path)).userIds).toEqual(['right']);
  });

  test('a pattern takes its files in the order of their names, wherever it starts', async () => {
    const inner = join(folder.path, 'pa[r]ts');
    await mkdir(inner);
    for (const part of ['b', 'a', 'c'])
      await folder.write(`pa[r]ts/${part}.csv`, `user,item,rating\n${part},x,1\n`);
    expect((await ratingsIn(join(folder.path, 'pa?r?ts', '*.csv'))).userIds).toEqual(['a', 'b', 'c']);
    expect((await ratingsIn(relative('', join(folder.path, 'pa?r?ts', '[bc].csv')))).userIds).toEqual([
      'b',
      'c',
    ]);
  });

  test('files of a list are read in its order, each with its own columns', async () => {
    const one = await folder.write('one.csv', 'item,user,rating\ni,u,1\n');
    const two = await folder.write('two.tsv', 'rating\tuser\titem\n2\tu\tj\n');
    expect(listed(await ratingsIn([two, one]))).toEqual([
      ['u', 'j', 2],
      ['u', 'i', 1],
    ]);
  });
});

describe('duplicates', () => {
  test('the latest by time wins, whatever the order', async () => {
    const path = await folder.write(
      'late.csv',
      'user,item,rating,time\na,x,1,30\nb,x,2,10\na,x,3,20\na,y,4,5\n',
    );
    const { ratings, report } = await readRatings(path);
    expect(report.duplicates).toBe(1);
    expect(listed(ratings)).toEqual([
      ['a', 'x', 1, 30],
      ['b', 'x', 2, 10],
      ['a', 'y', 4, 5],
    ]);
  });

  test('the last wins without times, and at the same time', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.constantFrom('a', 'b', 'c'),
            fc.constantFrom('x', 'y', 'z'),
            fc.integer({ min: 1, max: 5 }),
          ),
          {
            minLength: 1,
          },
        ),
        fc.boolean(),
        async (rows, timed) => {
          const lines = rows.map((row) => [...row, ...(timed ? [7] : [])].join(','));
          const header = `user,item,rating${timed ? ',time' : ''}`;
          const path = await folder.write('last.csv', [header, ...lines].join('\n'));
          const { ratings, report } = await readRatings(path, { kind: 'ratings' });
          const last = new Map(rows.map(([user, item, rating]) => [`${user}${item}`, rating]));
          expect(new Map(listed(ratings).map(([user, item, rating]) => [`${user}${item}`, rating]))).toEqual(
            last,
          );
          expect(report.duplicates).toBe(rows.length - last.size);
        },
      ),
      { numRuns: runs(10, 100) },
    ));
});

test('any Unicode id comes back as it was written', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc
          .tuple(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'grapheme', minLength: 1 }))
          .map(([user, item]) => [user.trim(), item.trim()])
          .filter((ids) => ids.every((id) => id !== '' && !id.includes('\0'))),
        { minLength: 1, maxLength: 20 },
      ),
      fc.constantFrom(',', '\t', ';', '|'),
      fc.constantFrom('\n', '\r\n'),
      async (ids, delimiter, lineBreak) => {
        const field = (id: string) => `"${id.replaceAll('"', '""')}"`;
        const lines = ids.map(([user, item], place) => [field(user), field(item), place].join(delimiter));
        const path = await folder.write(
          'unicode.csv',
          [['user', 'item', 'rating'].join(delimiter), ...lines].join(lineBreak),
        );
        expect(await readPairs(path)).toEqual({
          users: ids.map(([user]) => user),
          items: ids.map(([, item]) => item),
        });
        const ratings = await ratingsIn(path);
        expect(ratings.userIds).toEqual([...new Set(ids.map(([user]) => user))]);
      },
    ),
    { numRuns: runs(10, 100) },
  ));

test('ids keep their zeros, and words that mean something elsewhere', async () => {
  const path = await folder.write('plain.csv', 'user,item,rating\n01,1e3,3\n#c,a"b,3\n1,1000,3\n');
  const ratings = await ratingsIn(path);
  expect(ratings.userIds).toEqual(['01', '#c', '1']);
  expect(ratings.itemIds).toEqual(['1e3', 'a"b', '1000']);
});

test('white space at the ends of ids is cut off, and that is said', async () => {
  const path = await folder.write('spaces.csv', 'user,item,rating\n a ,x,3\na,\u00a0y,4\n"b\t",x,5\n');
  const { ratings, report } = await readRatings(path);
  expect(ratings.userIds).toEqual(['a', 'b']);
  expect(ratings.itemIds).toEqual(['x', 'y']);
  expect(report.assumptions).toEqual([
    '2 user ids had white space at an end, which is cut off',
    '1 item id had white space at an end, which is cut off',
  ]);
});

test.each([
  ['mixed kinds of line breaks', 'user,item,rating\na,x,3\nb,y,4\r\nc,y,5\r'],
  [
    'UTF-16 of both orders of bytes',
    Buffer.from('\ufeffuser,item,rating\na,x,3\nb,y,4\nc,y,5\n', 'utf16le').swap16(),
  ],
])('%s', async (_, content) => {
  const path = await folder.write('mixed.csv', content);
  expect(listed(await ratingsIn(path))).toEqual([
    ['a', 'x', 3],
    ['b', 'y', 4],
    ['c', 'y', 5],
  ]);
});

test('order and row numbers do not depend on the threads of DuckDB', async () => {
  const length = 300_000;
  const row = (index: number) => [(index * 7919) % 5003, Math.imul(index, 31337) >>> 12, index % 5];
  const part = (name: string, from: number) => {
    const lines = ['user,item,rating'];
    for (let index = from; index < from + length / 2; index++) lines.push(row(index).join(','));
    return folder.write(name, lines.join('\n'));
  };
  const { ratings, report } = await readRatings([
    await part('large-1.csv', 0),
    await part('large-2.csv', length / 2),
  ]);
  expect(ratings.users.length + report.duplicates).toBe(length);
  const expected = new Map<string, number>();
  const userIds = new Set<string>();
  for (let index = 0; index < length; index++) {
    const [user, item, rating] = row(index);
    userIds.add(String(user));
    expected.delete(`${user} ${item}`);
    expected.set(`${user} ${item}`, rating);
  }
  // Vitest takes seconds to compare as many.
  expect(isDeepStrictEqual(ratings.userIds, [...userIds])).toBe(true);
  const got = listed(ratings).map(([user, item, rating]) => `${user} ${item} ${rating}`);
  const wanted = Array.from(expected, ([pair, rating]) => `${pair} ${rating}`);
  expect(isDeepStrictEqual(got, wanted)).toBe(true);
});

test('with a vocabulary, ids are numbered by it and strange ones get the unknown row', async () => {
  const path = await folder.write('known.csv', 'user,item,rating\nq,x,1\nb,x,2\nr,y,3\nq,x,4\n');
  const { ratings, report } = await readRatings(path, {
    vocabulary: { userIds: ['a', 'b'], itemIds: ['y', 'z'] },
  });
  expect(ratings.userIds).toEqual(['a', 'b']);
  expect([...ratings.users]).toEqual([1, 2, 2]);
  expect([...ratings.items]).toEqual([2, 0, 2]);
  expect([...ratings.ratings]).toEqual([2, 3, 4]);
  expect(report).toMatchObject({ ratings: 3, users: 3, items: 2, duplicates: 1 });
  const again = renumbered(ratings, { userIds: ['b'], itemIds: ['y'] });
  expect([...again.users]).toEqual([0, 1, 1]);
});

describe('what is held out', () => {
  const path = () =>
    folder.write(
      'held.csv',
      ['user,item,rating,time', ...Array.from({ length: 40 }, (_, at) => row(at)), row(0)].join('\n'),
    );
  const row = (at: number) => `u${at % 5},i${Math.floor(at / 5)},${1 + (at % 4)},${1000 + ((at * 7) % 40)}`;

  test.each<[string, ReadOptions, (ratings: Ratings) => Split]>([
    ['a random part', { valid: 0.25, seed: 3 }, (ratings) => randomSplit(ratings, 0.25, 3)],
    ['by the first seed', { valid: 0.25 }, (ratings) => randomSplit(ratings, 0.25, 1)],
    ['the latest', { valid: 0.25, split: 'time' }, (ratings) => timeSplit(ratings, 0.25)],
    ['the last of each user', { split: 'leave-last-out' }, leaveLastOut],
  ])('%s', async (_, options, split) => {
    const file = await path();
    const whole = await readRatings(file);
    const { ratings, valid, report } = await readRatings(file, options);
    expect({ train: ratings, valid }).toEqual(split(whole.ratings));
    expect(report).toEqual(whole.report);
    expect(report).toEqual({
      ...{ kind: 'ratings', ratings: 40, users: 5, items: 8, duplicates: 1 },
      ...{ withoutUser: 0, withoutStrength: 0, assumptions: [] },
    });
    expect(parseRatings(await readFile(file, 'utf8'), file, options)).toEqual({ ratings, valid, report });
  });

  test.each<[ReadOptions, string]>([
    [{ valid: 0 }, 'the fraction to hold out is 0; give a number between 0 and 1, for example 0.2'],
    [{ valid: 1, split: 'time' }, 'the fraction to hold out is 1; give a number between 0 and 1'],
    [{ valid: 0.5, split: 'time', timeColumn: '' }, 'a split by time needs times, and the ratings have none'],
  ])('cannot be %j', async (options, message) => {
    await expect(readRatings(await path(), options)).rejects.toThrow(message);
  });
});

test('selectRows takes places in the order given', async () => {
  const ratings = await ratingsIn(
    await folder.write('select.csv', 'user,item,rating,time\na,x,1,5\nb,y,2,6\n'),
  );
  expect(listed(selectRows(ratings, Int32Array.of(1, 0, 1)))).toEqual([
    ['b', 'y', 2, 6],
    ['a', 'x', 1, 5],
    ['b', 'y', 2, 6],
  ]);
});

describe('pairs', () => {
  test.each([
    ['with a header', 'user,item\n01,x\n2,y\n01,x\n'],
    ['without one', '01,x\n2,y\n01,x\n'],
    ['beside a rating, which is ignored', 'item,rating,user\nx,good,01\ny,,2\nx,1,01\n'],
  ])('%s', async (_, content) => {
    const path = await folder.write('pairs.csv', content);
    expect(await readPairs(path)).toEqual({ users: ['01', '2', '01'], items: ['x', 'y', 'x'] });
  });
});

test('the sample holds MovieLens latest-small', async () => {
  const { ratings, report } = await readRatings(`${sample}/ratings.csv.gz`);
  expect(ratings.users.length).toBe(100_836);
  expect([ratings.userIds.length, ratings.itemIds.length]).toEqual([610, 9724]);
  expect(listed(ratings).slice(0, 2)).toEqual([
    ['1', '1', 4, 964982703],
    ['1', '3', 4, 964981247],
  ]);
  expect(listed(ratings).at(-1)).toEqual(['610', '170875', 3, 1493846415]);
  expect(report).toEqual({
    ...{ kind: 'ratings', ratings: 100_836, users: 610, items: 9724, duplicates: 0 },
    ...{ noun: 'movie', withoutUser: 0, withoutStrength: 0, assumptions: [] },
  });
});

describe.skipIf(!hasShared)(`MovieLens 100K${why}`, () => {
  test('u.data', async () => {
    const ratings = await ratingsIn(`${shared}/ml-100k/u.data`);
    expect(ratings.users.length).toBe(100_000);
    expect([ratings.userIds.length, ratings.itemIds.length]).toEqual([943, 1682]);
    expect(listed(ratings)[0]).toEqual(['196', '242', 3, 881250949]);
  });

  test('a fold, with the vocabulary of its training part', async () => {
    const vocabulary = await ratingsIn(`${shared}/ml-100k/u1.base`);
    const ratings = await ratingsIn(`${shared}/ml-100k/u1.test`, { vocabulary });
    expect(ratings.users.length).toBe(20_000);
    expect(ratings.itemIds).toBe(vocabulary.itemIds);
    expect(ratings.items.filter((row) => row === ratings.itemIds.length).length).toBeGreaterThan(0);
  });
});

test('a comma is the decimal point where it separates no fields', async () => {
  const path = await folder.write('decimal.csv', 'user;item;rating\na;x;3,5\nb;x;4\n');
  expect([...(await ratingsIn(path)).ratings]).toEqual([3.5, 4]);
});

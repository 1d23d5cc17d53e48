import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Ratings } from '../../src/data/dataset/ratings.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { workplace } from '../support/cli.ts';

const { write, at, names, text, json, here, failure, contents } = workplace();

const rowsOf = ({ users, items, userIds, itemIds, ratings, times }: Ratings) =>
  Array.from(users, (user, index) => [userIds[user], itemIds[items[index]], ratings[index], times?.[index]]);

const readParts = async (...files: string[]) =>
  (await Promise.all(files.map((file) => readRatings(at(file))))).map(({ ratings }) => rowsOf(ratings));

const sorted = <T>(rows: readonly T[]): T[] =>
  rows.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));

test('both parts are the whole, without flags as random ones, and read again as they were', async () => {
  const printed = await text('split', 'ratings.csv', '--out', 'parts');
  expect(printed).toMatch(
    /^Wrote parts\/train\.csv: 288 ratings of 20 items by 30 users\nWrote parts\/test\.csv: 72 ratings of 20 items by \d+ users; 0 users and 0 items are only here\n {2}npx cofactor train parts\/train\.csv --test parts\/test\.csv /m,
  );
  const [whole, train, tested] = await readParts('ratings.csv', 'parts/train.csv', 'parts/test.csv');
  expect(sorted([...train, ...tested])).toEqual(sorted(whole));
  expect(await readFile(at('parts/test.csv'), 'utf8')).toMatch(/^user,item,rating,time\nu\d+,i\d+,\d,\d+\n/);
  const before = await contents('parts');
  await text('split', 'ratings.csv', '--out', 'parts');
  expect(await contents('parts')).toEqual(before);
  await text('split', 'ratings.csv', '--out', 'parts', '--seed', '2');
  expect(await contents('parts')).not.toEqual(before);
});

test('by time, by date, and the last of each user', async () => {
  const by = async (...flags: string[]) => {
    const told = await json('split', 'ratings.csv', '--out', 'by', ...flags);
    return { told, parts: await readParts('by/train.csv', 'by/test.csv') };
  };
  const time = (row: readonly unknown[]) => row[3] as number;

  const latest = await by('--by', 'time', '--test', '0.25');
  expect(latest.parts[1]).toHaveLength(90);
  const [train, tested] = latest.parts.map((rows) => rows.map(time));
  expect(Math.max(...train)).toBeLessThanOrEqual(Math.min(...tested));

  for (const date of ['1005000', '1970-01-12T15:10:00']) {
    const since = await by('--date', date);
    expect(since.told.by).toBe('date');
    expect(Math.max(...since.parts[0].map(time))).toBeLessThan(1_005_000);
    expect(Math.min(...since.parts[1].map(time))).toBe(1_005_000);
  }

  const last = await by('--by', 'leave-last-out');
  expect(last.told).toEqual({
    kind: 'ratings',
    by: 'leave-last-out',
    parts: [
      {
        train: { file: 'by/train.csv', ratings: 330, users: 30, items: 20 },
        test: { file: 'by/test.csv', ratings: 30, users: 30, items: 20, newUsers: 0, newItems: 0 },
      },
    ],
  });
  expect(new Set(last.parts[1].map(([user]) => user)).size).toBe(30);
});

test('folds replace the parts before, and cross-validate takes them', async () => {
  await text('split', 'ratings.csv', '--out', 'folds');
  const printed = await text('split', 'ratings.csv', '--out', 'folds', '--folds', '3', '--format', 'parquet');
  const files = [1, 2, 3].flatMap((fold) => [`train-${fold}.parquet`, `test-${fold}.parquet`]);
  expect(Object.keys(await contents('folds')).sort()).toEqual(
    ['files.json', ...files].map((name) => at('folds', name)).sort(),
  );
  const tested = await readParts(...[1, 2, 3].map((fold) => `folds/test-${fold}.parquet`));
  expect(sorted(tested.flat())).toEqual(sorted((await readParts('ratings.csv'))[0]));
  const [, command] = /npx cofactor (cross-validate .*)$/m.exec(printed) ?? [];
  const { folds } = await json(...command.split(' '), '--factors', '2', '--epochs', '1');
  expect(folds.map((one: { train: number; test: number }) => [one.train, one.test])).toEqual(
    Array(3).fill([240, 120]),
  );
});

test('says how many users and items are only in the test part', async () => {
  await write('grows.csv', 'user,item,rating,time\na,x,1,1\na,y,5,2\nb,x,4,3\nb,y,2,4\nc,z,3,5\n');
  const { parts } = await json('split', 'grows.csv', '--out', 'grown', '--by', 'time');
  expect(parts[0].test).toEqual({
    ...{ file: 'grown/test.csv', ratings: 1, users: 1, items: 1, newUsers: 1, newItems: 1 },
  });
});

test('interactions stay interactions, with their counts', async () => {
  const rows = Array.from({ length: 60 }, (_, row) => `c${row % 12},p${(row * 7) % 15},${1 + (row % 4)}`);
  await write('orders.csv', `customer,product,quantity\n${rows.join('\n')}\n`);
  await text('split', 'orders.csv', '--out', 'orders');
  const [whole, train, tested] = await readParts('orders.csv', 'orders/train.csv', 'orders/test.csv');
  expect(sorted([...train, ...tested])).toEqual(sorted(whole));
  expect((await readRatings(at('orders/test.csv'))).ratings.kind).toBe('interactions');
});

test('says how to read ratings that look like counts', async () => {
  const rows = Array.from(
    { length: 100 },
    (_, row) => `u${row % 20},i${row},${row % 10 === 0 ? 20 + row / 2 : 1 + (row % 2)}`,
  );
  await write('likes.csv', `user,item,rating\n${rows.join('\n')}\n`);
  const { code, stderr } = await here('split', 'likes.csv', '--out', 'likes', '--rating-column', 'rating');
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('--rating-column rating') });
});

test('what cannot be split is refused, and nothing is written', async () => {
  const split = (...flags: string[]) => failure('split', 'ratings.csv', ...flags);
  expect(await split()).toMatch(/there is no folder to write; give one, such as --out parts/);
  expect(await split('--out', 'no', '--folds', '3', '--by', 'time')).toMatch(
    /leave out --by, --test and --date/,
  );
  expect(await split('--out', 'no', '--by', 'random', '--date', '2020-01-01')).toMatch(
    /--date says which part/,
  );
  expect(await split('--out', 'no', '--by', 'leave-last-out', '--test', '0.5')).toMatch(/leave out --test/);
  expect(await split('--out', '.')).toMatch(/has ratings\.csv in it, which is read/);
  const late = await here('split', 'ratings.csv', '--out', 'no', '--date', '2020-01-01');
  expect(late.stderr).toMatch(/all ratings are before 2020-01-01: they are from 1970-01-12 to 1970-01-12/);
  await write('timeless.csv', 'user,item,rating\na,x,1\na,y,5\nb,x,4\n');
  const timeless = await here('split', 'timeless.csv', '--out', 'no', '--by', 'time');
  expect(timeless.stderr).toMatch(
    /needs times, and the ratings have none; name their column with --time-column/,
  );
  expect((await here('split', 'ratings.csv', '--out', 'no', '--date', 'soon')).code).toBe(1);
  expect(await names()).not.toContain('no');
});

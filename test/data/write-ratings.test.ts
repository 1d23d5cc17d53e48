import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { writeRatings } from '../../src/data/write-ratings.ts';
import { temporaryFolder, userError } from '../support/files.ts';

const folder = temporaryFolder();

/** Ids that a careless writer or reader would change. */
const ODD = [
  ...['Smith, "Jo"', '👩‍🚀 Zoë', '007', 'spaced out', 'two\nlines', 'two\r\nlines', "O'Hara", '"', '""'],
  ...['=1+2', '+1', '-1', '@me', "'=1", '1e3', 'true', '2001-01-01', 'Ω;|\t.', '#1'],
  ...['12345678901234567890', '0.10', 'user', 'a;b', 'a\tb', '::', '\u00e9', 'e\u0301'],
];

const rowsOf = ({ users, items, userIds, itemIds, ratings, times }: Ratings) =>
  Array.from(users, (user, index) => [
    userIds[user],
    itemIds[items[index]],
    ratings[index],
    ...(times ? [times[index]] : []),
  ]);

/** Each user and item in some rows. */
function oddRatings(kind: 'ratings' | 'interactions', values: (row: number) => number, times?: Float64Array) {
  const { length } = ODD;
  const rows = Array.from({ length: 3 * length }, (_, row) => row);
  return new Ratings({
    kind,
    userIds: ODD,
    itemIds: ODD.toReversed(),
    users: Int32Array.from(rows, (row) => row % length),
    items: Int32Array.from(rows, (row) => (row + Math.floor(row / length)) % length),
    ratings: Float32Array.from(rows, values),
    ...(times && { times }),
  });
}

const seconds = Float64Array.from({ length: 3 * ODD.length }, (_, row) => 1_112_486_027 + 86_400 * row);
const cases: Record<string, Ratings> = {
  'ratings with halves, and times': oddRatings('ratings', (row) => 0.5 + (row % 10) / 2, seconds),
  'whole ratings': oddRatings('ratings', (row) => 1 + (row % 5)),
  'ratings of any decimals, and times of parts of seconds': oddRatings(
    'ratings',
    (row) => Math.fround(1 + (row % 7) / 3),
    seconds.map((time) => time + 0.25),
  ),
  'interactions with counts': oddRatings('interactions', (row) => 1 + ((row * row) % 40), seconds),
  'interactions of which some were returned': oddRatings('interactions', (row) => (row % 6) - 1),
  'interactions that are all alike': oddRatings('interactions', () => 1, seconds),
};

for (const format of ['csv', 'parquet'])
  test.each(Object.entries(cases))(`${format} reads again as written: %s`, async (name, written) => {
    const path = join(folder.path, `${name.replaceAll(' ', '-')}.${format}`);
    await writeRatings(path, written);
    const { ratings } = await readRatings(path);
    expect(ratings.kind).toBe(written.kind);
    expect(rowsOf(ratings)).toEqual(rowsOf(written));
  });

test('any ids and ratings read again as written', async () => {
  const id = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 6 })
    .filter((text) => !text.includes('\0') && text.trim() === text && text !== '');
  const row = fc.tuple(id, id, fc.integer({ min: 1, max: 10 }));
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(row, { minLength: 12, maxLength: 30, selector: ([user, item]) => `${user}\0${item}` }),
      async (rows) => {
        const [userIds, itemIds] = ([0, 1] as const).map((at) => [...new Set(rows.map((one) => one[at]))]);
        const written = new Ratings({
          userIds,
          itemIds,
          users: Int32Array.from(rows, ([user]) => userIds.indexOf(user)),
          items: Int32Array.from(rows, ([, item]) => itemIds.indexOf(item)),
          ratings: Float32Array.from(rows, ([, , value]) => value / 2),
        });
        const path = join(folder.path, 'any.csv');
        await writeRatings(path, written);
        const { ratings } = await readRatings(path, { kind: 'ratings' });
        expect(rowsOf(ratings)).toEqual(rowsOf(written));
      },
    ),
    { numRuns: 60 },
  );
});

test('refuses rows without an id', async () => {
  const { valid } = randomSplit(cases['whole ratings'], 0.95, 1);
  const message = await userError(writeRatings(join(folder.path, 'part.csv'), valid));
  expect(message).toMatch(/some users or items have no id here/);
});

test('refuses other formats', async () => {
  const message = await userError(writeRatings(join(folder.path, 'ratings.txt'), cases['whole ratings']));
  expect(message).toMatch(/is not a \.csv or a \.parquet file/);
});

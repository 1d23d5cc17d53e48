import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import {
  dateSplit,
  folds,
  holdOut,
  leaveLastOut,
  randomSplit,
  type Split,
  timeSplit,
} from '../../src/data/dataset/split.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { generator, uniforms } from '../../src/util/random.ts';
import { sample, userError } from '../support/files.ts';

/** Ratings whose values are their places, so that each can be told from the others. */
function ratingsOf(pairs: [number, number][], times?: number[]): Ratings {
  const ids = (letter: string, column: 0 | 1) =>
    Array.from({ length: Math.max(...pairs.map((pair) => pair[column])) + 1 }, (_, row) => `${letter}${row}`);
  return new Ratings({
    userIds: ids('u', 0),
    itemIds: ids('i', 1),
    users: Int32Array.from(pairs, ([user]) => user),
    items: Int32Array.from(pairs, ([, item]) => item),
    ratings: Float32Array.from(pairs, (_, position) => position),
    ...(times && { times: Float64Array.from(times) }),
  });
}

const anyRatings = fc
  .array(fc.tuple(fc.nat(6), fc.nat(6), fc.nat(3)), { minLength: 8, maxLength: 60 })
  .map((rows) =>
    ratingsOf(
      rows.map(([user, item]) => [user, item]),
      rows.map(([, , time]) => time),
    ),
  );

/** Both parts together are the ratings, in file order, and know the ids of the training part alone. */
function expectPartition(ratings: Ratings, { train, valid }: Split) {
  const places = [...train.ratings, ...valid.ratings];
  expect(places.toSorted((a, b) => a - b)).toEqual([...ratings.ratings]);
  for (const part of [train, valid]) {
    expect([...part.ratings]).toEqual([...part.ratings].toSorted((a, b) => a - b));
    expect(part.userIds).toEqual(train.userIds);
    part.ratings.forEach((position, index) => {
      const user = ratings.userIds[ratings.users[position]];
      const item = ratings.itemIds[ratings.items[position]];
      expect(part.userIds[part.users[index]]).toBe(train.userIds.includes(user) ? user : undefined);
      expect(part.itemIds[part.items[index]]).toBe(train.itemIds.includes(item) ? item : undefined);
      expect(part.users[index]).toBeLessThanOrEqual(train.userIds.length);
      expect(part.times?.[index]).toBe(ratings.times?.[position]);
    });
  }
  expect(train.userIds).toEqual(
    ratings.userIds.filter((_, row) =>
      [...train.ratings].some((position) => ratings.users[position] === row),
    ),
  );
  expect(train.itemIds).toEqual(
    ratings.itemIds.filter((_, row) =>
      [...train.ratings].some((position) => ratings.items[position] === row),
    ),
  );
}

test('what is no ratings is refused', () => {
  const none = { users: [], userIds: [] } as unknown as Ratings;
  for (const split of [
    () => randomSplit(none, 0.2, 1),
    () => timeSplit(none, 0.2),
    () => dateSplit(none, 0),
    () => leaveLastOut(none),
    () => folds(none, 5, 1),
  ])
    expect(split).toThrow(
      'the ratings are {"users":[],"userIds":[]}; give Ratings, such as those of readRatings',
    );
});

describe('every split partitions the ratings', () => {
  const fraction = fc.double({ min: 0.1, max: 0.9, noNaN: true });
  test('randomSplit', () =>
    fc.assert(
      fc.property(anyRatings, fraction, fc.maxSafeInteger(), (ratings, part, seed) => {
        const parts = randomSplit(ratings, part, seed);
        expectPartition(ratings, parts);
        expect(parts.valid.users.length).toBe(Math.round(ratings.users.length * part));
        expect(randomSplit(ratings, part, seed)).toEqual(parts);
      }),
    ));

  test('folds, of which each rating is held out by one, and whose sizes differ by one at most', () =>
    fc.assert(
      fc.property(anyRatings, fc.integer({ min: 2, max: 8 }), fc.maxSafeInteger(), (ratings, count, seed) => {
        const parts = folds(ratings, count, seed);
        expect(parts).toHaveLength(count);
        for (const part of parts) expectPartition(ratings, part);
        const held = parts.flatMap(({ valid }) => [...valid.ratings]);
        expect(held.toSorted((a, b) => a - b)).toEqual([...ratings.ratings]);
        const sizes = parts.map(({ valid }) => valid.ratings.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(folds(ratings, count, seed)).toEqual(parts);
      }),
    ));

  test('timeSplit', () =>
    fc.assert(
      fc.property(anyRatings, fraction, (ratings, part) => {
        const parts = timeSplit(ratings, part);
        expectPartition(ratings, parts);
        expect(parts.valid.users.length).toBe(Math.round(ratings.users.length * part));
        const { train, valid } = parts as { train: Required<Ratings>; valid: Required<Ratings> };
        expect(Math.max(...train.times)).toBeLessThanOrEqual(Math.min(...valid.times));
      }),
    ));

  test('dateSplit', () =>
    fc.assert(
      fc.property(anyRatings, (ratings) => {
        const { times } = ratings as Required<Ratings>;
        const date = Math.max(...times);
        fc.pre(Math.min(...times) < date);
        const parts = dateSplit(ratings, date);
        expectPartition(ratings, parts);
        const { train, valid } = parts as { train: Required<Ratings>; valid: Required<Ratings> };
        expect(Math.max(...train.times)).toBeLessThan(date);
        expect(Math.min(...valid.times)).toBe(date);
      }),
    ));

  test('leaveLastOut', () =>
    fc.assert(
      fc.property(anyRatings, (ratings) => {
        const parts = leaveLastOut(ratings);
        expectPartition(ratings, parts);
        expect(new Set(parts.valid.users).size).toBe(parts.valid.users.length);
        expect(parts.valid.users.length).toBe(
          ratings.userIds.filter((_, row) => ratings.users.filter((user) => user === row).length > 1).length,
        );
      }),
    ));
});

test.each([
  [0, 'all ratings are of 1970-01-01 or later: they are from 1970-01-02 to 1970-01-03; give a date between'],
  [1e9, 'all ratings are before 2001-09-09: they are from 1970-01-02 to 1970-01-03; give a date between'],
])('dateSplit refuses an empty part: %s', (date, message) => {
  const ratings = ratingsOf(
    [
      [0, 0],
      [1, 1],
    ],
    [86_400, 2 * 86_400],
  );
  expect(() => dateSplit(ratings, date)).toThrow(message);
});

test('another seed holds out other ratings', () => {
  const ratings = ratingsOf(Array.from(uniforms(100, generator(1)), (value) => [Math.floor(value * 5), 0]));
  expect(randomSplit(ratings, 0.2, 1).valid.ratings).not.toEqual(randomSplit(ratings, 0.2, 2).valid.ratings);
});

test('timeSplit takes the last in the file of those of one second', () => {
  const ratings = ratingsOf(
    [
      [0, 0],
      [0, 1],
      [0, 2],
      [0, 3],
      [0, 4],
    ],
    [7, 9, 7, 7, 1],
  );
  expect([...timeSplit(ratings, 0.4).valid.ratings]).toEqual([1, 3]);
});

test('leaveLastOut goes by time, then by position', () => {
  const pairs: [number, number][] = [
    [0, 0],
    [1, 0],
    [0, 1],
    [0, 2],
    [2, 1],
    [1, 1],
  ];
  expect([...leaveLastOut(ratingsOf(pairs, [9, 1, 9, 3, 1, 0])).valid.ratings]).toEqual([1, 2]);
  expect([...leaveLastOut(ratingsOf(pairs)).valid.ratings]).toEqual([3, 5]);
});

test('an id that is only held out has the unknown row', () => {
  const { train, valid } = leaveLastOut(
    ratingsOf([
      [0, 0],
      [0, 1],
    ]),
  );
  expect(train.itemIds).toEqual(['i0']);
  expect([...valid.items]).toEqual([1]);
});

test('the sample splits by time', async () => {
  const { ratings } = await readRatings(`${sample}/ratings.csv.gz`);
  const { train, valid } = timeSplit(ratings, 0.2);
  expect(valid.users.length).toBe(20_167);
  expect(train.userIds.length).toBeLessThan(610);
});

describe('mistakes', () => {
  const ratings = ratingsOf([
    [0, 0],
    [1, 1],
    [2, 2],
  ]);
  test.each<[() => unknown, string]>([
    [
      () => holdOut(ratings, { split: 'toString' as 'random', valid: 0.5 }),
      'split is "toString"; give one of random, time, leave-last-out',
    ],
    [
      () => randomSplit(ratings, 0, 1),
      'the fraction to hold out is 0; give a number between 0 and 1, for example 0.2',
    ],
    [
      () => randomSplit(ratings, 1, 1),
      'the fraction to hold out is 1; give a number between 0 and 1, for example 0.2',
    ],
    [
      () => randomSplit(ratings, Number.NaN, 1),
      'the fraction to hold out is NaN; give a number between 0 and 1, for example 0.2',
    ],
    [
      () => randomSplit(ratings, 0.1, 1),
      'holding out 0.1 of 3 ratings leaves none to validate with; change the fraction or give more ratings',
    ],
    [
      () => randomSplit(ratings, 0.9, 1),
      'holding out 0.9 of 3 ratings leaves none to train with; change the fraction or give more ratings',
    ],
    [() => folds(ratings, 4, 1), 'the number of folds is 4; give a whole number from 2 to 3, the ratings'],
    [
      () => timeSplit(ratings, 0.5),
      'a split by time needs times, and the ratings have none; name their column with `timeColumn`',
    ],
    [() => leaveLastOut(ratings), 'no user has two ratings, so none can be held out; use a random split'],
  ])('%#', async (act, message) => {
    expect(await userError((async () => act())())).toBe(message);
  });
});

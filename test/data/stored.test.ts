import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeSynthetic } from '../../scripts/bench/synthetic.ts';
import { literal, withDatabase } from '../../src/data/duckdb.ts';
import type { Ratings } from '../../src/data/ratings.ts';
import { readRatings } from '../../src/data/read.ts';
import { randomSplit } from '../../src/data/split.ts';
import { readTraining, type StoreOptions } from '../../src/data/store.ts';
import { isStored, type StoredRatings } from '../../src/data/stored.ts';
import { temporaryFolder, userError } from './files.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  await writeSynthetic(folder.path, { ratings: 640_000, users: 4000, items: 1200 });
});

/** Makes a file from `train.parquet` by SQL. */
const make = (name: string, select: string): Promise<void> =>
  withDatabase(async (connection) => {
    const from = `read_parquet(${literal(at('train.parquet'))}, file_row_number = true)`;
    await connection.run(`COPY (SELECT ${select} FROM ${from}) TO ${literal(at(name))}`);
  });

async function stored(file: string, options: StoreOptions = {}) {
  const { train, valid, read } = await readTraining(at(file), {
    folder: folder.path,
    workers: 2,
    ...options,
  });
  if (!isStored(train)) throw new Error('they are in memory');
  return { train, valid, read };
}

/** Each rating as a text, in one order. */
const listed = (
  { userIds, itemIds }: Pick<Ratings, 'userIds' | 'itemIds'>,
  { users, items, ratings }: Pick<Ratings, 'users' | 'items' | 'ratings'>,
) =>
  Array.from(
    ratings,
    (rating, place) => `${userIds[users[place]]} ${itemIds[items[place]]} ${rating}`,
  ).sort();

const allOf = async (data: StoredRatings) => listed(data, await data.sample(data.count));

describe.each(['train.parquet', 'train.csv'])('%s', (file) => {
  test('holds what readRatings reads', async () => {
    if (file.endsWith('.csv')) await make(file, '"user", item, rating');
    const { train, read } = await stored(file);
    const inMemory = await readRatings(at(file));
    expect((await allOf(train)).join('\n') === listed(inMemory, inMemory).join('\n')).toBe(true);
    expect(read).toEqual({ ratings: inMemory.ratings.length, users: 4000, items: 1200 });
    expect(train).toMatchObject({ count: inMemory.ratings.length, low: 0.5, high: 5, duplicates: 0 });
    expect(train.mean).toBeCloseTo(
      inMemory.ratings.reduce((sum, rating) => sum + rating, 0) / train.count,
      4,
    );
    expect([...train.userCounts]).toEqual([...train.userCounts].sort((a, b) => b - a));
    const row = inMemory.itemIds.indexOf(train.itemIds[0]);
    const ofFirst = inMemory.ratings.filter((_, place) => inMemory.items[place] === row);
    expect(train.itemCounts[0]).toBe(ofFirst.length);
    expect(train.itemAverages[0]).toBeCloseTo(
      ofFirst.reduce((sum, rating) => sum + rating, 0) / ofFirst.length,
      6,
    );
    await train.close();
  });

  test('the seed decides the order within a stratum', async () => {
    const [one, again, other] = [await stored(file), await stored(file), await stored(file, { seed: 2 })];
    expect(again.train.fingerprint).toBe(one.train.fingerprint);
    expect(other.train.fingerprint).not.toBe(one.train.fingerprint);
    expect(await again.train.strata.read(3)).toEqual(await one.train.strata.read(3));
    const { users } = await one.train.strata.read(0);
    expect([...users.subarray(0, 50)]).not.toEqual([...users.subarray(0, 50)].sort((a, b) => a - b));
    for (const { train } of [one, again, other]) await train.close();
  });

  test('a part is held out, the same for the same seed', async () => {
    const { train, valid } = await stored(file, { valid: 0.2 });
    const again = await stored(file, { valid: 0.2 });
    const held = valid as Ratings;
    expect(held.ratings.length / (held.ratings.length + train.count)).toBeCloseTo(0.2, 2);
    expect(again.valid).toEqual(held);
    expect(held.userIds).toBe(train.userIds);
    const known = listed(train, held).filter((line) => !line.includes('undefined'));
    const trained = new Set((await allOf(train)).map((line) => line.split(' ').slice(0, 2).join()));
    expect(known.some((line) => trained.has(line.split(' ').slice(0, 2).join()))).toBe(false);
    for (const data of [train, again.train]) await data.close();
  });
});

test.each(['parquet', 'csv'])('of two ratings of one pair the later counts, in %s', async (ending) => {
  await withDatabase(async (connection) => {
    const from = `read_parquet(${literal(at('train.parquet'))}, file_row_number = true)`;
    await connection.run(
      `COPY (SELECT "user", item, 5.0::FLOAT AS rating, 2000000000 AS time FROM ${from} WHERE file_row_number % 100000 = 7
       UNION ALL SELECT "user", item, rating, 1000000000 FROM ${from}) TO ${literal(at(`twice.${ending}`))}`,
    );
  });
  const { train } = await stored(`twice.${ending}`);
  const inMemory = await readRatings(at(`twice.${ending}`));
  expect(train.duplicates).toBe(inMemory.duplicates);
  expect(train.duplicates).toBeGreaterThan(4);
  expect((await allOf(train)).join('\n') === listed(inMemory, inMemory).join('\n')).toBe(true);
  await train.close();
});

test('ids of any type are the texts that readRatings makes of them', async () => {
  await make(
    'typed.parquet',
    `'ü "' || "user" AS "user", DATE '2000-01-01' + item AS item, rating::DOUBLE AS rating`,
  );
  const { train } = await stored('typed.parquet');
  const inMemory = await readRatings(at('typed.parquet'));
  expect([...train.userIds].sort()).toEqual([...inMemory.userIds].sort());
  expect([...train.itemIds].sort()).toEqual([...inMemory.itemIds].sort());
  await train.close();
});

describe('a row that cannot be right is told as readRatings tells it', () => {
  test.each([
    ['no rating', `"user", item, CASE WHEN file_row_number = 300000 THEN NULL ELSE rating END AS rating`],
    [
      'no number',
      `"user", item, CASE WHEN file_row_number = 300000 THEN 'NaN' ELSE rating END::FLOAT AS rating`,
    ],
    [
      'an empty id',
      `CASE WHEN file_row_number = 300000 THEN '' ELSE "user"::VARCHAR END AS "user", item, rating`,
    ],
    ['no id', `"user", CASE WHEN file_row_number = 300000 THEN NULL ELSE item END AS item, rating`],
  ])('%s', async (_, select) => {
    await make('bad.parquet', select);
    const message = await userError(readTraining(at('bad.parquet'), { folder: folder.path }));
    expect(message).toBe(await userError(readRatings(at('bad.parquet'))));
    expect(message).toMatch(/row 300001/);
  });
});

test('few ratings are in memory, as they always were', async () => {
  await make('few.parquet', '"user", item, rating');
  await withDatabase((connection) =>
    connection.run(
      `COPY (FROM read_parquet(${literal(at('few.parquet'))}) LIMIT 3000) TO ${literal(at('fewer.parquet'))}`,
    ),
  );
  const inMemory = await readRatings(at('fewer.parquet'));
  expect((await readTraining(at('fewer.parquet'))).train).toEqual(inMemory);
  const { train, valid } = await readTraining(at('fewer.parquet'), { valid: 0.3, seed: 4 });
  expect({ train, valid }).toEqual(randomSplit(inMemory, 0.3, 4));
});

test('in little memory, and nothing is left in the folder', async () => {
  const { train } = await stored('train.csv', { memory: 300e6 });
  expect(train.count).toBeGreaterThan(500_000);
  expect((await readdir(folder.path)).filter((name) => name.startsWith('cofactor-'))).toEqual([]);
  await train.close();
  const message = await userError(readTraining(at('train.csv'), { folder: at('not-there') }));
  expect(message).toMatch(/not-there: cannot be written \(ENOENT\)/);
});

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Synthetic, writeSynthetic } from '../../scripts/bench/synthetic.ts';
import type { Ratings } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { isStored, LARGE, type StoredRatings } from '../../src/data/dataset/stored.ts';
import { stratumByStratum } from '../../src/data/dataset/strata.ts';
import { withDatabase } from '../../src/data/read/duckdb.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { readTraining, type StoreOptions, type Training } from '../../src/data/read/store.ts';
import { sample, temporaryFolder, userError } from './files.ts';

const folder = temporaryFolder();
let scratch: string;
let synthetic: Synthetic;
let opened: StoredRatings[] = [];

beforeAll(async () => {
  synthetic = await writeSynthetic(folder.path, { ratings: 600_000, users: 5000, items: 1500 });
  scratch = join(folder.path, 'scratch');
  await mkdir(scratch);
  await copy('train.csv', 'FROM train');
});

afterEach(async () => {
  for (const { close } of opened) await close();
  opened = [];
  expect(await readdir(scratch)).toEqual([]);
});

/** Writes the rows of a query of the synthetic ratings, `train`, to a file. */
async function copy(name: string, query: string): Promise<string> {
  const path = join(folder.path, name);
  await withDatabase(async (connection) => {
    await connection.run(`CREATE TABLE train AS FROM '${synthetic.train}'`);
    await connection.run(`COPY (${query}) TO '${path}'`);
  });
  return path;
}

/** Ratings that must be many. */
async function read(
  path: string,
  options: StoreOptions = {},
): Promise<Training & { readonly train: StoredRatings }> {
  const { train, ...rest } = await readTraining(path, { folder: scratch, workers: 2, ...options });
  if (!isStored(train)) return expect.fail('not in a file');
  opened.push(train);
  return { train, ...rest };
}

/** All of them, in the order of the file. */
async function joined({ userIds, itemIds, count, strata }: StoredRatings): Promise<Ratings> {
  const all = {
    userIds,
    itemIds,
    users: new Int32Array(count),
    items: new Int32Array(count),
    ratings: new Float32Array(count),
    duplicates: 0,
    assumptions: [],
  };
  let place = 0;
  for await (const { users, items, ratings } of stratumByStratum(strata)) {
    all.users.set(users, place);
    all.items.set(items, place);
    all.ratings.set(ratings, place);
    place += ratings.length;
  }
  expect(place).toBe(count);
  return all;
}

/** A number of each rating of known users and items, sorted: equal where the same users rated the same items alike. */
function numbersOf(
  ratings: Ratings,
  { userIds, itemIds }: Pick<Ratings, 'userIds' | 'itemIds'>,
): Float64Array {
  const rows = (ids: string[], of: string[]) => {
    const row = new Map(of.map((id, place) => [id, place]));
    return ids.map((id) => row.get(id) as number);
  };
  const [userRows, itemRows] = [rows(ratings.userIds, userIds), rows(ratings.itemIds, itemIds)];
  return Float64Array.from(
    ratings.ratings,
    (rating, place) =>
      userRows[ratings.users[place]] * itemIds.length + itemRows[ratings.items[place]] + rating / 32,
  ).sort();
}

/** `toEqual` takes seconds for so many. */
const alike = (one: ArrayBufferView, other: ArrayBufferView): boolean =>
  Buffer.compare(new Uint8Array(one.buffer), new Uint8Array(other.buffer)) === 0;

async function expectSame(stored: StoredRatings, expected: Ratings): Promise<void> {
  expect(stored.count).toBe(expected.ratings.length);
  expect(stored.userIds.toSorted()).toEqual(expected.userIds.toSorted());
  expect(stored.itemIds.toSorted()).toEqual(expected.itemIds.toSorted());
  expect(alike(numbersOf(await joined(stored), expected), numbersOf(expected, expected))).toBe(true);
  expect(stored.duplicates).toBe(expected.duplicates);
  expect(stored.assumptions).toEqual(expected.assumptions);
}

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

/** How far one column follows another, from −1 to 1. */
function correlation(xs: ArrayLike<number>, ys: ArrayLike<number>): number {
  const centred = (values: ArrayLike<number>) => {
    const mean = sum(values) / values.length;
    return Array.from(values, (value) => value - mean);
  };
  const [one, other] = [centred(xs), centred(ys)];
  const product = (as: number[], bs: number[]) => sum(as.map((a, place) => a * bs[place]));
  return product(one, other) / Math.sqrt(product(one, one) * product(other, other));
}

describe.each(['train.parquet', 'train.csv'])('%s', (name) => {
  const path = () => join(folder.path, name);

  test('is stored as readRatings reads it', async () => {
    const { train, valid, read: counted } = await read(path());
    const expected = await readRatings(path());
    await expectSame(train, expected);
    expect(valid).toBeUndefined();
    expect(counted).toEqual({ ratings: train.count, users: train.userIds.length, items: 1500 });
    expect(train.count).toBe(synthetic.ratings);
  });

  test('has its facts right', async () => {
    const { train } = await read(path());
    const { users, items, ratings } = await joined(train);
    const tally = (rows: Int32Array, count: number, value: (place: number) => number) => {
      const sums = new Float64Array(count);
      for (const [place, row] of rows.entries()) sums[row] += value(place);
      return sums;
    };
    const itemSums = tally(items, train.itemIds.length, (place) => ratings[place]);
    const userCounts = tally(users, train.userIds.length, () => 1);
    expect(Float64Array.from(train.itemCounts)).toEqual(tally(items, train.itemIds.length, () => 1));
    expect(train.itemAverages).toEqual(itemSums.map((total, row) => total / train.itemCounts[row]));
    expect([train.low, train.high]).toEqual([0.5, 5]);
    expect(train.mean).toBeCloseTo(sum(ratings) / train.count, 12);
    for (const counts of [userCounts, Float64Array.from(train.itemCounts)])
      expect(counts).toEqual(counts.toSorted((one, other) => other - one));
  });

  test('is in strata, each shuffled', async () => {
    const { train } = await read(path());
    const { strata } = train;
    expect([strata.users.starts.length, strata.items.starts.length]).toEqual([3, 3]);
    for (let number = 0; number < 4; number++) {
      const { users, items, ratings } = await strata.read(number);
      expect(ratings.length).toBe(strata.starts[number + 1] - strata.starts[number]);
      const places = ratings.map((_, place) => place);
      const limit = 4 / Math.sqrt(ratings.length);
      for (const column of [users, items, ratings])
        expect(Math.abs(correlation(column, places))).toBeLessThan(limit);
      expect(Math.abs(correlation(users.subarray(1), users.subarray(0, -1)))).toBeLessThan(limit);
    }
  });

  test('is in an order that the seed gives', async () => {
    const [one, again, other] = [
      await read(path()),
      await read(path(), { seed: 1 }),
      await read(path(), { seed: 2 }),
    ].map(({ train }) => train);
    const [ofOne, ofAgain, ofOther] = await Promise.all([one, again, other].map(joined));
    expect(again.fingerprint).toBe(one.fingerprint);
    expect(alike(ofAgain.users, ofOne.users) && alike(ofAgain.items, ofOne.items)).toBe(true);
    expect(alike(ofAgain.ratings, ofOne.ratings)).toBe(true);
    expect(other.fingerprint).toBe(one.fingerprint);
    expect(other.strata.starts).toEqual(one.strata.starts);
    expect(Math.abs(correlation(ofOther.users, ofOne.users))).toBeLessThan(0.01);
  });

  test('holds out a part that the seed gives', async () => {
    const all = await readRatings(path());
    const part = async (seed: number) => {
      const { train, valid, read: counted } = await read(path(), { seed, valid: 0.2 });
      if (!valid) return expect.fail('nothing held out');
      expect(counted.ratings).toBe(all.ratings.length);
      expect(valid.ratings.length / all.ratings.length).toBeCloseTo(0.2, 2);
      expect([valid.userIds, valid.itemIds]).toEqual([train.userIds, train.itemIds]);
      return { train, valid, held: numbersOf(valid, all) };
    };
    const [one, again, other] = [await part(1), await part(1), await part(2)];
    const both = Float64Array.from([...numbersOf(await joined(one.train), all), ...one.held]).sort();
    expect(alike(both, numbersOf(all, all))).toBe(true);
    expect(alike(again.valid.users, one.valid.users) && alike(again.held, one.held)).toBe(true);
    const held = new Set(one.held);
    expect(other.held.filter((number) => held.has(number)).length / held.size).toBeCloseTo(0.2, 2);
  });
});

test('the fingerprint knows each rating', async () => {
  const path = await copy(
    'changed.parquet',
    'SELECT * REPLACE (CASE WHEN rowid = 400_000 THEN 5.5 - rating ELSE rating END AS rating) FROM train',
  );
  expect((await read(path)).train.fingerprint).not.toBe((await read(synthetic.train)).train.fingerprint);
});

test('an id that is held out alone has the unknown row', async () => {
  const path = await copy(
    'rare.parquet',
    `FROM train UNION ALL SELECT 1_000_000 + range, 1 + range % 1500, 3 FROM range(1000)
     UNION ALL SELECT 1, 2_000_000 + range, 4 FROM range(500)`,
  );
  const { train, valid, read: counted } = await read(path, { valid: 0.3 });
  if (!valid) return expect.fail('nothing held out');
  const { users, items } = valid;
  const { userIds, itemIds } = await readRatings(path);
  expect(counted).toMatchObject({ users: userIds.length, items: itemIds.length });
  expect(valid.unknown).toEqual({
    users: userIds.length - train.userIds.length,
    items: itemIds.length - train.itemIds.length,
  });
  const unknown = (rows: Int32Array, row: number) => rows.filter((other) => other === row).length;
  expect(unknown(users, train.userIds.length)).toBe(valid.unknown?.users);
  expect(unknown(items, train.itemIds.length)).toBe(valid.unknown?.items);
  expect(valid.unknown?.users).toBeGreaterThan(200);
  expect(valid.unknown?.items).toBeGreaterThan(100);
  const trained = await joined(train);
  expect(Math.max(...trained.users.slice(-1000))).toBeLessThan(train.userIds.length);
});

describe.each(['parquet', 'csv'])('duplicates in %s', (format) => {
  const some = (rating: string, count: number) =>
    `(SELECT user, item, ${rating} AS rating FROM train ORDER BY hash(user, item) LIMIT ${count})`;

  test.each([
    [
      'earlier ones by place',
      `FROM train UNION ALL FROM ${some('5.5 - rating', 60_000)} UNION ALL FROM ${some('rating', 30_000)}`,
    ],
    ['all by place', 'FROM train UNION ALL SELECT user, item, 5.5 - rating FROM train'],
    [
      'earlier ones by time',
      `SELECT *, 1000 + user AS time FROM train
       UNION ALL SELECT *, 1000 + user + (item % 3 - 1) * 10 FROM ${some('5.5 - rating', 60_000)}`,
    ],
  ])('replace %s', async (_, query) => {
    const path = await copy(`twice.${format}`, query);
    const { train, read: counted } = await read(path);
    const expected = await readRatings(path);
    expect(train.duplicates).toBeGreaterThan(50_000);
    await expectSame(train, expected);
    expect(counted.ratings).toBe(expected.ratings.length);
  });

  test('are found though there is one: in large strata, in small ones, in what is held out', async () => {
    const path = await copy(
      `once.${format}`,
      'FROM train UNION ALL (SELECT user, item, 9 FROM train LIMIT 1)',
    );
    const held = new Set<boolean>();
    for (const options of [{}, { workers: 40 }, ...[1, 2, 3].map((seed) => ({ seed, valid: 0.5 }))]) {
      const { train, valid, read: counted } = await read(path, options);
      expect(train.duplicates).toBe(1);
      expect(counted.ratings).toBe(synthetic.ratings);
      const isHeld = valid?.ratings.includes(9) ?? false;
      expect(train.high === 9).toBe(!isHeld);
      held.add(isHeld);
    }
    expect(held.size).toBe(2);
  });
});

describe('ids', () => {
  test.each(['parquet', 'csv'])('any texts, in %s', async (format) => {
    const path = await copy(
      `texts.${format}`,
      `SELECT 'zoë "' || user || '", o''clock' AS user, ' 🎬' || chr(10) || '0' || item || '%' AS item, rating FROM train`,
    );
    const { train, valid } = await read(path, { valid: 0.001 });
    const expected = await readRatings(path);
    expect(train.itemIds.toSorted()).toEqual(expected.itemIds.toSorted());
    expect(train.userIds).toContain('zoë "7", o\'clock');
    expect(train.itemIds).toContain(' 🎬\n07%');
    expect(train.count + (valid?.ratings.length ?? 0)).toBe(expected.ratings.length);
  });

  test.each([
    ['large', 'user + 9007199254740992', '-item'],
    ['huge, and fractions', "'170141183460469231731687303715884100000'::HUGEINT + user", 'item / 10'],
    ['UUIDs, and dates', 'md5(user::VARCHAR)::UUID', "DATE '2000-01-01' + item"],
  ])('of Parquet that are no texts: %s', async (_, user, item) => {
    const path = await copy('numbers.parquet', `SELECT ${user} AS user, ${item} AS item, rating FROM train`);
    await expectSame((await read(path)).train, await readRatings(path));
  });
});

test.each([
  ['alike', 'user'],
  ['of other types', 'user::DOUBLE'],
])('several files by a pattern, whose ids are %s', async (_, user) => {
  await copy('part-1.parquet', 'SELECT user, item, rating FROM train WHERE rowid < 300_000');
  await copy(
    'part-2.parquet',
    `SELECT 1 AS "of 2", rating AS "Stars", item AS "item id", ${user} AS "User_ID" FROM train WHERE rowid >= 300_000`,
  );
  const path = join(folder.path, 'part-*.parquet');
  await expectSame((await read(path)).train, await readRatings(path));
});

test('as many blocks as wanted', async () => {
  const { train } = await read(synthetic.train, { blocks: [7, 3] });
  const { users, items, starts } = train.strata;
  expect([users.starts.length, items.starts.length, starts.length]).toEqual([8, 4, 22]);
  const all = await readRatings(synthetic.train);
  expect(alike(numbersOf(await joined(train), all), numbersOf(all, all))).toBe(true);
});

test('a file without a header says what was assumed', async () => {
  const path = await copy('bare.csv', 'FROM train');
  await withDatabase((connection) =>
    connection.run(`COPY (FROM '${synthetic.train}') TO '${path}' (HEADER false)`),
  );
  const { train } = await read(path);
  expect(train.assumptions).toEqual([`${path}: no header, so columns by place: user 1, item 2, rating 3`]);
});

describe('a bad row deep inside is named as readRatings names it', () => {
  test.each([
    ['no rating', 'rating', 'NULL'],
    ['NaN', 'rating', "'nan'"],
    ['an infinite rating', 'rating', "'inf'"],
    ['a text for a rating', 'rating', "'good'"],
    ['no user', 'user', 'NULL'],
    ['an empty user', 'user', "''"],
    ['an empty item', 'item', "''"],
    ['a null character in an item', 'item', "'a' || chr(0)"],
  ])('%s', async (name, column, bad) => {
    const number = name === 'NaN' || name === 'an infinite rating' ? 'DOUBLE' : 'VARCHAR';
    const path = await copy(
      'bad.parquet',
      `SELECT * REPLACE (CASE WHEN rowid = 543_210 THEN ${bad} ELSE ${column}::VARCHAR END::${number} AS ${column}) FROM train`,
    );
    const message = await userError(readTraining([synthetic.train, path], { folder: scratch }));
    expect(message).toContain(`${path}, row 543211: `);
    expect(message).toBe(await userError(readRatings(path)));
  });

  test('in CSV', async () => {
    const path = await copy('bad.csv', 'FROM train UNION ALL (SELECT user, item, NULL FROM train LIMIT 1)');
    const message = await userError(readTraining(path, { folder: scratch }));
    expect(message).toContain(`${path}, line ${synthetic.ratings + 2}: `);
    expect(message).toBe(await userError(readRatings(path)));
  });
});

describe('fewer ratings', () => {
  test('are read into memory', async () => {
    const path = await copy('few.parquet', `FROM train LIMIT ${LARGE - 1}`);
    const { train, valid, read: counted } = await readTraining(path, { folder: scratch });
    const expected = await readRatings(path);
    if (isStored(train)) return expect.fail('not in memory');
    for (const column of ['users', 'items', 'ratings'] as const)
      expect(alike(train[column], expected[column])).toBe(true);
    expect([train.userIds, train.itemIds]).toEqual([expected.userIds, expected.itemIds]);
    expect(valid).toBeUndefined();
    expect(counted).toEqual({
      ratings: LARGE - 1,
      users: expected.userIds.length,
      items: expected.itemIds.length,
    });
  });

  test('and split as by randomSplit', async () => {
    const path = `${sample}/ratings.csv.gz`;
    const {
      train,
      valid,
      read: counted,
    } = await readTraining(path, { folder: scratch, seed: 7, valid: 0.1 });
    expect({ train, valid }).toEqual(randomSplit(await readRatings(path), 0.1, 7));
    expect(counted).toEqual({ ratings: 100_836, users: 610, items: 9724 });
  });

  test('than one more are stored', async () => {
    const { train } = await read(await copy('enough.parquet', `FROM train LIMIT ${LARGE}`));
    expect(train.count).toBe(LARGE);
  });
});

describe('the folder', () => {
  test('is used for what the memory does not hold', async () => {
    const path = await copy(
      'long.csv',
      `SELECT repeat('user', 20) || user AS user, repeat('item', 20) || item AS item, rating FROM train`,
    );
    const { train } = await read(path);
    const names = new Set<string>();
    const look = setInterval(async () => {
      for (const name of await readdir(scratch, { recursive: true }).catch(() => [])) names.add(name);
    }, 10);
    const little = await read(path, { memory: 200e6 }).finally(() => clearInterval(look));
    expect([...names].join('\n')).toMatch(/duckdb_temp/);
    expect(little.train.fingerprint).toBe(train.fingerprint);
  });

  test('is left when the ratings are closed, once or twice', async () => {
    const { train } = await read(synthetic.train);
    await train.close();
    await expect(train.strata.read(0)).rejects.toThrow();
    await train.close();
  });

  test('cannot be written', async () => {
    const missing = join(scratch, 'missing\n');
    expect(await userError(readTraining(synthetic.train, { folder: missing }))).toBe(
      `${scratch}/missing : cannot be written (ENOENT); choose another folder`,
    );
  });
});

test('a sample is of the ratings', async () => {
  const { train } = await read(synthetic.train, { workers: 8 });
  const all = new Set(numbersOf(await joined(train), train));
  const { userIds, itemIds, assumptions, duplicates } = train;
  const some = await train.sample(100_000);
  const numbers = numbersOf({ ...some, userIds, itemIds, assumptions, duplicates }, train);
  expect(numbers.length).toBeGreaterThan(90_000);
  expect(numbers.length).toBeLessThan(110_000);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.every((number) => all.has(number))).toBe(true);
});

describe('mistakes', () => {
  test.each<[StoreOptions, string]>([
    [{ valid: 0 }, 'the fraction to hold out is 0; give a number between 0 and 1, for example 0.2'],
    [
      { valid: Number.NaN },
      'the fraction to hold out is NaN; give a number between 0 and 1, for example 0.2',
    ],
    [
      { valid: 1e-9 },
      'holding out 1e-9 of 578581 ratings leaves none to validate with; change the fraction or give more ratings',
    ],
    [{ workers: 0 }, 'workers is 0; give whole numbers from 1'],
    [
      { blocks: [2, 1501] },
      'blocks is 2,1501; give two whole numbers, of users and of items, up to 5000 and 1500',
    ],
    [{ memory: 1e6 }, 'the ratings need more memory to be read than they may take; allow more'],
    [{ memory: 10e6 }, 'the ratings need more memory to be read than they may take; allow more'],
  ])('%j', async (options, message) => {
    expect(await userError(readTraining(synthetic.train, { folder: scratch, ...options }))).toBe(message);
  });

  test('nothing to train with', async () => {
    const path = await folder.write('one.csv', 'user,item,rating\na,x,3\na,y,4\n');
    expect(await userError(readTraining(path, { folder: scratch }))).toBe(
      `${path}: all ratings are by one user, "a"; training needs at least 2 users`,
    );
  });
});

import { mkdir, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { checkTrainable, type Dataset, fingerprint } from '../../src/data/dataset/dataset.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { stratumByStratum } from '../../src/data/dataset/strata.ts';
import { withDatabase } from '../../src/data/read/duckdb.ts';
import { type ReadOptions, readRatings } from '../../src/data/read/read.ts';
import type { Reading } from '../../src/data/read/reading.ts';
import type { StoreOptions } from '../../src/data/read/store.ts';
import { sample, temporaryFolder, userError } from '../support/files.ts';
import { type Synthetic, writeSynthetic } from '../support/synthetic.ts';

/** So many ratings and more are kept in a file here. */
const FROM = 1000;

const folder = temporaryFolder();
let scratch: string;
let synthetic: Synthetic;
let opened: Dataset[] = [];

beforeAll(async () => {
  synthetic = await writeSynthetic(folder.path, { ratings: 9000, users: 300, items: 100 });
  scratch = join(folder.path, 'scratch');
  await mkdir(scratch);
  await copy('train.csv', 'FROM train');
});

afterEach(async () => {
  for (const ratings of opened) await ratings.close();
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

/** What `readRatings` makes of ratings that may be kept in a file. */
const reading = (path: string | readonly string[], options: ReadOptions = {}, store: StoreOptions = {}) =>
  readRatings(path, { ...options, store: { from: FROM, folder: scratch, blocks: [2, 2], ...store } });

/** Ratings that must be in a file. */
async function read(path: string, options?: ReadOptions, store?: StoreOptions): Promise<Reading<Dataset>> {
  const { ratings, ...rest } = await reading(path, options, store);
  if (ratings.storedIn === undefined) return expect.fail('not in a file');
  opened.push(ratings);
  return { ratings, ...rest };
}

const strataOf = (stored: Dataset) => stored.strata?.() ?? expect.fail('not in a file');

/** All of them, in the order of the file. */
async function joined(stored: Dataset): Promise<Ratings> {
  const count = stored.facts.ratings;
  const all = {
    users: new Int32Array(count),
    items: new Int32Array(count),
    ratings: new Float32Array(count),
  };
  let index = 0;
  for await (const { users, items, ratings } of stratumByStratum(strataOf(stored))) {
    all.users.set(users, index);
    all.items.set(items, index);
    all.ratings.set(ratings, index);
    index += ratings.length;
  }
  expect(index).toBe(count);
  return new Ratings({ userIds: stored.userIds, itemIds: stored.itemIds, ...all });
}

/** A number of each rating of known users and items, sorted: equal where the same users rated the same items alike. */
function numbersOf(
  ratings: Ratings,
  { userIds, itemIds }: Pick<Ratings, 'userIds' | 'itemIds'>,
): Float64Array {
  const rows = (ids: readonly string[], of: readonly string[]) => {
    const row = new Map(of.map((id, index) => [id, index]));
    return ids.map((id) => row.get(id) as number);
  };
  const [userRows, itemRows] = [rows(ratings.userIds, userIds), rows(ratings.itemIds, itemIds)];
  return Float64Array.from(
    ratings.ratings,
    (rating, index) =>
      userRows[ratings.users[index]] * itemIds.length + itemRows[ratings.items[index]] + rating / 32,
  ).sort();
}

async function expectSame({ ratings, report }: Reading<Dataset>, expected: Reading): Promise<void> {
  expect(ratings.facts.ratings).toBe(expected.ratings.ratings.length);
  expect(ratings.userIds.toSorted()).toEqual(expected.ratings.userIds.toSorted());
  expect(ratings.itemIds.toSorted()).toEqual(expected.ratings.itemIds.toSorted());
  expect(numbersOf(await joined(ratings), expected.ratings)).toEqual(
    numbersOf(expected.ratings, expected.ratings),
  );
  expect(report).toEqual(expected.report);
}

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

/** How far one column follows another, from −1 to 1. */
function correlation(xs: ArrayLike<number>, ys: ArrayLike<number>): number {
  const centred = (values: ArrayLike<number>) => {
    const mean = sum(values) / values.length;
    return Array.from(values, (value) => value - mean);
  };
  const [one, other] = [centred(xs), centred(ys)];
  const product = (as: number[], bs: number[]) => sum(as.map((a, index) => a * bs[index]));
  return product(one, other) / Math.sqrt(product(one, one) * product(other, other));
}

describe.each(['train.parquet', 'train.csv'])('%s', (name) => {
  const path = () => join(folder.path, name);

  test('is stored as readRatings reads it', async () => {
    const stored = await read(path());
    await expectSame(stored, await readRatings(path()));
    expect(stored.valid).toBeUndefined();
    expect(stored.ratings.name).toBe(path());
    expect(stored.ratings.storedIn).toEqual([2, 2]);
    const users = stored.ratings.userIds.length;
    expect(stored.report).toEqual({
      ...{ ratings: synthetic.ratings, users, items: 100 },
      ...{ kind: 'ratings', duplicates: 0, withoutUser: 0, withoutStrength: 0, assumptions: [] },
    });
  });

  test('has its facts right', async () => {
    const { ratings: stored } = await read(path());
    const { users, items, ratings } = await joined(stored);
    const { facts, userIds, itemIds, itemCounts, itemAverages } = stored;
    const tally = (rows: Int32Array, count: number, value: (index: number) => number) => {
      const sums = new Float64Array(count);
      for (const [index, row] of rows.entries()) sums[row] += value(index);
      return sums;
    };
    const itemSums = tally(items, itemIds.length, (index) => ratings[index]);
    const userCounts = tally(users, userIds.length, () => 1);
    expect(Float64Array.from(itemCounts)).toEqual(tally(items, itemIds.length, () => 1));
    expect(itemAverages).toEqual(itemSums.map((total, row) => total / itemCounts[row]));
    expect(facts).toEqual({
      ...{ kind: 'ratings', users: userIds.length, items: itemIds.length },
      ...{ ratings: synthetic.ratings, low: 0.5, high: 5 },
      mean: expect.closeTo(sum(ratings) / ratings.length, 12),
    });
    for (const counts of [userCounts, Float64Array.from(itemCounts)])
      expect(counts).toEqual(counts.toSorted((one, other) => other - one));
  });

  test('is in strata, each shuffled', async () => {
    const strata = strataOf((await read(path())).ratings);
    expect([strata.users.starts.length, strata.items.starts.length]).toEqual([3, 3]);
    for (let number = 0; number < 4; number++) {
      const { users, items, ratings } = await strata.read(number);
      expect(ratings.length).toBe(strata.starts[number + 1] - strata.starts[number]);
      expect(ratings.length).toBeGreaterThan(1000);
      const indices = ratings.map((_, index) => index);
      const limit = 4 / Math.sqrt(ratings.length);
      for (const column of [users, items, ratings])
        expect(Math.abs(correlation(column, indices))).toBeLessThan(limit);
      expect(Math.abs(correlation(users.subarray(1), users.subarray(0, -1)))).toBeLessThan(limit);
    }
  });

  test('is in an order that the seed gives', async () => {
    const [one, again, other] = [
      await read(path()),
      await read(path(), { seed: 1 }),
      await read(path(), { seed: 2 }),
    ].map(({ ratings }) => ratings);
    const [ofOne, ofAgain, ofOther] = await Promise.all([one, again, other].map(joined));
    expect(await fingerprint(again)).toBe(await fingerprint(one));
    for (const column of ['users', 'items', 'ratings'] as const)
      expect(ofAgain[column]).toEqual(ofOne[column]);
    expect(await fingerprint(other)).toBe(await fingerprint(one));
    expect(strataOf(other).starts).toEqual(strataOf(one).starts);
    const { starts } = strataOf(one);
    for (let number = 0; number < 4; number++) {
      const [users, others] = [ofOne, ofOther].map((of) =>
        of.users.subarray(starts[number], starts[number + 1]),
      );
      expect(Math.abs(correlation(users, others))).toBeLessThan(4 / Math.sqrt(users.length));
    }
  });

  test('holds out a part that the seed gives', async () => {
    const { ratings: all } = await readRatings(path());
    // Four standard deviations.
    const give = 4 * Math.sqrt((0.2 * 0.8) / all.ratings.length);
    const part = async (seed: number) => {
      const { ratings, valid, report } = await read(path(), { seed, valid: 0.2 });
      if (!valid) return expect.fail('nothing held out');
      expect(report.ratings).toBe(all.ratings.length);
      expect(Math.abs(valid.ratings.length / all.ratings.length - 0.2)).toBeLessThan(give);
      expect([valid.userIds, valid.itemIds]).toEqual([ratings.userIds, ratings.itemIds]);
      return { ratings, valid, held: numbersOf(valid, all) };
    };
    const [one, again, other] = [await part(1), await part(1), await part(2)];
    const both = Float64Array.from([...numbersOf(await joined(one.ratings), all), ...one.held]).sort();
    expect(both).toEqual(numbersOf(all, all));
    expect([again.valid.users, again.held]).toEqual([one.valid.users, one.held]);
    const held = new Set(one.held);
    const common = other.held.filter((number) => held.has(number)).length / held.size;
    expect(Math.abs(common - 0.2)).toBeLessThan(3 * give);
  });
});

test('the fingerprint knows each rating', async () => {
  const path = await copy(
    'changed.parquet',
    'SELECT * REPLACE (CASE WHEN rowid = 4000 THEN 5.5 - rating ELSE rating END AS rating) FROM train',
  );
  const [changed, original] = [(await read(path)).ratings, (await read(synthetic.train)).ratings];
  expect(await fingerprint(changed)).not.toBe(await fingerprint(original));
});

test('an id that is held out alone has the unknown row', async () => {
  const path = await copy(
    'rare.parquet',
    `FROM train UNION ALL SELECT 1_000_000 + range, 1 + range % 100, 3 FROM range(200)
     UNION ALL SELECT 1, 2_000_000 + range, 4 FROM range(100)`,
  );
  const { ratings, valid, report } = await read(path, { valid: 0.3 });
  if (!valid) return expect.fail('nothing held out');
  const { users, items } = valid;
  const { userIds, itemIds } = (await readRatings(path)).ratings;
  expect(report).toMatchObject({ users: userIds.length, items: itemIds.length });
  expect(valid.unknown).toEqual({
    users: userIds.length - ratings.userIds.length,
    items: itemIds.length - ratings.itemIds.length,
  });
  const unknown = (rows: Int32Array, row: number) => rows.filter((other) => other === row).length;
  expect(unknown(users, ratings.userIds.length)).toBe(valid.unknown?.users);
  expect(unknown(items, ratings.itemIds.length)).toBe(valid.unknown?.items);
  expect(valid.unknown?.users).toBeGreaterThan(40);
  expect(valid.unknown?.items).toBeGreaterThan(20);
  // `Ratings`, which `joined` makes of them, would hold no row without an id.
  await joined(ratings);
});

describe.each(['parquet', 'csv'])('duplicates in %s', (format) => {
  const some = (rating: string, count: number) =>
    `(SELECT user, item, ${rating} AS rating FROM train ORDER BY hash(user, item) LIMIT ${count})`;

  test.each([
    [
      'earlier ones by index',
      `FROM train UNION ALL FROM ${some('5.5 - rating', 600)} UNION ALL FROM ${some('rating', 300)}`,
    ],
    ['all by index', 'FROM train UNION ALL SELECT user, item, 5.5 - rating FROM train'],
    [
      'earlier ones by time',
      `SELECT *, 1000 + user AS time FROM train
       UNION ALL SELECT *, 1000 + user + (item % 3 - 1) * 10 FROM ${some('5.5 - rating', 600)}`,
    ],
  ])('replace %s', async (_, query) => {
    const path = await copy(`twice.${format}`, query);
    const stored = await read(path);
    expect(stored.report.duplicates).toBeGreaterThan(500);
    await expectSame(stored, await readRatings(path));
  });

  test('are found though there is one: in large strata, in small ones, in what is held out', async () => {
    const path = await copy(
      `once.${format}`,
      'FROM train UNION ALL (SELECT user, item, 9 FROM train LIMIT 1)',
    );
    const held = new Set<boolean>();
    const ways: { readonly options?: ReadOptions; readonly store?: StoreOptions }[] = [
      {},
      { store: { blocks: [40, 40] } },
      ...[1, 2, 3, 4, 5, 6].map((seed) => ({ options: { seed, valid: 0.5 } })),
    ];
    for (const { options, store } of ways) {
      const { ratings, valid, report } = await read(path, options, store);
      expect(report).toMatchObject({ ratings: synthetic.ratings, duplicates: 1 });
      const isHeld = valid?.ratings.includes(9) ?? false;
      expect(ratings.facts.high === 9).toBe(!isHeld);
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
    const { ratings, valid } = await read(path, { valid: 0.01 });
    const { ratings: expected } = await readRatings(path);
    expect(ratings.itemIds.toSorted()).toEqual(expected.itemIds.toSorted());
    expect(ratings.userIds).toContain('zoë "7", o\'clock');
    expect(ratings.itemIds).toContain('🎬\n07%');
    expect(ratings.facts.ratings + (valid?.ratings.length ?? 0)).toBe(expected.ratings.length);
  });

  test.each([
    ['large', 'user + 9007199254740992', '-item'],
    ['huge, and fractions', "'170141183460469231731687303715884100000'::HUGEINT + user", 'item / 10'],
    ['UUIDs, and dates', 'md5(user::VARCHAR)::UUID', "DATE '2000-01-01' + item"],
  ])('of Parquet that are no texts: %s', async (_, user, item) => {
    const path = await copy('numbers.parquet', `SELECT ${user} AS user, ${item} AS item, rating FROM train`);
    await expectSame(await read(path, {}, { blocks: undefined }), await readRatings(path));
  });
});

test.each([
  ['alike', 'user'],
  ['of other types', 'user::DOUBLE'],
])('several files by a pattern, whose ids are %s', async (_, user) => {
  await copy('part-1.parquet', 'SELECT user, item, rating FROM train WHERE rowid < 3000');
  await copy(
    'part-2.parquet',
    `SELECT 1 AS "of 2", rating AS "Stars", item AS "item id", ${user} AS "User_ID" FROM train WHERE rowid >= 3000`,
  );
  const path = join(folder.path, 'part-*.parquet');
  await expectSame(await read(path), await readRatings(path));
});

test('as many blocks as wanted', async () => {
  const { ratings } = await read(synthetic.train, {}, { blocks: [7, 3] });
  const { users, items, starts } = strataOf(ratings);
  expect([users.starts.length, items.starts.length, starts.length]).toEqual([8, 4, 22]);
  expect(ratings.storedIn).toEqual([7, 3]);
  const { ratings: all } = await readRatings(synthetic.train);
  expect(numbersOf(await joined(ratings), all)).toEqual(numbersOf(all, all));
});

test('a file without a header says what was assumed', async () => {
  const path = await copy('bare.csv', 'FROM train');
  await withDatabase((connection) =>
    connection.run(`COPY (FROM '${synthetic.train}') TO '${path}' (HEADER false)`),
  );
  expect((await read(path)).report.assumptions).toEqual([
    `${path}: no header, so columns by position: user 1, item 2, rating 3`,
  ]);
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
      `SELECT * REPLACE (CASE WHEN rowid = 5432 THEN ${bad} ELSE ${column}::VARCHAR END::${number} AS ${column}) FROM train`,
    );
    const message = await userError(reading([synthetic.train, path]));
    expect(message).toContain(`${path}, row 5433: `);
    expect(message).toBe(await userError(readRatings(path)));
  });

  test('in CSV', async () => {
    const path = await copy('bad.csv', 'FROM train UNION ALL (SELECT user, item, NULL FROM train LIMIT 1)');
    const message = await userError(reading(path));
    expect(message).toContain(`${path}, line ${synthetic.ratings + 2}: `);
    expect(message).toBe(await userError(readRatings(path)));
  });
});

describe('fewer ratings', () => {
  test('are read into memory', async () => {
    const path = await copy('few.parquet', `FROM train LIMIT ${FROM - 1}`);
    const few = await reading(path);
    expect(few.ratings).toBeInstanceOf(Ratings);
    expect(few.ratings.storedIn).toBeUndefined();
    expect(few).toEqual(await readRatings(path));
    expect(few.report.ratings).toBe(FROM - 1);
  });

  test('and split as by randomSplit', async () => {
    const path = `${sample}/ratings.csv.gz`;
    const { ratings, valid, report } = await reading(path, { seed: 7, valid: 0.1 }, { from: 100_837 });
    const split = randomSplit((await readRatings(path)).ratings, 0.1, 7);
    // Vitest takes seconds to compare as many numbers.
    expect(isDeepStrictEqual({ train: ratings, valid }, split)).toBe(true);
    expect(report).toEqual({
      ...{ kind: 'ratings', ratings: 100_836, users: 610, items: 9724, duplicates: 0 },
      ...{ noun: 'movie', withoutUser: 0, withoutStrength: 0, assumptions: [] },
    });
  });

  test('than one more are stored', async () => {
    const { ratings } = await read(await copy('enough.parquet', `FROM train LIMIT ${FROM}`));
    expect(ratings.facts.ratings).toBe(FROM);
  });

  test('are those below half a million by default', async () => {
    for (const store of [true, { folder: scratch }])
      expect((await readRatings(synthetic.train, { store })).ratings).toBeInstanceOf(Ratings);
  });
});

describe('what a file cannot do is done in memory', () => {
  const timed = () => copy('timed.csv', 'SELECT *, 1000 + rowid AS time FROM train');

  test.each<[string, ReadOptions]>([
    ['leave-last-out', { split: 'leave-last-out' }],
    ['a vocabulary', { vocabulary: { userIds: ['1', '2'], itemIds: ['1', 'x'] } }],
  ])('%s', async (_, options) => {
    const path = await timed();
    expect(await reading(path, options)).toEqual(await readRatings(path, options));
  });
});

describe('a split by time', () => {
  const timed = () =>
    copy('by-time.csv', 'SELECT *, 1000000000 + (rowid * 7919) % 100000 AS time FROM train');
  const pairsOf = ({
    users,
    items,
    userIds,
    itemIds,
  }: Pick<Ratings, 'users' | 'items' | 'userIds' | 'itemIds'>) =>
    Array.from(users, (user, at) => `${userIds[user]} ${itemIds[items[at]]}`).sort();

  test('holds out the same ratings as in memory', async () => {
    const path = await timed();
    const options: ReadOptions = { split: 'time', valid: 0.2 };
    const { ratings, valid, report } = await read(path, options);
    const memory = await readRatings(path, options);
    expect(pairsOf({ ...(await ratings.sample(Number.POSITIVE_INFINITY)), ...ratings })).toEqual(
      pairsOf(memory.ratings),
    );
    expect(valid?.ratings.length).toBe(memory.valid?.ratings.length);
    expect(report).toEqual(memory.report);
  });

  test('puts ratings of the same time into one part', async () => {
    const path = await copy(
      'same-times.csv',
      'SELECT *, 1000000000 + 86400 * (rowid % 3) AS time FROM train',
    );
    const { ratings, valid } = await read(path, { split: 'time', valid: 0.1 });
    expect(
      Number(valid?.ratings.length) / (ratings.facts.ratings + Number(valid?.ratings.length)),
    ).toBeCloseTo(1 / 3, 1);
  });

  test('needs times that differ', async () => {
    const same = await copy('one-time.csv', 'SELECT *, 1000000000 AS time FROM train');
    await expect(reading(same, { split: 'time', valid: 0.1 })).rejects.toThrow(/times that differ/);
  });
});

test('what is held out comes with the whole, which is that of a reading without it', async () => {
  const path = await copy('whole.csv', 'SELECT * FROM train');
  const { ratings, valid, whole, report } = await read(path, { valid: 'auto', whole: true });
  if (!whole) return expect.fail('no whole');
  opened.push(whole);
  const plain = await read(path);
  expect(await fingerprint(whole)).toBe(await fingerprint(plain.ratings));
  expect(report).toEqual(plain.report);
  expect(ratings.facts.ratings + Number(valid?.ratings.length)).toBe(whole.facts.ratings);
});

describe('the folder', () => {
  test('is used for what the memory does not hold', async () => {
    // More rows than a quarter of the memory has room for.
    const path = await copy(
      'long.csv',
      `SELECT user || '-' || range AS user, item, rating FROM train, range(250)`,
    );
    const { ratings } = await read(path);
    const names = new Set<string>();
    const look = setInterval(async () => {
      for (const name of await readdir(scratch, { recursive: true }).catch(() => [])) names.add(name);
    }, 10);
    const little = await read(path, {}, { memory: 65e6 }).finally(() => clearInterval(look));
    expect([...names].join('\n')).toMatch(/cofactor-scratch-\w+\/rows/);
    expect(await fingerprint(little.ratings)).toBe(await fingerprint(ratings));
  });

  test('is left when the ratings are closed, once or twice', async () => {
    const { ratings } = await read(synthetic.train);
    await ratings.close();
    await expect(strataOf(ratings).read(0)).rejects.toThrow();
    await ratings.close();
    await expect(ratings.sample(10)).rejects.toThrow('the ratings are closed; read them again');
  });

  test.skipIf(process.platform === 'win32')(
    'holds nothing while the ratings are used (skipped on Windows, where a file that is open stays)',
    async () => {
      const { ratings } = await read(synthetic.train);
      expect(await readdir(scratch)).toEqual([]);
      expect((await joined(ratings)).ratings.length).toBe(synthetic.ratings);
    },
  );

  test.skipIf(process.platform !== 'linux')(
    'has its room back when nothing refers to ratings that nobody closed (skipped where there is no /proc)',
    async () => {
      const open = async () => {
        const names = await readdir('/proc/self/fd');
        const paths = await Promise.all(names.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
        return paths.filter((path) => path.startsWith(scratch)).length;
      };
      setFlagsFromString('--expose-gc');
      const collect: () => void = runInNewContext('gc');
      // In a function of its own, so that no variable refers to them afterwards.
      await (async () => {
        const { ratings } = await reading(synthetic.train);
        expect(await open()).toBe(1);
        return (await ratings.sample(1)).ratings.length;
      })();
      await expect
        .poll(async () => {
          collect();
          await setTimeout(10);
          return open();
        })
        .toBe(0);
    },
  );

  test('cannot be written', async () => {
    const missing = join(scratch, 'missing\n');
    expect(await userError(reading(synthetic.train, {}, { folder: missing }))).toBe(
      `${scratch}/missing : cannot be written (ENOENT); choose another folder`,
    );
  });
});

test('a sample is of the ratings', async () => {
  const { ratings } = await read(synthetic.train, {}, { blocks: [8, 8] });
  const all = new Set(numbersOf(await joined(ratings), ratings));
  const { userIds, itemIds } = ratings;
  const some = await ratings.sample(1000);
  const numbers = numbersOf(new Ratings({ userIds, itemIds, ...some }), ratings);
  expect(numbers.length).toBeGreaterThan(800);
  expect(numbers.length).toBeLessThan(1200);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.every((number) => all.has(number))).toBe(true);
});

describe('mistakes', () => {
  test.each<[ReadOptions, StoreOptions, string]>([
    [{ valid: 0 }, {}, 'the fraction to hold out is 0; give a number between 0 and 1, for example 0.2'],
    [
      { valid: Number.NaN },
      {},
      'the fraction to hold out is NaN; give a number between 0 and 1, for example 0.2',
    ],
    [
      { valid: 1e-9 },
      {},
      'holding out 1e-9 of 6628 ratings leaves none to validate with; change the fraction or give more ratings',
    ],
    [
      {},
      { blocks: [2, 101] },
      'blocks is 2,101; give two whole numbers, of users and of items, up to 300 and 100',
    ],
    [{}, { memory: 1e6 }, 'reading the ratings needs more memory than it may take; allow more with `memory`'],
    [
      {},
      { memory: 10e6 },
      'reading the ratings needs more memory than it may take; allow more with `memory`',
    ],
  ])('%j %j', async (options, store, message) => {
    expect(await userError(reading(synthetic.train, options, store))).toBe(message);
  });

  test.each([2, 3])('too little to train with, in a file from %i ratings on', async (from) => {
    const path = await folder.write('one.csv', 'user,item,rating\na,x,3\na,y,4\n');
    const { ratings } = await reading(path, {}, { from, blocks: undefined });
    if (ratings.storedIn) opened.push(ratings);
    expect(await userError((async () => checkTrainable(ratings))())).toBe(
      `${path}: all ratings are by one user, "a"; training needs at least 2 users`,
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import {
  type BlockCounts,
  blockCounts,
  blockOf,
  blocksOf,
  type Strata,
  sampleOf,
  strataOf,
  stratumByStratum,
} from '../../src/data/dataset/strata.ts';
import { generator, shuffled, uniforms } from '../../src/util/random.ts';
import { userError } from '../support/files.ts';

type Rows = Pick<Ratings, 'users' | 'items' | 'ratings'>;

function ratingsOf(pairs: readonly (readonly [number, number])[], users: number, items: number): Ratings {
  return new Ratings({
    userIds: Array.from({ length: users }, (_, row) => `u${row}`),
    itemIds: Array.from({ length: items }, (_, row) => `i${row}`),
    users: Int32Array.from(pairs, ([user]) => user),
    items: Int32Array.from(pairs, ([, item]) => item),
    // Places, so that each rating can be told from the others.
    ratings: Float32Array.from(pairs, (_, index) => index),
  });
}

const listed = ({ users, items, ratings }: Rows) =>
  Array.from(users, (user, index) => [user, items[index], ratings[index]]);

const byRating = (rows: number[][]) => rows.toSorted((one, other) => one[2] - other[2]);

async function all(strata: Strata): Promise<Rows[]> {
  const parts: Rows[] = [];
  for await (const part of stratumByStratum(strata)) parts.push(part);
  return parts;
}

const sizes = (starts: Int32Array | Float64Array) =>
  Array.from(starts.subarray(1), (end, number) => end - starts[number]);

describe('blocksOf', () => {
  const anyCounts = fc.array(fc.nat(20), { minLength: 1, maxLength: 200 });

  test('deals every row once, the most rated first', () =>
    fc.assert(
      fc.property(anyCounts, fc.integer({ min: 1, max: 20 }), (counts, blocks) => {
        const { order, starts } = blocksOf(counts, blocks);
        const rows = counts.map((_, row) => row);
        expect([...order].sort((one, other) => one - other)).toEqual(rows);
        expect([starts.length, starts[0], starts[blocks]]).toEqual([blocks + 1, 0, counts.length]);
        expect(Math.max(...sizes(starts)) - Math.min(...sizes(starts))).toBeLessThanOrEqual(1);
        rows.sort((one, other) => counts[other] - counts[one]);
        expect(rows).toEqual(
          rows.map((_, index) => order[starts[blockOf(index, blocks)] + Math.floor(index / blocks)]),
        );
      }),
    ));

  test.each([2, 8, 33])(
    '%i blocks have about as many ratings each, though a few rows have most',
    (blocks) => {
      const random = generator(1);
      const rows = shuffled(20_000, random);
      const counts = rows.map((rank) => 20_000 * (rank + 20) ** -0.8);
      const { order, starts } = blocksOf(counts, blocks);
      const ratings = Array.from({ length: blocks }, (_, block) =>
        order.subarray(starts[block], starts[block + 1]).reduce((sum, row) => sum + counts[row], 0),
      );
      expect(Math.max(...ratings) / Math.min(...ratings)).toBeLessThan(1.05);
    },
  );
});

describe('blockCounts', () => {
  const facts = fc.record({
    users: fc.integer({ min: 1, max: 1e6 }),
    items: fc.integer({ min: 1, max: 1e6 }),
    ratings: fc.integer({ min: 1, max: 1e9 }),
  });
  /** The number of strata that can be trained in parallel, with at least 50,000 ratings each. */
  const parallel = (ratings: number) => [16, 8, 4, 2].find((count) => ratings / count ** 2 >= 50_000) ?? 1;

  test('are multiples of what can be trained in parallel, and never more than rows', () =>
    fc.assert(
      fc.property(facts, (many) => {
        const blocks = blockCounts(many);
        for (const [at, most] of [many.users, many.items].entries()) {
          expect(blocks[at]).toBeGreaterThanOrEqual(1);
          expect(blocks[at]).toBeLessThanOrEqual(most);
          expect(blocks[at] % parallel(many.ratings) === 0 || blocks[at] === most).toBe(true);
        }
      }),
    ));

  test('give strata of 50,000 ratings or more', () =>
    fc.assert(
      fc.property(facts, (many) => {
        const [users, items] = blockCounts(many);
        expect(many.ratings / (users * items)).toBeGreaterThanOrEqual(Math.min(many.ratings, 50_000));
      }),
    ));

  test.each([
    ['many', { users: 100_000, items: 20_000, ratings: 10_000_000 }, [24, 8]],
    ['very many', { users: 480_000, items: 18_000, ratings: 100_000_000 }, [112, 16]],
    ['a million', { users: 6000, items: 3700, ratings: 1_000_000 }, [4, 4]],
    ['few ratings', { users: 100_000, items: 100_000, ratings: 1_000_000 }, [4, 4]],
    ['few items', { users: 500_000, items: 50, ratings: 5_000_000 }, [8, 8]],
    ['fewer items than threads', { users: 100_000, items: 3, ratings: 3_000_000 }, [20, 3]],
    ['one user', { users: 1, items: 50, ratings: 50 }, [1, 1]],
  ])('%s', (_, many, blocks) => {
    expect(blockCounts(many)).toEqual(blocks);
  });

  const sizes = { users: 100_000, items: 20_000, ratings: 10_000_000 };

  test('are the best, unless others are wanted', () => {
    expect(blockCounts(sizes, [5, 20_000])).toEqual([5, 20_000]);
  });

  test.each([[[0, 1]], [[1, 1.5]], [[1, 20_001]], [[Number.NaN, 1]], [[4]], [[4, 4, 4]]])(
    'cannot be %j',
    async (wanted) => {
      expect(await userError((async () => blockCounts(sizes, wanted))())).toBe(
        `blocks is ${wanted}; give two whole numbers, of users and of items, up to 100000 and 20000`,
      );
    },
  );
});

describe('strataOf', () => {
  const anyRatings = fc
    .array(fc.tuple(fc.nat(11), fc.nat(7)), { maxLength: 100 })
    .map((pairs) => ratingsOf(pairs, 12, 8));
  const anyBlocks = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 8 }));

  test('hold each rating once, in the stratum of its blocks', () =>
    fc.assert(
      fc.asyncProperty(anyRatings, anyBlocks, fc.maxSafeInteger(), async (ratings, counts, seed) => {
        const strata = strataOf(ratings, counts, seed);
        const parts = await all(strata);
        expect(parts.length).toBe(counts[0] * counts[1]);
        expect(parts.map((part) => part.ratings.length)).toEqual(sizes(strata.starts));
        expect(byRating(parts.flatMap(listed))).toEqual(listed(ratings));
        const isIn = ({ order, starts }: Strata['users'], block: number) => {
          const rows = new Set(order.subarray(starts[block], starts[block + 1]));
          return (row: number) => rows.has(row);
        };
        for (const [number, { users, items }] of parts.entries()) {
          expect(users.every(isIn(strata.users, Math.floor(number / counts[1])))).toBe(true);
          expect(items.every(isIn(strata.items, number % counts[1]))).toBe(true);
        }
      }),
    ));

  const pairs = Array.from(uniforms(1000, generator(1)), (value) => {
    const pair = Math.floor(value * 5000);
    return [Math.floor(pair / 50), pair % 50] as const;
  });
  const ratings = ratingsOf(pairs, 100, 50);
  const counts: BlockCounts = [4, 2];

  test('are in an order that the seed gives, and no other', async () => {
    const [one, again, other] = await Promise.all(
      [1, 1, 2].map((seed) => all(strataOf(ratings, counts, seed))),
    );
    expect(again).toEqual(one);
    for (const [number, part] of other.entries()) {
      expect(listed(part)).not.toEqual(listed(one[number]));
      expect(byRating(listed(part))).toEqual(byRating(listed(one[number])));
      expect(byRating(listed(part))).not.toEqual(listed(part));
    }
  });

  test('are read into memory of their own', async () => {
    const strata = strataOf(ratings, counts, 1);
    const before = await strata.read(3);
    const { length } = before.ratings;
    expect(before.users.buffer.byteLength).toBe(4 * length);
    before.users.fill(-1);
    expect((await strata.read(3)).users).not.toContain(-1);
  });

  test('may be empty', async () => {
    const strata = strataOf(
      ratingsOf(
        [
          [0, 0],
          [0, 0],
          [1, 1],
        ],
        2,
        2,
      ),
      [2, 2],
      1,
    );
    expect([...strata.starts]).toEqual([0, 2, 2, 2, 3]);
    expect(await strata.read(1)).toEqual({
      users: new Int32Array(),
      items: new Int32Array(),
      ratings: new Float32Array(),
    });
    expect((await all(strata)).map((part) => part.ratings.length)).toEqual([2, 0, 0, 1]);
  });

  test('are sampled stratum by stratum', async () => {
    const strata = strataOf(ratings, counts, 1);
    const everything = await sampleOf(strata, 1000);
    expect(byRating(listed(everything))).toEqual(listed(ratings));
    const some = await sampleOf(strata, 250);
    expect(some.ratings.length).toBeGreaterThan(200);
    expect(some.ratings.length).toBeLessThan(300);
    expect(new Set(some.ratings).size).toBe(some.ratings.length);
    expect(listed(some)).toEqual(Array.from(some.ratings, (index) => [...pairs[index], index]));
    expect((await sampleOf(strata, 1)).ratings.length).toBe(strata.starts[1]);
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dotBias } from '../../../graphs/models/dot-bias.ts';
import { blocksOf } from '../../../src/data/dataset/strata.ts';
import { cut, join } from '../../../src/train/engines/strata/tables.ts';
import { roundsOf } from '../../../src/train/engines/strata/visits.ts';
import { initialParameters } from '../../../src/train/parameters/initial.ts';
import { generator } from '../../../src/util/random.ts';

const counts = fc.record({
  users: fc.integer({ min: 1, max: 12 }),
  items: fc.integer({ min: 1, max: 12 }),
  most: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(Number.POSITIVE_INFINITY)),
  seed: fc.nat(),
});

test('every stratum is visited once, and those of a round share neither users nor items', () => {
  fc.assert(
    fc.property(counts, ({ users, items, most, seed }) => {
      const rounds = roundsOf(users, items, most, generator(seed));
      const visits = rounds.flat().map(({ user, item }) => user * items + item);
      expect(visits.toSorted((a, b) => a - b)).toEqual(Array.from({ length: users * items }, (_, at) => at));
      for (const round of rounds) {
        expect(round.length).toBeLessThanOrEqual(most);
        expect(new Set(round.map(({ user }) => user)).size).toBe(round.length);
        expect(new Set(round.map(({ item }) => item)).size).toBe(round.length);
      }
    }),
  );
});

test('no thread waits where there are enough blocks', () => {
  const rounds = roundsOf(8, 4, 4, generator(1));
  expect(rounds).toHaveLength(8);
  for (const round of rounds) expect(round).toHaveLength(4);
});

test('the seed decides the order', () => {
  const order = (seed: number) => roundsOf(6, 4, 2, generator(seed));
  expect(order(1)).toEqual(order(1));
  expect(order(2)).not.toEqual(order(1));
});

test('tables that are cut into blocks and joined are as they were', () => {
  const model = dotBias({ factors: 3 })({ users: 11, items: 7, ratings: 30, low: 1, high: 5, mean: 3 });
  const random = generator(4);
  const users = blocksOf(
    Array.from({ length: 11 }, () => random.next() >>> 28),
    3,
  );
  const items = blocksOf(
    Array.from({ length: 7 }, () => random.next() >>> 28),
    2,
  );
  const tensors = {
    ...initialParameters(model, 1),
    'user_factors.sum_of_squares': { dims: [11], data: Float32Array.from({ length: 11 }, (_, at) => at) },
    'item_factors.sum_of_squares': { dims: [7], data: Float32Array.from({ length: 7 }, (_, at) => at) },
  };
  const tables = cut(tensors, model, users, items);
  expect(tables.users).toHaveLength(3);
  expect(tables.items).toHaveLength(2);
  expect(tables.users[1].user_factors.dims).toEqual([users.starts[2] - users.starts[1], 3]);
  const first = users.order[users.starts[1]];
  expect(tables.users[1]['user_factors.sum_of_squares'].data[0]).toBe(first);
  expect(join(tables, users, items)).toEqual(tensors);
});

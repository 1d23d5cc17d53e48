import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import type { Biases, Side } from '../../src/solve/biases.ts';
import { biasesIn, biasesOf } from '../../src/solve/residuals.ts';
import { drawnRatings, plainBiases } from '../support/biases.ts';
import { temporaryFolder } from '../support/files.ts';

const folder = temporaryFolder();
const SIDES = ['user', 'item'] as const;
const drawn = drawnRatings({ user: 0.5, item: 0.4, noise: 0.9 });

function grid(rating: (user: number, item: number) => number, unrated = 0): Ratings {
  const [users, items] = [6, 4];
  const cells = Array.from({ length: users * items }, (_, cell) => [Math.floor(cell / items), cell % items]);
  const ids = (length: number) => Array.from({ length: length + unrated }, (_, row) => `${row}`);
  return new Ratings({
    userIds: ids(users),
    itemIds: ids(items),
    users: Int32Array.from(cells, ([user]) => user),
    items: Int32Array.from(cells, ([, item]) => item),
    ratings: Float32Array.from(cells, ([user, item]) => rating(user, item)),
  });
}

/** By id, because the order of rows may differ. */
const byId = (ids: readonly string[], { posterior }: Biases[Side]) =>
  new Map(ids.map((id, row) => [id, posterior[row]]));

function expectClose(one: Biases, other: Biases, ids: readonly [Ratings['userIds'], Ratings['itemIds']][]) {
  expect(one.mean).toBeCloseTo(other.mean, 6);
  for (const [at, side] of SIDES.entries()) {
    expect(one[side].damping / other[side].damping).toBeCloseTo(1, 4);
    expect(one[side].prior).toBeCloseTo(other[side].prior, 5);
    const expected = byId(ids[1][at], other[side]);
    const found = byId(ids[0][at], one[side]);
    expect(found.size).toBe(expected.size);
    for (const [id, bias] of found) expect(bias, id).toBeCloseTo(expected.get(id) as number, 4);
  }
}

describe('estimated dampings', () => {
  test.each([
    [0.5, 0.4, 0.9],
    [0.3, 0.6, 0.8],
    [0.2, 0.2, 1],
    [1, 1, 0.5],
  ])('of biases spread by %d and %d and noise by %d are near the ratio of variances', (user, item, noise) => {
    const { ratings, variances } = drawnRatings({ user, item, noise });
    const found = biasesIn(ratings);
    for (const side of SIDES) {
      const ratio = variances.noise / variances[side];
      expect(found[side].damping / ratio, side).toBeGreaterThan(0.75);
      expect(found[side].damping / ratio, side).toBeLessThan(1.2);
      expect(Math.abs(found[side].prior)).toBeLessThan(0.05);
    }
  });

  test('and posteriors are those of plain loops', () => {
    const found = biasesIn(drawn.ratings);
    const expected = plainBiases(drawn.ratings);
    for (const side of SIDES) {
      expect(found[side].damping).toBeCloseTo(expected[side].damping, 6);
      expect(found[side].prior).toBeCloseTo(expected[side].prior, 9);
      for (const [row, bias] of found[side].posterior.entries())
        expect(bias).toBeCloseTo(expected[side].posterior[row], 9);
    }
  });

  test('grow where biases explain less', () => {
    const weak = biasesIn(drawnRatings({ user: 0.1, item: 0.4, noise: 0.9 }).ratings);
    expect(weak.user.damping).toBeGreaterThan(4 * biasesIn(drawn.ratings).user.damping);
  });
});

describe('the graph', () => {
  test('gives the same in memory', async () => {
    const { ratings } = drawn;
    const ids = [ratings.userIds, ratings.itemIds] as const;
    expectClose(await biasesOf(ratings, await nodeRuntime()), biasesIn(ratings), [[...ids], [...ids]]);
  });

  test('gives the same stratum by stratum from a file', async () => {
    const { users, items, ratings: values } = drawn.ratings;
    const path = join(folder.path, 'ratings.csv');
    const lines = Array.from(values, (value, at) => `u${users[at]},i${items[at]},${value}`);
    await writeFile(path, ['user,item,rating', ...lines].join('\n'));
    const { ratings } = await readRatings(path);
    const { ratings: stored } = await readRatings(path, {
      store: { from: 1000, folder: folder.path, blocks: [3, 2] },
    });
    expect(stored.storedIn).toEqual([3, 2]);
    const found = await biasesOf(stored, await nodeRuntime());
    expectClose(found, biasesIn(ratings as Ratings), [
      [stored.userIds, stored.itemIds],
      [ratings.userIds, ratings.itemIds],
    ]);
    await stored.close();
  });
});

describe.each<[string, (ratings: Ratings) => Biases | Promise<Biases>]>([
  ['plain', biasesIn],
  ['by a graph', async (ratings) => biasesOf(ratings, await nodeRuntime())],
])('%s, without noise or without biases', (_, biasesFrom) => {
  const finite = (biases: Biases) => {
    for (const { posterior, prior, damping } of SIDES.map((side) => biases[side])) {
      expect([...posterior, prior, damping].every(Number.isFinite)).toBe(true);
      expect(damping).toBeGreaterThan(0);
    }
  };

  test.each([0, 1])('equal ratings have no biases, with %i unrated rows', async (unrated) => {
    const found = await biasesFrom(grid(() => 4, unrated));
    finite(found);
    for (const side of SIDES) for (const bias of found[side].posterior) expect(bias).toBe(0);
  });

  test.each([0, 1])('what biases explain is explained, with %i unrated rows', async (unrated) => {
    const ratings = grid((user, item) => user / 2 + item, unrated);
    const found = await biasesFrom(ratings);
    finite(found);
    for (const [at, rating] of ratings.ratings.entries()) {
      const { users, items } = ratings;
      const explained = found.mean + found.user.posterior[users[at]] + found.item.posterior[items[at]];
      expect(explained).toBeCloseTo(rating, 1);
    }
  });

  test('a side whose biases are equal has none', async () => {
    const found = await biasesFrom(grid((_, item) => item));
    finite(found);
    for (const bias of found.user.posterior) expect(bias).toBeCloseTo(0, 6);
    for (const [item, bias] of found.item.posterior.entries()) expect(bias).toBeCloseTo(item - 1.5, 2);
  });

  test('an unrated row is at the prior', async () => {
    const found = await biasesFrom(grid((user, item) => 3 + ((user * 7 + item * 3) % 5), 1));
    finite(found);
    const { user, item } = found;
    expect(user.posterior[6]).toBeCloseTo(user.prior, 2);
    expect(item.posterior[4]).toBeCloseTo(item.prior, 2);
  });
});

test('unknown users and items are one more row each', () => {
  const { ratings } = drawn;
  const [lastUser, lastItem] = [ratings.userIds.length - 1, ratings.itemIds.length - 1];
  const unknown = new Ratings({
    ...ratings,
    userIds: ratings.userIds.slice(0, -1),
    itemIds: ratings.itemIds.slice(0, -1),
    unknown: {
      users: ratings.users.filter((row) => row === lastUser).length,
      items: ratings.items.filter((row) => row === lastItem).length,
    },
  });
  expect(biasesIn(unknown)).toEqual(biasesIn(ratings));
});

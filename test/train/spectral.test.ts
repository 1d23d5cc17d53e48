import { describe, expect, test } from 'vitest';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { positivesOf } from '../../src/data/dataset/positives.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { initialParameters } from '../../src/train/parameters/initial.ts';
import { patternsOf } from '../../src/train/parameters/patterns.ts';
import { type Pairs, spectralFactors } from '../../src/train/parameters/spectral.ts';
import { generator, uniforms } from '../../src/util/random.ts';
import { sample } from '../support/files.ts';

const sizes = { users: 60, items: 40 };

/** Every user rates about `often` of the items of their half, and `seldom` of the others. */
function twoHalves(often: number, seldom: number): Pairs {
  const draws = uniforms(sizes.users * sizes.items, generator(1, -7));
  const cells = Array.from(draws.keys()).filter((cell) => {
    const [user, item] = [Math.floor(cell / sizes.items), cell % sizes.items];
    return draws[cell] < (user % 2 === item % 2 ? often : seldom);
  });
  return {
    users: Int32Array.from(cells, (cell) => Math.floor(cell / sizes.items)),
    items: Int32Array.from(cells, (cell) => cell % sizes.items),
  };
}

const column = (table: Float32Array, width: number, at: number): number[] =>
  Array.from({ length: table.length / width }, (_, row) => table[row * width + at]);

test('the first column tells apart who rates what, of users and of items alike', () => {
  const factors = spectralFactors(twoHalves(0.9, 0.2), sizes, 3, 1);
  for (const table of [factors?.user, factors?.item]) {
    const first = column(table as Float32Array, 3, 0);
    const side = Math.sign(first[0]);
    expect(first.map(Math.sign)).toEqual(first.map((_, row) => (row % 2 === 0 ? side : -side)));
  }
});

test('columns are singular vectors: the matrix takes one side to the other, and they are orthogonal', () => {
  const pairs = twoHalves(0.9, 0.2);
  const { user, item } = spectralFactors(pairs, sizes, 1, 1) as NonNullable<
    ReturnType<typeof spectralFactors>
  >;
  const [ofUsers, ofItems] = [new Float64Array(sizes.users), new Float64Array(sizes.items)];
  for (const row of pairs.users) ofUsers[row]++;
  for (const row of pairs.items) ofItems[row]++;
  const image = new Float64Array(sizes.users);
  for (const [index, row] of pairs.users.entries())
    image[row] += item[pairs.items[index]] / Math.sqrt(ofUsers[row] * ofItems[pairs.items[index]]);
  const ratios = image.map((value, row) => value / user[row]);
  for (const ratio of ratios) expect(ratio / ratios[0]).toBeCloseTo(1, 1);
  // To the vector of how often each rates, which says nothing of what.
  const product = user.reduce((sum, value, row) => sum + value * Math.sqrt(ofUsers[row]), 0);
  expect(Math.abs(product) / (Math.hypot(...user) * Math.sqrt(pairs.users.length))).toBeLessThan(0.05);
});

test('with few ratings, training starts from random parameters', () => {
  const few = { users: Int32Array.of(0, 1, 2, 2), items: Int32Array.of(0, 1, 2, 0) };
  expect(spectralFactors(few, { users: 3, items: 3 }, 2, 1)).toBeUndefined();
  const facts = { users: 3, items: 3, ratings: 4, low: 1, high: 5, mean: 3 };
  const model = dotBias({ factors: 2 })(facts);
  expect(initialParameters(model, 1, { pairs: few })).toEqual(initialParameters(model, 1));
});

test('two halves that share nothing, and more columns than there are vectors, give finite numbers', () => {
  const factors = spectralFactors(twoHalves(1, 0), sizes, 50, 1);
  const { users, items } = sizes;
  expect(factors?.user).toHaveLength(50 * users);
  expect(factors?.item).toHaveLength(50 * items);
  for (const table of [factors?.user, factors?.item]) expect(table?.every(Number.isFinite)).toBe(true);
});

test('one seed gives the same; what a model does not ask for stays as it was', () => {
  const pairs = twoHalves(0.9, 0.2);
  const [one, same] = [1, 1].map((seed) => spectralFactors(pairs, sizes, 3, seed));
  expect([same?.user, same?.item]).toEqual([one?.user, one?.item]);
  const facts = { ...sizes, ratings: pairs.users.length, low: 1, high: 5, mean: 3 };
  const model = dotBias({ factors: 3 })(facts);
  const [begun, random] = [initialParameters(model, 1, { pairs }), initialParameters(model, 1)];
  expect(begun.user_bias).toEqual(random.user_bias);
  expect(begun.user_factors).not.toEqual(random.user_factors);
});

describe('patterns of who has what', () => {
  /** Users and items of some groups: a user has a tenth of the items of the own group, and one in fifty of the others. */
  function grouped(groups: number) {
    const random = generator(1, -9);
    const [users, items] = [4000, 2000];
    const pairs: [number, number][] = [];
    for (let user = 0; user < users; user++)
      for (const [item, number] of uniforms(items, random).entries())
        if (number < (user % groups === item % groups ? 0.1 : 0.02)) pairs.push([user, item]);
    const rows = {
      users: Int32Array.from(pairs, ([user]) => user),
      items: Int32Array.from(pairs, ([, item]) => item),
      ratings: new Float32Array(pairs.length).fill(1),
    };
    return positivesOf(rows, { users, items }, 'all');
  }

  test('are counted if all else is chance', () => {
    // One fewer than groups tells them apart.
    expect(patternsOf(grouped(5), 1)).toBe(4);
    expect(patternsOf(grouped(1), 1)).toBeUndefined();
  });

  test('are not counted if they get weaker bit by bit, as those of films', async () => {
    const { ratings } = await readRatings(`${sample}/ratings.csv.gz`);
    expect(patternsOf(positivesOf(ratings, ratings.facts, 'all'), 1)).toBeUndefined();
  });
});

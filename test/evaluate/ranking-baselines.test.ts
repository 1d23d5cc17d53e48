import { join } from 'node:path';
import { expect, test } from 'vitest';
import { selectRows } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { readRatings } from '../../src/data/read/read.ts';
import type { Scorer, Skipped } from '../../src/evaluate/baseline.ts';
import { ease } from '../../src/evaluate/ease.ts';
import { evaluateBaselines } from '../../src/evaluate/evaluate-baselines.ts';
import { implicitAls } from '../../src/evaluate/implicit-als.ts';
import { generator, normals, uniforms } from '../../src/util/random.ts';
import { sample } from '../support/files.ts';
import { type Row, ratingsOf } from './ratings.ts';

type Matrix = readonly (readonly number[])[];

const column = (matrix: Matrix, at: number) => matrix.map((row) => row[at]);
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, one, at) => sum + one * b[at], 0);
const product = (a: Matrix, b: Matrix) => a.map((row) => b[0].map((_, at) => dot(row, column(b, at))));
const turned = (a: Matrix) => a[0].map((_, at) => column(a, at));

/** By Gauss and Jordan, with the largest pivot. */
function plainInverse(matrix: Matrix): number[][] {
  const rows = matrix.map((row, at) => [...row, ...row.map((_, other) => Number(other === at))]);
  for (let at = 0; at < rows.length; at++) {
    const largest = rows
      .slice(at)
      .reduce((best, row) => (Math.abs(row[at]) > Math.abs(best[at]) ? row : best));
    rows[rows.indexOf(largest)] = rows[at];
    rows[at] = largest.map((value) => value / largest[at]);
    for (const [other, row] of rows.entries())
      if (other !== at) rows[other] = row.map((value, index) => value - row[at] * rows[at][index]);
  }
  return rows.map((row) => row.slice(rows.length));
}

/** Users with no item, with one, and with several; the last item is had by nobody. */
function randomRows(users: number, items: number): Row[] {
  const chances = uniforms(users * items, generator(3));
  return Array.from({ length: users * (items - 1) }, (_, at): Row => [at % users, Math.floor(at / users), 4])
    .filter(([user], at) => user > 0 && chances[at] < 0.3)
    .filter(([user, item]) => user !== 1 || item === 2)
    .concat([[1, 3, 4]]);
}

const grid = (rows: readonly Row[], users: number, items: number): number[][] =>
  Array.from({ length: users }, (_, user) =>
    Array.from({ length: items }, (_, item) => Number(rows.some(([of, had]) => of === user && had === item))),
  );

function expectScores(made: Scorer | Skipped, expected: Matrix, digits: number): void {
  if ('skipped' in made) throw new Error(made.skipped);
  for (const [user, row] of expected.entries())
    for (const [item, score] of made.scores(user).entries()) expect(score).toBeCloseTo(row[item], digits);
}

test('EASE is its closed form, by users and by items', async () => {
  for (const [users, items] of [
    [9, 14],
    [16, 7],
  ]) {
    const rows = randomRows(users, items);
    const x = grid(rows, users, items);
    const gram = product(turned(x), x).map((row, at) =>
      row.map((value, other) => value + Number(at === other) * 2),
    );
    const p = plainInverse(gram);
    const weights = p.map((row, at) =>
      row.map((value, other) => (at === other ? 0 : -value / p[other][other])),
    );
    const expected = product(x, weights);
    for (const side of [undefined, 'users', 'items'] as const)
      expectScores(await ease(ratingsOf(users, items, rows), { regularization: 2, side }), expected, 5);
  }
});

test('EASE by hand', async () => {
  // XᵀX + I is [[3, 2], [2, 3]], its inverse [[3, −2], [−2, 3]] / 5, and the weight 2/3.
  const both = ratingsOf(2, 2, [
    [0, 0, 1],
    [0, 1, 1],
    [1, 0, 1],
    [1, 1, 1],
  ]);
  expectScores(await ease(both, { regularization: 1 }), [[2 / 3, 2 / 3]], 6);
});

test('EASE says why it is skipped', async () => {
  const count = 20_001;
  const rows = Array.from({ length: 2 * count }, (_, at): Row => [at >> 1, (at + 1) % count, 1]);
  expect(await ease(ratingsOf(count, count, rows))).toEqual({
    skipped:
      'weights between 20,001 items of 20,001 users would take more than a minute; train the model item-item',
  });
});

test('ALS by hand', () => {
  // One user and one item: (1 + α)(1 − s)² + 2λ|s| is least at s = 1 − λ / (1 + α). Two that share nothing are alike.
  const settings = { alpha: 1, regularization: 0.5, iterations: 200 };
  const one = implicitAls(ratingsOf(1, 1, [[0, 0, 1]]), { ...settings, factors: 1 });
  expectScores(one, [[0.75]], 6);
  const apart = ratingsOf(2, 2, [
    [0, 0, 1],
    [1, 1, 1],
  ]);
  expectScores(
    implicitAls(apart, { ...settings, factors: 2 }),
    [
      [0.75, 0],
      [0, 0.75],
    ],
    6,
  );
});

test('ALS is what the normal equations give, for short lists and long ones', () => {
  const [users, items, factors, alpha, regularization] = [16, 9, 3, 10, 4];
  const rows = randomRows(users, items);
  const x = grid(rows, users, items);
  const random = generator(1);
  const draw = (count: number) => {
    const values = normals(count * factors, 0.01, random);
    return Array.from({ length: count }, (_, row) => [...values.slice(row * factors, (row + 1) * factors)]);
  };
  let [ofUsers, ofItems]: number[][][] = [draw(users), draw(items)];
  const solved = (have: Matrix, others: Matrix) =>
    have.map((list) => {
      const weighted = others.map((row, at) => row.map((value) => value * (1 + alpha * list[at])));
      const gram = product(turned(others), weighted).map((row, at) =>
        row.map((value, other) => value + Number(at === other) * regularization),
      );
      const right = turned(weighted).map((row) => [dot(row, list)]);
      return product(plainInverse(gram), right).map(([value]) => value);
    });
  for (let iteration = 0; iteration < 4; iteration++) {
    ofUsers = solved(x, ofItems);
    ofItems = solved(turned(x), ofUsers);
  }
  const made = implicitAls(ratingsOf(users, items, rows), { factors, alpha, regularization, iterations: 4 });
  expectScores(made, product(ofUsers, turned(ofItems)), 5);
});

test('ALS says why it is skipped', () => {
  const [rows, factors] = [randomRows(16, 9), 1e6];
  expect(implicitAls(ratingsOf(16, 9, rows), { factors })).toEqual({
    skipped: expect.stringMatching(/^\d+ ratings of 9 items by 16 users would take more than a few minutes$/),
  });
});

test('on MovieLens, EASE and ALS rank better than popularity', async () => {
  const { ratings } = await readRatings(join(sample, 'ratings.csv.gz'));
  // A sixth of the users, to take less time.
  const some = selectRows(
    ratings,
    Int32Array.from(ratings.users.keys()).filter((at) => ratings.users[at] % 6 === 0),
  );
  const { train, valid } = randomSplit(some, 0.2, 1);
  const judged = await evaluateBaselines(train, valid);
  const ndcg = (name: keyof typeof judged) => judged[name].ranking?.at[0].ndcg as number;
  expect(ndcg('most-popular')).toBeGreaterThan(0.1);
  expect(ndcg('item-knn')).toBeGreaterThan(ndcg('most-popular'));
  expect(ndcg('ease')).toBeGreaterThan(1.3 * ndcg('most-popular'));
  expect(ndcg('implicit-als')).toBeGreaterThan(1.3 * ndcg('most-popular'));
});

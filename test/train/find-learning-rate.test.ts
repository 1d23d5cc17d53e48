import { beforeAll, describe, expect, test } from 'vitest';
import type { Tensors } from '../../graphs/heads/serving.ts';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { metrics } from '../../src/evaluate/metrics.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import type { Runtime } from '../../src/run/runtime.ts';
import {
  findLearningRate,
  type PartRangeTest,
  type RangeTestOptions,
} from '../../src/train/find-learning-rate.ts';
import { initialParameters } from '../../src/train/parameters/initial.ts';
import { createScorer } from '../../src/train/parameters/score.ts';
import { endOf, smooth, suggest } from '../../src/train/range-curve.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { sample, userError } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';

describe('smoothing', () => {
  test('leaves a constant as it is from the first step on', () => {
    for (const loss of smooth(Array(50).fill(2), 50)) expect(loss).toBeCloseTo(2, 12);
  });

  test('keeps a tenth in a hundred steps', () => {
    // 0.1 · 3, and 0.9 · 0.1 · 3 + 0.1 · 1, without the weight of what was before.
    const [first, second] = smooth([3, 1], 100);
    expect(first).toBeCloseTo(3, 12);
    expect(second).toBeCloseTo((0.27 + 0.1) / 0.19, 12);
    // In a longer test each step weighs less, and the first two more alike.
    expect(smooth([3, 1], 200)[1]).toBeGreaterThan(second);
  });
});

describe('the end', () => {
  test.each([
    ['four times the lowest loss', [2, 1, 3.9, 4.1, 2], 0, 3],
    ['a loss that is no number', [2, 1, Number.NaN, 1], 0, 2],
    ['an infinite loss', [Number.POSITIVE_INFINITY, 1], 1, 0],
    ['no end', [2, 1, 2, 3], 0, 4],
    ['a low beginning that does not count', [0.1, 2, 1, 2], 2, 4],
  ])('is %s', (_, losses, head, end) => {
    expect(endOf(losses, head)).toBe(end);
  });
});

describe('suggestions', () => {
  const rates = Array.from({ length: 61 }, (_, step) => 1e-4 * 10 ** (step / 15));

  test('are a tenth of where the fall ends, and half-way down, whatever is low at the beginning', () => {
    // Flat but for one low loss, down from step 20 to 40, then up.
    const curve = [2];
    for (let step = 1; step <= 60; step++)
      curve.push(curve[step - 1] + (step <= 20 ? 0 : step <= 40 ? -0.05 : 0.3));
    curve[5] = 0.5;
    const found = suggest(rates, curve);
    expect(found?.suggestion).toBeCloseTo(rates[40] / 10, 12);
    expect(found?.valley).toBe(rates[29]);
  });

  test('half-way is by as many steps before the end as the fall is long, as in fastai', () => {
    // 5, 4, 3, 2, 1 ends at place 7, so it is taken to begin at place 2: a third and a sixth of 5 on, in whole steps, is 3.
    const found = suggest([1, 2, 4, 8, 16, 32, 64, 128, 256], [5, 6, 4, 6, 3, 6, 2, 1, 9]);
    expect(found).toEqual({ suggestion: 12.8, valley: 8 });
  });

  test('there are none for a loss that only grows', () => {
    expect(suggest([1, 2, 3], [1, 2, 3])).toBeUndefined();
    expect(suggest([], [])).toBeUndefined();
  });
});

const rated = { objective: 'rating' } as const;

describe('on MovieLens', () => {
  let ratings: Ratings;
  let runtime: Runtime;
  beforeAll(async () => {
    ({ ratings } = await readRatings(`${sample}/ratings.csv.gz`));
    runtime = await nodeRuntime();
  });

  test.each([
    ['dot-bias', 'row-adagrad'],
    ['mlp', 'adamw'],
  ] as const)('the default rate of %s is within a factor of 10', async (model, optimizer) => {
    const found = await findLearningRate(ratings, { model, optimizer, ...rated }, { runtime, steps: 200 });
    const { usual, suggestion, rates, losses, smoothed } = found;
    expect(Math.abs(Math.log10(suggestion / usual))).toBeLessThan(1);
    expect([losses.length, smoothed.length]).toEqual([rates.length, rates.length]);
    expect(rates[0]).toBeCloseTo(usual / 1000, 12);
    expect(losses.every(Number.isFinite)).toBe(true);
  });

  test('of both objectives each is tested by its own loss; the default rate of ranking is within a factor of 10', async () => {
    const recipe = { factors: 16 };
    const { ranking, ...rating } = await findLearningRate(ratings, recipe, { runtime, steps: 40 });
    expect(rating).toEqual(await findLearningRate(ratings, { ...recipe, ...rated }, { runtime, steps: 40 }));
    const alone = { ...recipe, objective: 'ranking' } as const;
    expect(ranking).toEqual(await findLearningRate(ratings, alone, { runtime, steps: 40 }));
    const { rates, losses, smoothed, usual, suggestion, objective } = ranking as PartRangeTest;
    expect({ objective, usual }).toEqual({ objective: 'ranking', usual: 0.1 });
    expect([losses.length, smoothed.length]).toEqual([rates.length, rates.length]);
    expect(rates[0]).toBeCloseTo(0.001, 12);
    expect(Math.abs(Math.log10(suggestion / usual))).toBeLessThan(1);
    // Popular items are likely from the start.
    expect(losses[0]).toBeLessThan(Math.log(ratings.itemIds.length));
    const positive = 4.5;
    const strict = await findLearningRate(ratings, { ...alone, positive }, { runtime, steps: 20 });
    const share = strict.ratings / ratings.ratings.filter((rating) => rating >= positive).length;
    expect(share).toBeGreaterThan(0.98);
    expect(share).toBeLessThanOrEqual(1);
  });

  test('of many ratings a list is of the users that are taken', async () => {
    const sparse = lowRank({ users: 6000, items: 60 });
    expect(sparse.ratings.length).toBeGreaterThan(200_000);
    const recipe = { objective: 'ranking', factors: 4, negatives: 20 } as const;
    const found = await findLearningRate(sparse, recipe, { runtime, steps: 30 });
    expect(found.ratings).toBeLessThan(100_000);
    expect(found.losses.every(Number.isFinite)).toBe(true);
  });

  test('goes by the optimizer that training takes on a device, from where factors begin', async () => {
    const elsewhere = { ...runtime, device: 'cuda' };
    const adamw = { optimizer: 'adamw', ...rated } as const;
    const expected = await findLearningRate(ratings, adamw, { runtime, steps: 20 });
    expect(await findLearningRate(ratings, rated, { runtime: elsewhere, steps: 20 })).toEqual(expected);

    // A batch of all of them.
    const { train } = randomSplit(ratings, 0.1, 1);
    const batchSize = train.ratings.length;
    const { losses } = await findLearningRate(train, { batchSize, ...rated }, { runtime, steps: 20 });
    const model = dotBias()(train.facts);
    const { score } = await createScorer({ model }, runtime);
    const lossFrom = async (parameters: Tensors) =>
      metrics(await score(parameters, train.users, train.items), train.ratings).rmse ** 2;
    expect(losses[0]).toBeCloseTo(await lossFrom(initialParameters(model, 1, { pairs: train })), 5);
    expect(losses[0]).not.toBeCloseTo(await lossFrom(initialParameters(model, 1)), 5);
  });

  test('one seed gives the same', async () => {
    const found = (seed: number) => findLearningRate(ratings, { seed, ...rated }, { runtime, steps: 40 });
    const one = await found(1);
    expect(await found(1)).toEqual(one);
    expect((await found(2)).losses).not.toEqual(one.losses);
  });

  test('of many ratings those of some users are enough, and diverging is an end, not an error', async () => {
    const count = 4 * ratings.ratings.length;
    const people = ratings.userIds.length;
    const many = new Ratings({
      ...ratings,
      userIds: [0, 1, 2, 3].flatMap((copy) => ratings.userIds.map((id) => `${id}-${copy}`)),
      users: Int32Array.from(
        { length: count },
        (_, index) => ratings.users[index >> 2] + people * (index & 3),
      ),
      items: Int32Array.from({ length: count }, (_, index) => ratings.items[index >> 2]),
      ratings: Float32Array.from({ length: count }, (_, index) => ratings.ratings[index >> 2]),
      times: undefined,
    });
    const recipe = { factors: 8, optimizer: 'sgd', ...rated } as const;
    const found = await findLearningRate(many, recipe, { runtime, to: 1e30 });
    expect(found.ratings).toBeGreaterThanOrEqual(100_000);
    expect(found.ratings).toBeLessThan(110_000);
    expect(found.diverged).toBe(true);
  });

  test.each<[Recipe, Partial<RangeTestOptions>, RegExp]>([
    [{}, { from: 0 }, /^from is 0; give a number above 0/],
    [{}, { from: 1, to: 1 }, /would rise from 1 to 1/],
    [{}, { steps: 3 }, /^steps is 3; give a whole number from 20/],
    [{}, { from: 1e5, to: 1e6 }, /no learning rate from 100000 to 1000000 lowers the loss/],
    [{ batchSize: 0 }, {}, /^batchSize is 0/],
  ])('%o %o is refused', async (recipe, options, message) => {
    expect(
      await userError(findLearningRate(ratings, { ...rated, ...recipe }, { runtime, ...options })),
    ).toMatch(message);
  });
});

import { describe, expect, test } from 'vitest';
import type { Judgement } from '../../src/artifact/judgement.ts';
import { verdictOf } from '../../src/artifact/verdict.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { fractionOf, holdOut, randomSplit } from '../../src/data/dataset/split.ts';
import { train } from '../../src/train/train.ts';
import { generator, uniforms } from '../../src/util/random.ts';
import { lowRank } from '../support/low-rank.ts';

/** Ratings from 1 to 5 of everything by everybody, drawn at random: there is nothing to learn. */
function drawn({ users = 100, items = 60 } = {}): Ratings {
  const random = uniforms(2 * users * items, generator(3, -7));
  const cells = Array.from({ length: users * items }, (_, cell) => cell).filter(
    (cell) => random[2 * cell] < 0.5,
  );
  return new Ratings({
    userIds: Array.from({ length: users }, (_, row) => `u${row}`),
    itemIds: Array.from({ length: items }, (_, row) => `i${row}`),
    users: Int32Array.from(cells, (cell) => Math.floor(cell / items)),
    items: Int32Array.from(cells, (cell) => cell % items),
    ratings: Float32Array.from(cells, (cell) => 1 + Math.floor(5 * random[2 * cell + 1])),
  });
}

async function judged(ratings: Ratings, recipe: Parameters<typeof train>[1] = {}) {
  const { train: part, valid } = randomSplit(ratings, 0.1, 1);
  const fitted = await train(part, recipe, { valid });
  return { fitted, judgement: await fitted.judge(valid) };
}

test('a model that learned is better than its baselines', async () => {
  const ratings = lowRank({ users: 120, items: 60 });
  const { judgement, fitted } = await judged(ratings, { objective: 'rating', epochs: 20 });
  const { rating } = judgement;
  expect(rating?.model.rmse).toBeLessThan(0.8 * Number(rating?.dampedMeans.rmse));
  expect(rating?.dampedMeans.rmse).toBeLessThan(Number(rating?.mean.rmse));
  expect(rating?.model.rmse).toBeCloseTo(Number(fitted.metrics.valid?.rmse), 6);
  expect(rating?.history).toEqual(fitted.history);
  expect(judgement.heldOut + judgement.trained).toBe(ratings.ratings.length);
  const { sentence, warnings } = verdictOf(judgement);
  expect(sentence).toMatch(/^Predictions are \d+ % better than users’ and items’ averages$/);
  expect(warnings).toEqual([]);
});

test.each(['dot-bias', 'mlp'] as const)(
  'where nothing can be learned, %s is no better than the average',
  async (model) => {
    const { judgement } = await judged(drawn(), { model });
    expect(verdictOf(judgement).sentence).toMatch(
      /^Predictions are no better than the average: the model finds no pattern in who rates what how high; recommendations are no better than (the most popular items|lists in random order)/,
    );
  },
);

test('the best epochs train on everything, without what was for judging', async () => {
  const ratings = lowRank();
  const { fitted } = await judged(ratings, { epochs: 4, rankingEpochs: 3 });
  const { epochs, rankingEpochs } = fitted.epochs;
  expect(epochs).toBeGreaterThanOrEqual(1);
  expect(epochs).toBeLessThanOrEqual(4);
  expect(rankingEpochs).toBeLessThanOrEqual(3);
  const all = await train(ratings, { epochs, rankingEpochs });
  expect(all.history).toHaveLength(Number(epochs));
  expect((await judged(ratings, { model: 'item-item' })).fitted.epochs).toEqual({});
});

test('a judgement is in the manifest of what is saved', async () => {
  const { judgement, fitted } = await judged(lowRank(), { objective: 'rating', epochs: 2 });
  const { manifest } = await fitted.artifact({ judged: judgement });
  expect(manifest.judged).toEqual(judgement);
});

describe('what is held out by default', () => {
  test('is a tenth, nothing of few ratings, and 100,000 of many', () => {
    expect([99, 100, 5_000_000].map((ratings) => fractionOf('auto', ratings))).toEqual([undefined, 0.1, 0.1]);
    expect(Number(fractionOf('auto', 8_000_000)) * 8_000_000).toBeCloseTo(100_000);
    expect(fractionOf(0.2, 50)).toBe(0.2);
  });

  test('comes with the whole where it is asked for', () => {
    const ratings = lowRank();
    const { train, valid, whole } = holdOut(ratings, { valid: 'auto', whole: true });
    expect(whole).toBe(ratings);
    expect(train.ratings.length + Number(valid?.ratings.length)).toBe(ratings.ratings.length);
    expect(holdOut(ratings, { valid: 'auto' })).not.toHaveProperty('whole');
    expect(holdOut(ratings, { whole: true })).toEqual({ train: ratings });
  });
});

describe('a verdict', () => {
  const judgement = {
    ...({ by: 'random', kind: 'ratings', isSaved: false } as const),
    ...{ heldOut: 1000, trained: 9000, users: 100, items: 100 },
  };
  const rating = (rmse: number, better: [number, number], overMean = better): Judgement['rating'] => ({
    model: { rmse, mae: rmse },
    mean: { rmse: 1.1, mae: 0.9 },
    dampedMeans: { rmse: 1, mae: 0.8 },
    better: { mean: overMean, dampedMeans: better },
    users: 90,
  });
  const ranking = (ndcg: number, better: [number, number]): Judgement['ranking'] => ({
    model: { ndcg, precision: 0.1 },
    popular: { ndcg: 0.1, precision: 0.1 },
    chance: { ndcg: 0.02, precision: 0.02 },
    ...{ better, users: 90 },
  });

  test.each([
    [
      'both are better',
      { rating: rating(0.9, [0.05, 0.15]), ranking: ranking(0.25, [0.1, 0.2]) },
      'Predictions are 10 % better than users’ and items’ averages; recommendations are 2.5 times as good as the most popular items',
    ],
    [
      'a little better',
      { ranking: ranking(0.13, [0.01, 0.05]) },
      'Recommendations are 30 % better than the most popular items',
    ],
    [
      'better than the mean alone',
      { rating: rating(1, [-0.1, 0.1], [0.01, 0.2]) },
      'Predictions are no better than users’ and items’ averages: the model finds no pattern beyond them',
    ],
    [
      'few ratings',
      { users: 4000, rating: rating(1.2, [-0.3, -0.1]) },
      'Predictions are no better than the average: too few ratings per user (2.3)',
    ],
    [
      'few held-out ratings',
      { heldOut: 30, rating: rating(0.9, [-0.1, 0.3]) },
      'Predictions are no better than the average: 30 held-out ratings of 90 users tell little',
    ],
    [
      'nothing to judge by',
      {},
      'Recommendations cannot be judged: no list has an item that is held out, and relevant',
    ],
  ])('where %s', (_, parts, sentence) => {
    expect(verdictOf({ ...judgement, ...parts }).sentence).toBe(sentence);
  });

  test('warns of what is worse than a trivial guess', () => {
    const parts = { rating: rating(1.2, [-0.3, -0.1]), ranking: ranking(0.05, [-0.1, 0]) };
    expect(verdictOf({ ...judgement, ...parts }).warnings).toEqual([
      'the model predicts worse (RMSE 1.2000) than the average of all ratings (1.1000) and than users’ and items’ averages (1.0000)',
      'the model recommends worse (NDCG@10 0.0500) than the most popular items (0.1000)',
    ]);
  });
});

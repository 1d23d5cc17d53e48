import { expect, test } from 'vitest';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { folds } from '../../src/data/dataset/split.ts';
import { UserError } from '../../src/errors.ts';
import { evaluateBaselines } from '../../src/evaluate/evaluate-baselines.ts';
import { compare } from '../../src/experiment/compare.ts';
import { crossValidate } from '../../src/experiment/cross-validate.ts';
import { trialPool } from '../../src/experiment/pool.ts';
import { owned, shared } from '../../src/experiment/shared.ts';
import type { TrialResult } from '../../src/experiment/trial.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { train } from '../../src/train/train.ts';
import { userError } from '../support/files.ts';
import { errorOfMean, lowRank } from '../support/low-rank.ts';

const splits = folds(lowRank(), 3, 1);
const pool = trialPool(splits, 0);
const recipe: Recipe = { model: 'dot-bias', objective: 'rating', factors: 2, epochs: 3, seed: 4 };

test('a trial is a training on the one part, and its error on the other', async () => {
  const model = await train(splits[1].train, recipe);
  const expected = {
    ...(await model.errors(splits[1].valid)),
    seconds: expect.any(Number),
    took: expect.any(Number),
    // What the recipe left to its defaults is told.
    recipe: {
      ...recipe,
      ...{
        batchSize: 16,
        learningRate: 0.06,
        optimizer: 'row-adagrad',
        weightDecay: 0.015,
        initialStd: 0.01,
      },
    },
  };
  expect(await pool.run({ predictor: recipe, fold: 1 })).toEqual(expected);
  const { files } = await model.artifact();
  const bytes = Object.values(files).reduce((sum, file) => sum + file.length, 0);
  expect(await pool.run({ predictor: recipe, fold: 1, files: true })).toEqual({ ...expected, bytes });
});

test('a trial of both objectives is one training, judged by both', async () => {
  const both: Recipe = { ...recipe, objective: 'both', rankingFactors: 4, rankingEpochs: 2 };
  const outcome = (await pool.run({ predictor: both, fold: 1 })) as TrialResult;
  const rating = (await pool.run({ predictor: recipe, fold: 1 })) as TrialResult;
  const alone: Recipe = { objective: 'ranking', rankingFactors: 4, rankingEpochs: 2, seed: 4 };
  const ranking = (await pool.run({ predictor: alone, fold: 1 })) as TrialResult;
  expect([outcome.rmse, outcome.mae]).toEqual([rating.rmse, rating.mae]);
  expect([outcome.ndcg, outcome.precision]).toEqual([ranking.ndcg, ranking.precision]);
  expect(ranking).toEqual({
    ...{ ndcg: expect.any(Number), precision: expect.any(Number) },
    ...{ seconds: expect.any(Number), took: expect.any(Number) },
    recipe: { ...alone, rankingLearningRate: 0.05 },
  });
  expect(outcome.recipe).toEqual({ ...rating.recipe, ...ranking.recipe, objective: 'both' });
  const strict = (await pool.run({ predictor: alone, fold: 1, threshold: 4.5 })) as TrialResult;
  expect(strict.ndcg).not.toBe(ranking.ndcg);
});

test('where nothing is relevant, a model that only ranks cannot be judged', async () => {
  const trial = { predictor: { ...recipe, objective: 'ranking' }, fold: 0, threshold: 6 } as const;
  expect(await pool.run(trial)).toMatchObject({
    code: 'data',
    failed: expect.stringMatching(/^no user has a relevant item that is held out/),
  });
  const both = await crossValidate(pool, { ...recipe, objective: 'both', epochs: 1 }, { threshold: 6 });
  expect(both.rmse).toBeDefined();
  expect(both).not.toHaveProperty('ndcg');
});

test('the MLP tells its choices too', async () => {
  const mlp: Recipe = { model: 'mlp', objective: 'rating', factors: 2, epochs: 1 };
  const outcome = await pool.run({ predictor: mlp, fold: 0 });
  expect((outcome as TrialResult).recipe).toMatchObject({ factors: 2, hidden: [64], dropout: [0.1, 0.05] });
});

test('a training that diverges, or is too slow, is a failed trial', async () => {
  expect(await pool.run({ predictor: { ...recipe, learningRate: 1e30 }, fold: 0 })).toEqual({
    failed: expect.stringContaining('diverged'),
    code: 'training',
    took: expect.any(Number),
  });
  expect(await pool.run({ predictor: { ...recipe, epochs: 100_000 }, fold: 0, limit: 1 })).toEqual({
    failed: 'training would take longer than 1.0 s',
    code: 'training',
    slow: true,
    took: expect.any(Number),
  });
});

test('a baseline has no files; that of the mean is the mean, and ranks nothing', async () => {
  const outcome = (await pool.run({ predictor: 'global-mean', fold: 0, files: true })) as TrialResult;
  expect(outcome.bytes).toBeUndefined();
  expect(Math.abs(Number(outcome.rmse) - errorOfMean(splits[0].valid))).toBeLessThan(0.02);
  expect(outcome).not.toHaveProperty('ndcg');
});

test('a baseline ranks as evaluateBaselines does, and is judged by what is asked for', async () => {
  const { train: ratings, valid } = splits[0];
  const { ranking } = (await evaluateBaselines(ratings, valid))['most-popular'];
  const outcome = (await pool.run({ predictor: 'most-popular', fold: 0 })) as TrialResult;
  expect(outcome.ndcg).toBeCloseTo(Number(ranking?.at[0].ndcg), 12);
  const alone = await pool.run({ predictor: 'most-popular', fold: 0, objectives: ['ranking'] });
  expect(alone).not.toHaveProperty('rmse');
  expect(alone).toHaveProperty('ndcg', outcome.ndcg);
});

test('cross-validation tries all folds, and names the one that fails', async () => {
  let told = 0;
  const { results, rmse, mae, bytes } = await crossValidate(pool, recipe, {
    files: true,
    onResult: () => told++,
  });
  expect(told).toBe(3);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / 3;
  expect(rmse?.mean).toBeCloseTo(mean(results.map((result) => Number(result.rmse))), 12);
  expect(mae?.mean).toBeCloseTo(mean(results.map((result) => Number(result.mae))), 12);
  expect(bytes).toBeGreaterThan(1000);
  expect(await crossValidate(pool, recipe)).not.toHaveProperty('bytes');
  expect(await userError(crossValidate(pool, { ...recipe, learningRate: 1e30 }))).toMatch(
    /^fold 1: .*diverged/,
  );
  const impossible = { ...recipe, engine: 'strata', sparseUpdates: false } as const;
  await expect(crossValidate(pool, impossible)).rejects.toMatchObject({
    code: 'argument',
    message: expect.stringMatching(/^fold 1: .*`sparseUpdates: false`/),
  });
});

test('a comparison sorts by error, and says what is real', async () => {
  const better = { ...recipe, epochs: 20, learningRate: 0.02 };
  const predictors = { worse: { ...recipe, epochs: 1 }, mean: 'global-mean', better, same: better } as const;
  const { predictors: sorted, pairs } = await compare(pool, predictors, [['worse', 'mean']]);
  expect(Object.keys(sorted)).toEqual(['better', 'same', 'worse', 'mean']);
  expect(pairs.map(({ name, than }) => [name, than])).toEqual([
    ['same', 'better'],
    ['worse', 'better'],
    ['mean', 'better'],
    ['mean', 'worse'],
  ]);
  expect(new Set(pairs.map(({ measure }) => measure))).toEqual(new Set(['rmse']));
  expect(pairs[0]).toMatchObject({ difference: { mean: 0, p: 1 }, real: false });
  expect(pairs[2]).toMatchObject({ real: true });
  expect(pairs[2].difference.mean).toBeGreaterThan(0.1);
});

test('of both objectives each has its own best; a higher NDCG is better', async () => {
  const ranks: Recipe = { objective: 'ranking', factors: 2, epochs: 1 };
  const long = { epochs: 20, learningRate: 0.02, rankingEpochs: 12 };
  const both: Recipe = { ...recipe, ...long, objective: 'both' };
  const predictors = { mean: 'global-mean', ranks, popular: 'most-popular', both } as const;
  const { predictors: sorted, pairs } = await compare(pool, predictors, [['ranks', 'popular']]);
  const has = (name: string) => ['rmse', 'ndcg'].filter((key) => key in sorted[name]);
  expect([has('mean'), has('ranks'), has('both')]).toEqual([['rmse'], ['ndcg'], ['rmse', 'ndcg']]);
  // What only ranks comes last.
  expect(Object.keys(sorted).at(-1)).toBe('ranks');
  const errors = Object.values(sorted).flatMap(({ rmse }) => (rmse ? [rmse.mean] : []));
  expect(errors).toEqual(errors.toSorted((one, other) => one - other));
  const ranked = pairs.filter(({ measure }) => measure === 'ndcg');
  expect(ranked.filter(({ name, than }) => [name, than].sort().join() === 'popular,ranks')).toHaveLength(1);
  for (const { name, than, difference } of ranked) {
    expect(difference.mean).toBeLessThanOrEqual(0);
    expect(difference.mean).toBeCloseTo(
      Number(sorted[name].ndcg?.mean) - Number(sorted[than].ndcg?.mean),
      12,
    );
  }
  const alone = await compare(pool, { ranks, popular: 'most-popular' });
  expect(alone.pairs.map(({ measure }) => measure)).toEqual(['ndcg']);
  expect(alone.predictors.popular).not.toHaveProperty('rmse');
});

test('a comparison names the predictor that fails', async () => {
  const predictors = { mean: 'global-mean', wild: { ...recipe, learningRate: 1e30 } } as const;
  expect(await userError(compare(pool, predictors))).toMatch(/^wild, fold 1: .*diverged/);
});

test('shared ratings are the same ratings', () => {
  const { train: ratings, valid } = splits[0];
  const times = Float64Array.from(ratings.users);
  const copy = shared({ train: new Ratings({ ...ratings, times }), valid });
  expect(copy.train.users.buffer).toBeInstanceOf(SharedArrayBuffer);
  const own = owned(copy);
  expect(own).toEqual({ train: ratings, valid });
  expect(own.train).toBeInstanceOf(Ratings);
  expect(own.train.ratings.buffer).toBeInstanceOf(ArrayBuffer);
});

test('a closed pool runs no more of what waits', async () => {
  const closing = trialPool(splits, 0);
  const first = closing.run({ predictor: recipe, fold: 0 });
  let ran = false;
  closing.run({ predictor: recipe, fold: 1 }).then(() => {
    ran = true;
  });
  await closing.close();
  expect(await first).toHaveProperty('rmse');
  expect(ran).toBe(false);
});

test('a bug is no failed trial', async () => {
  const bug = pool.run({ predictor: recipe, fold: 99 });
  await expect(bug).rejects.toThrow();
  await expect(bug).rejects.not.toBeInstanceOf(UserError);
});

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renumbered } from '../../src/data/dataset/ratings.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { evaluateBaselines } from '../../src/evaluate/evaluate-baselines.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { findLearningRate } from '../../src/train/find-learning-rate.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { train } from '../../src/train/train.ts';
import { hasShared, sample, shared, why } from '../support/files.ts';

describe.skipIf(!hasShared)(`on MovieLens 100K u1${why}`, async () => {
  const base = hasShared ? (await readRatings(join(shared, 'ml-100k/u1.base'))).ratings : undefined;

  async function error(recipe: Recipe): Promise<number> {
    if (!base) throw new Error(why);
    const held = await readRatings(join(shared, 'ml-100k/u1.test'), { vocabulary: base });
    return (await (await train(base, { objective: 'rating', ...recipe })).errors(held.ratings)).rmse;
  }

  test.each<[string, Recipe, number]>([
    ['dot-bias with sparse updates', { sparseUpdates: true }, 0.93],
    ['dot-bias by the training API', { engine: 'ort-training' }, 0.919],
    ['mlp by the training API', { model: 'mlp', engine: 'ort-training' }, 0.945],
  ])('the error of %s', async (_, recipe, bar) => {
    expect(await error(recipe)).toBeLessThan(bar);
  });

  test('by strata as with one stratum, mean of three seeds', async () => {
    const mean = async (blocks: readonly [number, number]) => {
      let sum = 0;
      for (const seed of [1, 2, 3]) sum += await error({ blocks, seed });
      return sum / 3;
    };
    const [one, many] = [await mean([1, 1]), await mean([4, 4])];
    expect(Math.abs(many - one)).toBeLessThan(0.003);
    expect(many).toBeLessThan(0.908);
  });

  test('the errors of the baselines', async () => {
    const [train, test] = await Promise.all(
      ['base', 'test'].map(async (part) => (await readRatings(join(shared, `ml-100k/u1.${part}`))).ratings),
    );
    const judged = await evaluateBaselines(train, test, { k: [10] });
    expect(renumbered(test, train).unknown).toEqual({ users: 0, items: 32 });
    expect(judged['global-mean'].rmse).toBeCloseTo(1.1537, 4);
    expect(judged['user-item-means'].rmse).toBeLessThan(0.958);
    expect(judged['item-knn'].rmse).toBeLessThan(0.928);
    const precision = (name: keyof typeof judged) => judged[name].ranking?.at[0].precision as number;
    expect(precision('most-popular')).toBeGreaterThan(precision('user-item-means'));
    expect(judged['most-popular'].ranking).toMatchObject({ users: 456, withoutRelevant: 3 });
  });
});

describe('on MovieLens latest-small', () => {
  test.each([
    ['dot-bias', ['adamw', 'row-adagrad', 'sgd-momentum']],
    ['mlp', ['adamw', 'adagrad']],
  ] as const)(
    'the default learning rates of %s are within a factor of 10 of what is suggested',
    async (model, optimizers) => {
      const { ratings } = await readRatings(`${sample}/ratings.csv.gz`);
      const runtime = await nodeRuntime();
      for (const optimizer of optimizers) {
        const { usual, suggestion } = await findLearningRate(
          ratings,
          { model, objective: 'rating', optimizer },
          { runtime },
        );
        expect(Math.abs(Math.log10(suggestion / usual)), optimizer).toBeLessThan(1);
      }
    },
  );
});

import { describe, expect, test } from 'vitest';
import { type DotBiasConfig, dotBias } from '../../graphs/models/dot-bias.ts';
import { type MlpConfig, mlp } from '../../graphs/models/mlp.ts';
import { UserError } from '../../src/errors.ts';
import { GraphError, gather, unsqueeze } from '../../src/onnx/index.ts';
import type { ProgramRecipe } from '../../src/train/recipe/recipe.ts';
import { resolve } from '../../src/train/recipe/resolve.ts';
import { train } from '../../src/train/train.ts';
import { neuralFactorization } from '../support/factorization.ts';
import { lowRank, ofBiases } from '../support/low-rank.ts';

const facts = { users: 3, items: 4, ratings: 9, low: 1, high: 5, mean: 3 };

describe('a configuration that cannot be is one line that says what to give', () => {
  test.each<[Partial<DotBiasConfig>, string]>([
    [{ factors: 1.5 }, 'dot-bias: factors is 1.5; give a whole number from 1 to 100,000'],
    [{ factors: -1 }, 'dot-bias: factors is -1; give a whole number from 1 to 100,000'],
    [{ range: [5, 0] }, 'dot-bias: range is [5,0]; give two numbers, the lower first, such as 0 and 5.5'],
    [{ initialStd: Number.NaN }, 'dot-bias: initialStd is NaN; give 0 or more'],
  ])('%o', (config, message) => {
    expect(() => dotBias(config)).toThrow(new UserError('argument', message));
  });

  test.each<[Partial<MlpConfig>, RegExp]>([
    [{ factors: 0 }, /^mlp: factors is 0; give a width/],
    [{ hidden: [10, 0] }, /^mlp: hidden.1 is 0; give a whole number/],
    [{ dropout: 1 }, /^mlp: dropout is 1; give rates/],
    [{ dropout: [0.1, 0.1, 0.1] }, /^mlp: dropout has 3 rates; give one for the embeddings/],
  ])('%o', (config, message) => {
    expect(() => mlp(config)).toThrow(message);
  });
});

test('the learning rate suits the optimizer and the model, or is as given', () => {
  const rate = (recipe: ProgramRecipe, ratings = 80_000) =>
    resolve(recipe, { ...facts, ratings }).plan.training.schedule.learningRate;
  expect(rate({})).toBe(0.06);
  expect(rate({}, 1e6)).toBe(0.1);
  expect(rate({ optimizer: 'adamw' })).toBe(0.003);
  expect(rate({ optimizer: 'sgd' })).toBe(3);
  expect(rate({ optimizer: 'sgd', batchSize: 256 })).toBe(12);
  expect(rate({ model: 'mlp', optimizer: 'sgd' })).toBe(0.3);
  expect(rate({ model: 'mlp', optimizer: 'adamw' })).toBe(0.002);
  expect(rate({ model: neuralFactorization(), optimizer: 'sgd', batchSize: 256 })).toBe(3);
  expect(rate({ model: neuralFactorization(), optimizer: 'adagrad' })).toBe(0.1);
  expect(rate({ learningRate: 0.7, schedule: 'cosine' })).toBe(0.7);
  expect(rate({ schedule: { name: 'cosine', learningRate: 0.2 } })).toBe(0.2);
});

describe('a formula that cannot be right fails when its graph is built', () => {
  test('a column in place of a vector, which would be broadcast with the ratings', async () => {
    const column = ofBiases(({ user_bias }, user) => unsqueeze(gather(user_bias, user), [1]));
    await expect(train(lowRank({}), { model: column })).rejects.toThrow(
      new GraphError('model "own": its score is float[n, 1], but must be float[n]'),
    );
  });

  test('a parameter that the formula does not use', async () => {
    const half = ofBiases(({ item_bias }, _, item) => gather(item_bias, item));
    await expect(train(lowRank({}), { model: half })).rejects.toThrow(
      new GraphError('model "own": its rating does not depend on "user_bias"'),
    );
  });
});

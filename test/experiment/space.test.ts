import { expect, test } from 'vitest';
import { isSolved, modelNames } from '../../graphs/models/index.ts';
import { logarithmic, oneOf } from '../../src/experiment/dimension.ts';
import { importance } from '../../src/experiment/importance.ts';
import { partOf } from '../../src/experiment/parts.ts';
import { spaceBeside } from '../../src/experiment/space.ts';
import { checkRecipe, type Recipe } from '../../src/train/recipe/recipe.ts';
import { resolve } from '../../src/train/recipe/resolve.ts';
import { generator, uniforms } from '../../src/util/random.ts';
import { userError } from '../support/files.ts';

test.each([
  [logarithmic(0.01, 1), 0.01, 0.1, 1],
  [logarithmic(4, 64, { whole: true }), 4, 16, 64],
])('a value has a position, and the position the value: %#', (dimension, low, middle, high) => {
  for (const [position, value] of [
    [0, low],
    [0.5, middle],
    [1, high],
  ] as const) {
    expect(dimension.valueAt(position)).toEqual(value);
    expect(dimension.positionOf(value)).toBeCloseTo(position, 10);
  }
});

test('choices have equal shares', () => {
  const dimension = oneOf([10], [64, 32]);
  expect([0, 0.49, 0.5, 0.999].map(dimension.valueAt)).toEqual([[10], [10], [64, 32], [64, 32]]);
  expect(dimension.positionOf([64, 32])).toBe(0.75);
  expect(dimension.positionOf([1])).toBeNaN();
});

const LEARNED = modelNames.filter((name) => !isSolved(name));

test.each(LEARNED)('recipes of %s can be made, and are like the one they are near', (model) => {
  const fixed = { model, seed: 3, loss: 'mse' } as const;
  const space = spaceBeside(fixed);
  const names = [...space.dimensions.keys()];
  let kept = 0;
  for (let number = 0; number < 50; number++) {
    const recipe = space.random(generator(1, number));
    expect(recipe).toMatchObject(fixed);
    expect(Object.keys(recipe).sort()).toEqual([...names, 'loss', 'model', 'seed'].sort());
    resolve(recipe, { users: 9, items: 9, ratings: 50, low: 1, high: 5, mean: 3 });
    expect(space.random(generator(1, number))).toEqual(recipe);
    const near = space.near(recipe, generator(2, number));
    kept += names.filter((name) => String(near[name]) === String(recipe[name])).length;
    for (const [name, dimension] of space.dimensions) {
      const position = dimension.positionOf(near[name]);
      expect(position).toBeGreaterThan(-0.02);
      expect(position).toBeLessThan(1.02);
    }
  }
  expect(kept / (50 * names.length)).toBeGreaterThan(0.4);
  expect(kept / (50 * names.length)).toBeLessThan(0.8);
});

test('what a recipe does not tell is drawn anew', () => {
  const near = spaceBeside({ model: 'mlp' }).near({ dropout: [0.4], factors: 32 }, generator(1));
  expect(Object.values(near)).not.toContain(undefined);
});

test('nor is the learning rate of a schedule that is given', () => {
  const space = spaceBeside({ model: 'dot-bias', schedule: { name: 'cosine', learningRate: 0.01 } });
  expect([...space.dimensions.keys()]).not.toContain('learningRate');
});

test('of a model in closed form, its own choices are searched', () => {
  const space = spaceBeside({ model: 'item-item', seed: 3 });
  expect([...space.dimensions.keys()]).toEqual(['regularization']);
  const recipe = space.random(generator(1));
  expect(checkRecipe(recipe)).toMatchObject({ objectives: ['ranking'], solved: { name: 'item-item' } });
});

const OBJECTIVES = LEARNED.flatMap((model) =>
  (['rating', 'ranking'] as const).map((objective) => [model, objective] as const),
);

test.each(OBJECTIVES)('the parts of %s that is trained for both: %s', (model, objective) => {
  const both = { model, seed: 3, positive: 3, loss: 'mse', learningRate: 0.05 } as const;
  const part = partOf(both, objective);
  expect(part).toEqual(
    objective === 'rating'
      ? { model, seed: 3, loss: 'mse', learningRate: 0.05, objective }
      : { model, seed: 3, positive: 3, objective },
  );
  const { objectives } = checkRecipe(part);
  expect(objectives).toEqual([objective]);
  const names = [...spaceBeside(part, { beside: true }).dimensions.keys()];
  // What both parts share would change the other one.
  expect(names).not.toContain('initialStd');
  expect(names).not.toContain('hidden');
  if (objective === 'ranking')
    expect(names).toEqual(['rankingFactors', 'rankingEpochs', 'rankingLearningRate']);
  else expect(names).toEqual(expect.arrayContaining(['factors', 'epochs', 'weightDecay']));
  for (let number = 0; number < 20; number++) {
    const recipe = spaceBeside(part).random(generator(1, number));
    expect(checkRecipe(recipe).objectives).toEqual([objective]);
  }
});

test('what ranking takes from the general choices is not searched either', async () => {
  const names = (recipe: Recipe) => [...spaceBeside({ objective: 'ranking', ...recipe }).dimensions.keys()];
  expect(names({ factors: 8, epochs: 2 })).toEqual(['rankingLearningRate']);
  expect(names({ learningRate: 0.1, rankingFactors: 20 })).toEqual(['rankingEpochs']);
  const given = { objective: 'ranking', factors: 8, epochs: 2, rankingLearningRate: 0.1 } as const;
  expect(await userError((async () => spaceBeside(given, { beside: true }))())).toMatch(
    /^all hyperparameters of the objective ranking are given, .*; leave some out, or search those of the other one with `objective: 'rating'`/,
  );
});

test('what is given is not searched', async () => {
  const space = spaceBeside({ model: 'dot-bias', factors: 7, optimizer: 'row-adagrad' });
  expect(space.dimensions.has('factors')).toBe(false);
  expect(space.random(generator(1))).toMatchObject({ factors: 7, optimizer: 'row-adagrad' });
  const whole = spaceBeside({}).random(generator(1));
  expect(await userError((async () => spaceBeside(whole))())).toMatch(/^all hyperparameters are given/);
  expect(await userError((async () => spaceBeside({ optimizer: 'sgd' }))())).toMatch(
    /^the optimizer sgd has no search space; give row-adagrad, or leave out `optimizer`/,
  );
});

test('importance: all of it, none, and a part', () => {
  const values = Array.from({ length: 60 }, (_, trial) => trial / 60);
  const unrelated = [...uniforms(60, generator(1))];
  expect(importance(values, values)).toBeGreaterThan(0.9);
  expect(
    importance(
      values,
      values.map((value) => (value - 0.5) ** 2),
    ),
  ).toBeGreaterThan(0.7);
  expect(importance(unrelated, values)).toBeLessThan(0.1);
  expect(importance(['a', 'b', 'a', 'b', 'a', 'b'], [1, 9, 2, 8, 3, 7])).toBeGreaterThan(0.6);
  // Failures count as equally bad.
  expect(importance([1, 1, 2, 2], [0.9, 0.9, Infinity, Infinity])).toBe(1);
  expect(importance([1, 1, 1], [3, 2, 1])).toBe(0);
  expect(importance([], [])).toBe(0);
});

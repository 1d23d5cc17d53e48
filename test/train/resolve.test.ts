import { describe, expect, test } from 'vitest';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import type { Parameter } from '../../graphs/models/model.ts';
import { UserError } from '../../src/errors.ts';
import type { Plan, RatingPlan } from '../../src/train/recipe/plan.ts';
import { checkRecipe, type ProgramRecipe, type Recipe } from '../../src/train/recipe/recipe.ts';
import { type Environment, resolve } from '../../src/train/recipe/resolve.ts';
import { changed } from '../support/biases.ts';
import { neuralFactorization } from '../support/factorization.ts';

const facts = { users: 900, items: 1700, ratings: 80_000, low: 1, high: 5, mean: 3.5 };
const many = { ...facts, users: 30_000, items: 25_000, ratings: 500_000 };
const planOf = (recipe: ProgramRecipe, data = facts, environment?: Environment) =>
  resolve(recipe, data, environment).plan;

describe('what a recipe leaves open', () => {
  test('is what suits a few ratings on the CPU', () => {
    expect(planOf({})).toMatchObject({
      model: {
        name: 'dot-bias',
        config: { factors: 50, range: [0, 5.5], initialStd: 0.01, spectral: [0.1, 0.25] },
      },
      training: {
        epochs: 6,
        batchSize: 512,
        loss: 'mse',
        clip: true,
        sparseUpdates: false,
        seed: 1,
        lossScale: 1,
        engine: 'epoch-graph',
        optimizer: { name: 'row-adagrad', weightDecay: 0.015 },
        schedule: { name: 'cosine', learningRate: 0.06, momentum: 0.9 },
      },
    });
  });

  test('is what the model says of itself', () => {
    expect(planOf({ model: 'mlp', hidden: [32, 16], factors: 'auto' }).model).toEqual({
      name: 'mlp',
      config: {
        factors: [72, 103],
        hidden: [32, 16],
        dropout: [0.1, 0.05, 0.05],
        range: [0, 5.5],
        initialStd: 0.01,
        spectral: [0.4, 0.6],
      },
    });
    expect(planOf({ model: neuralFactorization({ factors: 8 }) }).model).toEqual({
      name: 'neural-factorization',
      config: { factors: 8, hidden: 16 },
    });
  });

  test('is patience of half of the epochs where ratings are held out, and none where they are not', () => {
    const patienceOf = (recipe: ProgramRecipe, isJudged?: boolean) =>
      planOf(recipe, facts, { ...(isJudged !== undefined && { isJudged }) }).training.patience;
    expect([patienceOf({}, true), patienceOf({}, false), patienceOf({})]).toEqual([3, undefined, undefined]);
    expect([1, 9, 30].map((epochs) => patienceOf({ epochs }, true))).toEqual([1, 5, 15]);
    expect(patienceOf({ patience: 5 }, true)).toBe(5);
  });

  test('is AdamW on a GPU', () => {
    const { training } = planOf({}, facts, { device: 'cuda' });
    expect(training).toMatchObject({
      batchSize: 64,
      engine: 'epoch-graph',
      optimizer: { name: 'adamw', beta2: 0.99, epsilon: 1e-5, weightDecay: 0.1 },
      schedule: { name: 'one-cycle', learningRate: 0.003, momentum: 0.95, momentumLow: 0.85 },
    });
    expect(training).not.toHaveProperty('lossScale');
    expect(planOf({ optimizer: 'row-adagrad' }, facts, { device: 'cuda' }).training.optimizer.name).toBe(
      'row-adagrad',
    );
  });

  test('goes by the number of ratings, and of users and items', () => {
    const batchSize = (ratings: number) => planOf({}, { ...facts, ratings }).training.batchSize;
    expect([10, 3000, 100_000, 400_000, 499_999].map(batchSize)).toEqual([16, 16, 512, 2048, 4096]);
    expect(planOf({}, { ...many, ratings: 1e8 }).training.batchSize).toBe(8192);
    const large = planOf({}, { ...many, ratings: 100_000 });
    expect(large.training).toMatchObject({ engine: 'epoch-graph', sparseUpdates: true });
    expect(planOf({ sparseUpdates: false }, many).training.sparseUpdates).toBe(false);
  });

  test.each<[string, ProgramRecipe, typeof facts, Environment, string]>([
    ['few ratings', {}, { ...many, ratings: 499_999 }, {}, 'epoch-graph'],
    ['many', {}, many, {}, 'strata'],
    ['many, asked for by name', { engine: 'auto' }, many, {}, 'strata'],
    ['many on a GPU', {}, many, { device: 'cuda' }, 'epoch-graph'],
    ['many where strata do not run', {}, many, { engines: ['epoch-graph'] }, 'epoch-graph'],
    ['many, all rows at every step', { sparseUpdates: false }, many, {}, 'epoch-graph'],
    ['many, by the epoch graph', { engine: 'epoch-graph' }, many, {}, 'epoch-graph'],
    ['few in blocks', { blocks: [2, 3] }, facts, {}, 'strata'],
    ['few in a file', {}, facts, { storedIn: [2, 2] }, 'strata'],
  ])('%s: the engine', (_, recipe, data, environment, engine) => {
    expect(planOf(recipe, data, environment).training.engine).toBe(engine);
  });

  test('by strata, blocks are those asked for, those of the file, or follow from the data', () => {
    const of = (recipe: Recipe, environment: Environment) => planOf(recipe, facts, environment).training;
    expect(of({ engine: 'strata' }, {})).toMatchObject({ blocks: [1, 1], sparseUpdates: true });
    expect(of({ blocks: [5, 7] }, {})).toMatchObject({ blocks: [5, 7] });
    expect(of({}, { storedIn: [4, 6] })).toMatchObject({ blocks: [4, 6] });
    expect(of({ engine: 'epoch-graph' }, {})).not.toHaveProperty('blocks');
  });
});

/** A plan says beside a recipe's choices what follows from them. */
function recipeOf({ model, training }: Plan<RatingPlan>): Recipe {
  const { lossScale: _, ...chosen } = training;
  return { model: model.name, ...model.config, ...chosen } as Recipe;
}

test.each<[Recipe, Environment?, typeof facts?]>([
  [{}],
  [{ factors: 7, initialStd: 0.3, range: [-1, 9], seed: 5, loss: 'huber', batchSize: 33, patience: 2 }],
  [{ model: 'mlp' }],
  [{ model: 'mlp', factors: 'auto', hidden: [20, 10, 5], dropout: 0.2 }],
  [{ optimizer: 'adamw', schedule: 'one-cycle', learningRate: 0.02 }],
  [
    {
      optimizer: { name: 'adamw', beta2: 0.9, weightDecay: 0.3 },
      schedule: { name: 'one-cycle', divide: 9 },
    },
  ],
  [{ optimizer: 'sgd-momentum', weightDecay: 0.01, schedule: 'constant' }],
  [{}, { device: 'webgpu' }],
  [{}, {}, many],
  [{ model: 'mlp', engine: 'strata' }],
  [{}, { storedIn: [4, 6] }],
  [{ engine: 'ort-training', schedule: { name: 'one-cycle', momentumLow: 0.7 } }],
  [{ model: 'mlp', engine: 'ort-training', schedule: 'cosine' }],
])('a plan is plain JSON and, as a recipe, gives itself: %j %j', (recipe, environment, data = facts) => {
  const plan = planOf(recipe, data, environment);
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  expect(planOf(recipeOf(plan), data, environment)).toEqual(plan);
  expect(planOf(recipeOf(plan), data, environment).model.config).toEqual(plan.model.config);
});

test('a choice of its own wins over that of an optimizer or a schedule', () => {
  const own = {
    optimizer: { name: 'adamw', weightDecay: 0.5 },
    schedule: { name: 'cosine', learningRate: 0.001 },
  } as const;
  expect(planOf(own).training).toMatchObject(own);
  const { optimizer, schedule } = planOf({ ...own, weightDecay: 0, learningRate: 0.02 }).training;
  expect([optimizer.weightDecay, schedule.learningRate]).toEqual([0, 0.02]);
});

test('a device of another kind takes a plan over as it is', () => {
  const plan = planOf({ optimizer: 'adamw' });
  expect(planOf(recipeOf(plan), facts, { device: 'cuda' })).toEqual(plan);
});

describe('a recipe that cannot be is one line that says what to give', () => {
  test.each<[unknown, RegExp]>([
    [{ batch: 64 }, /^there is no choice "batch"; it is called batchSize now$/],
    [{ lazy: false }, /^there is no choice "lazy"; it is called sparseUpdates now$/],
    [{ epoch: 3 }, /^there is no choice "epoch"; the choices are model, seed, .*hidden, .*epochs, /],
    [{ epochs: '3' }, /^epochs is "3"; give a whole number from 1$/],
    [{ seed: 1.5 }, /^seed is 1.5; give a whole number from 0$/],
    [{ model: 'svd' }, /^model is "svd"; give one of dot-bias, mlp/],
    [{ loss: 'foo' }, /^loss is "foo"; give one of mse, l1, huber$/],
    [{ sparseUpdates: 1 }, /^sparseUpdates is 1; give true or false$/],
    [{ blocks: [2] }, /^blocks is \[2\]; give two whole numbers/],
    [{ weightDecay: -1 }, /^weightDecay is -1; give 0 or more$/],
    [{ engine: 'gpu' }, /^engine is "gpu"; give one of auto, epoch-graph, strata, ort-training$/],
    [{ optimizer: 'lion' }, /^optimizer is "lion"; give one of adamw, adam, adagrad, row-adagrad, sgd, /],
    [{ optimizer: { name: 'lion' } }, /^optimizer\S* is .*; give one of adamw, adam, /],
    [{ optimizer: { name: 'adamw', beta2: 'high' } }, /^optimizer\S* is .*; give /],
    [{ schedule: 'linear' }, /^schedule is "linear"; give one of one-cycle, cosine, constant$/],
    [{ schedule: { name: 'constant', learningRate: Number.NaN } }, /^schedule\S* is .*; give /],
    [{ hidden: [8] }, /^`hidden` is for the model mlp, not for dot-bias; leave it out$/],
    [{ model: 'dot-bias', dropout: 0.1 }, /^`dropout` is for the model mlp, not for dot-bias; leave it out$/],
    [{ model: 'mlp', hidden: [0] }, /hidden.0 is 0; give a whole number from 1/],
    [{ factors: 0 }, /factors is 0; give a w/],
    [
      { model: dotBias(), factors: 3 },
      /^`factors` is for built-in models; give it to the model's own definition$/,
    ],
    [
      { optimizer: { name: 'adamw', beta3: 1 } },
      /; adamw has no choice "beta3", only beta2, epsilon, weightDecay$/,
    ],
    [{ optimizer: { name: 'sgd', momentum: 1 } }, /; sgd has no choice "momentum", only weightDecay$/],
    [
      { schedule: { name: 'one-cycle', warmup: 0.1 } },
      /; one-cycle has no choice "warmup", only learningRate, warmUp, /,
    ],
    [
      { schedule: { name: 'cosine', divide: 3 } },
      /; cosine has no choice "divide", only learningRate, momentum$/,
    ],
    [{ optimizer: { name: 'adamw', weightDecay: -1 } }, /; give weightDecay 0 or more$/],
    [{ optimizer: { name: 'adam', beta2: 1 } }, /; give beta2 a rate from 0 to below 1$/],
    [{ schedule: { name: 'constant', learningRate: 0 } }, /; give learningRate a number above 0$/],
    [{ schedule: { name: 'one-cycle', divide: 0 } }, /; give divide a number above 0$/],
  ])('%j', (recipe, message) => {
    for (const check of [checkRecipe, (one: Recipe) => resolve(one, facts)]) {
      expect(() => check(recipe as Recipe)).toThrow(UserError);
      expect(() => check(recipe as Recipe)).toThrow(message);
    }
  });

  test.each<[ProgramRecipe, RegExp, Environment?]>([
    [
      { model: 'mlp', hidden: [100_000, 100_000] },
      /^mlp: linear_2_weight would have 100000 × 100000 numbers, more than a file holds; give smaller widths$/,
    ],
    [
      { engine: 'strata' },
      /^the engine strata does not run here; leave out `engine`$/,
      { engines: ['epoch-graph'] },
    ],
    [
      { blocks: [2, 2] },
      /^blocks are for training by strata, which does not run here; leave out `blocks`$/,
      { engines: ['epoch-graph'] },
    ],
    [{ engine: 'strata' }, /^training by strata is for the CPU, not for cuda; /, { device: 'cuda' }],
    [
      { blocks: [2, 2], engine: 'epoch-graph' },
      /^blocks are for training by strata; leave out `blocks`, or /,
    ],
    [{ blocks: [2, 2], sparseUpdates: false }, /^training by strata updates only the rows of a batch; /],
    [{ blocks: [901, 2] }, /^blocks is 901,2; .* up to 900 and 1700$/],
    [{ blocks: [2, 2] }, /^blocks is 2,2, but the ratings are stored in 4,4; /, { storedIn: [4, 4] }],
  ])('%j', (recipe, message, environment) => {
    expect(() => resolve(recipe, facts, environment)).toThrow(UserError);
    expect(() => resolve(recipe, facts, environment)).toThrow(message);
  });

  test.each<[Partial<Parameter>, RegExp]>([
    [
      { initial: { normal: 0, posterior: true } },
      /^dot-bias: user_factors has 900 × 3 numbers; only biases, .*, have a posterior and a prior$/,
    ],
    [{ pull: 'prior' }, /^dot-bias: user_factors has 900 × 3 numbers; only biases, /],
    [{ pull: -1 }, /^dot-bias: the pull of user_factors is -1; give a number from 0, or 'prior'$/],
    [{ pull: Number.NaN }, /^dot-bias: the pull of user_factors is NaN; give /],
    [{ pull: Number.POSITIVE_INFINITY }, /^dot-bias: the pull of user_factors is Infinity; give /],
    [{ pull: 'foo' as 'prior' }, /^dot-bias: the pull of user_factors is foo; give /],
    [{ rate: -0.1 }, /^dot-bias: the rate of user_factors is -0.1; give a number from 0$/],
  ])('a parameter with %j', (change, message) => {
    const model = changed(dotBias({ factors: 3 }), ({ dims }) => (dims.length > 1 ? change : {}));
    expect(() => resolve({ model }, facts)).toThrow(UserError);
    expect(() => resolve({ model }, facts)).toThrow(message);
  });

  test.each<Partial<Parameter>>([{ pull: 0 }, { pull: 5 }, { rate: 0 }, { rate: 3 }])(
    'a parameter with %j can be',
    (change) => {
      expect(() => resolve({ model: changed(dotBias(), () => change) }, facts)).not.toThrow();
    },
  );

  test('biases of neither users nor items have no prior', () => {
    const model = changed(neuralFactorization(), ({ rowsOf, dims }) =>
      rowsOf === undefined && dims.length === 1 ? { pull: 'prior' } : {},
    );
    expect(() => resolve({ model }, facts)).toThrow(
      /^neural-factorization: tower_bias has 16 numbers; only /,
    );
  });

  test('what is left undefined is no choice', () => {
    expect(planOf({ factors: undefined, hidden: undefined, optimizer: undefined })).toEqual(planOf({}));
  });
});

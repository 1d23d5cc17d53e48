import { join } from 'node:path';
import * as web from 'onnxruntime-web';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { describe, expect, test } from 'vitest';
import { mlp } from '../../../graphs/models/mlp.ts';
import { type Ratings, selectRows } from '../../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../../src/data/dataset/split.ts';
import { readRatings } from '../../../src/data/read/read.ts';
import { add, buildModel, encodeModel, gather, input } from '../../../src/onnx/index.ts';
import { nodeRuntime } from '../../../src/run/node.ts';
import type { Engine } from '../../../src/train/engines/engine.ts';
import { epochEngine } from '../../../src/train/engines/epoch/engine.ts';
import { nodeEngines } from '../../../src/train/engines/node.ts';
import { ortTrainingEngine } from '../../../src/train/engines/ort-training/engine.ts';
import { ortTraining } from '../../../src/train/engines/ort-training/node.ts';
import { fitModel } from '../../../src/train/fit.ts';
import { initialParameters } from '../../../src/train/parameters/initial.ts';
import type { Progress } from '../../../src/train/progress.ts';
import type { RatingPlan } from '../../../src/train/recipe/plan.ts';
import type { ProgramRecipe, Recipe } from '../../../src/train/recipe/recipe.ts';
import { resolve } from '../../../src/train/recipe/resolve.ts';
import { train } from '../../../src/train/train.ts';
import { generator, uniforms } from '../../../src/util/random.ts';
import { changed } from '../../support/biases.ts';
import { sample, temporaryFolder, userError } from '../../support/files.ts';
import { errorOfMean, lowRank, ofBiases } from '../../support/low-rank.ts';

web.env.wasm.numThreads = 1;

const folder = temporaryFolder();
const ratings = lowRank();
const { train: part, valid } = randomSplit(ratings, 0.2, 3);
const recipes: [string, Recipe][] = [
  ['dot-bias', { factors: 6, initialStd: 0.1 }],
  ['mlp', { model: 'mlp', factors: 6, hidden: [12, 5], dropout: 0, initialStd: 0.1 }],
];
const engine = 'ort-training';

/** The loss of every step, with the settings that the training API has, and without the spectral beginning. */
async function trajectory(by: Engine, data: Ratings, recipe: ProgramRecipe) {
  const resolved = resolve({ ...recipe, engine }, data.facts);
  const { model, plan } = resolved;
  const prepared = await by.prepare({ ...resolved, data, runtime: await nodeRuntime(), ratingsPerRun: 200 });
  const training = await prepared.start({ epochs: 0, carried: initialParameters(model, 1) });
  const losses: number[] = [];
  for (let number = 0; number < plan.training.epochs; number++)
    for await (const done of training.epoch(number)) losses.push(...Array.from(done.losses));
  const parameters = await training.carried();
  await training.release();
  return { losses, parameters, model };
}

describe('both engines take the same steps', () => {
  const cases = recipes.flatMap(([name, recipe]) =>
    (['one-cycle', 'cosine', 'constant'] as const).map((schedule) => [name, schedule, recipe] as const),
  );

  test.each(cases)('%s, %s', async (_name, schedule, model) => {
    const recipe: Recipe = {
      objective: 'rating',
      ...model,
      epochs: 5,
      batchSize: 33,
      schedule,
      learningRate: 0.02,
    };
    const [one, other] = [
      await trajectory(epochEngine, ratings, recipe),
      await trajectory(await ortTraining(), ratings, recipe),
    ];
    expect(one.losses.length).toBeGreaterThan(100);
    expect(other.losses).toHaveLength(one.losses.length);
    const differences = one.losses.map((loss, step) => Math.abs(loss - other.losses[step]));
    expect(Math.max(...differences)).toBeLessThan(1e-4);
    expect(one.losses.at(-1)).toBeLessThan(0.6 * one.losses[0]);
    for (const [name, { dims }] of Object.entries(one.model.parameters)) {
      expect(other.parameters[name].dims).toEqual(dims);
      const [a, b] = [one.parameters[name].data, other.parameters[name].data];
      expect(Math.max(...a.map((value, index) => Math.abs(value - b[index])))).toBeLessThan(2e-3);
    }
  });
});

describe('a model that it trained', () => {
  test.each(recipes)('%s', async (_, chosen) => {
    const told: Progress[] = [];
    const recipe: Recipe = {
      objective: 'rating',
      ...chosen,
      engine,
      epochs: 30,
      patience: 30,
      batchSize: 16,
      learningRate: 0.02,
    };
    const model = await train(part, recipe, {
      valid,
      ratingsPerRun: 200,
      onProgress: (progress) => told.push(progress),
    });
    expect((await model.errors(valid)).rmse).toBeLessThan(0.6 * errorOfMean(valid));
    const { manifest, files } = await model.artifact();
    const { training, libraries, history, metrics } = manifest;
    expect(training).toMatchObject({
      engine: 'ort-training',
      schedule: { name: 'one-cycle', momentum: 0.9, momentumLow: 0.9 },
    });
    expect(libraries).toMatchObject({
      'onnxruntime-node': expect.any(String),
      'onnxruntime-training': '1.19.2',
    });
    const usual = await (await train(part, { objective: 'rating', ...chosen, epochs: 1 })).artifact();
    expect(Object.keys(files)).toEqual(Object.keys(usual.files));
    expect(history).toHaveLength(30);
    expect(metrics.valid?.rmse).toBe(Math.min(...history.map((epoch) => epoch.valid?.rmse as number)));
    expect(told.filter(({ done, ratings }) => done < ratings).length).toBeGreaterThan(30);
    const recommender = await model.recommender();
    const [ten] = await recommender.recommend(['user 1']);
    expect(ten).toHaveLength(10);
  });

  test('one seed gives the same bytes, dropout included', async () => {
    const recipe: Recipe = {
      objective: 'rating',
      model: 'mlp',
      factors: 4,
      hidden: [6],
      dropout: [0.3, 0.2],
      engine,
      epochs: 2,
    };
    const bytes = async (seed: number) =>
      (await (await train(part, { ...recipe, seed })).artifact()).files['predict.onnx'];
    const [one, same, other] = [await bytes(7), await bytes(7), await bytes(8)];
    expect(Buffer.compare(one, same)).toBe(0);
    expect(Buffer.compare(one, other)).not.toBe(0);
  });

  test('drops while it trains, and not when it is asked', async () => {
    const still: Recipe = {
      objective: 'rating',
      engine,
      epochs: 1,
      schedule: 'constant',
      learningRate: 1e-12,
    };
    const [whole, half] = await Promise.all(
      [0, 0.9].map((dropout) => {
        // The last layer starts at zero, where what is dropped would change nothing.
        const model = changed(mlp({ factors: 20, dropout: [dropout, 0], initialStd: 2 }), ({ initial }) =>
          'uniform' in initial ? { initial: { ...initial, uniform: 0.2 } } : {},
        );
        return train(part, { ...still, model });
      }),
    );
    expect(half.metrics.train?.rmse).toBeCloseTo(whole.metrics.train?.rmse ?? Number.NaN, 4);
    expect(half.history[0].loss).not.toBeCloseTo(whole.history[0].loss, 2);
  });

  // Memory that is freed wrongly shows at some sizes alone.
  test.each<[Recipe, number]>([
    [{}, 64],
    [{}, 5000],
    [{ dropout: [0, 0.05] }, 64],
    [{ factors: 8 }, 16],
    [{ factors: 20, hidden: [6], dropout: 0.1 }, 64],
    [{ factors: 64, hidden: [128, 64, 32], dropout: [0.1, 0.1, 0.1, 0.1] }, 300],
  ])('an MLP %j in batches of %i does as the epoch graph does', async (config, batchSize) => {
    const { ratings: all } = await readRatings(`${sample}/ratings.csv.gz`);
    const some = selectRows(
      all,
      Int32Array.from({ length: 5000 }, (_, index) => index),
    );
    const recipe: Recipe = {
      objective: 'rating',
      model: 'mlp',
      ...config,
      optimizer: 'adamw',
      epochs: 2,
      batchSize,
    };
    const [one, other] = [await train(some, recipe), await train(some, { ...recipe, engine })];
    expect(other.metrics.train?.rmse).toBeCloseTo(one.metrics.train?.rmse ?? Number.NaN, 1);
  });

  test('a formula of one’s own', async () => {
    const model = ofBiases(({ user_bias, item_bias }, user, item) =>
      add(gather(user_bias, user), gather(item_bias, item)),
    );
    const recipe: ProgramRecipe = {
      objective: 'rating',
      model,
      epochs: 5,
      learningRate: 0.05,
      batchSize: 16,
      optimizer: { name: 'adamw', weightDecay: 0 },
    };
    const [one, other] = [await train(part, recipe), await train(part, { ...recipe, engine })];
    expect(other.plan.training).toMatchObject({ optimizer: (one.plan.training as RatingPlan).optimizer });
    expect(other.history.at(-1)?.loss).toBeCloseTo(one.history.at(-1)?.loss as number, 1);
  });
});

test('trainings at once, and sessions of the current ONNX Runtime beside them, leave one another alone', async () => {
  const recipe: Recipe = { objective: 'rating', factors: 3, engine, epochs: 2, batchSize: 16 };
  const alone = await train(part, recipe);
  const x = input('x', 'float', ['n']);
  const session = await InferenceSession.create(
    encodeModel(buildModel({ name: 'twice', inputs: [x], outputs: { y: add(x, x) } })),
  );
  const numbers = uniforms(1000, generator(1));
  const asked = async (): Promise<void> => {
    for (let time = 0; time < 50; time++) {
      const { y } = await session.run({ x: new Tensor('float32', numbers, [1000]) });
      expect(y.data).toEqual(numbers.map((number) => number + number));
    }
  };
  const [one, other] = await Promise.all([
    train(part, recipe),
    train(part, { ...recipe, model: 'mlp' }),
    asked(),
  ]);
  expect(one.history).toEqual(alone.history);
  expect(other.history).toHaveLength(2);
});

describe('what was cut off', () => {
  const recipe: Recipe = {
    objective: 'rating',
    factors: 3,
    engine,
    epochs: 6,
    batchSize: 16,
    learningRate: 0.03,
  };

  test('goes on from its parameters, with the optimizer’s state anew', async () => {
    const path = join(folder.path, 'checkpoint');
    const abort = new AbortController();
    const begun = await train(part, recipe, {
      valid,
      checkpoint: { path },
      signal: abort.signal,
      onProgress: ({ epoch }) => epoch === 2 && abort.abort(),
    });
    const whole = await train(part, recipe, { valid });
    expect(begun.history).toEqual(whole.history.slice(0, 3));
    const resume = { valid, checkpoint: { path, resume: true } };
    const resumed = await train(part, recipe, resume);
    expect(resumed.history).toHaveLength(6);
    expect(resumed.history.slice(0, 3)).toEqual(begun.history);
    expect(resumed.metrics.valid?.rmse).toBeCloseTo(whole.metrics.valid?.rmse as number, 1);
    const again = await train(part, recipe, resume);
    expect(await again.artifact()).toEqual(await resumed.artifact());
    const byGraph = train(part, { ...recipe, engine: 'auto' }, resume);
    expect(await userError(byGraph)).toMatch(
      /another training: training\.engine was "ort-training", is "epoch-graph"; use/,
    );
  });
});

test.each(['told', 'diverged'])('a training that ends in an error is released: %s', async (how) => {
  let released = 0;
  const real = await ortTraining();
  const counting: Engine = {
    ...real,
    async prepare(task) {
      const prepared = await real.prepare(task);
      return {
        ...prepared,
        async start(from) {
          const training = await prepared.start(from);
          return { ...training, release: () => training.release().then(() => void released++) };
        },
      };
    },
  };
  const fitting = fitModel(
    part,
    { engine, ...(how === 'diverged' && { learningRate: 1e38 }) },
    {
      runtime: await nodeRuntime(),
      engines: { ...nodeEngines, 'ort-training': () => counting },
      onProgress() {
        throw new Error('told');
      },
    },
  );
  await expect(fitting).rejects.toThrow(how);
  expect(released).toBe(1);
});

describe('what it cannot do ends in one line', () => {
  test.each<[string, Recipe, RegExp]>([
    ['another optimizer', { optimizer: 'sgd' }, /trains with adamw, not with sgd; leave out `optimizer`/],
    ['Adam with decay in the gradient', { optimizer: { name: 'adam' } }, /trains with adamw, not with adam;/],
    ['sparse updates', { sparseUpdates: true }, /updates all rows at every step; leave out `sparseUpdates`/],
    [
      'blocks',
      { blocks: [2, 2] },
      /^blocks are for training by strata; leave out `blocks`, or `engine: 'ort-training'`/,
    ],
    ['a learning rate that is too high', { learningRate: 1e38 }, /training diverged in epoch 1/],
  ])('%s', async (_, recipe, message) => {
    expect(await userError(train(part, { ...recipe, engine }))).toMatch(message);
  });

  test('a device', async () => {
    const runtime = { ...(await nodeRuntime()), device: 'cuda' };
    expect(await userError(train(part, { engine }, { runtime }))).toMatch(
      /^ONNX Runtime's training API trains in WebAssembly, on the CPU; leave out `device`/,
    );
  });

  test('an engine that there is not', async () => {
    const recipe = { engine: await ortTraining() } as unknown as Recipe;
    expect(await userError(train(part, recipe))).toMatch(/^engine is .*; give one of auto, epoch-graph, /);
    const here = { runtime: await nodeRuntime(), engines: { 'epoch-graph': () => epochEngine } };
    expect(await userError(fitModel(part, { engine }, here))).toBe(
      'the engine ort-training does not run here; leave out `engine`',
    );
  });

  test('files that are not there', async () => {
    const missing = new URL('nowhere.mjs', import.meta.url).href;
    expect(await userError(ortTrainingEngine(missing))).toMatch(
      /^ONNX Runtime's training API cannot be loaded from file:.*; its files come with: npm install onnxruntime-training@npm:/,
    );
  });

  test('a large table is not updated lazily unasked', () => {
    const large = { ...ratings.facts, users: 60_000 };
    expect(resolve({}, large).plan.training.sparseUpdates).toBe(true);
    expect(resolve({ engine }, large).plan.training.sparseUpdates).toBe(false);
  });
});

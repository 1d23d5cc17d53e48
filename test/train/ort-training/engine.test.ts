import { join } from 'node:path';
import * as web from 'onnxruntime-web';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { beforeAll, describe, expect, test } from 'vitest';
import { dotBias } from '../../../graphs/models/dot-bias.ts';
import { mlp } from '../../../graphs/models/mlp.ts';
import type { ModelDefinition } from '../../../graphs/models/model.ts';
import { selectRows } from '../../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../../src/data/dataset/split.ts';
import { readRatings } from '../../../src/data/read/read.ts';
import { add, buildModel, encodeModel, gather, input } from '../../../src/onnx/index.ts';
import { nodeRuntime } from '../../../src/run/node.ts';
import { epochOf, stepsOf } from '../../../src/train/engines/batches.ts';
import type { Engine } from '../../../src/train/engines/engine.ts';
import { epochEngine } from '../../../src/train/engines/epoch/engine.ts';
import { ortTrainingEngine } from '../../../src/train/engines/ort-training/engine.ts';
import { ortTraining } from '../../../src/train/engines/ort-training/node.ts';
import { settingsForOrtTraining } from '../../../src/train/engines/ort-training/settings.ts';
import type { Progress } from '../../../src/train/fit.ts';
import { initialParameters } from '../../../src/train/parameters/initial.ts';
import { ADAMW, type SettingsOptions, settingsFor } from '../../../src/train/recipe/settings.ts';
import { adam, adamW, sgd } from '../../../src/train/step/optimizers.ts';
import { constantRate, cosine, oneCycle } from '../../../src/train/step/schedules.ts';
import { type TrainOptions, train } from '../../../src/train/train.ts';
import { generator, uniforms } from '../../../src/util/random.ts';
import { hasShared, sample, shared, temporaryFolder, userError, why } from '../../data/files.ts';
import { errorOfMean, lowRank, ofBiases } from '../synthetic.ts';

web.env.wasm.numThreads = 1;

const folder = temporaryFolder();
const ratings = lowRank();
const { train: part, valid } = randomSplit(ratings, 0.2, 3);
const definitions: [string, ModelDefinition][] = [
  ['dot-bias', dotBias({ factors: 6, spread: 0.1 })],
  ['mlp', mlp({ factors: 6, hidden: [12, 5], dropout: 0, spread: 0.1 })],
];

let engine: Engine;
beforeAll(async () => {
  engine = await ortTraining();
});

/** The loss of every step. */
async function trajectory(by: Engine, definition: ModelDefinition, options: SettingsOptions) {
  const { userIds, itemIds } = ratings;
  const facts = { users: userIds.length, items: itemIds.length, ratings: 700, low: 1, high: 5, mean: 3.2 };
  const model = definition(facts);
  const settings = settingsForOrtTraining(settingsFor(model, { ...ADAMW, ...options }), {});
  const steps = stepsOf(ratings.ratings.length, settings.batch);
  const prepared = await by.prepare({ model, settings, runtime: await nodeRuntime(), steps });
  const training = await prepared.start({ epochs: 0, carried: initialParameters(model, 1) });
  const losses: number[] = [];
  for (let number = 0; number < settings.epochs; number++) {
    const { epoch, parts } = epochOf(ratings, settings, number, 200);
    const take = training.epoch(epoch);
    for (const some of parts) losses.push(...Array.from(await take(some)));
  }
  const parameters = await training.carried();
  await training.release();
  return { losses, parameters, model };
}

describe('both engines take the same steps', () => {
  const schedules = { 'one-cycle': oneCycle, cosine, constant: constantRate };
  const cases = definitions.flatMap(([name, definition]) =>
    Object.entries(schedules).map(([schedule, make]) => [name, schedule, definition, make] as const),
  );

  test.each(cases)('%s, %s', async (_name, _schedule, definition, make) => {
    const options = { ...ADAMW, epochs: 5, batch: 33, schedule: make({ learningRate: 0.02 }) };
    const [one, other] = [
      await trajectory(epochEngine, definition, options),
      await trajectory(engine, definition, options),
    ];
    expect(one.losses.length).toBeGreaterThan(100);
    expect(other.losses).toHaveLength(one.losses.length);
    const differences = one.losses.map((loss, step) => Math.abs(loss - other.losses[step]));
    expect(Math.max(...differences)).toBeLessThan(1e-4);
    expect(one.losses.at(-1)).toBeLessThan(0.6 * one.losses[0]);
    for (const [name, { dims }] of Object.entries(one.model.parameters)) {
      expect(other.parameters[name].dims).toEqual(dims);
      const [a, b] = [one.parameters[name].data, other.parameters[name].data];
      expect(Math.max(...a.map((value, place) => Math.abs(value - b[place])))).toBeLessThan(2e-3);
    }
  });
});

describe('a model that it trained', () => {
  test.each(definitions)('%s', async (_, definition) => {
    const told: Progress[] = [];
    const model = await train(part, definition, {
      engine,
      epochs: 30,
      batch: 16,
      learningRate: 0.02,
      valid,
      ratingsARun: 200,
      onProgress: (progress) => told.push(progress),
    });
    expect((await model.evaluate(valid)).rmse).toBeLessThan(0.6 * errorOfMean(valid));
    const { training, libraries, history, metrics } = model.manifest;
    expect(training).toMatchObject({
      engine: 'ort-training',
      schedule: { name: 'one-cycle', momentum: 0.9, momentumLow: 0.9 },
    });
    expect(libraries).toMatchObject({
      'onnxruntime-node': expect.any(String),
      'onnxruntime-training': '1.19.2',
    });
    expect(Object.keys(model.artifact.files)).toEqual(
      Object.keys((await train(part, definition, { epochs: 1 })).artifact.files),
    );
    expect(history).toHaveLength(30);
    expect(metrics.valid?.rmse).toBe(Math.min(...history.map((epoch) => epoch.valid?.rmse as number)));
    expect(told.filter(({ done, ratings }) => done < ratings).length).toBeGreaterThan(30);
    const recommender = await model.recommender();
    const [ten] = await recommender.recommend(['user 1']);
    expect(ten).toHaveLength(10);
  });

  test('one seed gives the same bytes, dropout included', async () => {
    const definition = mlp({ factors: 4, hidden: [6], dropout: [0.3, 0.2] });
    const bytes = async (seed: number) =>
      (await train(part, definition, { engine, epochs: 2, seed })).artifact.files['predict.onnx'];
    const [one, same, other] = [await bytes(7), await bytes(7), await bytes(8)];
    expect(Buffer.compare(one, same)).toBe(0);
    expect(Buffer.compare(one, other)).not.toBe(0);
  });

  test('drops while it trains, and not when it is asked', async () => {
    const still = { engine, epochs: 1, schedule: constantRate({ learningRate: 1e-12 }) };
    const [kept, dropped] = [0, 0.9].map((dropout) => mlp({ factors: 20, dropout: [dropout, 0], spread: 2 }));
    const [whole, half] = [await train(part, kept, still), await train(part, dropped, still)];
    expect(half.manifest.metrics.train.rmse).toBeCloseTo(whole.manifest.metrics.train.rmse, 4);
    expect(half.manifest.history[0].loss).not.toBeCloseTo(whole.manifest.history[0].loss, 2);
  });

  test.skipIf(!hasShared).each([
    ['dot-bias', dotBias(), 0.919],
    ['mlp', mlp(), 0.945],
  ])(`%s on MovieLens 100K u1, by the default recipe${why}`, async (_, definition, bar) => {
    const base = await readRatings(join(shared, 'ml-100k/u1.base'));
    const held = await readRatings(join(shared, 'ml-100k/u1.test'), { vocabulary: base });
    const model = await train(base, definition, { engine });
    expect((await model.evaluate(held)).rmse).toBeLessThan(bar);
  });

  // Memory that is freed wrongly shows at some sizes alone.
  test.each([
    [{}, 64],
    [{}, 5000],
    [{ dropout: [0, 0.05] }, 64],
    [{ factors: 8 }, 16],
    [{ factors: 20, hidden: [6], dropout: 0.1 }, 64],
    [{ factors: 64, hidden: [128, 64, 32], dropout: [0.1, 0.1, 0.1, 0.1] }, 300],
  ])('an MLP %j in batches of %i does as the epoch graph does', async (config, batch) => {
    const all = await readRatings(`${sample}/ratings.csv.gz`);
    const some = selectRows(
      all,
      Int32Array.from({ length: 5000 }, (_, place) => place),
    );
    const options = { ...ADAMW, epochs: 2, batch };
    const [one, other] = [
      await train(some, mlp(config), options),
      await train(some, mlp(config), { ...options, engine }),
    ];
    expect(other.manifest.metrics.train.rmse).toBeCloseTo(one.manifest.metrics.train.rmse, 1);
  });

  test('a formula of one’s own', async () => {
    const own = ofBiases(({ user_bias, item_bias }, user, item) =>
      add(gather(user_bias, user), gather(item_bias, item)),
    );
    const options = { epochs: 5, learningRate: 0.05, batch: 16, optimizer: adamW({ weightDecay: 0 }) };
    const [one, other] = [await train(part, own, options), await train(part, own, { ...options, engine })];
    expect(other.manifest.history.at(-1)?.loss).toBeCloseTo(one.manifest.history.at(-1)?.loss as number, 1);
  });
});

test('trainings at once, and sessions of the current ONNX Runtime beside them, leave one another alone', async () => {
  const options = { engine, epochs: 2, batch: 16 };
  const alone = await train(part, dotBias({ factors: 3 }), options);
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
    train(part, dotBias({ factors: 3 }), options),
    train(part, mlp({ factors: 3 }), options),
    asked(),
  ]);
  expect(one.manifest.history).toEqual(alone.manifest.history);
  expect(other.manifest.history).toHaveLength(2);
});

describe('what was cut off', () => {
  const options: TrainOptions = { epochs: 6, batch: 16, learningRate: 0.03, valid };
  const definition = dotBias({ factors: 3 });

  test('goes on from its parameters, with the optimizer’s state anew', async () => {
    const path = join(folder.path, 'checkpoint');
    const abort = new AbortController();
    const begun = await train(part, definition, {
      ...options,
      engine,
      checkpoint: { path },
      signal: abort.signal,
      onProgress: ({ epoch }) => epoch === 2 && abort.abort(),
    });
    const whole = await train(part, definition, { ...options, engine });
    expect(begun.manifest.history).toEqual(whole.manifest.history.slice(0, 3));
    const resumed = await train(part, definition, { ...options, engine, checkpoint: { path, resume: true } });
    expect(resumed.manifest.history).toHaveLength(6);
    expect(resumed.manifest.history.slice(0, 3)).toEqual(begun.manifest.history);
    expect(resumed.manifest.metrics.valid?.rmse).toBeCloseTo(whole.manifest.metrics.valid?.rmse as number, 1);
    const again = await train(part, definition, { ...options, engine, checkpoint: { path, resume: true } });
    expect(again.artifact).toEqual(resumed.artifact);
    const byGraph = train(part, definition, { ...options, checkpoint: { path, resume: true } });
    expect(await userError(byGraph)).toMatch(
      /another training: training\.engine was "ort-training", is not set; use/,
    );
  });
});

test.each(['told', 'diverged'])('a training that ends in an error is released: %s', async (how) => {
  let released = 0;
  const counting: Engine = {
    ...engine,
    async prepare(task) {
      const prepared = await engine.prepare(task);
      return {
        ...prepared,
        async start(from) {
          const training = await prepared.start(from);
          return { ...training, release: () => training.release().then(() => void released++) };
        },
      };
    },
  };
  const options: TrainOptions = {
    engine: counting,
    ...(how === 'diverged' && { learningRate: 1e38 }),
    onProgress() {
      throw new Error('told');
    },
  };
  await expect(train(part, dotBias(), options)).rejects.toThrow(how);
  expect(released).toBe(1);
});

describe('what it cannot do ends in one line', () => {
  test.each<[string, TrainOptions, RegExp]>([
    ['another optimizer', { optimizer: sgd() }, /trains with adamw, not with sgd; leave out the optimizer/],
    ['Adam with decay in the gradient', { optimizer: adam() }, /trains with adamw, not with adam;/],
    ['lazy updates', { lazy: true }, /updates all rows at every step; leave out lazy/],
    ['a learning rate that is too high', { learningRate: 1e38 }, /training diverged in epoch 1/],
  ])('%s', async (_, options, message) => {
    expect(await userError(train(part, dotBias(), { ...options, engine }))).toMatch(message);
  });

  test('a device', async () => {
    const runtime = { ...(await nodeRuntime()), device: 'cuda' };
    expect(await userError(train(part, dotBias(), { engine, runtime }))).toMatch(
      /^onnxruntime-training trains on the CPU; leave out the device/,
    );
  });

  test('the name of an engine in place of one', async () => {
    const options = { engine: 'ort-training' } as unknown as TrainOptions;
    expect(await userError(train(part, dotBias(), options))).toMatch(
      /^engine is not one; give await ortTraining\(\)/,
    );
  });

  test('files that are not there', async () => {
    const missing = new URL('nowhere.mjs', import.meta.url).href;
    expect(await userError(ortTrainingEngine(missing))).toMatch(
      /^ONNX Runtime's training API cannot be loaded from file:.*; its files come with: npm install onnxruntime-training@npm:/,
    );
  });

  test('a large table is not updated lazily unasked', async () => {
    const model = dotBias()({ users: 60_000, items: 10, ratings: 9, low: 1, high: 5, mean: 3 });
    expect(settingsFor(model, {}).lazy).toBe(true);
    expect(settingsForOrtTraining(settingsFor(model, ADAMW), {}).lazy).toBe(false);
  });
});

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-common';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Dataset } from '../../../src/data/dataset/dataset.ts';
import { Ratings, selectRows } from '../../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../../src/data/dataset/split.ts';
import { readRatings } from '../../../src/data/read/read.ts';
import { decodeModel } from '../../../src/onnx/index.ts';
import { nodeRuntime } from '../../../src/run/node.ts';
import { trainingBlocks } from '../../../src/train/engines/strata/graph.ts';
import type { Recipe } from '../../../src/train/recipe/recipe.ts';
import { type TrainOptions, train } from '../../../src/train/train.ts';
import { sample, temporaryFolder, userError } from '../../support/files.ts';
import { errorOfMean, lowRank } from '../../support/low-rank.ts';
import { writeSynthetic } from '../../support/synthetic.ts';

const folder = temporaryFolder();
const { train: few, valid } = randomSplit(lowRank({ users: 60, items: 45 }), 0.2, 3);
const blocks = [4, 3] as const;
const small: Recipe = { objective: 'rating', blocks, epochs: 30, batchSize: 16 };
const workers = 2;

const models: [string, Recipe][] = [
  ['dot-bias', { factors: 10 }],
  ['MLP with dropout', { model: 'mlp', factors: 8, hidden: [16], dropout: [0.05, 0.05] }],
];

describe.each(models)('%s by strata', (name, model) => {
  test('learns', async () => {
    const { metrics, plan } = await train(few, { ...model, ...small }, { valid, workers });
    expect(metrics.valid?.rmse).toBeLessThan(0.6 * errorOfMean(valid));
    expect(plan.training).toMatchObject({
      engine: 'strata',
      blocks: [...blocks],
      sparseUpdates: true,
      optimizer: { name: 'row-adagrad' },
      schedule: { name: 'cosine' },
    });
  });

  test('one seed gives the same bytes, with any number of threads', async () => {
    /** It has the plan, the losses, and the hashes of all files. */
    const manifest = async (recipe: Recipe, workers: number) => {
      const fitted = await train(few, { ...model, ...small, epochs: 3, ...recipe }, { workers });
      return (await fitted.artifact()).manifest;
    };
    for (const blocks of [
      [5, 9],
      [16, 16],
    ] as const) {
      const first = await manifest({ blocks }, 1);
      for (const workers of [1, 2, 3, 16]) expect(await manifest({ blocks }, workers)).toEqual(first);
      expect((await manifest({ blocks, seed: 2 }, 2)).files).not.toEqual(first.files);
    }
  });

  test('resumed with another number of threads, it is the same to the byte', async () => {
    const path = join(folder.path, `${name}.checkpoint`);
    const recipe = { ...model, ...small, epochs: 4 };
    const whole = await train(few, recipe, { valid, workers });
    const stop = new AbortController();
    await train(few, recipe, {
      valid,
      workers,
      checkpoint: { path },
      signal: stop.signal,
      onProgress: ({ epoch }) => epoch === 1 && stop.abort(),
    });
    const rest = await train(few, recipe, { valid, workers: 3, checkpoint: { path, resume: true } });
    expect(rest.history).toEqual(whole.history);
    const [one, other] = [await rest.artifact(), await whole.artifact()];
    expect(one.files['predict.onnx']).toEqual(other.files['predict.onnx']);
  });
});

describe('other optimizers', () => {
  test.each<[string, Recipe]>([
    ['SGD', { optimizer: 'sgd', learningRate: 1.5 }],
    ['SGD with momentum', { optimizer: 'sgd-momentum', learningRate: 0.2 }],
    ['Adam', { optimizer: 'adam', learningRate: 0.02 }],
    ['row-wise Adagrad without decay', { optimizer: { name: 'row-adagrad', weightDecay: 0 } }],
    ['a constant rate, and another loss', { schedule: 'constant', learningRate: 0.05, loss: 'huber' }],
  ])('%s', async (_, recipe) => {
    const { metrics } = await train(few, { factors: 10, ...small, ...recipe }, { valid, workers });
    expect(metrics.valid?.rmse).toBeLessThan(0.75 * errorOfMean(valid));
  });
});

test('of ratings on a scale a hundred times as wide it learns as much', async () => {
  const wide = (ratings: Ratings): Ratings =>
    new Ratings({ ...ratings, ratings: ratings.ratings.map((rating) => 100 * rating) });
  const error = async (ratings: Ratings, held: Ratings) => {
    const { metrics } = await train(ratings, { factors: 10, ...small }, { valid: held, workers });
    return metrics.valid?.rmse ?? 0;
  };
  expect(await error(wide(few), wide(valid))).toBeCloseTo(100 * (await error(few, valid)), 0);
});

test('progress is told of every rating', async () => {
  const told: number[] = [];
  const recipe = { ...small, epochs: 2 };
  await train(few, recipe, {
    workers,
    onProgress: ({ epoch, done }) => told.push(epoch * few.ratings.length + done),
  });
  expect(told).toEqual(told.toSorted((a, b) => a - b));
  expect(told.at(-1)).toBe(2 * few.ratings.length);
  expect(told.length).toBeGreaterThan(12);
});

test('mistakes are UserErrors', async () => {
  const fail = (recipe: Recipe, options: TrainOptions = { workers }) =>
    userError(train(few, { ...small, ...recipe }, options));
  expect(await fail({ sparseUpdates: false })).toMatch(/by strata.* `sparseUpdates: false`$/);
  expect(await fail({}, { workers: 0 })).toMatch(/workers is 0; give a whole number from 1/);
  expect(await fail({ blocks: [2, 0.5] })).toMatch(/blocks is \[2,0.5\]; give two whole numbers/);
  expect(await fail({ blocks: [2, 46] })).toMatch(
    /blocks is 2,46; give two whole numbers, .* up to 60 and 45/,
  );
});

test('where most strata are empty, an MLP is trained all the same', async () => {
  const recipe: Recipe = { objective: 'rating', model: 'mlp', factors: 2, epochs: 1 };
  const { metrics } = await train(few, { ...recipe, blocks: [60, 45] }, { workers: 3 });
  expect(metrics.train?.rmse).toBeGreaterThan(0);
  const sparse = selectRows(
    few,
    Int32Array.from({ length: 50 }, (_, index) => index),
  );
  await train(sparse, { ...recipe, blocks: [30, 30] }, { workers });
});

describe('strata against one stratum', () => {
  const error = async (data: { train: Dataset; valid: Ratings }, recipe: Recipe) => {
    const model = await train(data.train, recipe, { workers });
    return (await model.errors(data.valid)).rmse;
  };

  test('on the sample data', async () => {
    const { ratings } = await readRatings(`${sample}/ratings.csv.gz`);
    const data = randomSplit(ratings, 0.2, 1);
    const options = { objective: 'rating', batchSize: 512, epochs: 6 } as const;
    const [one, many] = [
      await error(data, { ...options, blocks: [1, 1] }),
      await error(data, { ...options, blocks: [4, 4] }),
    ];
    expect(Math.abs(many - one)).toBeLessThan(0.005);
  });
});

describe('ratings in a file', () => {
  const recipe: Recipe = { objective: 'rating', factors: 4, epochs: 20, batchSize: 32, weightDecay: 0.05 };
  let parquet: string;
  let stored: Dataset;
  let test_: Ratings;
  let noise: number;
  /** Those of the file, as if they were many. */
  async function store(more: { readonly blocks?: readonly [number, number] } = {}): Promise<Dataset> {
    const options = { store: { from: 1000, folder: folder.path, ...more } };
    const { ratings } = await readRatings(parquet, options);
    if (!ratings.storedIn) throw new Error('they are in memory');
    return ratings;
  }

  beforeAll(async () => {
    const synthetic = await writeSynthetic(folder.path, { ratings: 24_000, users: 200, items: 300 });
    parquet = synthetic.train;
    stored = await store({ blocks: [2, 2] });
    ({ ratings: test_ } = await readRatings(synthetic.test, { vocabulary: stored }));
    ({ noise } = synthetic);
  });

  test('come close to the noise', async () => {
    expect(stored.storedIn).toEqual([2, 2]);
    const model = await train(stored, recipe, { workers });
    const { rmse } = await model.errors(test_);
    // By biases alone it is 1.21 times the noise, by the mean 1.44 times.
    expect(rmse / noise).toBeLessThan(1.13);
    expect(model.plan.training).toMatchObject({ engine: 'strata', blocks: [2, 2] });
    expect(model.metrics.train?.rmse).toBeGreaterThan(0.9 * noise);
    const { manifest, files } = await model.artifact();
    const count = stored.facts.ratings;
    expect(count).toBeGreaterThan(10_000);
    expect(manifest.data).toMatchObject({ ratings: count, users: 200, items: 300 });
    const items = JSON.parse(Buffer.from(files['items.json']).toString());
    expect(items.count.reduce((sum: number, count: number) => sum + count, 0)).toBe(count);
    const recommender = await model.recommender();
    const [list] = await recommender.recommend([stored.userIds[0]], { k: 3 });
    expect(list).toHaveLength(3);
  });

  test('are learned as well as the same in memory', async () => {
    const { ratings } = await readRatings(parquet);
    const held = await readRatings(join(folder.path, 'test.parquet'), { vocabulary: ratings });
    const one = await train(ratings, { ...recipe, blocks: [2, 2] }, { workers });
    const other = await train(stored, recipe, { workers });
    expect(one.plan.training).toEqual(other.plan.training);
    const errors = [await one.errors(held.ratings), await other.errors(test_)];
    expect(Math.abs(errors[0].rmse - errors[1].rmse)).toBeLessThan(0.04 * noise);
    for (const { rmse } of errors) expect(rmse / noise).toBeLessThan(1.15);
  });

  test('are trained in the blocks that they are stored in', async () => {
    const fail = (recipe: Recipe) => userError(train(stored, recipe));
    expect(await fail({ blocks: [7, 3] })).toMatch(/blocks is 7,3, but the ratings are stored in 2,2/);
    for (const engine of ['epoch-graph', 'ort-training'] as const)
      expect(await fail({ engine })).toMatch(/by strata; leave out `engine`/);
    const cut = await store({ blocks: [7, 3] });
    const { plan } = await train(cut, { objective: 'rating', factors: 2, epochs: 1 }, { workers });
    expect(plan.training).toMatchObject({ blocks: [7, 3] });
  });

  test('one seed gives an MLP the same bytes, however the disk answers and threads are', async () => {
    const data = await store({ blocks: [8, 8] });
    const small: Recipe = { objective: 'rating', model: 'mlp', factors: 4, epochs: 1, batchSize: 64 };
    const made = async (workers: number) => {
      const { files } = await (await train(data, small, { workers })).artifact();
      return files['predict.onnx'];
    };
    const first = await made(4);
    for (const workers of [4, 1, 3]) expect(await made(workers)).toEqual(first);
    await data.close();
    const failed = await train(data, { factors: 2 }, { workers }).catch((error: Error) => error);
    expect(failed).toBeInstanceOf(Error);
  });

  test('that users have rated are kept', async () => {
    const model = await train(stored, { factors: 2, epochs: 1 }, { workers });
    const { files } = await model.artifact({ seen: true });
    expect(files['seen.onnx'].length).toBeGreaterThan(2 * stored.facts.ratings);
  });

  test('leave no file when they are closed', async () => {
    await stored.close();
    expect((await readdir(folder.path)).filter((name) => name.startsWith('cofactor-'))).toEqual([]);
  });
});

test('the exported graph trains a block elsewhere, as its contract says', async () => {
  const recipe: Recipe = { objective: 'rating', model: 'mlp', factors: 4, dropout: 0.1, ...small, epochs: 1 };
  const { manifest } = await (await train(few, recipe, { workers })).artifact();
  const bytes = trainingBlocks(manifest);
  const { metadata } = decodeModel(bytes);
  const contract = JSON.parse(metadata.contract);
  expect(metadata.intra_op_threads).toBe('1');
  expect(contract.inputs.user_bias.initial).toMatchObject({ center: 0, posterior: true });
  expect(contract.leavesOut).toEqual({
    posterior: expect.stringMatching(/may start at `center`/),
    pull: expect.stringMatching(/^After each epoch/),
  });
  const session = await (await nodeRuntime()).createSession(bytes, { threads: 1 });
  expect(session.inputNames.toSorted()).toEqual(Object.keys(contract.inputs).toSorted());
  expect(session.outputNames.toSorted()).toEqual(Object.keys(contract.outputs).toSorted());
  const sizes: Record<string, number> = {
    users: 3,
    items: 2,
    ratings: 4,
    steps: 2,
    'steps+1': 3,
    noise: 1000,
  };
  const given: Record<string, number[]> = {
    user: [0, 1, 2, 0],
    item: [0, 1, 0, 1],
    actual: [5, 1, 4, 2],
    batch_start: [0, 2, 4],
    learning_rate: [0.1, 0.1],
    first_step: [1],
  };
  const feeds = Object.entries<{ dtype: string; dims: (string | number)[]; is: string }>(contract.inputs).map(
    ([name, { dtype, dims, is }]) => {
      const shape = dims.map((dim) => sizes[dim] ?? Number(dim));
      const size = shape.reduce((product, dim) => product * dim, 1);
      const values =
        given[name] ??
        Array.from({ length: size }, (_, at) =>
          is === 'parameter' ? 0.1 * Math.sin(at + 1) : name === 'noise' ? 0.5 : 0,
        );
      const tensor =
        dtype === 'float'
          ? new Tensor('float32', Float32Array.from(values), shape)
          : dtype === 'int32'
            ? new Tensor('int32', Int32Array.from(values), shape)
            : new Tensor('int64', BigInt64Array.from(values, BigInt), shape);
      return [name, tensor] as const;
    },
  );
  const results = await session.run(Object.fromEntries(feeds));
  for (const [name, tensor] of feeds) {
    const { replacedBy, is } = contract.inputs[name];
    if (!replacedBy) continue;
    expect(results[replacedBy].dims).toEqual(tensor.dims);
    // The bias of the last layer stays.
    const moves = is === 'parameter' && name !== 'linear_2_bias';
    if (moves) expect(results[replacedBy].data, name).not.toEqual(tensor.data);
    else if (is === 'parameter') expect(results[replacedBy].data).toEqual(tensor.data);
  }
  expect(results.loss.dims).toEqual([2]);
});

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-common';
import { beforeAll, describe, expect, test } from 'vitest';
import { dotBias } from '../../../graphs/models/dot-bias.ts';
import { mlp } from '../../../graphs/models/mlp.ts';
import type { ModelDefinition } from '../../../graphs/models/model.ts';
import { writeSynthetic } from '../../../scripts/bench/synthetic.ts';
import { type Ratings, selectRows } from '../../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../../src/data/dataset/split.ts';
import { isStored, type StoredRatings } from '../../../src/data/dataset/stored.ts';
import { readRatings } from '../../../src/data/read/read.ts';
import { readTraining } from '../../../src/data/read/store.ts';
import { decodeModel } from '../../../src/onnx/index.ts';
import { nodeRuntime } from '../../../src/run/node.ts';
import { trainingBlocks } from '../../../src/train/engines/strata/graph.ts';
import { adam, rowAdagrad, sgd } from '../../../src/train/step/optimizers.ts';
import { constantRate } from '../../../src/train/step/schedules.ts';
import { type TrainOptions, train } from '../../../src/train/train.ts';
import { temporaryFolder, userError } from '../../data/files.ts';
import { errorOfMean, lowRank } from '../synthetic.ts';

const folder = temporaryFolder();
const { train: few, valid } = randomSplit(lowRank({ users: 60, items: 45 }), 0.2, 3);
const blocks = [4, 3] as const;
const small: TrainOptions = { blocks, workers: 2, epochs: 30, batch: 16 };

const models: [string, ModelDefinition][] = [
  ['dot-bias', dotBias({ factors: 10 })],
  ['MLP with dropout', mlp({ factors: 8, hidden: [16], dropout: [0.05, 0.05] })],
];

describe.each(models)('%s by strata', (name, definition) => {
  test('learns', async () => {
    const { manifest } = await train(few, definition, { ...small, valid });
    expect(manifest.metrics.valid?.rmse).toBeLessThan(0.6 * errorOfMean(valid));
    expect(manifest.training).toMatchObject({
      engine: 'strata',
      blocks: [...blocks],
      workers: 2,
      lazy: true,
      optimizer: { name: 'row-adagrad' },
      schedule: { name: 'cosine' },
    });
  });

  test('one seed gives the same bytes', async () => {
    const bytes = async (seed: number, options: TrainOptions = {}) => {
      const { artifact } = await train(few, definition, { ...small, epochs: 3, seed, ...options });
      return Buffer.from(artifact.files['predict.onnx']).toString('base64');
    };
    const first = await bytes(1);
    expect(await bytes(1)).toBe(first);
    expect(await bytes(2)).not.toBe(first);
    // Threads only share out what is to be done, unless they train something that belongs to none of the blocks.
    if (name === 'dot-bias') expect(await bytes(1, { workers: 1, blocks: [1, 1] })).not.toBe(first);
  });

  test('resumed, it is the same to the byte', async () => {
    const path = join(folder.path, `${name}.checkpoint`);
    const whole = await train(few, definition, { ...small, epochs: 4, valid });
    const stop = new AbortController();
    await train(few, definition, {
      ...small,
      epochs: 4,
      valid,
      checkpoint: { path },
      signal: stop.signal,
      onProgress: ({ epoch }) => epoch === 1 && stop.abort(),
    });
    const rest = await train(few, definition, {
      ...small,
      epochs: 4,
      valid,
      checkpoint: { path, resume: true },
    });
    expect(rest.manifest.history).toEqual(whole.manifest.history);
    expect(rest.artifact.files['predict.onnx']).toEqual(whole.artifact.files['predict.onnx']);
  });
});

describe('other optimizers', () => {
  test.each([
    ['SGD', { optimizer: sgd(), learningRate: 1.5 }],
    ['SGD with momentum', { optimizer: sgd({ momentum: true }), learningRate: 0.2 }],
    ['Adam', { optimizer: adam(), learningRate: 0.02 }],
    ['row-wise Adagrad without decay', { optimizer: rowAdagrad({ weightDecay: 0 }) }],
    ['a constant rate, and another loss', { schedule: constantRate({ learningRate: 0.05 }), loss: 'huber' }],
  ] satisfies [string, TrainOptions][])('%s', async (_, options) => {
    const { manifest } = await train(few, dotBias({ factors: 10 }), { ...small, valid, ...options });
    expect(manifest.metrics.valid?.rmse).toBeLessThan(0.75 * errorOfMean(valid));
  });
});

test('of ratings on a scale a hundred times as wide it learns as much', async () => {
  const wide = (ratings: Ratings): Ratings => ({
    ...ratings,
    ratings: ratings.ratings.map((rating) => 100 * rating),
  });
  const error = async (ratings: Ratings, held: Ratings) =>
    (await train(ratings, dotBias({ factors: 10 }), { ...small, valid: held })).manifest.metrics.valid
      ?.rmse ?? 0;
  expect(await error(wide(few), wide(valid))).toBeCloseTo(100 * (await error(few, valid)), 0);
});

test('progress is told of every rating', async () => {
  const told: number[] = [];
  await train(few, dotBias(), {
    ...small,
    epochs: 2,
    onProgress: ({ epoch, done }) => told.push(epoch * few.ratings.length + done),
  });
  expect(told).toEqual(told.toSorted((a, b) => a - b));
  expect(told.at(-1)).toBe(2 * few.ratings.length);
  expect(told.length).toBeGreaterThan(12);
});

test('what cannot be is said', async () => {
  const fail = (options: TrainOptions) => userError(train(few, dotBias(), { ...small, ...options }));
  expect(await fail({ lazy: false })).toMatch(/by strata.* lazy/);
  expect(await fail({ workers: 0 })).toMatch(/workers is 0; give a whole number from 1/);
  expect(await fail({ blocks: [2, 0.5] })).toMatch(
    /blocks is 2,0.5; give two whole numbers, .* up to 60 and 45/,
  );
});

test('where most strata are empty, an MLP is trained all the same', async () => {
  const { manifest } = await train(few, mlp({ factors: 2 }), { blocks: [60, 45], workers: 3, epochs: 1 });
  expect(manifest.metrics.train.rmse).toBeGreaterThan(0);
  const sparse = selectRows(
    few,
    Int32Array.from({ length: 50 }, (_, place) => place),
  );
  await train(sparse, mlp({ factors: 2 }), { blocks: [30, 30], workers: 2, epochs: 1 });
});

const shared = '../shared/data/ml-100k';

describe('strata against one stratum', () => {
  const error = async (data: { train: Ratings | StoredRatings; valid: Ratings }, options: TrainOptions) => {
    const model = await train(data.train, dotBias(), options);
    return (await model.evaluate(data.valid)).rmse;
  };

  test.skipIf(!existsSync(shared))(
    'on MovieLens 100K, mean of three seeds (skipped where ../shared is not)',
    async () => {
      const ratings = await readRatings(`${shared}/u1.base`);
      const data = { train: ratings, valid: await readRatings(`${shared}/u1.test`, { vocabulary: ratings }) };
      const mean = async (counts: readonly [number, number]) => {
        let sum = 0;
        for (const seed of [1, 2, 3]) sum += await error(data, { blocks: counts, workers: 2, seed });
        return sum / 3;
      };
      const [one, many] = [await mean([1, 1]), await mean([4, 4])];
      expect(Math.abs(many - one)).toBeLessThan(0.003);
      expect(many).toBeLessThan(0.908);
    },
  );

  test('on the sample data', async () => {
    const all = await readRatings('src/data/sample/ml-latest-small/ratings.csv.gz');
    const data = randomSplit(all, 0.2, 1);
    const options = { workers: 2, batch: 512, epochs: 6 };
    const [one, many] = [
      await error(data, { ...options, blocks: [1, 1] }),
      await error(data, { ...options, blocks: [4, 4] }),
    ];
    expect(Math.abs(many - one)).toBeLessThan(0.005);
  });
});

describe('many ratings', () => {
  let stored: StoredRatings;
  let test_: Ratings;
  let noise: number;
  beforeAll(async () => {
    const synthetic = await writeSynthetic(folder.path, { ratings: 700_000, users: 3000, items: 1200 });
    const { train: data } = await readTraining(synthetic.train, { folder: folder.path, workers: 2 });
    if (!isStored(data)) throw new Error('they are in memory');
    stored = data;
    test_ = await readRatings(synthetic.test, { vocabulary: data });
    ({ noise } = synthetic);
  });

  test('from a file come close to the noise', async () => {
    const model = await train(stored, dotBias({ factors: 8 }), {
      workers: 2,
      epochs: 8,
      optimizer: rowAdagrad({ weightDecay: 0.05 }),
    });
    const { rmse } = await model.evaluate(test_);
    expect(rmse / noise).toBeLessThan(1.03);
    expect(model.manifest.data).toMatchObject({ ratings: stored.count, users: 3000 });
    expect(model.manifest.metrics.train.rmse).toBeGreaterThan(0.9 * noise);
    const items = JSON.parse(Buffer.from(model.artifact.files['items.json']).toString());
    expect(items.ratings.reduce((sum: number, count: number) => sum + count, 0)).toBe(stored.count);
    const recommender = await model.recommender();
    const [list] = await recommender.recommend([stored.userIds[0]], { k: 3 });
    expect(list).toHaveLength(3);
  });

  test('in memory are trained by strata too, and as well', async () => {
    const ratings = await readRatings(join(folder.path, 'train.parquet'));
    const options = { workers: 2, epochs: 2 };
    const [one, other] = [await train(ratings, dotBias(), options), await train(stored, dotBias(), options)];
    expect(one.manifest.training).toMatchObject({ engine: 'strata', batch: 4096 });
    const [a, b] = [one.manifest.metrics.train.rmse, other.manifest.metrics.train.rmse];
    expect(Math.abs(a - b)).toBeLessThan(0.01);
  });

  test('are trained in the blocks that they are stored in', async () => {
    const message = await userError(train(stored, dotBias(), { blocks: [7, 3] }));
    expect(message).toMatch(/blocks is 7,3, but the ratings are stored in 2,2/);
    const engine = {} as TrainOptions['engine'];
    expect(await userError(train(stored, dotBias(), { engine }))).toMatch(/by strata; leave out the engine/);
  });

  test('one seed gives an MLP the same bytes, however the disk answers', async () => {
    const { train: data } = await readTraining(join(folder.path, 'train.parquet'), {
      folder: folder.path,
      blocks: [8, 8],
    });
    const made = async () =>
      (await train(data, mlp({ factors: 4 }), { workers: 4, epochs: 1, batch: 512 })).artifact.files[
        'predict.onnx'
      ];
    expect(await made()).toEqual(await made());
    if (isStored(data)) await data.close();
    const failed = await train(data, dotBias({ factors: 2 }), { workers: 2 }).catch((error: Error) => error);
    expect(failed).toBeInstanceOf(Error);
  });

  test('that users have rated are kept', async () => {
    const { artifact } = await train(stored, dotBias({ factors: 2 }), {
      workers: 2,
      epochs: 1,
      keepSeen: true,
    });
    expect(artifact.files['seen.onnx'].length).toBeGreaterThan(2 * stored.count);
  });

  test('their file is gone when they are closed', async () => {
    await stored.close();
    expect((await readdir(folder.path)).filter((name) => name.startsWith('cofactor-'))).toEqual([]);
  });
});

test('the exported graph trains a block elsewhere, as its contract says', async () => {
  const { manifest } = await train(few, mlp({ factors: 4, dropout: 0.1 }), { ...small, epochs: 1 });
  const bytes = trainingBlocks(manifest);
  const { metadata } = decodeModel(bytes);
  const contract = JSON.parse(metadata.contract);
  expect(metadata.intra_op_threads).toBe('1');
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
    if (is === 'parameter') expect(results[replacedBy].data).not.toEqual(tensor.data);
  }
  expect(results.loss.dims).toEqual([2]);
});

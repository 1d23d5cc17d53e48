import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import type { Model } from '../../graphs/models/model.ts';
import { type Ratings, selectRows } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { add, gather, mul, squeeze } from '../../src/onnx/index.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { type FitOptions, fitParameters, type Progress } from '../../src/train/fit.ts';
import type { LossName } from '../../src/train/step/losses.ts';
import { adamW, sgd } from '../../src/train/step/optimizers.ts';
import { constantRate, oneCycle } from '../../src/train/step/schedules.ts';
import { type TrainOptions, train } from '../../src/train/train.ts';
import { generator } from '../../src/util/random.ts';
import { sha256 } from '../artifact/sha256.ts';
import { hasShared, sample, shared, temporaryFolder, userError, why } from '../data/files.ts';
import { errorOfMean, lowRank } from './synthetic.ts';

const folder = temporaryFolder();
const ratings = lowRank();
const count = ratings.ratings.length;
const { train: part, valid } = randomSplit(ratings, 0.2, 3);
const small = dotBias({ factors: 3 });
const dropping = (dropout: number) => mlp({ factors: 3, hidden: [6], dropout, spread: 1 });
/** Nothing moves, so that the loss tells of the first parameters alone. */
const still: TrainOptions = { optimizer: sgd(), schedule: constantRate({ learningRate: 0 }), epochs: 1 };

describe('training reduces the error', () => {
  const thorough: TrainOptions = {
    optimizer: adamW(),
    epochs: 40,
    batch: 16,
    schedule: oneCycle({ learningRate: 0.03 }),
  };

  test.each([
    ['dot-bias', dotBias({ factors: 2 })],
    ['mlp', mlp({ factors: 4, hidden: [16] })],
  ])('%s, on ratings it has not seen', async (_, definition) => {
    const model = await train(part, definition, thorough);
    const { rmse } = await model.evaluate(valid);
    expect(rmse).toBeLessThan(0.6 * errorOfMean(valid));
    expect(model.manifest.metrics.train.rmse).toBeLessThan(rmse);
    const { history } = model.manifest;
    expect(history.at(-1)?.loss).toBeLessThan(0.5 * history[0].loss);
  });

  test.each(['mse', 'l1', 'huber'] as const)('with the loss %s', async (loss) => {
    const model = await train(part, dotBias({ factors: 2 }), { ...thorough, loss });
    expect((await model.evaluate(valid)).rmse).toBeLessThan(0.6 * errorOfMean(valid));
  });

  test('on MovieLens, in two epochs', async () => {
    const split = randomSplit(await readRatings(`${sample}/ratings.csv.gz`), 0.1, 1);
    const model = await train(split.train, dotBias({ factors: 8 }), { epochs: 2, lazy: true });
    expect((await model.evaluate(split.valid)).rmse).toBeLessThan(0.9 * errorOfMean(split.valid));
  });

  test.skipIf(!hasShared)(`on MovieLens 100K u1${why}`, async () => {
    const base = await readRatings(join(shared, 'ml-100k/u1.base'));
    const held = await readRatings(join(shared, 'ml-100k/u1.test'), { vocabulary: base });
    const model = await train(base, dotBias({ factors: 50 }), { lazy: true });
    expect((await model.evaluate(held)).rmse).toBeLessThan(0.93);
  });
});

test('a runtime and a device exclude one another', async () => {
  const options: TrainOptions = { runtime: await nodeRuntime(), device: 'cpu' };
  expect(await userError(train(ratings, small, options))).toMatch(/^runtime and device exclude one another/);
});

describe('one seed', () => {
  async function filesOf(seed: number, name: string) {
    const model = await train(part, dropping(0.2), { epochs: 2, batch: 50, seed, valid });
    await model.save(join(folder.path, name));
    const files = ['predict.onnx', 'manifest.json'].map((file) => readFile(join(folder.path, name, file)));
    return Promise.all(files);
  }

  test('gives the same bytes, another seed others', async () => {
    const [one, same, other] = [await filesOf(7, 'one'), await filesOf(7, 'same'), await filesOf(8, 'other')];
    expect(one[0].equals(same[0]) && one[1].equals(same[1])).toBe(true);
    expect(one[0].equals(other[0])).toBe(false);
  });
});

describe('batches', () => {
  test.each([1, 7, 64, count - 1, count, 10 * count, 2 ** 40])(
    'of %i give every rating its part in the loss',
    async (batch) => {
      const { manifest } = await train(ratings, dotBias({ factors: 3, spread: 0.5 }), { ...still, batch });
      expect(manifest.history[0].loss).toBeCloseTo(manifest.metrics.train.rmse ** 2, 4);
    },
  );

  test('larger than the data are the data, with dropout too', async () => {
    const losses = await Promise.all(
      [count, 2 ** 40].map(
        async (batch) => (await train(ratings, dropping(0.3), { batch, epochs: 2 })).manifest.history,
      ),
    );
    expect(losses[0]).toEqual(losses[1]);
  });
});

async function fitted({ loss = 'mse' as LossName, ...options }: Partial<FitOptions> & { loss?: LossName }) {
  return fitParameters({
    model: small({ users: 40, items: 30, ratings: 9, low: 1, high: 5, mean: 3 }),
    ratings,
    settings: {
      epochs: 3,
      batch: 32,
      optimizer: adamW(),
      schedule: oneCycle({ learningRate: 0.01 }),
      loss,
      lazy: false,
      seed: 1,
    },
    runtime: await nodeRuntime(),
    ...options,
  });
}

describe('several runs an epoch', () => {
  test.each([1, 100, 333])('of %i ratings come to the same as one', async (ratingsARun) => {
    const [one, several] = [await fitted({}), await fitted({ ratingsARun })];
    expect(several.parameters).toEqual(one.parameters);
    several.history.forEach(({ loss }, epoch) => {
      expect(loss).toBeCloseTo(one.history[epoch].loss, 10);
    });
  });

  test.each([1, 70, 333])('of %i ratings give the same bytes, dropout included', async (ratingsARun) => {
    const options = { epochs: 2, batch: 30, valid, keepSeen: true };
    const [one, several] = [{}, { ratingsARun }].map(async (more) => {
      const { artifact } = await train(part, dropping(0.3), { ...options, ...more });
      return Object.entries(artifact.files).map(([name, bytes]) => [name, sha256(bytes)]);
    });
    expect(await several).toEqual(await one);
  });

  test('tell of their progress', async () => {
    const told: Progress[] = [];
    const { history } = await fitted({ ratingsARun: 100, onProgress: (progress) => told.push(progress) });
    history.forEach(({ loss }, epoch) => {
      const own = told.filter((progress) => progress.epoch === epoch);
      expect(own).toHaveLength(Math.ceil(Math.ceil(count / 32) / 3));
      expect(own.map(({ done }) => done)).toEqual(own.map(({ done }) => done).toSorted((a, b) => a - b));
      expect(own.at(-1)).toEqual({ epoch, epochs: 3, done: count, ratings: count, loss });
      for (const progress of own) {
        expect(progress.done).toBeGreaterThan(0);
        expect(progress.loss).toBeGreaterThan(0);
        expect(progress.loss).toBeLessThan(16);
      }
    });
    expect(new Set(told.map(({ done, epoch }) => `${epoch} ${done}`)).size).toBe(told.length);
  });

  test('end with the epoch when aborted within it', async () => {
    const abort = new AbortController();
    const { history, epoch } = await fitted({
      ratingsARun: 100,
      signal: abort.signal,
      onProgress: ({ epoch: running }) => running === 1 && abort.abort(),
    });
    expect([history.length, epoch]).toEqual([2, 2]);
  });
});

describe('dropout', () => {
  test('drops while training, and not when serving', async () => {
    const [without, half] = [
      await train(ratings, dropping(0), still),
      await train(ratings, dropping(0.5), still),
    ];
    expect(without.manifest.history[0].loss).toBeCloseTo(without.manifest.metrics.train.rmse ** 2, 4);
    expect(half.manifest.history[0].loss).not.toBeCloseTo(half.manifest.metrics.train.rmse ** 2, 2);
    expect(half.manifest.metrics).toEqual(without.manifest.metrics);
    expect(await half.evaluate(valid)).toEqual(await half.evaluate(valid));
  });

  test.each([0.25, 0.8])('at the rate %f keeps the mean', async (rate) => {
    // Each rating is a dropped 1, compared with 0: the mean of what is left, and of its squares.
    const model: Model = {
      name: 'ones',
      config: {},
      parameters: { user_factors: { dims: [40, 1], initial: { normal: 0.1 }, rowsOf: 'user' } },
      rating: ({ user_factors }, user, _, dropout) =>
        squeeze(dropout(add(mul(gather(user_factors, user), 0), 1), rate), [1]),
    };
    const many = 20_000;
    const zeros: Ratings = {
      ...ratings,
      users: new Int32Array(many),
      items: new Int32Array(many),
      ratings: new Float32Array(many),
    };
    const lossOf = async (loss: LossName) => (await fitted({ model, ratings: zeros, loss })).history[0].loss;
    expect(await lossOf('l1')).toBeCloseTo(1, 1.3);
    expect((await lossOf('mse')) * (1 - rate)).toBeCloseTo(1, 1.3);
  });

  test('draws other masks in each epoch', async () => {
    const { manifest } = await train(ratings, dropping(0.5), { ...still, epochs: 3 });
    expect(new Set(manifest.history.map(({ loss }) => loss)).size).toBe(3);
  });
});

describe('validation', () => {
  /** Too many factors for such noise, and too fast: the validation error soon grows again. */
  const noisy = randomSplit(lowRank({ noise: 0.7 }), 0.2, 3);
  const overfitting: TrainOptions = {
    valid: noisy.valid,
    epochs: 30,
    batch: 16,
    optimizer: adamW({ weightDecay: 0 }),
    schedule: constantRate({ learningRate: 0.05 }),
  };
  const errorsOf = (history: readonly { valid?: { rmse: number } }[]) =>
    history.map((epoch) => epoch.valid?.rmse ?? Number.NaN);

  test('chooses the best epoch, and patience ends training', async () => {
    const definition = dotBias({ factors: 20 });
    const whole = await train(noisy.train, definition, overfitting);
    const errors = errorsOf(whole.manifest.history);
    const best = errors.indexOf(Math.min(...errors));
    expect(errors).toHaveLength(30);
    expect(best).toBeGreaterThan(0);
    expect(best).toBeLessThan(26);
    expect(whole.manifest.metrics.valid).toEqual(whole.manifest.history[best].valid);
    expect(await whole.evaluate(noisy.valid)).toEqual(whole.manifest.metrics.valid);

    const patient = await train(noisy.train, definition, { ...overfitting, patience: 3 });
    const stopped = errorsOf(patient.manifest.history);
    expect(stopped).toEqual(errors.slice(0, stopped.length));
    expect(stopped.length).toBeLessThan(30);
    expect(stopped.indexOf(Math.min(...stopped))).toBe(stopped.length - 1 - 3);
  });

  test('counts unknown users and items as average', async () => {
    const unknown = { ...valid, users: valid.users.slice().fill(part.userIds.length) };
    const model = await train(part, small, { epochs: 2, valid: unknown });
    expect(model.manifest.metrics.valid?.rmse).toBeGreaterThan(0.1);
    expect(await model.evaluate(unknown)).toEqual(model.manifest.metrics.valid);
  });
});

describe('an abort', () => {
  test('ends after the running epoch and keeps what is trained', async () => {
    const abort = new AbortController();
    const model = await train(ratings, small, {
      epochs: 5,
      signal: abort.signal,
      onProgress: ({ epoch }) => epoch === 2 && abort.abort(),
    });
    expect(model.manifest.history).toHaveLength(3);
    expect((await model.evaluate(ratings)).rmse).toBe(model.manifest.metrics.train.rmse);
  });

  test('before the first epoch leaves no model', async () => {
    const signal = AbortSignal.abort();
    expect(await userError(train(ratings, small, { signal }))).toContain('stopped before its first epoch');
  });
});

describe('training that diverges says so', () => {
  const wild = { schedule: constantRate({ learningRate: 1e38 }) };
  test.each<[string, TrainOptions]>([
    ['in the loss', { ...wild, optimizer: adamW() }],
    ['in the last step, after the loss', { ...wild, optimizer: adamW(), epochs: 1, batch: count }],
    ['before validation', { ...wild, optimizer: adamW(), epochs: 1, batch: part.ratings.length, valid }],
    ['when the rate is not a number', { schedule: constantRate({ learningRate: Number.NaN }) }],
  ])('%s', async (_, options) => {
    const message = await userError(train(part, small, options));
    expect(message).toMatch(/^training diverged in epoch 1: .* use a lower learning rate than (1e\+38|NaN)$/);
  });
});

describe('what cannot train a model is refused', () => {
  const changed = (change: (copy: Ratings) => void): Ratings => {
    const copy = structuredClone(ratings);
    change(copy);
    return copy;
  };
  const unknownUser = changed(({ users }) => {
    users[4] = 40;
  });

  test.each<[string, Ratings, RegExp]>([
    ['an unknown user', unknownUser, /the ratings: number 5 has user row 40, but there are 40 user ids/],
    [
      'a negative row',
      changed(({ items }) => {
        items[0] = -1;
      }),
      /number 1 has item row -1/,
    ],
    [
      'a rating that is no number',
      changed((copy) => {
        copy.ratings[2] = Number.NaN;
      }),
      /number 3 is NaN/,
    ],
    [
      'fewer items than ratings',
      { ...ratings, items: ratings.items.subarray(1) },
      /ratings, but \d+ item rows/,
    ],
    ['no ratings', selectRows(ratings, new Int32Array()), /the ratings: there are none/],
    ['no ids', { ...selectRows(ratings, new Int32Array()), userIds: [], itemIds: [] }, /there are none/],
    ['one rating throughout', { ...ratings, ratings: ratings.ratings.slice().fill(3) }, /all ratings are 3/],
  ])('%s', async (_, bad, message) => {
    expect(await userError(train(bad, small))).toMatch(message);
  });

  test.each<[string, TrainOptions, RegExp]>([
    [
      'an empty validation set',
      { valid: selectRows(valid, new Int32Array()) },
      /validation ratings: there are/,
    ],
    ['a validation set by other ids', { valid: lowRank({ users: 41 }) }, /userIds are not/],
    ['no epochs', { epochs: 0 }, /^epochs is 0; give a whole number from 1$/],
    ['a batch of nothing', { batch: 0 }, /^batch is 0/],
    ['half a batch', { batch: 0.5 }, /^batch is 0.5/],
    ['no patience', { patience: 0 }, /^patience is 0/],
  ])('%s', async (_, options, message) => {
    expect(await userError(train(part, small, options))).toMatch(message);
  });

  test('and so are ratings by other ids in evaluate', async () => {
    const model = await train(ratings, small, { epochs: 1 });
    const reversed = { ...ratings, itemIds: ratings.itemIds.toReversed() };
    expect(await userError(model.evaluate(reversed))).toContain('itemIds are not those of training');
    const outside = changed(({ users }) => {
      users[0] = 41;
    });
    expect(await userError(model.evaluate(outside))).toContain('user row 41');
    expect((await model.evaluate(unknownUser)).rmse).toBeGreaterThan(0);
  });
});

test('options that are undefined are as good as absent', async () => {
  const [absent, given] = [
    await train(ratings, small, { epochs: 1 }),
    await train(ratings, small, { epochs: 1, batch: undefined, loss: undefined, seed: undefined }),
  ];
  expect(given.manifest).toEqual(absent.manifest);
});

test('initial parameters have the model’s spread', async () => {
  const { parameters } = await fitParameters({
    model: dotBias({ factors: 100, spread: 0.3 })({
      users: 200,
      items: 30,
      ratings: 9,
      low: 1,
      high: 5,
      mean: 3,
    }),
    ratings,
    settings: {
      epochs: 1,
      batch: 1000,
      optimizer: sgd(),
      schedule: constantRate({ learningRate: 0 }),
      loss: 'mse',
      lazy: true,
      seed: 1,
    },
    runtime: await nodeRuntime(),
  });
  const { data } = parameters.user_factors;
  const deviation = Math.sqrt(data.reduce((sum, value) => sum + value ** 2, 0) / data.length);
  expect(deviation).toBeCloseTo(0.3, 1.9);
});

test('with few ratings a model is no worse than their mean', async () => {
  const random = generator(4);
  const [train_, valid_] = [0, 1].map((): Ratings => {
    const stars = Float32Array.from(
      { length: 100 },
      () => [5, 5, 5, 5, 4, 4, 3, 1][(random.next() >>> 8) % 8],
    );
    const rows = (count: number) => Int32Array.from(stars, () => (random.next() >>> 8) % count);
    const ids = Array.from({ length: 10 }, (_, row) => `${row}`);
    return {
      userIds: ids,
      itemIds: ids,
      users: rows(10),
      items: rows(10),
      ratings: stars,
      duplicates: 0,
      assumptions: [],
    };
  });
  for (const definition of [dotBias(), mlp()]) {
    const { rmse } = await (await train(train_, definition)).evaluate(valid_);
    expect(rmse).toBeLessThan(1.1 * errorOfMean(valid_));
  }
});

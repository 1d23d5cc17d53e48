import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isSolved, modelNames } from '../../graphs/models/index.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import type { ModelDefinition } from '../../graphs/models/model.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { add, gather, mul, squeeze } from '../../src/onnx/index.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { nodeEngines } from '../../src/train/engines/node.ts';
import { type FitOptions, fitModel } from '../../src/train/fit.ts';
import type { EpochRecord, Progress } from '../../src/train/progress.ts';
import type { ProgramRecipe, Recipe } from '../../src/train/recipe/recipe.ts';
import type { LossName } from '../../src/train/step/losses.ts';
import { type TrainOptions, train } from '../../src/train/train.ts';
import { generator } from '../../src/util/random.ts';
import { changed } from '../support/biases.ts';
import { sample, temporaryFolder, userError } from '../support/files.ts';
import { errorOfMean, lowRank } from '../support/low-rank.ts';
import { sha256 } from '../support/sha256.ts';

const folder = temporaryFolder();
const ratings = lowRank();
const count = ratings.ratings.length;
const { train: part, valid } = randomSplit(ratings, 0.2, 3);
const small: Recipe = { objective: 'rating', factors: 3 };
const dropping = (dropout: number): Recipe => ({
  objective: 'rating',
  model: 'mlp',
  factors: 3,
  hidden: [6],
  dropout,
  initialStd: 1,
});
/** Nothing moves, so that the loss tells of the first parameters alone. */
const still: Recipe = {
  objective: 'rating',
  optimizer: 'sgd',
  schedule: { name: 'constant', learningRate: 1e-30 },
  epochs: 1,
  // The loss is of predictions that are not clipped.
  clip: false,
};

describe('training reduces the error', () => {
  const thorough: Recipe = {
    objective: 'rating',
    optimizer: 'adamw',
    epochs: 40,
    batchSize: 16,
    learningRate: 0.03,
  };

  test.each<[string, Recipe]>([
    ['dot-bias', { factors: 2 }],
    ['mlp', { model: 'mlp', factors: 4, hidden: [16] }],
  ])('%s, on ratings it has not seen', async (_, chosen) => {
    const model = await train(part, { ...chosen, ...thorough });
    const { rmse } = await model.errors(valid);
    expect(rmse).toBeLessThan(0.6 * errorOfMean(valid));
    expect(model.metrics.train?.rmse).toBeLessThan(rmse);
    const { history } = model;
    expect(history.at(-1)?.loss).toBeLessThan(0.5 * history[0].loss);
  });

  test.each(['mse', 'l1', 'huber'] as const)('with the loss %s', async (loss) => {
    const model = await train(part, { factors: 2, ...thorough, loss });
    expect((await model.errors(valid)).rmse).toBeLessThan(0.6 * errorOfMean(valid));
  });

  test('on MovieLens, in two epochs', async () => {
    const { ratings, valid } = await readRatings(`${sample}/ratings.csv.gz`, { valid: 0.1, seed: 1 });
    const model = await train(ratings, { objective: 'rating', factors: 8, epochs: 2, sparseUpdates: true });
    const held = valid as Ratings;
    expect((await model.errors(held)).rmse).toBeLessThan(0.9 * errorOfMean(held));
  });
});

describe('one seed', () => {
  async function filesOf(seed: number, name: string) {
    const model = await train(part, { ...dropping(0.2), epochs: 2, batchSize: 50, seed }, { valid });
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
    async (batchSize) => {
      const { history, metrics } = await train(ratings, { ...small, initialStd: 0.5, ...still, batchSize });
      expect(history[0].loss).toBeCloseTo((metrics.train?.rmse ?? 0) ** 2, 4);
    },
  );

  test('larger than the data are the data, with dropout too', async () => {
    const losses = await Promise.all(
      [count, 2 ** 40].map(
        async (batchSize) => (await train(ratings, { ...dropping(0.3), batchSize, epochs: 2 })).history,
      ),
    );
    expect(losses[0]).toEqual(losses[1]);
  });
});

async function fitted(options: Partial<FitOptions>, chosen: ProgramRecipe = small, data = ratings) {
  const recipe: ProgramRecipe = {
    objective: 'rating',
    epochs: 3,
    batchSize: 32,
    optimizer: 'adamw',
    learningRate: 0.01,
    sparseUpdates: false,
    ...chosen,
  };
  const { rating } = await fitModel(data, recipe, {
    runtime: await nodeRuntime(),
    engines: nodeEngines,
    ...options,
  });
  return rating as NonNullable<typeof rating>;
}

describe('several runs an epoch', () => {
  test.each([1, 100, 333])('of %i ratings come to the same as one', async (ratingsPerRun) => {
    const [one, several] = [await fitted({}), await fitted({ ratingsPerRun })];
    expect(several.parameters).toEqual(one.parameters);
    several.history.forEach(({ loss }, epoch) => {
      expect(loss).toBeCloseTo(one.history[epoch].loss, 10);
    });
  });

  test.each([1, 70, 333])('of %i ratings give the same bytes, dropout included', async (ratingsPerRun) => {
    const recipe = { ...dropping(0.3), epochs: 2, batchSize: 30 };
    const [one, several] = [{}, { ratingsPerRun }].map(async (more) => {
      const model = await train(part, recipe, { valid, ...more });
      const { files } = await model.artifact({ seen: true });
      return Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)]);
    });
    expect(await several).toEqual(await one);
  });

  test('tell of their progress', async () => {
    const told: Progress[] = [];
    const { history } = await fitted({ ratingsPerRun: 100, onProgress: (progress) => told.push(progress) });
    history.forEach(({ loss }, epoch) => {
      const own = told.filter((progress) => progress.epoch === epoch);
      expect(own).toHaveLength(Math.ceil(Math.ceil(count / 32) / 3));
      expect(own.map(({ done }) => done)).toEqual(own.map(({ done }) => done).toSorted((a, b) => a - b));
      expect(own.at(-1)).toEqual({
        objective: 'rating',
        epoch,
        epochs: 3,
        done: count,
        ratings: count,
        loss,
      });
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
      ratingsPerRun: 100,
      signal: abort.signal,
      onProgress: ({ epoch: running }) => running === 1 && abort.abort(),
    });
    expect([history.length, epoch]).toEqual([2, 2]);
  });
});

describe('dropout', () => {
  /** An MLP whose last layer does not start at zero, where what is dropped would change nothing. */
  const speaking = (dropout: number): ModelDefinition =>
    changed(mlp({ factors: 20, hidden: [], dropout, initialStd: 2 }), ({ initial }) =>
      'uniform' in initial ? { initial: { ...initial, uniform: 0.5 } } : {},
    );

  test('drops while training, and not when serving', async () => {
    const [without, half] = [
      await train(ratings, { ...still, model: speaking(0) }),
      await train(ratings, { ...still, model: speaking(0.5) }),
    ];
    expect(without.history[0].loss).toBeCloseTo((without.metrics.train?.rmse ?? 0) ** 2, 4);
    expect(half.history[0].loss).not.toBeCloseTo((half.metrics.train?.rmse ?? 0) ** 2, 2);
    expect(half.metrics).toEqual(without.metrics);
    expect(await half.errors(valid)).toEqual(await half.errors(valid));
  });

  test.each([0.25, 0.8])('at the rate %f keeps the mean', async (rate) => {
    // Each rating is a dropped 1, compared with 0: the mean of what is left, and of its squares.
    const model: ModelDefinition = ({ users }) => ({
      name: 'ones',
      config: {},
      parameters: { user_factors: { dims: [users, 1], initial: { normal: 0.1 }, rowsOf: 'user' } },
      score: ({ user_factors }, user, _, dropout) =>
        squeeze(dropout(add(mul(gather(user_factors, user), 0), 1), rate), [1]),
    });
    const many = 20_000;
    const zeros = new Ratings({
      ...ratings,
      users: new Int32Array(many),
      items: new Int32Array(many),
      // One rating throughout cannot be trained on.
      ratings: Float32Array.from({ length: many }, (_, index) => (index === 0 ? 0.01 : 0)),
    });
    const lossOf = async (loss: LossName) => (await fitted({}, { model, loss }, zeros)).history[0].loss;
    expect(await lossOf('l1')).toBeCloseTo(1, 1.3);
    expect((await lossOf('mse')) * (1 - rate)).toBeCloseTo(1, 1.3);
  });

  test('draws other masks in each epoch', async () => {
    const { history } = await train(ratings, { ...still, model: speaking(0.5), epochs: 3 });
    // Beyond rounding in another order.
    expect(new Set(history.map(({ loss }) => loss.toFixed(4))).size).toBe(3);
  });
});

describe('validation', () => {
  /** Too many factors for such noise: the validation error soon grows again. */
  const noisy = randomSplit(lowRank({ noise: 0.7 }), 0.2, 3);
  const overfitting: Recipe = {
    objective: 'rating',
    factors: 20,
    epochs: 30,
    batchSize: 16,
    optimizer: 'adamw',
    weightDecay: 0,
    schedule: 'constant',
    learningRate: 0.01,
    patience: 30,
  };
  const errorsOf = (history: readonly EpochRecord[]) =>
    history.map((epoch) => epoch.valid?.rmse ?? Number.NaN);

  test('chooses the best epoch, and patience ends training', async () => {
    const whole = await train(noisy.train, overfitting, { valid: noisy.valid });
    const errors = errorsOf(whole.history);
    const best = errors.indexOf(Math.min(...errors));
    expect(errors).toHaveLength(30);
    expect(best).toBeGreaterThan(0);
    expect(best).toBeLessThan(26);
    expect(whole.metrics.valid).toEqual(whole.history[best].valid);
    expect(await whole.errors(noisy.valid)).toEqual(whole.metrics.valid);

    const patient = await train(noisy.train, { ...overfitting, patience: 3 }, { valid: noisy.valid });
    const stopped = errorsOf(patient.history);
    expect(stopped).toEqual(errors.slice(0, stopped.length));
    expect(stopped.length).toBeLessThan(30);
    expect(stopped.indexOf(Math.min(...stopped))).toBe(stopped.length - 1 - 3);

    const usual = await train(noisy.train, { ...overfitting, patience: undefined }, { valid: noisy.valid });
    const ended = errorsOf(usual.history);
    expect(ended.length).toBeLessThan(30);
    expect(ended.indexOf(Math.min(...ended))).toBe(ended.length - 1 - 15);
  });

  test('counts unknown users and items as average', async () => {
    const users = valid.users.slice().fill(part.userIds.length);
    const unknown = new Ratings({ ...valid, users, unknown: { users: 1, items: 0 } });
    const model = await train(part, { ...small, epochs: 2 }, { valid: unknown });
    expect(model.metrics.valid?.rmse).toBeGreaterThan(0.1);
    expect(await model.errors(unknown)).toEqual(model.metrics.valid);
  });
});

describe('an abort', () => {
  test('ends after the running epoch and keeps what is trained', async () => {
    const abort = new AbortController();
    const recipe = { ...small, epochs: 5 };
    const model = await train(ratings, recipe, {
      signal: abort.signal,
      onProgress: ({ epoch }) => epoch === 2 && abort.abort(),
    });
    expect(model.history).toHaveLength(3);
    expect((await model.errors(ratings)).rmse).toBe(model.metrics.train?.rmse);
  });

  test('before the first epoch leaves no model', async () => {
    const signal = AbortSignal.abort();
    expect(await userError(train(ratings, small, { signal }))).toContain(
      'stopped before the end of its first epoch',
    );
  });
});

describe('training that diverges says so', () => {
  const wild: Recipe = { ...small, schedule: { name: 'constant', learningRate: 1e38 }, optimizer: 'adamw' };
  test.each<[string, Recipe, TrainOptions]>([
    ['in the loss', {}, {}],
    ['in the last step, after the loss', { epochs: 1, batchSize: count }, {}],
    ['before validation', { epochs: 1, batchSize: part.ratings.length }, { valid }],
  ])('%s', async (_, recipe, options) => {
    const message = await userError(train(part, { ...wild, ...recipe }, options));
    expect(message).toMatch(/^training diverged in epoch 1: .* use a lower learning rate than 1e\+38$/);
  });
});

test('choices that are undefined are as good as absent', async () => {
  const [absent, given] = [
    await train(ratings, { ...small, epochs: 1 }),
    await train(ratings, { ...small, epochs: 1, batchSize: undefined, loss: undefined, seed: undefined }),
  ];
  expect((await given.artifact()).manifest).toEqual((await absent.artifact()).manifest);
});

test('initial parameters have the model’s initial standard deviation', async () => {
  const recipe: Recipe = { ...still, factors: 100, initialStd: 0.3, spectral: [0, 0], batchSize: 1000 };
  const { parameters } = await fitted({}, recipe, lowRank({ users: 200 }));
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
    return new Ratings({ userIds: ids, itemIds: ids, users: rows(10), items: rows(10), ratings: stars });
  });
  for (const model of modelNames.filter((name) => !isSolved(name))) {
    const { rmse } = await (await train(train_, { model, objective: 'rating' })).errors(valid_);
    expect(rmse).toBeLessThan(1.1 * errorOfMean(valid_));
  }
});

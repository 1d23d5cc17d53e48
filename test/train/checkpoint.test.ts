import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ModelDefinition } from '../../graphs/models/model.ts';
import { Ratings, selectRows } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { UserError } from '../../src/errors.ts';
import { add, gather, mul } from '../../src/onnx/index.ts';
import {
  checkpointFile,
  readCheckpoint,
  removeCheckpoint,
  writeCheckpoint,
} from '../../src/train/checkpoint.ts';
import type { ProgramRecipe, Recipe } from '../../src/train/recipe/recipe.ts';
import { type Fitted, type TrainOptions, train } from '../../src/train/train.ts';
import { temporaryFolder, userError } from '../support/files.ts';
import { lowRank, ofBiases } from '../support/low-rank.ts';

const folder = temporaryFolder();
const { train: ratings, valid } = randomSplit(lowRank({ noise: 0.7 }), 0.2, 3);
const settings = {
  objective: 'rating',
  epochs: 5,
  batchSize: 16,
  learningRate: 0.03,
  schedule: 'constant',
} as const;
const small: Recipe = { ...settings, factors: 2 };

let files = 0;
const newPath = () => join(folder.path, `${files++}.checkpoint`);

async function bytesOf(fitted: Fitted) {
  const { manifest, files } = await fitted.artifact();
  return {
    manifest: JSON.stringify(manifest),
    predict: Buffer.from(files['predict.onnx']).toString('base64'),
  };
}

class Cut extends Error {}

/** Leaves a checkpoint of `epochs` epochs: the process dies in the epoch after them. */
async function cutOff(path: string, recipe: Recipe, epochs: number, options: TrainOptions = {}) {
  const dying = train(ratings, recipe, {
    ...options,
    checkpoint: { path },
    onProgress({ epoch }) {
      if (epoch === epochs) throw new Cut();
    },
  });
  await expect(dying).rejects.toBeInstanceOf(Cut);
}

describe.each<[string, Recipe, TrainOptions]>([
  ['dot-bias', { factors: 10 }, {}],
  ['dot-bias with validation', { factors: 10 }, { valid }],
  ['dot-bias with patience', { factors: 10, epochs: 20, patience: 2 }, { valid }],
  ['dot-bias with Adagrad, lazily', { factors: 10, optimizer: 'adagrad', sparseUpdates: true }, {}],
  ['MLP with dropout', { model: 'mlp', factors: 4, hidden: [8], dropout: [0.3, 0.2] }, {}],
  ['MLP with dropout and validation', { model: 'mlp', factors: 4, dropout: 0.3 }, { valid }],
])('%s, resumed, is the same to the byte', (_, chosen, options) => {
  const recipe = { ...settings, ...chosen };

  test('after it was killed in any epoch', async () => {
    const whole = await train(ratings, recipe, options);
    for (let epochs = 1; epochs < whole.history.length; epochs++) {
      const path = newPath();
      await cutOff(path, recipe, epochs, options);
      const resumed = await train(ratings, recipe, { ...options, checkpoint: { path, resume: true } });
      expect(await bytesOf(resumed)).toEqual(await bytesOf(whole));
    }
  });

  test('after it was stopped, twice, and after its end', async () => {
    const whole = await train(ratings, recipe, options);
    const path = newPath();
    for (const [stop, resume] of [
      [0, false],
      [2, true],
    ] as const) {
      const abort = new AbortController();
      const { history } = await train(ratings, recipe, {
        ...options,
        checkpoint: { path, resume },
        signal: abort.signal,
        onProgress: ({ epoch }) => epoch === stop && abort.abort(),
      });
      expect(history).toEqual(whole.history.slice(0, stop + 1));
    }
    for (let time = 0; time < 2; time++) {
      const resumed = await train(ratings, recipe, { ...options, checkpoint: { path, resume: true } });
      expect(await bytesOf(resumed)).toEqual(await bytesOf(whole));
    }
  });
});

test('the best epoch before a kill still counts after it', async () => {
  const recipe: Recipe = {
    ...settings,
    factors: 20,
    optimizer: 'adamw',
    learningRate: 0.05,
    epochs: 12,
    patience: 12,
  };
  const whole = await train(ratings, recipe, { valid });
  const errors = whole.history.map((epoch) => epoch.valid?.rmse as number);
  const best = errors.indexOf(Math.min(...errors));
  const killed = 10;
  expect(best).toBeLessThan(killed);
  const path = newPath();
  await cutOff(path, recipe, killed, { valid });
  const resumed = await train(ratings, recipe, { valid, checkpoint: { path, resume: true } });
  expect(resumed.metrics.valid?.rmse).toBe(errors[best]);
  expect((await resumed.errors(valid)).rmse).toBe(errors[best]);
});

test('without resume a checkpoint is begun anew', async () => {
  const path = newPath();
  await cutOff(path, small, 3);
  const other = { ...small, factors: 3 };
  const fresh = await train(ratings, other, { checkpoint: { path } });
  expect(await bytesOf(fresh)).toEqual(await bytesOf(await train(ratings, other)));
});

describe('resuming another training names what differs', () => {
  const numbers = ratings.ratings.slice();
  numbers[0] += 0.01;
  const otherRating = new Ratings({ ...ratings, ratings: numbers });
  const otherId = new Ratings({ ...ratings, userIds: ['else', ...ratings.userIds.slice(1)] });
  const some = selectRows(
    ratings,
    Int32Array.from({ length: 300 }, (_, at) => at),
  );

  test.each<[string, Recipe, RegExp, { data?: Ratings; valid?: Ratings }?]>([
    ['epochs', { epochs: 6 }, /: training\.epochs was 5, is 6; use/],
    ['batchSize', { batchSize: 17 }, /: training\.batchSize was 16, is 17; use/],
    ['seed', { seed: 2 }, /: training\.seed was 1, is 2; use/],
    ['loss', { loss: 'l1' }, /: training\.loss was "mse", is "l1"; use/],
    ['sparseUpdates', { sparseUpdates: true }, /: training\.sparseUpdates was false, is true; use/],
    ['patience', { patience: 3 }, /training\.patience was not set, is 3; use/, { valid }],
    ['learning rate', { learningRate: 0.02 }, /: training\.schedule\.learningRate was 0\.03, is 0\.02; use/],
    ['schedule', { schedule: 'one-cycle' }, /training\.schedule\.name was "constant", is "one-cycle"/],
    ['optimizer', { optimizer: 'adagrad' }, /training\.optimizer\.name was "row-adagrad", is "adagrad"/],
    [
      'a choice of the optimizer',
      { optimizer: { name: 'row-adagrad', weightDecay: 0.5 } },
      /: training\.optimizer\.weightDecay was 0\.015, is 0\.5; use/,
    ],
    ['engine', { engine: 'strata' }, /: training\.engine was "epoch-graph", is "strata"; use/],
    ['factors', { factors: 3 }, /: model\.config\.factors was 2, is 3; use/],
    ['range', { range: [0, 7] }, /: model\.config\.range was \[.*\], is \[0,7\]; use/],
    ['model', { model: 'mlp' }, /: model\.name was "dot-bias", is "mlp"; /],
    ['ratings', {}, /data\.fingerprint was "\w+", is "\w+"; use/, { data: otherRating }],
    ['ids', {}, /: data\.fingerprint was/, { data: otherId }],
    ['number of ratings', {}, /data\.ratings was \d+, is 300; .*data\.fingerprint was/, { data: some }],
    ['validation set', {}, /: data\.fingerprint was/, { valid }],
  ])('%s', async (_, changed, message, { data = ratings, ...options } = {}) => {
    const path = newPath();
    await cutOff(path, small, 1);
    const resuming = train(
      data,
      { ...small, ...changed },
      { ...options, checkpoint: { path, resume: true } },
    );
    const told = await userError(resuming);
    expect(told).toMatch(message);
    expect(told).toContain(path);
    expect(told).toContain('train without `resume`');
  });
});

describe('a checkpoint', () => {
  const rating = {
    history: [{ loss: 0.1 + 0.2 }, { loss: 1, valid: { rmse: 1 / 3, mae: 2 } }],
    carried: {
      user_factors: { dims: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-40, 6) },
      'user_factors.mean': { dims: [2], data: Float32Array.of(0.1, 0.2) },
    },
    best: { user_factors: { dims: [2, 3], data: Float32Array.of(6, 5, 4, 3, 2, 1) } },
  };
  const ranking = {
    history: [{ loss: 3, valid: { ndcg: 0.3, precision: 0.1 } }],
    carried: { user_factors: { dims: [2, 1], data: Float32Array.of(7, 8) } },
    best: { user_factors: { dims: [2, 1], data: Float32Array.of(9, 10) } },
  };
  const written = { settings: { training: { epochs: 2 }, name: 'Ü' }, parts: { rating, ranking } };

  test('comes back as it was written', async () => {
    const path = join(folder.path, 'new', 'folders', 'checkpoint');
    await writeCheckpoint(path, written);
    expect(await readCheckpoint(path, written.settings)).toEqual(written);
    const { best: _, ...withoutBest } = rating;
    for (const parts of [{ rating: withoutBest, ranking }, { rating }, { ranking }]) {
      await writeCheckpoint(path, { ...written, parts });
      expect(await readCheckpoint(path, written.settings)).toEqual({ ...written, parts });
    }
  });

  test('that is missing is a UserError', async () => {
    const path = newPath();
    expect(await userError(readCheckpoint(path, {}))).toBe(
      `${path}: there is no checkpoint to resume from; train without \`resume\``,
    );
    expect(await userError(readCheckpoint(folder.path, {}))).toContain('is a folder, not a file');
    const resuming = train(ratings, small, { checkpoint: { path, resume: true } });
    expect(await userError(resuming)).toContain('there is no checkpoint');
  });

  test('keeps equal tensors apart', async () => {
    const path = newPath();
    const equal = { dims: [2], data: new Float32Array(2) };
    const part = {
      history: rating.history,
      carried: { one: equal, two: equal, three: { ...equal, dims: [1, 2] } },
      best: { one: equal },
    };
    const twice = { ...written, parts: { rating: part, ranking: part } };
    await writeCheckpoint(path, twice);
    expect(await readCheckpoint(path, written.settings)).toEqual(twice);
  });

  test('cut off anywhere is broken; with any bit changed it is broken or means the same', async () => {
    const path = newPath();
    await writeCheckpoint(path, written);
    const bytes = await readFile(path);
    const broken = `${path}: the checkpoint is broken; train without \`resume\``;
    for (const at of bytes.keys()) {
      await writeFile(path, bytes.subarray(0, at));
      expect(await userError(readCheckpoint(path, written.settings))).toBe(broken);
      const changed = Buffer.from(bytes);
      changed[at] ^= 1 << (at % 8);
      await writeFile(path, changed);
      const read = await readCheckpoint(path, written.settings).catch((error) => error);
      if (read instanceof UserError) expect(read.message).toBe(broken);
      else expect(read).toEqual(written);
    }
  });

  test.each([
    ['garbage', Buffer.from('user,item,rating\n1,2,3\n')],
    ['zeros', Buffer.alloc(1000)],
    ['nothing', Buffer.alloc(0)],
  ])('that holds %s is broken', async (_, content) => {
    const path = newPath();
    await writeFile(path, content);
    expect(await userError(readCheckpoint(path, {}))).toContain('the checkpoint is broken');
  });

  test('that is another ONNX file is broken', async () => {
    const { files } = await (await train(ratings, { ...small, epochs: 1 })).artifact();
    const path = newPath();
    await writeFile(path, files['predict.onnx']);
    expect(await userError(readCheckpoint(path, {}))).toContain('the checkpoint is broken');
  });

  test('that cannot be written is a UserError', async () => {
    const file = await folder.write('a file', '');
    expect(await userError(writeCheckpoint(join(file, 'checkpoint'), written))).toMatch(
      /checkpoint: cannot be \w+ \(ENOTDIR\); choose another/,
    );
    const training = train(ratings, small, { checkpoint: { path: folder.path } });
    expect(await userError(training)).toContain('is a folder; give the name of a file');
  });

  test('is not written into another folder that came to its place', async () => {
    const place = join(folder.path, 'place');
    await mkdir(place);
    const store = checkpointFile(join(place, 'checkpoint'));
    await store.write(written);
    await rename(place, `${place}-moved`);
    await mkdir(place);
    expect(await userError(store.write(written))).toMatch(
      /place: was moved or replaced while the training ran/,
    );
    expect(await readdir(place)).toEqual([]);
  });

  test('is removed, and it need not be there', async () => {
    const path = newPath();
    await writeCheckpoint(path, written);
    await removeCheckpoint(path);
    await removeCheckpoint(path);
    const name = path.slice(folder.path.length + 1);
    expect((await folder.names()).filter((other) => other.startsWith(name))).toEqual([]);
  });
});

const biases = (way: typeof add | typeof mul): ModelDefinition =>
  ofBiases(({ user_bias, item_bias }, user, item) => way(gather(user_bias, user), gather(item_bias, item)));

test('training that diverges after an epoch leaves no checkpoint, for it would diverge again', async () => {
  const path = newPath();
  // Each step makes the errors a little larger.
  const recipe: ProgramRecipe = { ...settings, model: biases(add), optimizer: 'sgd', learningRate: 15 };
  const diverging = train(ratings, recipe, { checkpoint: { path } });
  expect(await userError(diverging)).toMatch(/diverged in epoch 3/);
  await expect(readFile(path)).rejects.toThrow('ENOENT');
});

test('a formula that was changed does not go on from another’s parameters', async () => {
  const path = newPath();
  const recipe = (model: ModelDefinition): ProgramRecipe => ({ ...settings, model });
  await train(ratings, recipe(biases(add)), { checkpoint: { path } });
  const changed = train(ratings, recipe(biases(mul)), { checkpoint: { path, resume: true } });
  expect(await userError(changed)).toMatch(/belongs to another training: graph was/);
});

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import type { ModelDefinition } from '../../graphs/models/model.ts';
import { type Ratings, selectRows } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { UserError } from '../../src/errors.ts';
import { add, gather, mul } from '../../src/onnx/index.ts';
import { readCheckpoint, removeCheckpoint, writeCheckpoint } from '../../src/train/checkpoint.ts';
import { adagrad, adamW } from '../../src/train/step/optimizers.ts';
import { constantRate, oneCycle } from '../../src/train/step/schedules.ts';
import { type TrainedModel, type TrainOptions, train } from '../../src/train/train.ts';
import { temporaryFolder, userError } from '../data/files.ts';
import { lowRank, ofBiases } from './synthetic.ts';

const folder = temporaryFolder();
const { train: ratings, valid } = randomSplit(lowRank({ noise: 0.7 }), 0.2, 3);
const settings: TrainOptions = { epochs: 5, batch: 16, schedule: constantRate({ learningRate: 0.03 }) };

let files = 0;
const newPath = () => join(folder.path, `${files++}.checkpoint`);

const bytesOf = ({ manifest, artifact }: TrainedModel) => ({
  manifest: JSON.stringify(manifest),
  predict: Buffer.from(artifact.files['predict.onnx']).toString('base64'),
});

class Cut extends Error {}

/** Leaves a checkpoint of `epochs` epochs: the process dies in the epoch after them. */
async function cutOff(path: string, definition: ModelDefinition, options: TrainOptions, epochs: number) {
  const dying = train(ratings, definition, {
    ...options,
    checkpoint: { path },
    onProgress({ epoch }) {
      if (epoch === epochs) throw new Cut();
    },
  });
  await expect(dying).rejects.toBeInstanceOf(Cut);
}

describe.each<[string, ModelDefinition, TrainOptions]>([
  ['dot-bias', dotBias({ factors: 10 }), settings],
  ['dot-bias with validation', dotBias({ factors: 10 }), { ...settings, valid }],
  ['dot-bias with patience', dotBias({ factors: 10 }), { ...settings, epochs: 20, valid, patience: 2 }],
  [
    'dot-bias with Adagrad, lazily',
    dotBias({ factors: 10 }),
    { ...settings, optimizer: adagrad(), lazy: true },
  ],
  ['MLP with dropout', mlp({ factors: 4, hidden: [8], dropout: [0.3, 0.2] }), settings],
  ['MLP with dropout and validation', mlp({ factors: 4, dropout: 0.3 }), { ...settings, valid }],
])('%s, resumed, is the same to the byte', (_, definition, options) => {
  test('after it was killed in any epoch', async () => {
    const whole = await train(ratings, definition, options);
    for (let epochs = 1; epochs < whole.manifest.history.length; epochs++) {
      const path = newPath();
      await cutOff(path, definition, options, epochs);
      const resumed = await train(ratings, definition, { ...options, checkpoint: { path, resume: true } });
      expect(bytesOf(resumed)).toEqual(bytesOf(whole));
    }
  });

  test('after it was stopped, twice, and after its end', async () => {
    const whole = await train(ratings, definition, options);
    const path = newPath();
    for (const [stop, resume] of [
      [0, false],
      [2, true],
    ] as const) {
      const abort = new AbortController();
      const { manifest } = await train(ratings, definition, {
        ...options,
        checkpoint: { path, resume },
        signal: abort.signal,
        onProgress: ({ epoch }) => epoch === stop && abort.abort(),
      });
      expect(manifest.history).toEqual(whole.manifest.history.slice(0, stop + 1));
    }
    for (let time = 0; time < 2; time++) {
      const resumed = await train(ratings, definition, { ...options, checkpoint: { path, resume: true } });
      expect(bytesOf(resumed)).toEqual(bytesOf(whole));
    }
  });
});

test('the best epoch before a kill still counts after it', async () => {
  const options = {
    ...settings,
    optimizer: adamW(),
    learningRate: 0.05,
    schedule: constantRate,
    epochs: 12,
    valid,
  };
  const definition = dotBias({ factors: 20 });
  const whole = await train(ratings, definition, options);
  const errors = whole.manifest.history.map((epoch) => epoch.valid?.rmse as number);
  const best = errors.indexOf(Math.min(...errors));
  const killed = 10;
  expect(best).toBeLessThan(killed);
  const path = newPath();
  await cutOff(path, definition, options, killed);
  const resumed = await train(ratings, definition, { ...options, checkpoint: { path, resume: true } });
  expect(resumed.manifest.metrics.valid?.rmse).toBe(errors[best]);
  expect((await resumed.evaluate(valid)).rmse).toBe(errors[best]);
});

test('without resume a checkpoint is begun anew', async () => {
  const path = newPath();
  await cutOff(path, dotBias({ factors: 2 }), settings, 3);
  const fresh = await train(ratings, dotBias({ factors: 3 }), { ...settings, checkpoint: { path } });
  expect(bytesOf(fresh)).toEqual(bytesOf(await train(ratings, dotBias({ factors: 3 }), settings)));
});

describe('resuming another training names what differs', () => {
  const changed = (change: (copy: Ratings) => void): Ratings => {
    const copy = structuredClone(ratings);
    change(copy);
    return copy;
  };
  const otherRating = changed((copy) => {
    copy.ratings[0] += 0.01;
  });
  const otherId = changed((copy) => {
    copy.userIds[0] = 'else';
  });

  test.each<[string, Parameters<typeof train>, RegExp]>([
    [
      'epochs',
      [ratings, dotBias({ factors: 2 }), { ...settings, epochs: 6 }],
      /: training\.epochs was 5, is 6; use/,
    ],
    [
      'batch',
      [ratings, dotBias({ factors: 2 }), { ...settings, batch: 17 }],
      /: training\.batch was 16, is 17; use/,
    ],
    [
      'seed',
      [ratings, dotBias({ factors: 2 }), { ...settings, seed: 2 }],
      /: training\.seed was 1, is 2; use/,
    ],
    [
      'loss',
      [ratings, dotBias({ factors: 2 }), { ...settings, loss: 'l1' }],
      /: training\.loss was "mse", is "l1"; use/,
    ],
    [
      'lazy',
      [ratings, dotBias({ factors: 2 }), { ...settings, lazy: true }],
      /: training\.lazy was false, is true; use/,
    ],
    [
      'patience',
      [ratings, dotBias({ factors: 2 }), { ...settings, valid, patience: 3 }],
      /training\.patience was not set, is 3; use/,
    ],
    [
      'learning rate',
      [ratings, dotBias({ factors: 2 }), { ...settings, schedule: constantRate({ learningRate: 0.02 }) }],
      /: training\.schedule\.learningRate was 0\.03, is 0\.02; use/,
    ],
    [
      'schedule',
      [ratings, dotBias({ factors: 2 }), { ...settings, schedule: oneCycle({ learningRate: 0.03 }) }],
      /training\.schedule\.name was "constant", is "one-cycle"/,
    ],
    [
      'optimizer',
      [ratings, dotBias({ factors: 2 }), { ...settings, optimizer: adagrad() }],
      /training\.optimizer\.name was "row-adagrad", is "adagrad"/,
    ],
    ['factors', [ratings, dotBias({ factors: 3 }), settings], /: model\.config\.factors was 2, is 3; use/],
    [
      'range',
      [ratings, dotBias({ factors: 2, range: [0, 7] }), settings],
      /: model\.config\.range was \[.*\], is \[0,7\]; use/,
    ],
    ['model', [ratings, mlp({ factors: 2 }), settings], /: model\.name was "dot-bias", is "mlp"; /],
    [
      'ratings',
      [otherRating, dotBias({ factors: 2 }), settings],
      /data\.fingerprint was "\w+", is "\w+"; use/,
    ],
    ['ids', [otherId, dotBias({ factors: 2 }), settings], /: data\.fingerprint was/],
    [
      'number of ratings',
      [
        selectRows(
          ratings,
          Int32Array.from({ length: 300 }, (_, at) => at),
        ),
        dotBias({ factors: 2 }),
        settings,
      ],
      /data\.ratings was \d+, is 300; .*data\.fingerprint was/,
    ],
    ['validation set', [ratings, dotBias({ factors: 2 }), { ...settings, valid }], /: data\.fingerprint was/],
  ])('%s', async (_, [data, definition, options], message) => {
    const path = newPath();
    await cutOff(path, dotBias({ factors: 2 }), settings, 1);
    const resuming = train(data, definition, { ...options, checkpoint: { path, resume: true } });
    const told = await userError(resuming);
    expect(told).toMatch(message);
    expect(told).toContain(path);
    expect(told).toContain('train without --resume');
  });
});

describe('a checkpoint', () => {
  const written = {
    settings: { training: { epochs: 2 }, name: 'Ü' },
    history: [{ loss: 0.1 + 0.2 }, { loss: 1, valid: { rmse: 1 / 3, mae: 2 } }],
    carried: {
      user_factors: { dims: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-40, 6) },
      'user_factors.mean': { dims: [2], data: Float32Array.of(0.1, 0.2) },
    },
    best: { user_factors: { dims: [2, 3], data: Float32Array.of(6, 5, 4, 3, 2, 1) } },
  };

  test('comes back as it was written', async () => {
    const path = join(folder.path, 'new', 'folders', 'checkpoint');
    await writeCheckpoint(path, written);
    expect(await readCheckpoint(path, written.settings)).toEqual(written);
    const { best, ...without } = written;
    await writeCheckpoint(path, without);
    expect(await readCheckpoint(path, written.settings)).toEqual(without);
    expect(best).toBeDefined();
  });

  test('that is missing is a UserError', async () => {
    const path = newPath();
    expect(await userError(readCheckpoint(path, {}))).toBe(
      `${path}: there is no checkpoint to resume from; train without --resume`,
    );
    expect(await userError(readCheckpoint(folder.path, {}))).toContain('cannot read the checkpoint (EISDIR)');
    const resuming = train(ratings, dotBias({ factors: 2 }), { checkpoint: { path, resume: true } });
    expect(await userError(resuming)).toContain('there is no checkpoint');
  });

  test('keeps equal tensors apart', async () => {
    const path = newPath();
    const equal = { dims: [2], data: new Float32Array(2) };
    const twice = {
      ...written,
      carried: { one: equal, two: equal, three: { ...equal, dims: [1, 2] } },
      best: { one: equal },
    };
    await writeCheckpoint(path, twice);
    expect(await readCheckpoint(path, written.settings)).toEqual(twice);
  });

  test('cut off anywhere is broken; with any bit changed it is broken or means the same', async () => {
    const path = newPath();
    await writeCheckpoint(path, written);
    const bytes = await readFile(path);
    const broken = `${path}: the checkpoint is broken; train without --resume`;
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
    const model = await train(ratings, dotBias({ factors: 2 }), { epochs: 1 });
    const path = newPath();
    await writeFile(path, model.artifact.files['predict.onnx']);
    expect(await userError(readCheckpoint(path, {}))).toContain('the checkpoint is broken');
  });

  test('that cannot be written is a UserError', async () => {
    const file = await folder.write('a file', '');
    expect(await userError(writeCheckpoint(join(file, 'checkpoint'), written))).toMatch(
      /could not be written \((ENOTDIR|EEXIST)\)$/,
    );
    const training = train(ratings, dotBias({ factors: 2 }), { checkpoint: { path: folder.path } });
    expect(await userError(training)).toContain('the checkpoint could not be written');
  });

  test('is removed with what a kill may have left beside it, and it need not be there', async () => {
    const path = newPath();
    await writeCheckpoint(path, written);
    await writeFile(`${path}.incoming`, 'half');
    await removeCheckpoint(path);
    await removeCheckpoint(path);
    const name = path.slice(folder.path.length + 1);
    expect((await folder.names()).filter((other) => other.startsWith(name))).toEqual([]);
  });
});

test('training that diverges after an epoch leaves no checkpoint, for it would diverge again', async () => {
  const path = newPath();
  const at = (progress: number) => ({ learningRate: progress < 0.4 ? 0.03 : 1e38, momentum: 0.9 });
  const schedule = { name: 'rising', config: { learningRate: 1e38 }, at };
  const diverging = train(ratings, dotBias(), { ...settings, schedule, checkpoint: { path } });
  expect(await userError(diverging)).toMatch(/diverged in epoch 3/);
  await expect(readFile(path)).rejects.toThrow('ENOENT');
});

test('a formula that was changed does not go on from another’s parameters', async () => {
  const formula = (way: typeof add | typeof mul): ModelDefinition =>
    ofBiases(({ user_bias, item_bias }, user, item) => way(gather(user_bias, user), gather(item_bias, item)));
  const path = newPath();
  await train(ratings, formula(add), { ...settings, checkpoint: { path } });
  const changed = train(ratings, formula(mul), { ...settings, checkpoint: { path, resume: true } });
  expect(await userError(changed)).toMatch(/belongs to another training: graph was/);
});

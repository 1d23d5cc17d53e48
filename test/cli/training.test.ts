import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { workplace } from '../support/cli.ts';

const { at, here, contents, failure, json, manifest, text } = workplace();
const files = [
  'checkpoint',
  'eval_model.onnx',
  'optimizer_model.onnx',
  'training_model.onnx',
  'vocabulary.json',
];

test('trains by ONNX Runtime’s training API, and writes what it trains on with', async () => {
  const flags = ['--epochs', '2', '--batch-size', '16', '--factors', '4', '--valid', '0.2'];
  const report = await json('train', 'ratings.csv', '--out', 'model', '--engine', 'ort-training', ...flags);
  expect(report).toMatchObject({
    model: 'dot-bias',
    epochs: expect.any(Number),
    train: { rmse: expect.any(Number) },
  });
  expect((await manifest('model')).training).toMatchObject({ engine: 'ort-training', sparseUpdates: false });
  expect(await text('export', 'model', '--training')).toBe(
    `Wrote model/training: training_model.onnx, eval_model.onnx, optimizer_model.onnx, checkpoint, vocabulary.json\n`,
  );
  expect((await readdir(at('model/training'))).sort()).toEqual(['.cofactor', ...files, 'files.json'].sort());
  // The folder is still a model, and may be trained into again.
  expect(await text('inspect', 'model')).toContain('dot-bias');
  await text('export', 'model', '--training', 'begun', '--untrained', '--learning-rate', '0.01');
  const [trained, begun] = await Promise.all(
    ['model/training', 'begun'].map((folder) => readFile(at(folder, 'checkpoint'))),
  );
  expect(trained.length).toBe(begun.length);
  expect(trained.equals(begun)).toBe(false);
  const again = await here(
    'train',
    'ratings.csv',
    '--out',
    'model',
    '--engine',
    'ort-training',
    '--device',
    'auto',
    ...flags,
  );
  expect(again).toMatchObject({
    code: 0,
    stderr:
      'Running on the CPU: ONNX Runtime’s training API trains in WebAssembly\nmodel/training is from the previous model; update it with cofactor export model --training\n',
  });
  expect((await readdir(at('model/training'))).sort()).toEqual(['.cofactor', ...files, 'files.json'].sort());
});

test('trains an MLP with no flags', async () => {
  const report = await json(
    'train',
    'ratings.csv',
    '--out',
    'mlp',
    '--engine',
    'ort-training',
    '--model',
    'mlp',
  );
  expect(report).toMatchObject({ model: 'mlp', objective: 'both', epochs: expect.any(Number) });
});

test('says what it cannot do, and leaves what was there', async () => {
  await text('train', 'ratings.csv', '--out', 'sgd', '--epochs', '1', '--optimizer', 'sgd');
  const before = await contents();
  expect(await failure('export', 'sgd')).toMatch(
    /there is nothing to write; give --public FOLDER, --triton REPOSITORY, --training or --training-blocks$/,
  );
  expect(await failure('export', 'sgd', '--triton', 'r', '--untrained')).toMatch(/are for --training$/);
  for (const [flags, message] of [
    [['--optimizer', 'sgd'], /trains with adamw, not with sgd/],
    [['--device', 'cuda'], /in WebAssembly, on the CPU; leave out --device, or --engine/],
    [['--sparse-updates'], /updates all rows at every step; leave out --sparse-updates/],
  ] as const) {
    const { code, stderr } = await here(
      ...['train', 'ratings.csv', '--out', 'sgd', '--engine', 'ort-training'],
      ...flags,
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  }
  expect(await contents()).toEqual(before);
});

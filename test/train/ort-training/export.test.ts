import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dotBias } from '../../../graphs/models/dot-bias.ts';
import { mlp } from '../../../graphs/models/mlp.ts';
import type { ModelDefinition } from '../../../graphs/models/model.ts';
import { randomSplit } from '../../../src/data/dataset/split.ts';
import type { Precision } from '../../../src/onnx/compress.ts';
import { add, decodeModel, gather } from '../../../src/onnx/index.ts';
import { encodeCheckpoint } from '../../../src/train/engines/ort-training/checkpoint.ts';
import { trainingFiles, writeTrainingFiles } from '../../../src/train/engines/ort-training/export.ts';
import { ortTraining } from '../../../src/train/engines/ort-training/node.ts';
import { initialParameters } from '../../../src/train/parameters/initial.ts';
import { ADAMW } from '../../../src/train/recipe/settings.ts';
import { adamW, rowAdagrad } from '../../../src/train/step/optimizers.ts';
import { cosine } from '../../../src/train/step/schedules.ts';
import { type TrainOptions, train } from '../../../src/train/train.ts';
import { temporaryFolder, userError } from '../../data/files.ts';
import { lowRank, ofBiases } from '../synthetic.ts';

const folder = temporaryFolder();
const { train: ratings } = randomSplit(lowRank({ users: 150, items: 90 }), 0.2, 3);
const names = [
  'training_model.onnx',
  'eval_model.onnx',
  'optimizer_model.onnx',
  'checkpoint',
  'vocabulary.json',
];
const definitions: [string, ModelDefinition][] = [
  ['dot-bias', dotBias({ factors: 60 })],
  ['mlp', mlp({ factors: [60, 50], hidden: [80, 6], dropout: 0.1 })],
];

describe.each(definitions)('%s', (_, definition) => {
  test('says what it takes and gives, as the training API wants it', async () => {
    const model = await train(ratings, definition, { ...ADAMW, epochs: 2, batch: 50 });
    const files = trainingFiles(model.artifact);
    expect(Object.keys(files)).toEqual(names);
    const read = (name: string) => decodeModel(files[name]).graph;
    const parameters = Object.keys(definition(model.manifest.data).parameters);
    const training = read('training_model.onnx');
    expect(training.inputs.map(({ name }) => name)).toEqual([
      ...['user', 'item', 'actual'],
      ...parameters,
      ...parameters.map((name) => `${name}_grad.accumulation.buffer`),
      'lazy_reset_grad',
    ]);
    expect(training.outputs.map(({ name }) => name)).toEqual([
      'loss',
      ...parameters.map((name) => `${name}_grad.accumulation.out`),
    ]);
    const evaluation = read('eval_model.onnx');
    expect(evaluation.inputs.map(({ name }) => name)).toEqual(['user', 'item', 'actual', ...parameters]);
    expect(evaluation.outputs.map(({ name }) => name)).toEqual(['loss', 'rating']);
    expect(evaluation.nodes.filter(({ operator }) => operator === 'Dropout')).toEqual([]);
    const optimizer = read('optimizer_model.onnx');
    const sequence = { dtype: 'float', dims: [], sequence: true };
    expect(optimizer.inputs).toEqual([
      { name: 'learning_rate', dtype: 'float', dims: [1] },
      { name: 'step', dtype: 'int64', dims: [1] },
      { name: 'params', ...sequence },
      { name: 'gradients', ...sequence },
      { name: 'first_order_moments', ...sequence },
      { name: 'second_order_moments', ...sequence },
    ]);
    const steps = 2 * Math.ceil(ratings.ratings.length / 50);
    const rates = optimizer.initializers.find(({ name }) => name === 'learning_rates');
    expect(rates?.dims).toEqual([steps]);
    expect(Math.max(...Array.from(rates?.data ?? [], Number))).toBeCloseTo(
      model.manifest.model.name === 'mlp' ? 0.002 : 0.003,
      4,
    );
    const { userIds, itemIds } = ratings;
    expect(JSON.parse(Buffer.from(files['vocabulary.json']).toString())).toEqual({
      user: userIds,
      item: itemIds,
    });
  });

  test('has what the model learned, whatever the precision of its files, or where it began', async () => {
    const options = { epochs: 2, batch: 50, seed: 3 };
    const model = await train(ratings, definition, options);
    const { parameters } = model.parts.fitted;
    expect(trainingFiles(model.artifact).checkpoint).toEqual(encodeCheckpoint(parameters));
    for (const precision of ['float16', 'int8'] satisfies Precision[]) {
      const small = await train(ratings, definition, { ...options, precision });
      const { checkpoint } = trainingFiles(small.artifact);
      const expected = encodeCheckpoint(parameters);
      expect(checkpoint.length).toBe(expected.length);
      const [one, other] = [checkpoint, expected].map((bytes) => new Float32Array(bytes.buffer));
      const differences = one.map((number, place) => Math.abs(number - other[place]));
      const largest = Math.max(...differences.filter(Number.isFinite));
      expect(largest).toBeGreaterThan(0);
      expect(largest).toBeLessThan(precision === 'int8' ? 0.02 : 0.002);
    }
    const untrained = trainingFiles(model.artifact, { untrained: true });
    const begun = initialParameters(definition(model.manifest.data), 3);
    expect(untrained.checkpoint).toEqual(encodeCheckpoint(begun));
  });
});

test('a model that the training API trained goes on by the same settings', async () => {
  const { artifact, manifest } = await train(ratings, dotBias({ factors: 3 }), {
    epochs: 1,
    engine: await ortTraining(),
  });
  const { metadata } = decodeModel(trainingFiles(artifact)['optimizer_model.onnx']);
  expect(JSON.parse(metadata.training)).toMatchObject(manifest.training);
});

test('one learning rate throughout, and the same bytes each time', async () => {
  const model = await train(ratings, dotBias({ factors: 3 }), { epochs: 1 });
  const files = trainingFiles(model.artifact, { learningRate: 0.001 });
  const { initializers } = decodeModel(files['optimizer_model.onnx']).graph;
  const rates = initializers.find(({ name }) => name === 'learning_rates')?.data as Float32Array;
  expect(new Set(rates)).toEqual(new Set([Math.fround(0.001)]));
  expect(trainingFiles(model.artifact, { learningRate: 0.001 })).toEqual(files);
});

test('exports at once leave one of them, whole', async () => {
  const { artifact } = await train(ratings, dotBias({ factors: 3 }), { epochs: 1 });
  const target = join(folder.path, 'at-once');
  await Promise.all(Array.from({ length: 6 }, () => writeTrainingFiles(target, artifact)));
  expect((await readdir(target)).sort()).toEqual([...names].sort());
});

test('replaces the files of an earlier export, and no others', async () => {
  const { artifact } = await train(ratings, dotBias({ factors: 3 }), { epochs: 1 });
  const target = join(folder.path, 'deep/training');
  expect(await writeTrainingFiles(target, artifact)).toEqual(names);
  await writeFile(join(target, 'checkpoint'), 'old');
  await writeTrainingFiles(target, artifact);
  expect(await readFile(join(target, 'checkpoint'))).toEqual(Buffer.from(trainingFiles(artifact).checkpoint));
  expect(await readdir(join(folder.path, 'deep'))).toEqual(['training']);
  await mkdir(join(folder.path, 'photos'));
  await writeFile(join(folder.path, 'photos/cat.jpg'), 'cat');
  expect(await userError(writeTrainingFiles(join(folder.path, 'photos'), artifact))).toMatch(
    /photos: holds other files, such as cat\.jpg; choose a new or an empty folder$/,
  );
  expect(await readdir(join(folder.path, 'photos'))).toEqual(['cat.jpg']);
  expect(await userError(writeTrainingFiles(join(target, 'checkpoint'), artifact))).toMatch(
    /checkpoint: the training files could not be written \(ENOTDIR\)$/,
  );
  expect(await userError(writeTrainingFiles('', artifact))).toMatch(/is empty; name one$/);
});

test('what another optimizer trained goes on by AdamW, from where it came to', async () => {
  const { artifact } = await train(ratings, dotBias({ factors: 3 }), { optimizer: rowAdagrad(), epochs: 2 });
  const files = trainingFiles(artifact);
  const rates = decodeModel(files['optimizer_model.onnx']).graph.initializers.find(
    ({ name }) => name === 'learning_rates',
  );
  expect(Math.max(...Array.from(rates?.data as Float32Array))).toBeCloseTo(0.003, 4);
});

describe('what cannot be exported', () => {
  const own = ofBiases(({ user_bias, item_bias }, user, item) =>
    add(gather(user_bias, user), gather(item_bias, item)),
  );
  const artifactOf = async (definition: ModelDefinition, options: TrainOptions = {}) =>
    (await train(ratings, definition, { ...options, epochs: 1 })).artifact;

  test('a schedule of one’s own', async () => {
    const schedule = { ...cosine({ learningRate: 0.01 }), name: 'own' };
    const artifact = await artifactOf(dotBias({ factors: 3 }), { optimizer: adamW(), schedule });
    expect(await userError(writeTrainingFiles(join(folder.path, 'own-schedule'), artifact))).toMatch(
      /trained by the schedule own; .* needs one of one-cycle, cosine, constant: .* or give a learning rate$/,
    );
  });

  test('a formula of one’s own that is not given', async () => {
    const artifact = await artifactOf(own);
    expect(await userError(writeTrainingFiles(join(folder.path, 'own'), artifact))).toMatch(
      /the model is "own", whose formula its files do not tell; .*\{ definition \}/,
    );
    const files = trainingFiles(artifact, { definition: own });
    expect(Object.keys(files)).toEqual(names);
  });

  test('what is no learning rate, and what is no model', async () => {
    const artifact = await artifactOf(dotBias({ factors: 3 }));
    for (const learningRate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const files = async () => trainingFiles(artifact, { learningRate });
      expect(await userError(files())).toBe(`learningRate is ${learningRate}; give a number above 0`);
    }
    const definition = 'dot-bias' as unknown as ModelDefinition;
    const files = async () => trainingFiles(artifact, { definition });
    expect(await userError(files())).toMatch(/^definition is no model/);
  });

  test('a formula that is another', async () => {
    const artifact = await artifactOf(dotBias({ factors: 3 }));
    const other = async () => trainingFiles(artifact, { definition: dotBias({ factors: 4 }) });
    expect(await userError(other())).toMatch(/does not keep "user_factors" as it was trained/);
  });
});

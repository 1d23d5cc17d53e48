import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dotBias } from '../../../graphs/models/dot-bias.ts';
import type { ModelDefinition } from '../../../graphs/models/model.ts';
import { randomSplit } from '../../../src/data/dataset/split.ts';
import type { Precision } from '../../../src/onnx/compress.ts';
import { add, decodeModel, gather } from '../../../src/onnx/index.ts';
import { nodeRuntime } from '../../../src/run/node.ts';
import { artifactOf } from '../../../src/train/artifact.ts';
import { nodeEngines } from '../../../src/train/engines/node.ts';
import { encodeCheckpoint } from '../../../src/train/engines/ort-training/checkpoint.ts';
import { trainingFiles, writeTrainingFiles } from '../../../src/train/engines/ort-training/export.ts';
import { fitModel } from '../../../src/train/fit.ts';
import { initialParameters } from '../../../src/train/parameters/initial.ts';
import type { ProgramRecipe, Recipe } from '../../../src/train/recipe/recipe.ts';
import { resolve } from '../../../src/train/recipe/resolve.ts';
import { train } from '../../../src/train/train.ts';
import { temporaryFolder, userError } from '../../support/files.ts';
import { lowRank, ofBiases } from '../../support/low-rank.ts';

const folder = temporaryFolder();
const { train: ratings } = randomSplit(lowRank({ users: 150, items: 90 }), 0.2, 3);
const names = [
  'training_model.onnx',
  'eval_model.onnx',
  'optimizer_model.onnx',
  'checkpoint',
  'vocabulary.json',
];
const small: Recipe = { objective: 'rating', factors: 3, epochs: 1 };
const artifactFor = async (recipe: ProgramRecipe = small) => (await train(ratings, recipe)).artifact();

describe.each<[string, Recipe]>([
  ['dot-bias', { factors: 60 }],
  ['mlp', { model: 'mlp', factors: [60, 50], hidden: [80, 6], dropout: 0.1 }],
])('%s', (_, chosen) => {
  test('says what it takes and gives, as the training API wants it', async () => {
    const recipe: Recipe = { objective: 'rating', ...chosen, optimizer: 'adamw', epochs: 2, batchSize: 50 };
    const files = trainingFiles(await artifactFor(recipe));
    expect(Object.keys(files)).toEqual(names);
    const read = (name: string) => decodeModel(files[name]).graph;
    const { model } = resolve(recipe, ratings.facts);
    const parameters = Object.keys(model.parameters);
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
      model.name === 'mlp' ? 0.002 : 0.003,
      4,
    );
    const { userIds, itemIds } = ratings;
    expect(JSON.parse(Buffer.from(files['vocabulary.json']).toString())).toEqual({
      user: userIds,
      item: itemIds,
    });
  });

  test('has what the model learned, whatever the precision of its files, or where it began', async () => {
    const recipe: Recipe = { objective: 'rating', ...chosen, epochs: 2, batchSize: 50, seed: 3 };
    const fitted = await fitModel(ratings, recipe, { runtime: await nodeRuntime(), engines: nodeEngines });
    const { model, parameters } = fitted.rating as NonNullable<typeof fitted.rating>;
    const artifact = await artifactOf(fitted);
    expect(trainingFiles(artifact).checkpoint).toEqual(encodeCheckpoint(parameters));
    for (const precision of ['float16', 'int8'] satisfies Precision[]) {
      const { checkpoint } = trainingFiles(await artifactOf(fitted, { precision }));
      const expected = encodeCheckpoint(parameters);
      expect(checkpoint.length).toBe(expected.length);
      const [one, other] = [checkpoint, expected].map((bytes) => new Float32Array(bytes.buffer));
      const differences = one.map((number, index) => Math.abs(number - other[index]));
      const largest = Math.max(...differences.filter(Number.isFinite));
      expect(largest).toBeGreaterThan(0);
      expect(largest).toBeLessThan(precision === 'int8' ? 0.02 : 0.002);
    }
    const untrained = trainingFiles(artifact, { untrained: true });
    const begun = initialParameters(model, 3);
    expect(untrained.checkpoint).toEqual(encodeCheckpoint(begun));
  });
});

test('of a model of both objectives, the part that predicts ratings', async () => {
  const fitted = await train(ratings, { factors: 3, epochs: 1 });
  const { checkpoint, 'eval_model.onnx': evaluates } = trainingFiles(await fitted.artifact());
  const { checkpoint: alone } = trainingFiles(await artifactFor());
  expect(checkpoint).toEqual(alone);
  expect(decodeModel(evaluates).graph.outputs.map(({ name }) => name)).toContain('rating');
});

test('a model that only ranks is refused: these files train ratings', async () => {
  const artifact = await artifactFor({ objective: 'ranking', factors: 3, epochs: 1 });
  expect(await userError((async () => trainingFiles(artifact))())).toBe(
    'the model was trained to rank, and these files train ratings, not rankings; export a model with the objective both or rating, or train with train.onnx',
  );
});

test('a model that the training API trained goes on by the same settings', async () => {
  const artifact = await artifactFor({
    ...small,
    engine: 'ort-training',
    optimizer: { name: 'adamw', beta2: 0.98 },
    schedule: { name: 'one-cycle', momentum: 0.92, momentumLow: 0.8 },
    batchSize: 30,
    loss: 'huber',
    seed: 5,
  });
  const { metadata } = decodeModel(trainingFiles(artifact)['optimizer_model.onnx']);
  const { training, model } = artifact.manifest;
  expect(training).toMatchObject({ optimizer: { beta2: 0.98 }, schedule: { momentum: 0.86 } });
  expect(JSON.parse(metadata.training)).toMatchObject(training);
  expect(JSON.parse(metadata.model)).toEqual(model);
});

test('one learning rate throughout, and the same bytes each time', async () => {
  const artifact = await artifactFor();
  const files = trainingFiles(artifact, { learningRate: 0.001 });
  const { initializers } = decodeModel(files['optimizer_model.onnx']).graph;
  const rates = initializers.find(({ name }) => name === 'learning_rates')?.data as Float32Array;
  expect(new Set(rates)).toEqual(new Set([Math.fround(0.001)]));
  expect(trainingFiles(artifact, { learningRate: 0.001 })).toEqual(files);
});

test('exports at once leave one of them, whole', async () => {
  const artifact = await artifactFor();
  const target = join(folder.path, 'at-once');
  const results = await Promise.allSettled(
    Array.from({ length: 6 }, () => writeTrainingFiles(target, artifact)),
  );
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
  for (const message of failed) expect(message).toMatch(/another cofactor .* is writing there/);
  expect(failed.length).toBeLessThan(6);
  expect((await readdir(target)).sort()).toEqual([...names, '.cofactor', 'files.json'].sort());
});

test('replaces the files of an earlier export, and no others', async () => {
  const artifact = await artifactFor();
  const target = join(folder.path, 'deep/training');
  expect(await writeTrainingFiles(target, artifact)).toEqual(names);
  const next = await artifactFor({ ...small, seed: 2 });
  await writeTrainingFiles(target, next);
  expect(await readFile(join(target, 'checkpoint'))).toEqual(Buffer.from(trainingFiles(next).checkpoint));
  await writeFile(join(target, 'checkpoint'), 'trained further');
  expect(await userError(writeTrainingFiles(target, artifact))).toMatch(
    /checkpoint: is in the way of the new training, and is not as the old one had it; move it/,
  );
  expect(await readdir(join(folder.path, 'deep'))).toEqual(['training']);
  await mkdir(join(folder.path, 'photos'));
  await writeFile(join(folder.path, 'photos/cat.jpg'), 'cat');
  expect(await userError(writeTrainingFiles(join(folder.path, 'photos'), artifact))).toMatch(
    /photos: has other files than those of a training, such as cat\.jpg, and no \.cofactor\/training, which marks/,
  );
  expect(await readdir(join(folder.path, 'photos'))).toEqual(['cat.jpg']);
  expect(await userError(writeTrainingFiles(join(target, 'checkpoint'), artifact))).toMatch(
    /checkpoint: is a file; give a folder$/,
  );
  expect(await userError(writeTrainingFiles('', artifact))).toMatch(/ is ""; give a path$/);
});

test('what another optimizer trained goes on by AdamW, from where it came to', async () => {
  const artifact = await artifactFor({ ...small, optimizer: 'row-adagrad', epochs: 2 });
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
  test('a formula of one’s own that is not given', async () => {
    const artifact = await artifactFor({ model: own, epochs: 1 });
    expect(await userError(writeTrainingFiles(join(folder.path, 'own'), artifact))).toMatch(
      /the model is "own", whose formula its files do not tell; .*\{ definition \}/,
    );
    const files = trainingFiles(artifact, { definition: own });
    expect(Object.keys(files)).toEqual(names);
  });

  test('what is no learning rate, and what is no model', async () => {
    const artifact = await artifactFor();
    for (const learningRate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const files = async () => trainingFiles(artifact, { learningRate });
      expect(await userError(files())).toBe(`learningRate is ${learningRate}; give a number above 0`);
    }
    const definition = 'dot-bias' as unknown as ModelDefinition;
    const files = async () => trainingFiles(artifact, { definition });
    expect(await userError(files())).toMatch(/^definition is not a function/);
  });

  test('a formula that is another', async () => {
    const artifact = await artifactFor();
    const other = async () => trainingFiles(artifact, { definition: dotBias({ factors: 4 }) });
    expect(await userError(other())).toMatch(/does not have "user_factors" as it was trained/);
  });
});

import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { verdictOf } from '../../src/artifact/verdict.ts';
import { writeCheckpoint } from '../../src/train/checkpoint.ts';
import { workplace } from '../support/cli.ts';

const { write, at, text, json, failure, manifest } = workplace();
beforeAll(() => text('train', 'ratings.csv', '--out', 'model', '--factors', '2', '--valid', '0.2'));

test('describes a folder: what was trained on what, how good it is, its files, and how it was trained', async () => {
  const { judged } = await manifest('model');
  const printed = await text('inspect', 'model');
  const lines = printed.split('\n');
  expect(lines[0]).toBe('dot-bias, trained on 360 ratings from 1 to 5: 30 users, 20 items');
  expect(lines[1]).toBe(`  ${verdictOf(judged).sentence}`);
  expect(printed).toMatch(
    /\n {2}Judged on 72 ratings, held out at random, after training on the other 288. The saved model is trained on all of them\n/,
  );
  for (const { rmse } of [judged.rating.model, judged.rating.mean, judged.rating.dampedMeans])
    expect(printed).toContain(rmse.toFixed(4));
  for (const { ndcg } of [judged.ranking.model, judged.ranking.popular])
    expect(printed).toContain(ndcg.toFixed(4));
  expect(printed).toMatch(/\nFiles\n {2}predict\.onnx +the prediction .* private .*B\n/);
  expect(printed).toMatch(/\n {2}items\.json .* public .*\n/);
  const places = ['Judged on', 'Files', 'Made by', 'Objective rating', 'Objective ranking'].map((words) =>
    printed.indexOf(`${words}`),
  );
  expect(places).toEqual(places.toSorted((one, other) => one - other));
  expect(printed).toMatch(/\nObjective rating: factors 2, range \[0,5.5\], initialStd 0\.01/);
  expect(printed).toMatch(/\n {2}\d+ epochs?, training RMSE \d\.\d{4}\n/);
  expect(printed).not.toMatch(/inputs:|operators:/);
  const graph = await text('inspect', 'model', '--graph');
  expect(graph.startsWith(printed)).toBe(true);
  expect(graph).toMatch(/inputs: user: string\[n\], item: string\[n\]\n {2}outputs: rating: float\[n\]/);
  expect(graph).toMatch(/contains user_factors: float\[31, 2\]/);
});

test('says that nothing was held out', async () => {
  await text('train', 'ratings.csv', '--out', 'unjudged', '--epochs', '1', '--factors', '2', '--no-valid');
  expect(await text('inspect', 'unjudged')).toMatch(/\n {2}not judged: nothing was held out\nFiles\n/);
});

test('prints all that a manifest and its graphs say, as JSON', async () => {
  expect(await json('inspect', 'model')).toEqual({
    manifest: await manifest('model'),
    files: Object.fromEntries(
      await Promise.all(
        [
          ...['predict', 'recommend', 'similar', 'fold-in', 'fold-in-many', 'factors', 'seen'],
          ...['train', 'train-ranking'],
        ].map(async (name) => [`${name}.onnx`, await json('inspect', `model/${name}.onnx`)]),
      ),
    ),
  });
});

test('says what a file holds', async () => {
  const summary = await json('inspect', 'model/predict.onnx');
  expect(summary).toMatchObject({
    bytes: (await readFile(at('model/predict.onnx'))).length,
    opsets: { '': expect.any(Number), 'ai.onnx.ml': expect.any(Number) },
    inputs: ['user: string[n]', 'item: string[n]'],
    outputs: ['rating: float[n]'],
    vocabularies: { user_row: 30, item_row: 20 },
    operators: { LabelEncoder: 2, Sigmoid: 1 },
    metadata: { model: 'dot-bias' },
  });
  expect(summary.initializers).toContain('user_factors: float[31, 2]');
  expect(await text('inspect', 'model/predict.onnx')).toMatch(/contains user_factors: float\[31, 2\]/);
});

test('says what a checkpoint holds', async () => {
  await writeCheckpoint(at('model.checkpoint'), {
    settings: { seed: 3 },
    parts: {
      rating: {
        history: [{ loss: 0.5 }],
        carried: { user_bias: { dims: [2], data: Float32Array.of(1, 2) } },
      },
    },
  });
  expect(await json('inspect', 'model.checkpoint')).toMatchObject({
    inputs: [],
    initializers: ['rating.user_bias: float[2]'],
    metadata: { settings: '{"seed":3}', history: '{"rating":[{"loss":0.5}]}' },
  });
  expect(await text('inspect', 'model.checkpoint')).toMatch(/inputs: none/);
});

test('a file that is not a model is refused in one line', async () => {
  const bytes = await readFile(at('model/predict.onnx'));
  await write('cut.onnx', bytes.subarray(0, bytes.length / 2));
  await write('empty.onnx', '');
  await write('noise.onnx', Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 251)));
  for (const file of ['ratings.csv', 'cut.onnx', 'empty.onnx', 'noise.onnx'])
    expect(await failure('inspect', file)).toContain(`${file}: not an ONNX model`);
  expect(await failure('inspect', '.')).toMatch(/no manifest.json/);
  expect(await failure('inspect', 'nothing')).toMatch(/no such file or folder/);
});

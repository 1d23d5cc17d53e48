import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { isSolved, modelNames } from '../../graphs/models/index.ts';
import { Ratings, selectRows } from '../../src/data/dataset/ratings.ts';
import { decodeModel } from '../../src/onnx/index.ts';
import { train } from '../../src/train/train.ts';
import { generator, uniforms } from '../../src/util/random.ts';
import { temporaryFolder } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';
import { pythonForOnnx } from './runtimes.ts';

const folder = temporaryFolder();
/** Ratings by other users than the model was made for, of more items. */
const others = lowRank({ users: 70, items: 55, seed: 2 });
const sizes: Readonly<Record<string, number>> = { users: 70, items: 55 };
const execute = promisify(execFile);

/** A model in closed form has no training graph. */
const learnedNames = modelNames.filter((name) => !isSolved(name));

const cases = learnedNames.flatMap((model) => [
  { model, negatives: 'all' as const },
  { model, negatives: 20 },
]);

test.for(cases)(
  'the list graph of $model, negatives $negatives, trains on a file of ratings in Python',
  async ({ model, negatives }, context) => {
    const python = await pythonForOnnx().catch((error: Error) => context.skip(error.message));
    const { files } = await (
      await train(lowRank(), { model, negatives, factors: 8, epochs: 60, usersPerStep: 4 })
    ).artifact();
    const graph = await folder.write(`${model}-${negatives}.onnx`, Buffer.from(files['train-ranking.onnx']));
    const { userIds, itemIds, users, items, ratings } = others;
    const lines = Array.from(
      users,
      (user, row) => `"${userIds[user]}",${itemIds[items[row]]},${ratings[row]}`,
    );
    const file = await folder.write('others.csv', ['user,item,rating', ...lines, ''].join('\n'));
    const program = 'scripts/python/train_ranking_anywhere.py';
    const { stdout } = await execute(python as string, [program, graph, file]);
    const history = [...stdout.matchAll(/^epoch (\d+): loss (-?\d+\.\d{4})$/gm)].map(([, , loss]) =>
      Number(loss),
    );
    expect(stdout.trim().split('\n')).toHaveLength(history.length);
    expect(history).toHaveLength(60);
    expect(history.at(-1)).toBeLessThan(history[0] - 0.05);
  },
);

test('the list graph of a model of interactions trains on counts in Python', async (context) => {
  const python = await pythonForOnnx().catch((error: Error) => context.skip(error.message));
  // Who likes an item plays it, once or twice.
  const played = (rated: Ratings) =>
    selectRows(
      rated,
      Int32Array.from(rated.users.keys()).filter((at) => rated.ratings[at] >= 4),
    );
  const counted = new Ratings({ ...played(lowRank()), kind: 'interactions' });
  const { files } = await (await train(counted, { factors: 8, epochs: 60, usersPerStep: 4 })).artifact();
  const graph = await folder.write('counts.onnx', Buffer.from(files['train.onnx']));
  const { userIds, itemIds, users, items } = played(others);
  const lines = Array.from(
    users,
    (user, row) => `"${userIds[user]}",${itemIds[items[row]]},${1 + (row % 3)}`,
  );
  const file = await folder.write('counts.csv', ['user,item,plays', ...lines, ...lines, ''].join('\n'));
  const program = 'scripts/python/train_ranking_anywhere.py';
  const { stdout } = await execute(python as string, [program, graph, file]);
  const history = [...stdout.matchAll(/: loss (-?\d+\.\d{4})$/gm)].map(([, loss]) => Number(loss));
  expect(history).toHaveLength(60);
  expect(history.at(-1)).toBeLessThan(history[0] - 0.05);
});

/** An epoch of two steps on numbers at random: 3 users, then 2, with two items each. */
function feedsFor(graph: Uint8Array): Record<string, Tensor> {
  const random = generator(3);
  const feeds: Record<string, Tensor> = {};
  const int32 = (values: number[]) => new Tensor('int32', Int32Array.from(values), [values.length]);
  const int64 = (values: number[]) =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]);
  const given: Record<string, Tensor> = {
    user: int32([9, 3, 40, 11, 5]),
    user_start: int64([0, 3, 5]),
    positive_user: int32([0, 0, 1, 1, 2, 2, 0, 0, 1, 1]),
    positive_item: int32([1, 7, 2, 54, 0, 1, 6, 9, 3, 30]),
    positive_start: int64([0, 6, 10]),
    user_weight: new Tensor('float32', new Float32Array(5).fill(2), [5]),
    learning_rate: new Tensor('float32', Float32Array.of(0.1, 0.05), [2]),
  };
  for (const { name, dims } of decodeModel(graph).graph.inputs) {
    const shape = dims.map((dim) => sizes[dim] ?? Number(dim));
    const size = shape.reduce((product, dim) => product * dim, 1);
    // Of the optimizer's state nothing may be negative.
    const values = uniforms(size || 1, random).map((value) => (name.includes('.') ? value : value - 0.3));
    feeds[name] = given[name] ?? new Tensor('float32', Float32Array.from(values), shape);
  }
  return feeds;
}

test.for(learnedNames)(
  'the list graph of %s gives in Python what it gives in Node',
  async (model, context) => {
    const python = await pythonForOnnx().catch((error: Error) => context.skip(error.message));
    const { files } = await (await train(lowRank(), { model, objective: 'ranking', factors: 8 })).artifact();
    const bytes = files['train.onnx'];
    const feeds = feedsFor(bytes);
    const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
    const expected = await session.run(feeds);
    const plain = Object.entries(feeds).map(([name, { type, dims, data }]) => [
      name,
      { type, dims, data: Array.from(data as Float32Array, Number) },
    ]);
    const graph = await folder.write(`${model}.onnx`, Buffer.from(bytes));
    const inputs = await folder.write(`${model}.json`, JSON.stringify(Object.fromEntries(plain)));
    const { stdout } = await execute(
      python as string,
      ['test/conformance/training/lists.py', graph, inputs],
      {
        maxBuffer: 1 << 26,
      },
    );
    const found: Record<string, number[]> = JSON.parse(stdout);
    expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, { data }] of Object.entries(expected)) {
      const values = data as Float32Array;
      const differences = Array.from(values, (value, at) => Math.abs(value - found[name][at]));
      expect(Math.max(...differences), name).toBeLessThan(1e-5);
    }
  },
);

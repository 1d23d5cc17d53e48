import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { isSolved, modelNames } from '../../graphs/models/index.ts';
import { train } from '../../src/train/train.ts';
import { temporaryFolder } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';
import { pythonForOnnx } from './runtimes.ts';

const folder = temporaryFolder();
/** Ratings by other users than the model was made for, of more items. */
const others = lowRank({ users: 70, items: 55, seed: 2 });

// A model in closed form has no training graph.
test.for(modelNames.filter((name) => !isSolved(name)))(
  'train.onnx of %s trains on a file of ratings in Python',
  async (model, context) => {
    const python = await pythonForOnnx().catch((error: Error) => context.skip(error.message));
    const { files } = await (await train(lowRank(), { model })).artifact();
    const graph = await folder.write(`${model}.onnx`, Buffer.from(files['train.onnx']));
    const { userIds, itemIds, users, items, ratings } = others;
    const lines = Array.from(
      users,
      (user, row) => `"${userIds[user]}",${itemIds[items[row]]},${ratings[row]}`,
    );
    const file = await folder.write('others.csv', ['user,item,rating', ...lines, ''].join('\n'));
    const program = 'scripts/python/train_anywhere.py';
    const { stdout } = await promisify(execFile)(python as string, [program, graph, file]);
    const history = [...stdout.matchAll(/^epoch (\d+): loss (\d+\.\d{4})$/gm)].map(([, , loss]) =>
      Number(loss),
    );
    expect(stdout.trim().split('\n')).toHaveLength(history.length);
    expect(history).toHaveLength(6);
    expect(history.at(-1)).toBeLessThan(0.9 * history[0]);
  },
);

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { dotBias } from '../graphs/dot-bias.ts';
import { mlp } from '../graphs/mlp.ts';
import { pythonEnvironment } from '../scripts/conformance/python.ts';
import { readRatings } from '../src/data/ratings.ts';
import { csvLine } from '../src/data/write.ts';
import { train } from '../src/train/train.ts';
import { temporaryFolder } from './data/files.ts';

const run = promisify(execFile);
const scripts = fileURLToPath(new URL('../scripts/conformance/', import.meta.url));
const folder = temporaryFolder();

const users = ['1', '01', 'Zoë', 'Zoe\u0308', '張偉', '👩‍🚀', 'a "b", c', ' ', "O'Hara", 'два\nряда'];
const items = ['Ω', 'مرحبا', '\u{1F600}', 'null', 'NaN', '1e3', '-1', 'i\u0307'];
/** Unknown ones among them, which look like known ones or like numbers. */
const asked = { users: [...users, 'zoë', '', '2', '張'], items: [...items, 'ω', '', '0', '\u{1F601}'] };

let python: string | Error;
beforeAll(async () => {
  python = await pythonEnvironment('conformance', join(scripts, 'requirements.txt')).catch((error) => error);
}, 300_000);

test.for([
  ['dot-bias', dotBias({ factors: 4, spread: 0.5 })],
  ['mlp', mlp({ factors: 4, hidden: [8, 4], spread: 0.5 })],
] as const)(
  'Python, by ONNX Runtime and the reference evaluator, predicts the same: %s',
  async (model, context) => {
    if (typeof python !== 'string') return context.skip(python.message);
    const [name, definition] = model;
    const ratings = users.flatMap((user, row) =>
      items.map((item, place) => [user, item, 1 + ((row + place) % 5)]),
    );
    const text = [['user', 'item', 'rating'], ...ratings].map(csvLine).join('\n');
    const trained = await train(await readRatings(await folder.write('ratings.csv', text)), definition);
    await trained.save(join(folder.path, name));

    const pairs = asked.users.flatMap((user) => asked.items.map((item) => ({ user, item })));
    const predicted = await (await trained.recommender()).predict(
      pairs.map(({ user }) => user),
      pairs.map(({ item }) => item),
    );
    expect(new Set(predicted).size).toBeGreaterThan(users.length * items.length);
    const json = JSON.stringify(pairs.map((pair, place) => ({ ...pair, rating: predicted[place] })));
    const file = await folder.write(`${name}.json`, json);
    const { stdout } = await run(python, [
      join(scripts, 'check.py'),
      join(folder.path, name, 'predict.onnx'),
      file,
    ]);
    const { checker, onnxruntime, reference } = JSON.parse(stdout);
    expect(checker).toBe('ok');
    expect(onnxruntime.maxDifference).toBeLessThanOrEqual(1e-5);
    expect(reference.maxDifference).toBeLessThanOrEqual(1e-5);
  },
);

/** Compares recommending with NumPy; see docs/benchmarks.md. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Fitted, type Ratings, readRatings, train } from '../../src/index.ts';
import * as onnx from '../../src/onnx/index.ts';
import { pythonForOnnx } from '../../test/conformance/runtimes.ts';
import { describeMachine } from './machine.ts';
import { writeResult } from './result.ts';
import { markdownTable } from './table.ts';

const USERS = 1000;
const K = 10;
const RUNS = 21;

const run = promisify(execFile);
const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

async function seconds(work: () => Promise<unknown>, runs: number): Promise<number> {
  await work();
  const times: number[] = [];
  for (let turn = 0; turn < runs; turn++) {
    const start = performance.now();
    await work();
    times.push((performance.now() - start) / 1000);
  }
  return median(times);
}

/** The user whose number of liked items is nearest to 100: item-item adds up what each of them says. */
function typicalUser({ userIds, users, ratings }: Ratings): string {
  const liked = new Int32Array(userIds.length);
  for (const [at, rating] of ratings.entries()) if (rating >= 4) liked[users[at]]++;
  const far = liked.map((count) => Math.abs(count - 100));
  return userIds[far.indexOf(Math.min(...far))];
}

async function ofCofactor(fitted: Fitted, userIds: readonly string[]) {
  const recommender = await fitted.recommender();
  const rated = Array.from({ length: 20 }, (_, index) => ({
    item: String(index + 1),
    rating: 1 + (index % 5),
  }));
  const result = {
    one: await seconds(() => recommender.recommend([one], { k: K }), RUNS * 20),
    all: await seconds(() => recommender.recommend(userIds, { k: K }), RUNS),
    similar: await seconds(() => recommender.similar(['1'], { k: K }), RUNS * 20),
    foldIn: await seconds(() => recommender.foldIn(rated, { k: K }), RUNS * 5),
  };
  await recommender.release();
  return result;
}

/** NumPy with the same factors. */
async function ofNumpy(fitted: Fitted, folder: string, threads: number) {
  const python = await pythonForOnnx();
  const { files } = await fitted.artifact();
  const { graph } = onnx.decodeModel(files['predict.onnx']);
  for (const { name, data } of graph.initializers)
    if (/_(factors|bias)$/.test(name)) await writeFile(join(folder, `${name}.f32`), data as Float32Array);
  const { stdout } = await run(
    python,
    [path('numpy_recommend.py'), folder, ...[USERS, K, RUNS].map(String)],
    {
      env: { ...process.env, OPENBLAS_NUM_THREADS: String(threads) },
    },
  );
  return JSON.parse(stdout) as { version: string; one: number; all: number };
}

const machine = describeMachine();
const { ratings } = await readRatings(path('../../src/data/sample/ml-latest-small/ratings.csv.gz'));
const one = typicalUser(ratings);
const users = Array.from({ length: USERS }, (_, row) => ratings.userIds[row % ratings.userIds.length]);
const folder = await mkdtemp(join(tmpdir(), 'cofactor-bench-'));
try {
  const dot = await train(ratings, { model: 'dot-bias' });
  const rows = {
    'cofactor, dot-bias (1 thread)': await ofCofactor(dot, users),
    'cofactor, MLP (1 thread)': await ofCofactor(await train(ratings, { model: 'mlp' }), users),
    'cofactor, item-item (1 thread)': await ofCofactor(await train(ratings, { model: 'item-item' }), users),
    'NumPy, dot-bias, 1 thread': await ofNumpy(dot, folder, 1),
    'NumPy, dot-bias, 2 threads': await ofNumpy(dot, folder, 2),
  };
  const items = ratings.itemIds.length;
  const columns = [
    'milliseconds',
    'one user, who likes 100 items',
    `${USERS} users`,
    'million items scored a second',
    'similar to one',
    'fold-in of 20 ratings',
  ];
  const cells = Object.entries(rows).map(([name, row]) => [
    name,
    (row.one * 1000).toFixed(3),
    (row.all * 1000).toFixed(1),
    ((USERS * items) / row.all / 1e6).toFixed(0),
    'similar' in row ? (row.similar * 1000).toFixed(3) : '',
    'similar' in row ? (row.foldIn * 1000).toFixed(2) : '',
  ]);
  console.log(`Best ${K} of ${items} items, medians\n\n${markdownTable([columns, ...cells])}`);
  if (process.argv.includes('--save'))
    await writeResult('recommend', { command: 'npm run bench:recommend', machine, columns, rows: cells });
} finally {
  await rm(folder, { recursive: true, force: true });
}

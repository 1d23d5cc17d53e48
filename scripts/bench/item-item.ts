/** Compares the training of item-item with NumPy and LAPACK on the same pairs; see docs/benchmarks.md. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { pairsOf, positivesOf } from '../../src/data/dataset/positives.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import type { Runtime } from '../../src/run/runtime.ts';
import { solveItemItem } from '../../src/train/item-item.ts';
import { pythonEnvironment } from '../../test/support/python.ts';
import { describeMachine } from './machine.ts';
import { madeUpPairs } from './ranking-data.ts';
import { writeResult } from './result.ts';
import { markdownTable } from './table.ts';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: '1' },
    python: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
});
const threads = Number(options.threads);
const MOVIELENS = path('../../../shared/data/ml-100k/u.data');
const SAMPLE = path('../../src/data/sample/ml-latest-small/ratings.csv.gz');

function madeUp(): Ratings {
  const [users, items] = [40_000, 16_000];
  const { train } = madeUpPairs(users, items, 2_000_000);
  return new Ratings({
    kind: 'interactions',
    userIds: Array.from({ length: users }, (_, user) => `user ${user}`),
    itemIds: Array.from({ length: items }, (_, item) => `item ${item}`),
    ...pairsOf({ ...train, counts: new Int32Array(items) }),
  });
}

const node = await nodeRuntime();
const runtime: Runtime = {
  ...node,
  createSession: (model, given) => node.createSession(model, { ...given, threads }),
};

/** Wall seconds; the best of several, as the first training in a process compiles. */
async function cofactor(data: Ratings): Promise<{ seconds: number; lambda: number }> {
  let best = Number.POSITIVE_INFINITY;
  let lambda = 0;
  for (let turn = 0; turn < (data.itemIds.length > 12_000 ? 1 : 3); turn++) {
    const start = performance.now();
    const { plan } = await solveItemItem(data, { model: 'item-item', positive: 'all' }, { runtime });
    best = Math.min(best, (performance.now() - start) / 1000);
    lambda = plan.model.config.regularization as number;
  }
  return { seconds: best, lambda };
}

async function numpy(data: Ratings, lambda: number, folder: string): Promise<Map<string, number>> {
  const { starts, items } = positivesOf(data, data.facts, 'all');
  await writeFile(join(folder, 'starts.bin'), starts);
  await writeFile(join(folder, 'items.bin'), items);
  const python =
    options.python ?? (await pythonEnvironment('bench-ranking', path('requirements-ranking.txt')));
  const { users, items: count } = data.facts;
  // NumPy's general inverse takes five times as long as LAPACK's for positive definite matrices.
  const inverts = count > 12_000 ? ['cholesky'] : ['cholesky', 'inv'];
  const { stdout } = await promisify(execFile)(
    python,
    [path('item_item_numpy.py'), folder, ...[users, count, lambda].map(String), ...inverts],
    { env: { ...process.env, OPENBLAS_NUM_THREADS: String(threads) } },
  );
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return new Map(lines.map(({ name, seconds }) => [name, seconds]));
}

const machine = describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'cofactor-bench-'));
const rows: string[][] = [];
try {
  const sets: [name: string, read: () => Promise<Ratings>][] = [
    ...(existsSync(MOVIELENS)
      ? [
          ['MovieLens 100K', async () => (await readRatings(MOVIELENS)).ratings] as [
            string,
            () => Promise<Ratings>,
          ],
        ]
      : []),
    ['latest-small', async () => (await readRatings(SAMPLE)).ratings],
    ['made up', async () => madeUp()],
  ];
  for (const [name, read] of sets) {
    const data = await read();
    const { seconds, lambda } = await cofactor(data);
    const theirs = await numpy(data, lambda, folder);
    const [fast = Number.NaN, usual] = [theirs.get('cholesky'), theirs.get('inv')];
    const { users, items, ratings } = data.facts;
    rows.push([
      name,
      ...[users, items, ratings].map((count) => count.toLocaleString('en')),
      ...[seconds, fast].map((one) => one.toFixed(2)),
      usual === undefined ? '–' : usual.toFixed(2),
      (seconds / fast).toFixed(2),
    ]);
    console.error(rows.at(-1)?.join(' | '));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
const columns = [
  'seconds',
  'users',
  'items',
  'pairs',
  'cofactor',
  'LAPACK (potrf, potri)',
  'numpy.linalg.inv',
  'cofactor / LAPACK',
];
console.log(markdownTable([columns, ...rows]));
if (options.save)
  await writeResult('item-item', {
    command: `npm run bench:item-item -- --threads ${threads}`,
    machine,
    note: 'one process after the other; cofactor writes the largest weights, the others the whole matrix',
    columns,
    rows,
  });

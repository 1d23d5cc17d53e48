/** Compares the training of rankings with implicit's ALS and LightFM's WARP on made-up pairs; see docs/benchmarks.md. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { pairsOf } from '../../src/data/dataset/positives.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { rankingMeans } from '../../src/evaluate/ranking.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { trainInShards } from '../../src/train/engines/lists/shards.ts';
import { nodeEngines } from '../../src/train/engines/node.ts';
import { fitModel } from '../../src/train/fit.ts';
import { patternsOf } from '../../src/train/parameters/patterns.ts';
import { createRanker, type TrainingRanker } from '../../src/train/parameters/score.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { pythonEnvironment } from '../../test/support/python.ts';
import { describeMachine } from './machine.ts';
import { madeUpPairs, type Pairs } from './ranking-data.ts';
import { writeResult } from './result.ts';
import { markdownTable } from './table.ts';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const { values: options } = parseArgs({
  options: {
    pairs: { type: 'string', default: '1000000' },
    users: { type: 'string', default: '20000' },
    items: { type: 'string', default: '10000' },
    python: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
});
const [users, items, pairs] = [Number(options.users), Number(options.items), Number(options.pairs)];
const made = madeUpPairs(users, items, pairs);
const runtime = await nodeRuntime();

const rated = Array.from({ length: users }, (_, user) =>
  made.train.items.subarray(made.train.starts[user], made.train.starts[user + 1]),
);
const [train, heldOut] = [made.train, made.heldOut].map(
  (part: Pairs) =>
    new Ratings({
      kind: 'interactions',
      userIds: Array.from({ length: users }, (_, user) => `user ${user}`),
      itemIds: Array.from({ length: items }, (_, item) => `item ${item}`),
      ...pairsOf({ ...part, counts: new Int32Array(items) }),
    }),
);

async function ndcgOf(rank: TrainingRanker): Promise<number> {
  const found = await rankingMeans((users, k) => rank(users, k, rated), rated, heldOut, {
    k: [10],
    threshold: 1,
  });
  return found?.at[0].ndcg ?? 0;
}

/** A point of a method's curve. */
interface Point {
  readonly method: string;
  readonly factors: number;
  /** Epochs or iterations. */
  readonly passes: number;
  /** CPU seconds of training, on one thread. */
  readonly seconds: number;
  readonly ndcg: number;
  /** Whether the method's settings and passes were chosen by a part of the training pairs, or are the defaults. */
  readonly isChosen?: boolean;
}

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function cofactor(method: string, recipe: Recipe): Promise<Point> {
  const start = cpu();
  const { ranking } = await fitModel(train, recipe, {
    runtime,
    engines: nodeEngines,
    inShards: trainInShards,
    patternsOf,
    workers: 1,
  });
  const seconds = cpu() - start;
  if (!ranking) throw new Error('nothing was trained to rank');
  const { plan } = ranking;
  return {
    method,
    factors: plan.model.config.factors as number,
    passes: ranking.history.length,
    seconds,
    ndcg: await ndcgOf(await ranking.ranker(runtime)),
    ...(Object.keys(recipe).length === 0 && { isChosen: true }),
  };
}

async function* ours(): AsyncGenerator<Point> {
  // The first training in a process takes longer.
  await cofactor('', { factors: 8, epochs: 1 });
  for (const factors of [16, 32, 64, 128])
    for (const epochs of [2, 3, 4, 6, 8]) yield cofactor('cofactor, sampled items', { factors, epochs });
  for (const epochs of [3, 6])
    yield cofactor('cofactor, all items', { factors: 16, epochs, negatives: 'all' });
  yield cofactor('cofactor, defaults', {});
}

async function* peers(scratch: string): AsyncGenerator<Point> {
  await writeFile(join(scratch, 'starts.bin'), made.train.starts);
  await writeFile(join(scratch, 'items.bin'), made.train.items);
  const python =
    options.python ?? (await pythonEnvironment('bench-ranking', path('requirements-ranking.txt')));
  const child = spawn(python, [path('ranking_peers.py'), scratch, `${users}`, `${items}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(child.stdout)) {
    const { name, iteration, best, seconds, factors, file } = JSON.parse(line);
    console.error(line);
    const numbers = new Float32Array((await readFile(file)).buffer);
    let at = 0;
    const table = (...dims: number[]) => {
      const from = at;
      at += dims.reduce((size, dim) => size * dim, 1);
      return { dims, data: numbers.slice(from, at) };
    };
    const parameters = {
      user_factors: table(users, factors),
      item_factors: table(items, factors),
      item_bias: table(items),
    };
    const model = dotBias({ factors })(train.facts, 'ranking');
    const ndcg = await ndcgOf((await createRanker(model, runtime))(parameters));
    yield { method: name, factors, passes: iteration, seconds, ndcg, isChosen: iteration === best };
  }
}

const machine = describeMachine();
const scratch = await mkdtemp(join(tmpdir(), 'cofactor-bench-'));
const points: Point[] = [];
try {
  for (const one of [peers(scratch), ours()])
    for await (const point of one) {
      console.error(JSON.stringify(point));
      points.push(point);
    }
} finally {
  await rm(scratch, { recursive: true });
}

const decimals = (value: number, digits: number): string => value.toFixed(digits);
const columns = ['trained on one thread', 'factors', 'passes', 'CPU seconds', 'NDCG@10'];
const rows = points.map(({ method, factors, passes, seconds, ndcg, isChosen }) => [
  isChosen && method !== 'cofactor, defaults' ? `**${method}, as tuned**` : method,
  `${factors}`,
  `${passes}`,
  decimals(seconds, 1),
  decimals(ndcg, 4),
]);
console.log(markdownTable([columns, ...rows]));
const als = points.find(({ method, isChosen }) => method === 'implicit ALS' && isChosen);
const reached = als && points.filter(({ method, ndcg }) => method.startsWith('cofactor') && ndcg >= als.ndcg);
const seconds = Math.min(...(reached ?? []).map((point) => point.seconds));
const note = als
  ? `the NDCG of tuned ALS, which takes ${decimals(als.seconds, 2)} s, takes cofactor ${decimals(seconds, 2)} s, ${decimals(seconds / als.seconds, 1)} times as long`
  : undefined;
console.log(note);
if (options.save)
  await writeResult('ranking', { command: 'npm run bench:ranking', machine, note, columns, rows });

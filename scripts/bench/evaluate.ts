/** Evaluating a million held-out ratings: cofactor against NumPy. README.md says what the rows are. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { itemsOfUsers, recommenderRanker } from '../../src/evaluate/rankers.ts';
import { ranking } from '../../src/evaluate/ranking.ts';
import { evaluate, type Fitted, onnx, randomSplit, readRatings, type Split, train } from '../../src/index.ts';
import { pythonEnvironment } from '../conformance/python.ts';
import { describeMachine } from './machine.ts';
import { writeSynthetic } from './synthetic.ts';

const RUNS = 5;
const OPTIONS = { k: [10, 20], threshold: 4 };

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  let result = await work();
  const times: number[] = [];
  for (let turn = 0; turn < RUNS; turn++) {
    const start = performance.now();
    result = await work();
    times.push((performance.now() - start) / 1000);
  }
  return { result, seconds: median(times) };
}

/** All that `evaluate` gives without ranking, and ranking with its intervals; of strings, as a file has them. */
async function ofCofactor(fitted: Fitted, split: Split) {
  const recommender = await fitted.recommender();
  const rated = itemsOfUsers(split.train);
  const ranker = recommenderRanker(recommender, split.train, rated);
  const errors = await timed(() => evaluate(recommender, split.valid));
  const ranked = await timed(() => ranking(ranker, rated, split.valid, OPTIONS));
  await recommender.release();
  const { rmse, mae } = errors.result;
  return {
    errors: errors.seconds,
    ranking: ranked.seconds,
    metrics: { rmse, mae, ranking: ranked.result?.at.map(({ intervals: _, ...at }) => at) ?? [] },
  };
}

interface OfNumpy {
  version: string;
  errors: number;
  ranking: number;
  metrics: { rmse: number; mae: number; ranking: Record<number, Record<string, number>> };
}

/** The same model and ratings as arrays of rows. */
async function ofNumpy(folder: string, threads: number): Promise<OfNumpy> {
  const python = await pythonEnvironment('conformance', path('../conformance/requirements.txt'));
  const { stdout } = await promisify(execFile)(python, [path('numpy_evaluate.py'), folder, String(RUNS)], {
    env: { ...process.env, OPENBLAS_NUM_THREADS: String(threads) },
  });
  return JSON.parse(stdout);
}

async function writeArrays(folder: string, fitted: Fitted, { train, valid }: Split) {
  const artifact = await fitted.artifact();
  const { graph } = onnx.decodeModel(artifact.files['predict.onnx']);
  const [low, high] = artifact.manifest.model.config.range as [number, number];
  const arrays: Record<string, Float32Array | Int32Array> = {
    'users.i32': valid.users,
    'items.i32': valid.items,
    'ratings.f32': valid.ratings,
    'seen_users.i32': train.users,
    'seen_items.i32': train.items,
  };
  for (const { name, data } of graph.initializers)
    if (/_(factors|bias)$/.test(name)) arrays[`${name}.f32`] = data as Float32Array;
  for (const [name, array] of Object.entries(arrays)) await writeFile(join(folder, name), array);
  await writeFile(join(folder, 'settings.json'), JSON.stringify({ low, high, ...OPTIONS }));
}

/** How far two sets of metrics are apart at most. */
function apart(own: Awaited<ReturnType<typeof ofCofactor>>['metrics'], other: OfNumpy['metrics']): number {
  const pairs = [
    [own.rmse, other.rmse],
    [own.mae, other.mae],
    ...own.ranking.flatMap(({ k, ...at }) =>
      Object.entries(at).map(([name, value]) => [value, other.ranking[k][name]]),
    ),
  ];
  return Math.max(...pairs.map(([one, two]) => Math.abs(one - two)));
}

describeMachine();
const folder = await mkdtemp(join(tmpdir(), 'cofactor-bench-'));
try {
  const facts = await writeSynthetic(folder, { ratings: 2e6, users: 6000, items: 10_000 });
  const split = randomSplit((await readRatings(facts.train)).ratings, 0.5, 1);
  const fitted = await train(split.train, { epochs: 2 });
  await writeArrays(folder, fitted, split);
  const own = await ofCofactor(fitted, split);
  const [one, two] = [await ofNumpy(folder, 1), await ofNumpy(folder, 2)];
  const { train: trained, valid } = split;
  console.log(
    `${valid.ratings.length} held-out ratings; ${trained.userIds.length} users × ${trained.itemIds.length} items; seconds, medians of ${RUNS}`,
  );
  const rows = { cofactor: own, [`NumPy ${one.version}, 1 thread`]: one, 'NumPy, 2 threads': two };
  console.table(
    Object.fromEntries(
      Object.entries(rows).map(([name, row]) => [
        name,
        {
          'predict, errors': row.errors.toFixed(2),
          'to cofactor': (row.errors / own.errors).toFixed(2),
          ranking: row.ranking.toFixed(2),
          'to cofactor ': (row.ranking / own.ranking).toFixed(2),
        },
      ]),
    ),
  );
  console.log(`metrics differ by ${apart(own.metrics, one.metrics).toExponential(1)} at most`);
  console.log(JSON.stringify(rows));
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Milliseconds a step of everything that takes steps of training: README.md beside this file says what the rows are. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Tensors } from '../../graphs/heads/serving.ts';
import { nodeRuntime, type Ratings, type Recipe, readRatings } from '../../src/index.ts';
import { webRuntime } from '../../src/run/web.ts';
import { type Steps, shuffledEpoch, stepsOf } from '../../src/train/engines/batches.ts';
import type { Engine, TrainingTask } from '../../src/train/engines/engine.ts';
import { epochEngine } from '../../src/train/engines/epoch/engine.ts';
import { trainingArtifacts } from '../../src/train/engines/ort-training/artifacts.ts';
import { MODULE, ortTrainingEngine } from '../../src/train/engines/ort-training/engine.ts';
import { initialParameters } from '../../src/train/parameters/initial.ts';
import { resolve } from '../../src/train/recipe/resolve.ts';
import { pythonForTraining } from '../conformance/runtimes.ts';
import { describeMachine } from './machine.ts';
import { markdownTable } from './table.ts';

const DATA = fileURLToPath(new URL('../../../shared/data/ml-100k/u1.base', import.meta.url));
const SAMPLE = fileURLToPath(
  new URL('../../src/data/sample/ml-latest-small/ratings.csv.gz', import.meta.url),
);
const LOOP = fileURLToPath(new URL('ort_training_loop.py', import.meta.url));
const MODELS: Readonly<Record<string, Recipe>> = {
  'dot-bias': { model: 'dot-bias' },
  'mlp, no dropout': { model: 'mlp', dropout: 0 },
  mlp: { model: 'mlp' },
};
const EPOCH_GRAPH = 'epoch graph, Node';
const THREADS = [1, 2];
/** Steps over which losses are compared: rounding errors grow from step to step. */
const COMPARED = 100;

/** One epoch. */
interface Lap {
  readonly seconds: number;
  readonly losses: ArrayLike<number>;
  /** Seconds in each call of the training API. */
  readonly calls?: Calls;
}

type Calls = Readonly<Record<'train' | 'optimize' | 'reset', number>>;

/** Something that trains, epoch by epoch. */
interface Contender {
  readonly name: string;
  readonly version: string;
  readonly threads: number;
  epoch(number: number): Promise<Lap>;
  release(): Promise<unknown>;
}

interface Row extends Pick<Contender, 'name' | 'version' | 'threads'> {
  /** Milliseconds a step of each epoch. */
  readonly epochs: readonly number[];
  readonly milliseconds: number;
  /** The mean over the steps of the last epoch. */
  readonly loss: number;
  /** The largest difference to the epoch graph's losses in the first steps. */
  readonly difference: number;
  /** Its milliseconds over the epoch graph's. */
  readonly ratio: number;
  /** Milliseconds a step in each call of the training API. */
  readonly calls?: Calls;
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      data: { type: 'string' },
      epochs: { type: 'string', default: '5' },
      json: { type: 'string' },
    },
  });
  const file = options.data ?? (existsSync(DATA) ? DATA : SAMPLE);
  if (!existsSync(file)) throw new Error(`no ${file}`);
  const epochs = Number(options.epochs);
  if (!(Number.isSafeInteger(epochs) && epochs > 0)) throw new Error('--epochs takes a whole number from 1');
  if (file === SAMPLE && !options.data)
    console.error('no MovieLens 100K here: the sample data, MovieLens latest-small, instead');
  const { ratings } = await readRatings(file);
  const machine = describeMachine();
  console.log(`${machine.cores} cores, ${machine.processor}, Node ${machine.node}`);
  const models: Record<string, Row[]> = {};
  const notAvailable: Record<string, string> = {};
  for (const [name, recipe] of Object.entries(MODELS)) {
    models[name] = await measure({ ...recipe, epochs }, ratings, notAvailable);
    console.log(`\n${name}\n\n${table(models[name])}`);
  }
  for (const [what, reason] of Object.entries(notAvailable))
    console.log(`\n${what}: not available: ${reason}`);
  if (options.json)
    await writeFile(
      options.json,
      `${JSON.stringify({ machine, file, epochs, models, notAvailable }, null, 2)}\n`,
    );
}

/** Trains one model with all contenders, an epoch of each by turns, from the same beginning and in the same batches. */
async function measure(
  recipe: Recipe & { readonly epochs: number },
  ratings: Ratings,
  notAvailable: Record<string, string>,
): Promise<Row[]> {
  // One momentum throughout, which is all that the training API has.
  const resolved = resolve({ ...recipe, engine: 'ort-training' }, ratings.facts);
  const { model, plan } = resolved;
  const { batch, seed } = plan.training;
  const count = ratings.ratings.length;
  // An epoch is one run.
  const task = { ...resolved, data: ratings, runtime: await nodeRuntime(), ratingsARun: count + batch };
  const steps = stepsOf(count, batch);
  const parameters = initialParameters(model, seed);
  const folder = await mkdtemp(join(tmpdir(), 'cofactor-bench-'));
  await writeFiles(folder, task, parameters, ratings);
  const contenders: Contender[] = [];
  const add = async (name: string, start: () => Promise<Contender>): Promise<void> => {
    try {
      contenders.push(await start());
    } catch (error) {
      notAvailable[name] = (error as Error).message;
    }
  };
  const laps = new Map<Contender, Lap[]>();
  try {
    contenders.push(await inThisProcess(EPOCH_GRAPH, epochEngine, task, parameters, ratings));
    await add('epoch graph, WASM', async () =>
      inThisProcess(
        'epoch graph, WASM',
        epochEngine,
        { ...task, runtime: await webRuntime() },
        parameters,
        ratings,
      ),
    );
    await add('training API, WASM', async () =>
      inThisProcess('training API, WASM', await trainingEngine(), task, parameters, ratings),
    );
    for (const threads of THREADS)
      await add('training API, Python', () => inPython('training API, Python', folder, steps, threads));
    for (let epoch = 0; epoch < recipe.epochs; epoch++) {
      for (const contender of contenders) {
        laps.set(contender, [...(laps.get(contender) ?? []), await contender.epoch(epoch)]);
      }
    }
  } finally {
    for (const contender of contenders) await contender.release();
    await rm(folder, { recursive: true });
  }
  return summarize(laps, steps);
}

async function inThisProcess(
  name: string,
  engine: Engine,
  task: TrainingTask,
  parameters: Tensors,
  ratings: Ratings,
): Promise<Contender> {
  const prepared = await engine.prepare(task);
  const training = await prepared.start({ epochs: 0, carried: parameters });
  return {
    name,
    version: (engine.library ?? task.runtime).version,
    threads: 1,
    async epoch(number) {
      // The order of the ratings is drawn in each epoch, but is no part of a step.
      const begun = performance.now();
      await wholeEpoch(ratings, task, number);
      const drawing = performance.now() - begun;
      const before = { ...spent };
      const started = performance.now();
      const losses: number[] = [];
      for await (const done of training.epoch(number)) losses.push(...Array.from(done.losses));
      const seconds = (performance.now() - started - drawing) / 1000;
      const calls = mapCalls(spent, (total, call) => total - before[call]);
      return { seconds, losses, ...(calls.train > 0 && { calls }) };
    },
    release: () => training.release(),
  };
}

/** The ratings of an epoch, in the order of training. */
async function wholeEpoch(ratings: Ratings, task: TrainingTask, number: number): Promise<Steps> {
  const taken: Steps[] = [];
  const take = async (steps: Steps): Promise<Float32Array> => {
    taken.push(steps);
    return new Float32Array(steps.starts.length - 1);
  };
  for await (const _ of shuffledEpoch(ratings, number, task, () => take));
  return taken[0];
}

/** Seconds that the calls of the training API have taken in this process. */
const spent: Record<keyof Calls, number> = { train: 0, optimize: 0, reset: 0 };
const CALLS = { runTrainStep: 'train', runOptimizerStep: 'optimize', lazyResetGrad: 'reset' } as const;
let engine: Promise<Engine> | undefined;

/** The engine, with a clock at its three calls. */
function trainingEngine(): Promise<Engine> {
  engine ??= (async () => {
    const file = createRequire(import.meta.url).resolve('onnxruntime-training');
    const url = new URL(MODULE, pathToFileURL(file)).href;
    const made = await ortTrainingEngine(url);
    const { prototype } = (await import(url)).TrainingSession;
    for (const [method, call] of Object.entries(CALLS)) {
      const original = prototype[method];
      prototype[method] = async function (...args: unknown[]) {
        const started = performance.now();
        const result = await original.apply(this, args);
        spent[call] += (performance.now() - started) / 1000;
        return result;
      };
    }
    return made;
  })();
  return engine;
}

/** What `ort_training_loop.py` reads. */
async function writeFiles(
  folder: string,
  task: TrainingTask,
  parameters: Tensors,
  ratings: Ratings,
): Promise<void> {
  const { epochs, batch } = task.plan.training;
  const count = ratings.ratings.length;
  const files = trainingArtifacts({ ...task, parameters, steps: epochs * stepsOf(count, batch) });
  const all: Steps[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) all.push(await wholeEpoch(ratings, task, epoch));
  const rows = (of: (steps: Steps) => Int32Array): BigInt64Array =>
    BigInt64Array.from(
      all.flatMap((steps) => [...of(steps)]),
      BigInt,
    );
  const starts = all.flatMap(({ starts }, epoch) => starts.slice(0, -1).map((row) => epoch * count + row));
  const columns = {
    user: rows(({ users }) => users),
    item: rows(({ items }) => items),
    actual: Float32Array.from(all.flatMap(({ ratings }) => [...ratings])),
    start: BigInt64Array.from([...starts, epochs * count], BigInt),
  };
  for (const [name, data] of Object.entries({ ...files, ...columns }))
    await writeFile(join(folder, name), data);
}

async function inPython(name: string, folder: string, steps: number, threads: number): Promise<Contender> {
  const python = await pythonForTraining();
  const child = spawn(python, [LOOP, folder, `--threads=${threads}`, `--steps=${steps}`], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint += text;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (!done) return JSON.parse(value);
    await closed;
    throw new Error(complaint.trim().split('\n').at(-1));
  };
  const { version } = await answer();
  return {
    name,
    version,
    threads,
    epoch(number) {
      child.stdin.write(`${number}\n`);
      return answer();
    },
    release() {
      child.stdin.end();
      return closed;
    },
  };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const mapCalls = (calls: Calls, change: (seconds: number, call: keyof Calls) => number): Calls => ({
  train: change(calls.train, 'train'),
  optimize: change(calls.optimize, 'optimize'),
  reset: change(calls.reset, 'reset'),
});

/** The first contender is what the others are compared with. */
function summarize(contenders: ReadonlyMap<Contender, readonly Lap[]>, steps: number): Row[] {
  const perStep = (seconds: number): number => (1000 * seconds) / steps;
  const timeOf = (laps: readonly Lap[]): number => perStep(median(laps.map(({ seconds }) => seconds)));
  const firstLosses = (laps: readonly Lap[]): number[] => Array.from(laps[0].losses).slice(0, COMPARED);
  const [reference] = contenders.values();
  const expected = firstLosses(reference);
  return [...contenders].map(([{ name, version, threads }, laps]) => ({
    name,
    version,
    threads,
    epochs: laps.map(({ seconds }) => perStep(seconds)),
    milliseconds: timeOf(laps),
    ratio: timeOf(laps) / timeOf(reference),
    ...(laps[0].calls && {
      calls: mapCalls(laps[0].calls, (_, call) =>
        perStep(median(laps.map(({ calls }) => calls?.[call] ?? Number.NaN))),
      ),
    }),
    loss: mean(Array.from(laps[laps.length - 1].losses)),
    difference: Math.max(...firstLosses(laps).map((loss, step) => Math.abs(loss - expected[step]))),
  }));
}

function table(rows: readonly Row[]): string {
  return markdownTable([
    [
      '',
      'version',
      'threads',
      'ms a step',
      'from–to',
      'ratio',
      'train',
      'optimize',
      'reset',
      'last loss',
      'difference',
    ],
    ...rows.map(({ name, version, threads, milliseconds, epochs, ratio, calls, loss, difference }) => [
      name,
      version,
      `${threads}`,
      milliseconds.toFixed(3),
      `${Math.min(...epochs).toFixed(3)}–${Math.max(...epochs).toFixed(3)}`,
      ratio.toFixed(2),
      ...(['train', 'optimize', 'reset'] as const).map((call) => calls?.[call].toFixed(3) ?? ''),
      loss.toFixed(5),
      difference.toExponential(0),
    ]),
  ]);
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});

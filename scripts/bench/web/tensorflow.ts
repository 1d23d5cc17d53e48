/** Trains dot-bias with TensorFlow.js in a worker of the page, by the same recipe on the same split. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ratings } from '../../../src/index.ts';
import { oneCycle } from '../../../src/train/step/schedules.ts';
import { launch, openPage } from './browser.ts';
import { BACKENDS, type Backend, buildTensorflow } from './bundles.ts';
import { median, modelOf, RECIPE, splitOf } from './training.ts';

/** How rows of a table are looked up: see the worker. */
const LOOKUPS = ['scatter', 'gather'] as const;

/** WebAssembly has no kernel for the gradient of gather. */
const COMBINATIONS = BACKENDS.flatMap((backend) =>
  LOOKUPS.filter((lookup) => backend !== 'wasm' || lookup === 'scatter').map((lookup) => ({
    backend,
    lookup,
  })),
);

const ARGUMENTS: Partial<Readonly<Record<Backend, readonly string[]>>> = {
  // A graphics processor made of software, where there may be no other.
  webgl: ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
};

/** Those that take seconds an epoch are run this often. */
const RUNS = 3;
const SHORT = 10;

interface WorkerResult {
  readonly version: string;
  readonly kernels: readonly string[];
  /** Seconds. */
  readonly epochs: readonly number[];
  /** Of an epoch that was run. */
  readonly part: number;
  readonly rmse?: number;
}

export interface TensorflowRow {
  readonly backend: string;
  readonly lookup: string;
  readonly version?: string;
  readonly secondsAnEpoch?: number;
  readonly part?: number;
  readonly rmse?: number;
  readonly kernels?: readonly string[];
  readonly problem?: string;
}

/** @param folder what is served at `url` under `/tensorflow/` */
export async function measureTensorflow(url: string, folder: string, file: string): Promise<TensorflowRow[]> {
  for (const backend of BACKENDS) await buildTensorflow(folder, backend);
  await writeFile(join(folder, 'task.json'), JSON.stringify(await taskFor(file)));
  const rows: TensorflowRow[] = [];
  for (const { backend, lookup } of COMBINATIONS) {
    try {
      const runs = [await run(url, backend, lookup)];
      const [{ epochs, part, ...first }] = runs;
      while (part === 1 && epochs[0] < SHORT && runs.length < RUNS)
        runs.push(await run(url, backend, lookup));
      const secondsAnEpoch = median(runs.map(({ epochs }) => mean(epochs)));
      const { rmse } = first;
      rows.push({ backend, lookup, ...first, secondsAnEpoch, part, rmse });
      console.error(`TensorFlow.js, ${backend}, ${lookup}: ${secondsAnEpoch.toFixed(2)} s an epoch`);
    } catch (error) {
      rows.push({ backend, lookup, problem: (error as Error).message.split('\n')[0] });
    }
  }
  return rows;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The split and the recipe, in numbers. */
async function taskFor(file: string) {
  const split = await splitOf(file);
  const { parameters, config } = modelOf(split);
  const { epochs, batch } = RECIPE;
  const count = split.train.ratings.length;
  const steps = Math.ceil(count / batch);
  const { at } = oneCycle({ learningRate: 5e-3 });
  const recipe = {
    parameters,
    range: config.range,
    epochs,
    beta2: 0.99,
    epsilon: 1e-5,
    weightDecay: 0.1,
    starts: Array.from({ length: steps + 1 }, (_, step) => Math.floor((step * count) / steps)),
    schedule: Array.from({ length: epochs * steps }, (_, step) => at(step / (epochs * steps))),
  };
  const plain = ({ users, items, ratings }: Ratings) => ({
    users: [...users],
    items: [...items],
    ratings: [...ratings],
  });
  return { recipe, split: { train: plain(split.train), valid: plain(split.valid) } };
}

async function run(url: string, backend: Backend, lookup: string): Promise<WorkerResult> {
  const browser = await launch(ARGUMENTS[backend]);
  try {
    const page = await openPage(browser, url);
    return await page.evaluate(
      async ({ backend, lookup }) => {
        const task = await (await fetch('/tensorflow/task.json')).json();
        const worker = new Worker(`/tensorflow/${backend}.js`, { type: 'module' });
        return new Promise<WorkerResult>((resolve, reject) => {
          worker.onmessage = ({ data }) =>
            'done' in data ? resolve(data.done) : reject(new Error(data.failed));
          worker.onerror = ({ message }) => reject(new Error(message));
          worker.postMessage({ backend, lookup, ...task });
        });
      },
      { backend, lookup },
    );
  } finally {
    await browser.close();
  }
}

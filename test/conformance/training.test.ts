import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Ratings } from '../../src/data/dataset/ratings.ts';
import { metrics } from '../../src/evaluate/metrics.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { type Steps, shuffledEpoch } from '../../src/train/engines/batches.ts';
import type { Engine } from '../../src/train/engines/engine.ts';
import { epochEngine } from '../../src/train/engines/epoch/engine.ts';
import { trainingArtifacts } from '../../src/train/engines/ort-training/artifacts.ts';
import {
  type TrainingExportOptions,
  writeTrainingFiles,
} from '../../src/train/engines/ort-training/export.ts';
import { ortTraining } from '../../src/train/engines/ort-training/node.ts';
import { initialParameters } from '../../src/train/parameters/initial.ts';
import { createScorer } from '../../src/train/parameters/score.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { resolve } from '../../src/train/recipe/resolve.ts';
import { type Fitted, train } from '../../src/train/train.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { temporaryFolder } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';
import { pythonForTraining, withTrainingApi } from './runtimes.ts';

const folder = temporaryFolder();
const few = lowRank();
/** Enough that chance, which drops other elements in each runtime, comes to little. */
const many = lowRank({ users: 200, items: 100 });
const EPOCHS = 5;

let python: string | undefined;
let reason = '';
beforeAll(async () => {
  python = await pythonForTraining().catch((error: Error) => {
    reason = error.message;
    return undefined;
  });
}, 600_000);

/** Runs a Python program. @returns what it prints */
async function call(program: string, ...args: string[]): Promise<string> {
  const options = { env: withTrainingApi, maxBuffer: 1 << 28 };
  return (await promisify(execFile)(python as string, [program, ...args], options)).stdout;
}

/** A task, and its batches in the order of training. */
async function prepare(model: Recipe, ratings: Ratings, stepsAnEpoch: number) {
  const batchSize = Math.ceil(ratings.ratings.length / stepsAnEpoch);
  const recipe: Recipe = { ...model, engine: 'ort-training', epochs: EPOCHS, batchSize, learningRate: 0.02 };
  const resolved = resolve(recipe, ratings.facts);
  const batches: Steps[] = [];
  for (let number = 0; number < EPOCHS; number++) {
    const epoch = shuffledEpoch(ratings, number, resolved, () => async (steps) => {
      batches.push(steps);
      return new Float32Array(steps.starts.length - 1);
    });
    for await (const _ of epoch);
  }
  return {
    task: { ...resolved, data: ratings },
    parameters: initialParameters(resolved.model, 1),
    batches: batches.flatMap(batchesOf),
  };
}

type Prepared = Awaited<ReturnType<typeof prepare>>;

/** @returns the loss of each step */
async function byEngine(engine: Engine, { task, parameters }: Prepared): Promise<number[]> {
  const prepared = await engine.prepare({ ...task, runtime: await nodeRuntime() });
  const training = await prepared.start({ epochs: 0, carried: parameters });
  const taken: number[] = [];
  for (let number = 0; number < EPOCHS; number++)
    for await (const { losses } of training.epoch(number)) taken.push(...Array.from(losses));
  await training.release();
  return taken;
}

interface Results {
  readonly losses: readonly number[];
  readonly again: readonly number[];
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly ratings: readonly number[];
}

async function byPython({ task, parameters, batches }: Prepared) {
  const own = await mkdtemp(join(folder.path, 'steps-'));
  const artifacts = trainingArtifacts({ ...task, parameters, steps: batches.length });
  const plain = batches.map((batch) => mapValues(batch, (column) => Array.from(column)));
  for (const [name, content] of Object.entries({ ...artifacts, 'batches.json': JSON.stringify(plain) }))
    await writeFile(join(own, name), content);
  const results: Results = JSON.parse(await call('test/conformance/training/steps.py', own));
  return { results, last: batches[batches.length - 1], file: await readFile(join(own, 'trained.onnx')) };
}

const batchesOf = ({ users, items, ratings, starts }: Steps) =>
  starts.slice(1).map((to, step) => ({
    user: users.slice(starts[step], to),
    item: items.slice(starts[step], to),
    actual: ratings.slice(starts[step], to),
  }));

/** By a file that Python wrote, in onnxruntime-node. */
async function predict(file: Uint8Array, users: Int32Array, items: Int32Array): Promise<Float32Array> {
  const rows = (all: Int32Array) => new Tensor('int64', BigInt64Array.from(all, BigInt));
  const session = await InferenceSession.create(file);
  const { rating } = await session.run({ user: rows(users), item: rows(items) });
  await session.release();
  return rating.data as Float32Array;
}

/** The largest difference. */
function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  const largest = Math.max(...Array.from(expected, (value, at) => Math.abs(actual[at] - value)));
  return largest;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe.each<[string, Recipe]>([
  ['dot-bias', { factors: 3, initialStd: 0.1 }],
  ['mlp', { model: 'mlp', factors: 4, hidden: [8, 4], dropout: 0, initialStd: 0.1 }],
])('100 steps of %s without dropout, in Python', (_, recipe) => {
  let prepared: Prepared;
  let done: Awaited<ReturnType<typeof byPython>>;
  beforeAll(async () => {
    prepared = await prepare(recipe, few, 20);
    if (python) done = await byPython(prepared);
  });

  test('are those of both engines', async (context) => {
    if (!python) context.skip(reason);
    const { losses } = done.results;
    expect(losses).toHaveLength(100);
    expect(mean(losses.slice(-20))).toBeLessThan(0.8 * mean(losses.slice(0, 20)));
    expect(difference(losses, await byEngine(await ortTraining(), prepared))).toBeLessThan(1e-4);
    expect(difference(losses, await byEngine(epochEngine, prepared))).toBeLessThan(1e-4);
  });

  test('may be interrupted by saving and loading a checkpoint', async (context) => {
    if (!python) context.skip(reason);
    const { losses, again } = done.results;
    expect(difference(again, losses.slice(50))).toBeLessThan(1e-5);
  });

  test('give a model that predicts what our heads do', async (context) => {
    if (!python) context.skip(reason);
    const { results, last, file } = done;
    const { model } = prepared.task;
    const parameters = mapValues(model.parameters, ({ dims }, name) => ({
      dims,
      data: Float32Array.from(results.parameters[name]),
    }));
    const scorer = await createScorer(prepared.task, await nodeRuntime());
    const expected = await scorer.score(parameters, last.user, last.item);
    expect(difference(results.ratings, expected)).toBeLessThan(1e-5);

    expect(difference(await predict(file, last.user, last.item), expected)).toBeLessThan(1e-5);
  });
});

test('with dropout the loss falls in Python as it does here', async (context) => {
  if (!python) context.skip(reason);
  const recipe: Recipe = { model: 'mlp', factors: 4, hidden: [8, 4], dropout: [0.1, 0.05], initialStd: 0.1 };
  const prepared = await prepare(recipe, many, 100);
  const ofEpochs = (losses: readonly number[]) =>
    Array.from({ length: EPOCHS }, (_, epoch) => mean(losses.slice(100 * epoch, 100 * (epoch + 1))));
  const { losses } = (await byPython(prepared)).results;
  const means = ofEpochs(losses);
  expect(means[EPOCHS - 1]).toBeLessThan(0.5 * means[0]);
  for (const engine of [await ortTraining(), epochEngine]) {
    const ours = await byEngine(engine, prepared);
    expect(difference(losses, ours)).toBeGreaterThan(1e-3);
    for (const [epoch, loss] of ofEpochs(ours).entries()) {
      expect(Math.abs(means[epoch] - loss)).toBeLessThan(0.1 * loss);
    }
  }
});

describe.each<[string, Recipe]>([
  ['dot-bias', { factors: 3 }],
  ['mlp', { model: 'mlp', factors: 4, hidden: [8], dropout: 0.1 }],
])('train.py and training files of %s', (name, recipe) => {
  let model: Fitted;
  let file: string;
  const chosen: Recipe = {
    ...recipe,
    ...{ optimizer: 'adamw', epochs: 10, batchSize: 20, learningRate: 0.02 },
    // As the loss is.
    clip: false,
  };
  beforeAll(async () => {
    model = await train(few, chosen);
    const { userIds, itemIds, users, items } = few;
    const lines = Array.from(
      few.ratings,
      (rating, row) => `"${userIds[users[row]]}",${itemIds[items[row]]},${rating}`,
    );
    const strangers = 'a stranger,item 1,5';
    file = await folder.write(`${name}.csv`, ['user,item,rating', ...lines, strangers, ''].join('\n'));
  });

  /** The loss before, and of each epoch, and the mean squared error of the model that it writes. */
  async function trainOn(options: TrainingExportOptions) {
    const own = await mkdtemp(join(folder.path, 'training-'));
    await writeTrainingFiles(own, await model.artifact(), options);
    const stdout = await call('scripts/python/train.py', own, file, `${own}.onnx`);
    const lines = [...stdout.matchAll(/^(before|epoch \d+): loss (\d+\.\d{4})$/gm)];
    expect(stdout.trim().split('\n')).toHaveLength(lines.length);
    expect(lines).toHaveLength(11);
    const [before, ...epochs] = lines.map(([, , loss]) => Number(loss));
    const predicted = await predict(await readFile(`${own}.onnx`), few.users, few.items);
    return { before, epochs, error: metrics(predicted, few.ratings).rmse ** 2 };
  }

  /** The loss of the first epoch from where biases are at their center, as those of untrained files are. */
  async function firstLoss(): Promise<number> {
    const task = { ...resolve(chosen, few.facts), data: few, runtime: await nodeRuntime() };
    const training = await (await epochEngine.prepare(task)).start({
      epochs: 0,
      carried: initialParameters(task.model, task.plan.training.seed),
    });
    const losses: number[] = [];
    for await (const steps of training.epoch(0)) losses.push(...Array.from(steps.losses));
    await training.release();
    return mean(losses);
  }

  test('go on from what was learned', async (context) => {
    if (!python) context.skip(reason);
    const { before, epochs, error } = await trainOn({});
    expect(before).toBeCloseTo((model.metrics.train?.rmse ?? 0) ** 2, 3);
    const anew = await trainOn({ untrained: true });
    expect(Math.max(...epochs)).toBeLessThan(0.5 * anew.epochs[0]);
    expect(error).toBeLessThan(before);
  });

  test('begin anew', async (context) => {
    if (!python) context.skip(reason);
    const { before, epochs, error } = await trainOn({ untrained: true });
    // The order of the ratings is another.
    expect(epochs[0]).toBeCloseTo(await firstLoss(), 1);
    expect(epochs[9]).toBeLessThan(0.5 * epochs[0]);
    expect(error).toBeLessThan(0.5 * before);
  });
});

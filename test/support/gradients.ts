/** The gradients of training models in each way that computes them. */
import { expect } from 'vitest';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import { type Dropout, type ModelDefinition, noDropout, ratingOf } from '../../graphs/models/model.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import {
  add,
  buildModel,
  decodeModel,
  dropout,
  encodeModel,
  gather,
  initializer,
  input,
  mul,
  reduceMean,
} from '../../src/onnx/index.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { epochEngine } from '../../src/train/engines/epoch/engine.ts';
import { trainingArtifacts } from '../../src/train/engines/ort-training/artifacts.ts';
import { initialParameters } from '../../src/train/parameters/initial.ts';
import { resolve } from '../../src/train/recipe/resolve.ts';
import { type LossName, losses } from '../../src/train/step/losses.ts';
import { sgd } from '../../src/train/step/optimizers/sgd.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { generator, normals, uniforms } from '../../src/util/random.ts';
import { ofBiases } from './low-rank.ts';
import { loadTrainingRuntime } from './training-runtime.ts';

const SEED = 3;
const BUFFER = '_grad.accumulation.buffer';
const facts = { users: 40, items: 30, ratings: 20_000, low: 1, high: 5, mean: 3 };

/** A table that is looked up twice, and one that is used as a whole too. */
const own = ofBiases(({ user_bias, item_bias }, user, item) =>
  add(
    mul(gather(user_bias, user), gather(user_bias, item)),
    add(gather(item_bias, item), reduceMean(item_bias)),
  ),
);

interface Case {
  readonly name: string;
  readonly definition: ModelDefinition;
  readonly loss: LossName;
  /** Ratings in each batch, of 40 users and 30 items. */
  readonly batches?: readonly number[];
}

const every = Object.keys(losses) as LossName[];
const mlps = { 'no hidden layer': [], 'one hidden layer': [8], 'three hidden layers': [16, 8, 4] };
export const plain: Case[] = [
  ...every.map((loss) => ({
    name: `dot-bias, ${loss}`,
    definition: dotBias({ factors: 5, initialStd: 0.3 }),
    loss,
  })),
  ...Object.entries(mlps).flatMap(([name, hidden]) =>
    every.map((loss) => ({
      name: `mlp, ${name}, ${loss}`,
      definition: mlp({ factors: [6, 4], hidden, dropout: 0, initialStd: 0.5 }),
      loss,
    })),
  ),
  { name: 'a formula of one’s own', definition: own, loss: 'mse' },
  // Work for several threads, which all have something to add to every row.
  {
    name: 'dot-bias, a large batch',
    definition: dotBias({ factors: 50, initialStd: 0.2 }),
    loss: 'mse',
    batches: [20_000, 20_000],
  },
  {
    name: 'mlp, a large batch',
    definition: mlp({ hidden: [20], dropout: 0, initialStd: 0.2 }),
    loss: 'huber',
    batches: [20_000, 20_000],
  },
];
export const dropping: Case[] = [
  {
    name: 'mlp, dropout after the embeddings',
    definition: mlp({ factors: 6, hidden: [8], dropout: 0.3, initialStd: 0.5 }),
    loss: 'mse',
  },
  {
    name: 'mlp, dropout everywhere',
    definition: mlp({ factors: 6, hidden: [8, 4], dropout: [0.1, 0.4, 0.2], initialStd: 0.5 }),
    loss: 'huber',
    batches: [5, 64, 64, 2000],
  },
];

interface Batch {
  readonly user: Int32Array;
  readonly item: Int32Array;
  readonly actual: Float32Array;
}

export interface Step {
  readonly loss: number;
  /** By parameter, dense. */
  readonly gradients: Readonly<Record<string, ArrayLike<number>>>;
}

const random = generator(SEED);

function batchOf(size: number): Batch {
  const rows = (count: number) => Int32Array.from(uniforms(size, random), (part) => Math.floor(part * count));
  const actual = normals(size, 1, random).map((noise) => 3 + noise);
  return { user: rows(facts.users), item: rows(facts.items), actual };
}

export function prepare({ definition, loss, batches = [1, 20, 64] }: Case) {
  const recipe = { model: definition, engine: 'ort-training', loss, seed: SEED, batchSize: 2 ** 20 } as const;
  const resolved = resolve(recipe, facts);
  // What starts at zero, such as the last layer, would hide the gradients behind it.
  const parameters = mapValues(initialParameters(resolved.model, SEED), ({ dims, data }) => ({
    dims,
    data: data.every((value) => value === data[0]) ? normals(data.length, 0.3, random) : data,
  }));
  return { ...resolved, parameters, steps: 10, batches: batches.map(batchOf) };
}

export type Prepared = ReturnType<typeof prepare>;

const ids = (name: string, count: number): string[] => Array.from({ length: count }, (_, row) => name + row);
const vocabulary = { userIds: ids('user ', facts.users), itemIds: ids('item ', facts.items) };

/** The gradient is what momentum has after the first step, which takes all ratings. */
export async function byEpochGraph({ parameters, batches, ...resolved }: Prepared): Promise<Step[]> {
  const runtime = await nodeRuntime();
  const optimizer = sgd({ momentum: true });
  const taken: Step[] = [];
  for (const { user, item, actual } of batches) {
    const data = new Ratings({ ...vocabulary, users: user, items: item, ratings: actual });
    const prepared = await epochEngine.prepare({ ...resolved, optimizer, data, runtime });
    const training = await prepared.start({ epochs: 0, carried: parameters });
    const losses: number[] = [];
    for await (const done of training.epoch(0)) losses.push(...Array.from(done.losses));
    expect(losses).toHaveLength(1);
    const carried = await training.carried();
    await training.release();
    taken.push({
      loss: losses[0],
      gradients: mapValues(resolved.model.parameters, (_, name) => carried[`${name}.velocity`].data),
    });
  }
  return taken;
}

/** The training model, whose gradients become outputs, so that an ordinary session gives them. */
export async function byTrainingModel(prepared: Prepared): Promise<Step[]> {
  const { InferenceSession, Tensor } = await loadTrainingRuntime();
  const file = decodeModel(trainingArtifacts(prepared)['training_model.onnx']);
  const { graph } = file;
  const { parameters, batches } = prepared;
  const gradients = mapValues(parameters, ({ dims }, name) => {
    const accumulator = graph.nodes.find(({ inputs }) => inputs[0] === `${name}${BUFFER}`);
    return { name: accumulator?.inputs[1] as string, dtype: 'float', dims } as const;
  });
  const outputs = [...graph.outputs, ...Object.values(gradients)];
  const session = await InferenceSession.create(encodeModel({ ...file, graph: { ...graph, outputs } }));
  const state = Object.entries(parameters).flatMap(([name, { dims, data }]) => [
    [name, new Tensor('float32', data, dims)],
    [`${name}${BUFFER}`, new Tensor('float32', new Float32Array(data.length), dims)],
  ]);
  const rows = (all: Int32Array) => new Tensor('int64', BigInt64Array.from(all, BigInt));
  const taken: Step[] = [];
  for (const { user, item, actual } of batches) {
    const results = await session.run({
      ...Object.fromEntries(state),
      lazy_reset_grad: new Tensor('bool', [true]),
      user: rows(user),
      item: rows(item),
      actual: new Tensor('float32', actual),
    });
    taken.push({
      loss: Number(results.loss.data[0]),
      gradients: mapValues(gradients, ({ name }) => results[name].data as Float32Array),
    });
  }
  await session.release();
  return taken;
}

export const withoutDropout = ({ model, ...rest }: Prepared): Prepared => ({
  ...rest,
  model: {
    ...model,
    score: (parameters, user, item) => model.score(parameters, user, item, noDropout),
  },
});

/** What `generate_artifacts` begins with: parameters are initializers. */
export function forwardFile({ model, plan, parameters }: Prepared): Uint8Array {
  let dropouts = 0;
  const drop: Dropout = (x, rate) => (rate === 0 ? x : dropout(x, rate, 1000 * SEED + ++dropouts, 'dropout'));
  const [user, item] = [input('user', 'int64', ['batch']), input('item', 'int64', ['batch'])];
  const actual = input('actual', 'float', ['batch']);
  const values = mapValues(parameters, ({ dims, data }, name) => initializer(name, 'float', dims, data));
  const each = losses[plan.training.loss].each(ratingOf(model, values, { user, item }, drop), actual);
  const loss = reduceMean(each, {}, 'loss');
  return encodeModel(buildModel({ name: 'forward', inputs: [user, item, actual], outputs: { loss } }));
}

export function expectSame(actual: readonly Step[], expected: readonly Step[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [index, { loss, gradients }] of expected.entries()) {
    expect(Math.abs(actual[index].loss - loss)).toBeLessThan(1e-5);
    expect(Object.keys(actual[index].gradients)).toEqual(Object.keys(gradients));
    for (const [name, gradient] of Object.entries(gradients)) {
      const other = actual[index].gradients[name];
      expect(other).toHaveLength(gradient.length);
      const largest = Math.max(...Array.from(gradient, Math.abs));
      const difference = Math.max(...Array.from(gradient, (slope, at) => Math.abs(other[at] - slope)));
      // Of a large batch's small gradients, one addition lost among thousands would be less than 1e-5.
      expect(difference, name).toBeLessThanOrEqual(1e-5 * Math.min(1, largest));
    }
  }
}

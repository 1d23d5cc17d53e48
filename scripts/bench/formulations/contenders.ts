/** What is timed: each does some work a lap. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  add,
  buildModel,
  encodeModel,
  input,
  loop,
  type ModelFile,
  slice,
  type Value,
} from '../../../src/onnx/index.ts';
import { epochGraph } from '../../../src/train/engines/epoch/graph.ts';
import { initialParameters } from '../../../src/train/parameters/initial.ts';
import { carriedDims } from '../../../src/train/step/layout.ts';
import { losses } from '../../../src/train/step/losses.ts';
import { mapValues } from '../../../src/util/map-values.ts';
import { generator, normals, uniforms } from '../../../src/util/random.ts';
import { singleStep } from './layouts.ts';
import { type Formulation, layoutOf, modelOf } from './list.ts';

export interface Contender {
  /** Ratings trained or bytes moved. */
  readonly work: number;
  /** @returns the loss of its last step */
  lap(): Promise<number>;
  /** Ends profiling, if the session was told to. */
  end(): void;
}

/** In a lap: two or three strata of 10 million ratings of 100,000 users and 20,000 items. */
export const RATINGS = 2 ** 17;

const OPTIONS: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
};

const open = (file: ModelFile, options: InferenceSession.SessionOptions): Promise<InferenceSession> =>
  InferenceSession.create(encodeModel(file), { ...OPTIONS, ...options });

export async function contender(
  formulation: Formulation,
  options: InferenceSession.SessionOptions = {},
): Promise<Contender> {
  const { optimizer, rows, inPlace } = formulation;
  const model = modelOf(rows);
  const initial = initialParameters(model, 1);
  const carried = mapValues(
    carriedDims(model, optimizer),
    (dims, name) =>
      new Tensor('float32', initial[name]?.data ?? new Float32Array(dims.reduce((a, b) => a * b, 1)), dims),
  );
  return (inPlace ? stepByStep : looped)(formulation, carried, options);
}

async function looped(
  { optimizer, layout, rows, learningRate, ...formulation }: Formulation,
  carried: Record<string, Tensor>,
  options: InferenceSession.SessionOptions,
): Promise<Contender> {
  const model = modelOf(rows);
  const { file } = epochGraph(model, {
    ...{ optimizer, loss: losses.mse, lazy: true },
    layout: layout?.(model),
  });
  const session = await open(file, options);
  const { users, items, ratings } = ratingsOf({ ...formulation, rows });
  const trip = formulation.batch * formulation.steps;
  const trips = RATINGS / trip;
  const ofSteps = (value: number): Tensor => new Tensor('float32', new Float32Array(trips).fill(value));
  const feeds = {
    user: new Tensor('int32', users),
    item: new Tensor('int32', items),
    actual: new Tensor('float32', ratings),
    batch_start: new Tensor(
      'int64',
      BigInt64Array.from({ length: trips + 1 }, (_, at) => BigInt(at * trip)),
    ),
    learning_rate: ofSteps(learningRate),
    momentum: ofSteps(0.9),
  };
  let tables: Record<string, Tensor> = carried;
  let steps = 1;
  return {
    work: RATINGS,
    async lap() {
      const results = await session.run({
        ...tables,
        ...feeds,
        first_step: new Tensor('float32', [steps], []),
      });
      steps += trips;
      tables = mapValues(tables, (_, name) => results[`${name}.next`] as Tensor);
      return (results.loss.data as Float32Array)[trips - 1];
    },
    end: () => session.endProfiling(),
  };
}

async function stepByStep(
  { optimizer, rows, learningRate, ...formulation }: Formulation,
  carried: Record<string, Tensor>,
  options: InferenceSession.SessionOptions,
): Promise<Contender> {
  const session = await open(singleStep(optimizer, layoutOf(optimizer, modelOf(rows))), options);
  const { users, items, ratings } = ratingsOf({ ...formulation, rows });
  const { batch } = formulation;
  const batches = Array.from({ length: RATINGS / batch }, (_, at) => {
    const ids = (all: Int32Array): Tensor =>
      new Tensor('int64', BigInt64Array.from(all.subarray(at * batch, (at + 1) * batch), BigInt));
    return {
      user: ids(users),
      item: ids(items),
      actual: new Tensor('float32', ratings.slice(at * batch, (at + 1) * batch)),
      learning_rate: new Tensor('float32', [learningRate], []),
    };
  });
  const loss = new Tensor('float32', new Float32Array(1), []);
  const outputs: Record<string, Tensor> = { loss };
  for (const [name, table] of Object.entries(carried)) outputs[`${name}.next`] = table;
  return {
    work: RATINGS,
    async lap() {
      for (const one of batches) await session.run({ ...carried, ...one }, outputs);
      return (loss.data as Float32Array)[0];
    },
    end: () => session.endProfiling(),
  };
}

/** Ratings of few users and items most, as in life; by biases and noise. */
function ratingsOf({
  rows,
  batch,
  sortedBy,
  listLength,
}: Pick<Formulation, 'rows' | 'batch' | 'sortedBy' | 'listLength'>) {
  const random = generator(1, -4);
  const [userBias, itemBias] = [normals(rows, 0.4, random), normals(rows, 0.4, random)];
  const [userDraws, itemDraws] = [uniforms(RATINGS, random), uniforms(RATINGS, random)];
  const noise = normals(RATINGS, 0.7, random);
  const row = (draw: number): number => Math.floor(rows * draw ** 2);
  const drawn = Array.from({ length: RATINGS }, (_, place) => {
    const user = row(userDraws[place - (place % listLength)]);
    const item = row(itemDraws[place]);
    const rating = Math.round(3.5 + userBias[user] + itemBias[item] + noise[place]);
    return { user, item, rating: Math.min(5, Math.max(1, rating)) };
  });
  const ordered = sortedBy
    ? Array.from({ length: RATINGS / batch }, (_, at) =>
        drawn.slice(at * batch, (at + 1) * batch).sort((one, other) => one[sortedBy] - other[sortedBy]),
      ).flat()
    : drawn;
  return {
    users: Int32Array.from(ordered, ({ user }) => user),
    items: Int32Array.from(ordered, ({ item }) => item),
    ratings: Float32Array.from(ordered, ({ rating }) => rating),
  };
}

/** So many that what else a trip and a run take is little. */
const [ADDITIONS, BYTES_A_LAP] = [16, 2 ** 29];

/** Adds arrays of so many numbers: reads two, writes one. */
export async function adder(size: number): Promise<Contender> {
  const [x, y] = [input('x', 'float', [size]), input('y', 'float', [size])];
  const trips = input('trips', 'int64', []);
  const { state } = loop(trips, [x], (_, [sum]) => {
    let result: Value = sum;
    for (let addition = 0; addition < ADDITIONS; addition++) result = add(result, y);
    return { state: [result], scan: [] };
  });
  const session = await open(
    buildModel({ name: 'add', inputs: [x, y, trips], outputs: { first: slice(state[0], 0, 1) } }),
    {},
  );
  const bytes = 3 * 4 * size * ADDITIONS;
  const times = Math.max(1, Math.round(BYTES_A_LAP / bytes));
  const feeds = {
    x: new Tensor('float32', new Float32Array(size).fill(1)),
    y: new Tensor('float32', new Float32Array(size)),
    trips: new Tensor('int64', [BigInt(times)], []),
  };
  return {
    work: bytes * times,
    async lap() {
      await session.run(feeds);
      return 0;
    },
    end: () => {},
  };
}

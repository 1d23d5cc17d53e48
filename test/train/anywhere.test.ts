import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { describe, expect, test } from 'vitest';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import type { ModelDefinition } from '../../graphs/models/model.ts';
import type { Ratings } from '../../src/data/dataset/ratings.ts';
import {
  add,
  constant,
  type Dim,
  decodeModel,
  encodeModel,
  GraphError,
  gather,
  type ModelFile,
  mul,
} from '../../src/onnx/index.ts';
import { epochGraph, epochGraphOfAnySize } from '../../src/train/engines/epoch/graph.ts';
import type { ProgramRecipe } from '../../src/train/recipe/recipe.ts';
import { resolve } from '../../src/train/recipe/resolve.ts';
import { losses } from '../../src/train/step/losses.ts';
import { train } from '../../src/train/train.ts';
import { neuralFactorization } from '../support/factorization.ts';
import { lowRank, ofBiases } from '../support/low-rank.ts';
import { distance } from '../support/own.ts';

web.env.wasm.numThreads = 1;

const ratings = lowRank();
const facts = { users: 40, items: 30, ratings: 9, low: 1, high: 5, mean: 3 };
/** Ratings by other users, and more of them, of other items. */
const others = lowRank({ users: 70, items: 55, seed: 2 });
const definitions: [string, ModelDefinition][] = [
  ['dot-bias', dotBias({ factors: 3, initialStd: 0.1 })],
  ['mlp', mlp({ factors: 4, hidden: [8, 4], dropout: [0.1, 0.05], initialStd: 0.1 })],
];

/** Any generator will do: mulberry32, in [0, 1). */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Work {
  readonly batch?: number;
  readonly epochs?: number;
  readonly learningRate?: number;
}

/** Trains by an epoch graph alone. @returns all that it carries on, and the mean loss of each epoch */
async function trainBy(
  { InferenceSession, Tensor }: typeof node,
  file: ModelFile,
  { users, items, ratings, userIds, itemIds }: Ratings,
  { batch = 20, epochs = 1, learningRate = 0.02 }: Work = {},
) {
  const { metadata, graph } = file;
  const initial: Record<string, { normal?: number; uniform?: number; center?: number }> = JSON.parse(
    metadata.initial,
  );
  const widths: number[] = JSON.parse(metadata.dropout_widths ?? '[]');
  const random = uniforms(1);
  const sizes: Record<string, number> = { users: userIds.length, items: itemIds.length };
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const begin = ({ name, dims }: ModelFile['graph']['inputs'][number]) => {
    const shape = dims.map((dim) => sizes[dim] ?? Number(dim));
    const { normal = 0, uniform = 0, center = 0 } = initial[name] ?? {};
    // Four uniform numbers together are normal enough.
    const bell = () => Math.sqrt(3) * (random() + random() + random() + random() - 2);
    const size = shape.reduce((product, dim) => product * dim, 1);
    const data = Float32Array.from(
      { length: size },
      () => center + normal * bell() + uniform * (2 * random() - 1),
    );
    return [name, new Tensor('float32', data, shape)] as const;
  };
  let carried: Record<string, node.Tensor> = Object.fromEntries(
    graph.inputs.filter(({ name }) => outputs.has(`${name}.next`)).map(begin),
  );

  const session = await InferenceSession.create(encodeModel(file), { intraOpNumThreads: 1 });
  const count = ratings.length;
  const steps = Math.ceil(count / batch);
  const noise = new Tensor('float32', Float32Array.from({ length: 50_000 }, random), [50_000]);
  const history: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = Array.from({ length: count }, (_, position) => ({ position, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ position }) => position);
    const starts = Array.from({ length: steps + 1 }, (_, step) => Math.min(count, step * batch));
    const column = (rows: Int32Array) =>
      new Tensor(
        'int32',
        Int32Array.from(order, (position) => rows[position]),
        [count],
      );
    const ofSteps = (value: number) => new Tensor('float32', new Float32Array(steps).fill(value), [steps]);
    const masks = widths.map((width, at) => {
      const positions = BigInt64Array.from({ length: steps }, () =>
        BigInt(Math.floor(random() * (50_000 - batch * width))),
      );
      return [`noise_start_${at + 1}`, new Tensor('int64', positions, [steps])] as const;
    });
    const results = await session.run({
      ...carried,
      user: column(users),
      item: column(items),
      actual: new Tensor(
        'float32',
        Float32Array.from(order, (position) => ratings[position]),
        [count],
      ),
      batch_start: new Tensor('int64', BigInt64Array.from(starts, BigInt), [steps + 1]),
      learning_rate: ofSteps(learningRate),
      momentum: ofSteps(0.9),
      first_step: new Tensor('float32', Float32Array.of(epoch * steps + 1), []),
      ...(widths.length > 0 && { noise, ...Object.fromEntries(masks) }),
    });
    carried = Object.fromEntries(Object.keys(carried).map((name) => [name, results[`${name}.next`]]));
    const loss = Array.from(
      results.loss.data as Float32Array,
      (one, step) => one * (starts[step + 1] - starts[step]),
    );
    history.push(loss.reduce((sum, one) => sum + one, 0) / count);
  }
  await session.release();
  return { carried: Object.entries(carried).map(([name, { dims, data }]) => [name, dims, data]), history };
}

const trainFile = async (recipe: ProgramRecipe): Promise<Uint8Array> =>
  (await (await train(ratings, { objective: 'rating', ...recipe })).artifact()).files['train.onnx'];

describe.each(definitions)('train.onnx of %s', (name, model) => {
  test('says what begins how, and how it was trained here', async () => {
    const recipe = { objective: 'rating', model, epochs: 2, batchSize: 50, loss: 'huber' } as const;
    const trained = await train(ratings, recipe);
    const { manifest, files } = await trained.artifact();
    const { metadata, graph } = decodeModel(files['train.onnx']);
    const { parameters } = model(ratings.facts);
    expect(JSON.parse(metadata.model)).toEqual(JSON.parse(JSON.stringify(manifest.model)));
    expect(JSON.parse(metadata.training)).toEqual(JSON.parse(JSON.stringify(manifest.training)));
    expect(metadata.intra_op_threads).toBe('1');
    for (const value of Object.values(metadata)) JSON.parse(value);
    const initial = Object.entries(parameters).map(([name, parameter]) => [name, parameter.initial]);
    expect(JSON.parse(metadata.initial)).toEqual(Object.fromEntries(initial));
    for (const [name, { dims, rowsOf }] of Object.entries(parameters))
      expect(graph.inputs.find((input) => input.name === name)?.dims).toEqual(
        rowsOf ? [`${rowsOf}s`, ...dims.slice(1)] : dims,
      );
    expect(files['train.onnx'].length).toBeLessThan(30_000);
  });

  test('does not depend on how many users and items there were', async () => {
    const bytes = [2, 1000].map((rows) => {
      // Lazy or not, which it says, is by how many there are.
      const resolved = resolve({ model, sparseUpdates: false }, { ...facts, users: rows, items: 2 * rows });
      return encodeModel(epochGraphOfAnySize(resolved).file);
    });
    expect(bytes[0]).toEqual(bytes[1]);
  });

  test('trains on other ratings in WebAssembly, with nothing else of cofactor', async () => {
    const optimizer = name === 'mlp' ? 'adamw' : undefined;
    const file = decodeModel(await trainFile({ model, epochs: 1, optimizer }));
    const { history } = await trainBy(web as unknown as typeof node, file, others, { epochs: 10 });
    expect(history[0]).toBeLessThan(2);
    expect(history.at(-1)).toBeLessThan(0.6 * history[0]);
    const again = await trainBy(node, file, others, { epochs: 10 });
    expect(again.history.at(-1)).toBeCloseTo(history.at(-1) as number, 2);
  });
});

describe('the graph of any size gives what the graph of one size gives', () => {
  const models: [string, ModelDefinition][] = [
    ...definitions,
    ['neural-factorization', neuralFactorization({ factors: 3, hidden: 4 })],
    ['distance', distance],
  ];
  const optimizers = ['adamw', 'adagrad', { name: 'sgd-momentum', weightDecay: 0.01 }] as const;
  const cases = models.flatMap(([name, model]) =>
    optimizers.flatMap((optimizer) =>
      [false, true].map(
        (sparseUpdates) => [name, optimizer, sparseUpdates, { model, optimizer, sparseUpdates }] as const,
      ),
    ),
  );

  test.each(cases)('%s, %j, sparseUpdates: %s', async (_name, _optimizer, _lazy, recipe) => {
    const resolved = resolve(recipe, facts);
    const { model, plan, optimizer } = resolved;
    const any = epochGraphOfAnySize(resolved).file;
    const options = { ...plan.training, optimizer, loss: losses.mse, metadata: any.metadata };
    const { file } = epochGraph(model, options);
    const [ofAny, ofOne] = [await trainBy(node, any, ratings), await trainBy(node, file, ratings)];
    expect(ofAny).toEqual(ofOne);
    expect(ofAny.history[0]).toBeGreaterThan(0);
  });
});

test.each<[string, (rows: Dim) => number[]]>([
  ['a list', (rows) => Array.from({ length: Number(rows) }, () => 2)],
  ['a number', (rows) => [Number(BigInt(rows)) / 10]],
])('a formula that needs the number of items for %s is trained, and has no train.onnx', async (_, of) => {
  const bound = ofBiases(({ user_bias, item_bias }, user, item) => {
    const scaled = mul(item_bias, constant(of(item_bias.dims[0]), 'float'));
    return add(gather(user_bias, user), gather(scaled, item));
  });
  const model = await train(ratings, { model: bound, epochs: 1 });
  const { manifest, files } = await model.artifact();
  expect(Object.keys(files)).toEqual(Object.keys(manifest.files));
  expect(Object.keys(files)).not.toContain('train.onnx');
  expect(() => epochGraphOfAnySize(resolve({ model: bound }, ratings.facts))).toThrow(GraphError);
  expect((await model.errors(ratings)).rmse).toBeGreaterThan(0);
});

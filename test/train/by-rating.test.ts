import { type InferenceSession, Tensor } from 'onnxruntime-common';
import { describe, expect, test } from 'vitest';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import type { Model } from '../../graphs/models/model.ts';
import { add, encodeModel, gather, mul, reduceSum } from '../../src/onnx/index.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { epochGraph } from '../../src/train/engines/epoch/graph.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { resolve } from '../../src/train/recipe/resolve.ts';
import { carriedDims } from '../../src/train/step/layout.ts';
import { losses } from '../../src/train/step/losses.ts';
import { rowAdagrad } from '../../src/train/step/optimizers/row-adagrad.ts';
import { generator, normals } from '../../src/util/random.ts';

/** Row 4 of the users and row 3 of the items are in no batch; batches repeat users, items, and pairs. */
const facts = { users: 5, items: 4, ratings: 60, low: 1, high: 5, mean: 3 };
const batches = [
  { user: [0, 1, 0, 2, 0], item: [0, 0, 1, 2, 1], actual: [1, 4, 2.5, 5, 3] },
  { user: [3, 3, 0], item: [2, 2, 0], actual: [2, 4.5, 1] },
];
const RATE = 0.2;
const DECAY = 0.3;
const LOSS_SCALE = 0.5;

type Numbers = Record<string, number[]>;

/** A person's taste in two tables, looked up twice in one of them: nothing that any other model here does. */
const own: Model = {
  name: 'own',
  config: {},
  parameters: {
    user_taste: { dims: [facts.users, 2], initial: { normal: 1 }, rowsOf: 'user' },
    item_taste: { dims: [facts.items, 2], initial: { normal: 1 }, rowsOf: 'item' },
    weight: { dims: [2], initial: { normal: 1 } },
  },
  range: [0, 6],
  score({ user_taste, item_taste, weight }, user, item) {
    const products = mul(gather(user_taste, user), mul(gather(item_taste, item), weight));
    return add(reduceSum(products, { axes: [1] }), reduceSum(gather(user_taste, user), { axes: [1] }));
  },
};

const models: Record<string, Model> = {
  'dot-bias': dotBias({ factors: 3, range: [0, 6] })(facts, 'rating'),
  mlp: mlp({ factors: 2, hidden: [3], dropout: 0, range: [0, 6] })(facts, 'rating'),
  'of one’s own': own,
};

const width = ({ dims }: { dims: readonly number[] }): number =>
  dims.slice(1).reduce((product, dim) => product * dim, 1);

const optimizer = rowAdagrad({ weightDecay: DECAY });
const sessions = new Map<Model, Promise<InferenceSession>>();

async function sessionOf(model: Model): Promise<InferenceSession> {
  const { file } = epochGraph(model, {
    optimizer,
    loss: losses.mse,
    sparseUpdates: true,
    lossScale: LOSS_SCALE,
  });
  return (await nodeRuntime()).createSession(encodeModel(file), { threads: 1 });
}

async function run(model: Model, start: Numbers, some: typeof batches, rate: number) {
  const known = sessions.get(model) ?? sessionOf(model);
  sessions.set(model, known);
  const session = await known;
  const ends = some.map((_, step) => some.slice(0, step + 1).flatMap(({ user }) => user).length);
  const ofSteps = (value: number) =>
    new Tensor(
      'float32',
      some.map(() => value),
      [some.length],
    );
  const results = await session.run({
    ...Object.fromEntries(
      Object.entries(carriedDims(model, optimizer)).map(([name, dims]) => {
        const size = dims.reduce((product, dim) => product * dim, 1);
        return [name, new Tensor('float32', start[name] ?? new Float32Array(size), dims)];
      }),
    ),
    user: new Tensor('int32', Int32Array.from(some.flatMap(({ user }) => user))),
    item: new Tensor('int32', Int32Array.from(some.flatMap(({ item }) => item))),
    actual: new Tensor(
      'float32',
      some.flatMap(({ actual }) => actual),
    ),
    batch_start: new Tensor('int64', BigInt64Array.from([0, ...ends], BigInt)),
    learning_rate: ofSteps(rate),
    momentum: ofSteps(0),
    first_step: new Tensor('float32', [1], []),
  });
  const names = Object.keys(carriedDims(model, optimizer));
  const after: Numbers = Object.fromEntries(
    names.map((name) => [name, [...(results[`${name}.next`].data as Float32Array)]]),
  );
  return { after, losses: [...(results.loss.data as Float32Array)] };
}

/** The gradient of the scaled sum of losses by one parameter, of one rating alone, by central differences. */
async function slopes(
  model: Model,
  at: Numbers,
  batch: (typeof batches)[number],
  rating: number,
  name: string,
) {
  const one = [{ user: [batch.user[rating]], item: [batch.item[rating]], actual: [batch.actual[rating]] }];
  const lossWith = async (index: number, change: number): Promise<number> => {
    const values = [...at[name]];
    values[index] += change;
    const { losses } = await run(model, { ...at, [name]: values }, one, 0);
    return losses[0];
  };
  const step = 1e-2;
  return Promise.all(
    at[name].map(async (_, index) => {
      const near = (await lossWith(index, step)) - (await lossWith(index, -step));
      const far = (await lossWith(index, 2 * step)) - (await lossWith(index, -2 * step));
      return (LOSS_SCALE * (8 * near - far)) / (12 * step);
    }),
  );
}

/** One step in plain numbers. */
async function expectedStep(model: Model, from: Numbers, batch: (typeof batches)[number]): Promise<Numbers> {
  const next: Numbers = { ...from };
  const gradients: Record<string, number[][]> = {};
  for (const name of Object.keys(model.parameters))
    gradients[name] = await Promise.all(
      batch.actual.map((_, rating) => slopes(model, from, batch, rating, name)),
    );
  for (const [name, parameter] of Object.entries(model.parameters)) {
    const size = width(parameter);
    const { rowsOf, ownState, rate: pace = 1 } = parameter;
    const [first, ...more] =
      rowsOf && !ownState
        ? Object.entries(model.parameters).flatMap(([other, { rowsOf: of, ownState: own }]) =>
            of === rowsOf && !own ? [other] : [],
          )
        : [name];
    const bias = rowsOf && [first, ...more].find((other) => model.parameters[other].dims.length === 1);
    const rows = parameter.dims[0];
    const sums = [...(from[`${first}.sum_of_squares`] ?? Array(rows).fill(0))];
    const before = [...sums];
    const rowOf = (gradient: number[], row: number) => gradient.slice(row * size, (row + 1) * size);
    const meanSquare = (values: number[]) =>
      values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
    const total = (row: number): number[] =>
      rowOf(gradients[name][0], row).map((_, column) =>
        gradients[name].reduce((sum, gradient) => sum + rowOf(gradient, row)[column], 0),
      );
    for (let row = 0; row < rows; row++) {
      const rated = rowsOf ? batch[rowsOf].flatMap((of, rating) => (of === row ? [rating] : [])) : [];
      if (!rowsOf) sums[row] += meanSquare(total(row));
      for (const rating of rated)
        sums[row] += bias
          ? gradients[bias][rating][row] ** 2
          : meanSquare(rowOf(gradients[name][rating], row));
      const besideBias = bias && bias !== name;
      const rate = (pace * RATE) / Math.sqrt(1 + (besideBias ? 0.005 : 1) * sums[row]);
      const keep =
        rowsOf && parameter.dims.length > 1 ? 1 / (1 + DECAY * rate * (sums[row] - before[row])) : 1;
      next[name] = next[name].map((value, index) =>
        Math.floor(index / size) === row ? value * keep - rate * total(row)[index % size] : value,
      );
    }
    next[`${first}.sum_of_squares`] = sums;
  }
  return next;
}

describe.each(Object.entries(models))('row-wise Adagrad, %s', (_, model) => {
  const random = generator(5);
  const start: Numbers = Object.fromEntries(
    Object.entries(model.parameters).map(([name, { dims }]) => [
      name,
      [...normals(dims[0] * width({ dims }), 0.5, random)],
    ]),
  );

  test('does what its formula says', async () => {
    let expected = start;
    for (const batch of batches) expected = await expectedStep(model, expected, batch);
    const { after } = await run(model, start, batches, RATE);
    expect(Object.keys(after).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, values] of Object.entries(after)) {
      const worst = Math.max(...values.map((value, index) => Math.abs(value - expected[name][index])));
      expect(worst, name).toBeLessThan(2e-3);
    }
  });

  test('a batch of ratings of other rows equals one step for each', async () => {
    const [a, b] = [
      { user: [0], item: [1], actual: [4] },
      { user: [2], item: [0], actual: [1] },
    ];
    const together = { user: [0, 2], item: [1, 0], actual: [4, 1] };
    if (model !== models['dot-bias']) return;
    const [one, other] = [await run(model, start, [a, b], RATE), await run(model, start, [together], RATE)];
    for (const [name, values] of Object.entries(one.after))
      for (const [index, value] of values.entries())
        expect(other.after[name][index], name).toBeCloseTo(value, 6);
  });

  test('rows that are not rated stay as they are', async () => {
    const { after } = await run(model, start, batches, RATE);
    for (const [name, parameter] of Object.entries(model.parameters)) {
      if (!parameter.rowsOf) continue;
      const row = parameter.rowsOf === 'user' ? 4 : 3;
      const of = (values: number[]) => values.slice(row * width(parameter), (row + 1) * width(parameter));
      expect(of(after[name])).toEqual([...Float32Array.from(of(start[name]))]);
    }
  });
});

test('the scale of the ratings does not change the loss', () => {
  const scale = (low: number, high: number, recipe: Recipe = {}) =>
    resolve(recipe, { ...facts, ratings: 80_000, low, high }).plan.training.lossScale;
  expect(scale(1, 5)).toBe(1);
  expect(scale(0, 100)).toBeCloseTo((4 / 100) ** 2);
  expect(scale(0, 100, { loss: 'l1' })).toBeCloseTo(4 / 100);
  expect(scale(0, 100, { optimizer: 'adamw' })).toBe(undefined);
});

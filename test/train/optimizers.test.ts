import { Tensor } from 'onnxruntime-common';
import { describe, expect, test } from 'vitest';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import type { Model } from '../../graphs/models/model.ts';
import { encodeModel } from '../../src/onnx/index.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { epochGraph } from '../../src/train/engines/epoch/graph.ts';
import { carriedDims } from '../../src/train/step/layout.ts';
import { losses } from '../../src/train/step/losses.ts';
import { adagrad } from '../../src/train/step/optimizers/adagrad.ts';
import { adam, adamW } from '../../src/train/step/optimizers/adam.ts';
import { optimizers } from '../../src/train/step/optimizers/index.ts';
import type { Optimizer } from '../../src/train/step/optimizers/optimizer.ts';
import { sgd } from '../../src/train/step/optimizers/sgd.ts';
import { generator, normals } from '../../src/util/random.ts';

/** Row 5 of the users and row 4 of the items are in no batch; batches repeat users, items, and pairs, and differ in size. */
const facts = { users: 6, items: 5, ratings: 9, low: 1, high: 5, mean: 3.7 };
const batches = [
  { user: [0, 1, 0, 2, 0], item: [0, 0, 1, 2, 1], actual: [1, 4, 2.5, 5, 3] },
  { user: [3, 3], item: [3, 3], actual: [2, 4.5] },
  { user: [4, 0, 4, 1], item: [1, 1, 1, 3], actual: [3.5, 1, 5, 2] },
  { user: [2], item: [0], actual: [3] },
];
const learningRates = [0.03, 0.1, 0.05, 0.02];
const momenta = [0.95, 0.85, 0.9, 0.93];

type Numbers = Record<string, number[]>;
type Batch = (typeof batches)[number];

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const row = (table: number[], width: number, at: number): number[] =>
  table.slice(at * width, (at + 1) * width);
const dot = (a: number[], b: number[]): number => a.reduce((sum, x, at) => sum + x * b[at], 0);

const models: Record<string, { model: Model; score(p: Numbers, user: number, item: number): number }> = {
  'dot-bias': {
    model: dotBias({ factors: 3, range: [0, 6] })(facts),
    score: (p, user, item) =>
      dot(row(p.user_factors, 3, user), row(p.item_factors, 3, item)) + p.user_bias[user] + p.item_bias[item],
  },
  mlp: {
    model: mlp({ factors: 2, hidden: [3], dropout: 0, range: [0, 6] })(facts),
    score(p, user, item) {
      const embedding = [...row(p.user_factors, 2, user), ...row(p.item_factors, 2, item)];
      const hidden = p.linear_1_bias.map((bias, unit) =>
        Math.max(
          0,
          bias +
            dot(
              embedding,
              [0, 1, 2, 3].map((input) => p.linear_1_weight[input * 3 + unit]),
            ),
        ),
      );
      return p.linear_2_bias[0] + dot(hidden, p.linear_2_weight) + p.user_bias[user] + p.item_bias[item];
    },
  },
};

/** What one step does to one element, as the textbook has it. */
type Rule = (
  element: { value: number; state: number[] },
  slope: number,
  given: { rate: number; momentum: number; step: number },
) => { value: number; state: number[] };

const textbook: Record<string, (weightDecay: number) => Rule> = {
  sgd:
    (weightDecay) =>
    ({ value }, slope, { rate }) => ({
      value: value - rate * (slope + weightDecay * value),
      state: [],
    }),
  'sgd-momentum':
    (weightDecay) =>
    ({ value, state: [before] }, slope, { rate, momentum }) => {
      const velocity = momentum * before + slope + weightDecay * value;
      return { value: value - rate * velocity, state: [velocity] };
    },
  adagrad:
    (weightDecay) =>
    ({ value, state: [before] }, slope, { rate }) => {
      const gradient = slope + weightDecay * value;
      const squares = before + gradient ** 2;
      return { value: value - (rate * gradient) / (Math.sqrt(squares) + 1e-10), state: [squares] };
    },
  adam: (weightDecay) => (element, slope, given) =>
    adamStep(element, slope + weightDecay * element.value, given),
  adamw: (weightDecay) => (element, slope, given) =>
    adamStep({ ...element, value: element.value * (1 - given.rate * weightDecay) }, slope, given),
};

// The state holds the root of the mean of squares.
const adamStep: Rule = ({ value, state: [m, root] }, gradient, { rate, momentum, step }) => {
  const mean = momentum * m + (1 - momentum) * gradient;
  const squares = 0.99 * root ** 2 + 0.01 * gradient ** 2;
  const [unbiased, unbiasedSquares] = [mean / (1 - momentum ** step), squares / (1 - 0.99 ** step)];
  return {
    value: value - (rate * unbiased) / (Math.sqrt(unbiasedSquares) + 1e-5),
    state: [mean, Math.sqrt(squares)],
  };
};

/** Training in plain numbers: gradients by central differences, each element moved by its rule. */
function reference(
  name: keyof typeof models,
  start: Numbers,
  rule: Rule,
  stateCount: number,
  sparseUpdates: boolean,
) {
  const { model, score } = models[name];
  const parameters = structuredClone(start);
  const states = Object.fromEntries(
    Object.entries(start).map(([key, values]) => [key, values.map(() => Array<number>(stateCount).fill(0))]),
  );
  const lossOf = ({ user, item, actual }: Batch): number =>
    actual.reduce(
      (sum, rating, at) => sum + (6 * sigmoid(score(parameters, user[at], item[at])) - rating) ** 2,
      0,
    ) / actual.length;
  const slopeAt = (values: number[], at: number, batch: Batch): number => {
    const value = values[at];
    const [above, below] = [1e-5, -1e-5].map((change) => {
      values[at] = value + change;
      return lossOf(batch);
    });
    values[at] = value;
    return (above - below) / 2e-5;
  };
  const lossesOfSteps = batches.map((batch, step) => {
    const loss = lossOf(batch);
    const given = { rate: learningRates[step], momentum: momenta[step], step: step + 1 };
    const slopes = Object.entries(parameters).map(
      ([key, values]) => [key, values.map((_, at) => slopeAt(values, at, batch))] as const,
    );
    for (const [key, slopesOfKey] of slopes) {
      const { rowsOf, dims } = model.parameters[key];
      const width = dims[1] ?? 1;
      slopesOfKey.forEach((slope, at) => {
        if (sparseUpdates && rowsOf && !batch[rowsOf].includes(Math.floor(at / width))) return;
        const moved = rule({ value: parameters[key][at], state: states[key][at] }, slope, given);
        parameters[key][at] = moved.value;
        states[key][at] = moved.state;
      });
    }
    return loss;
  });
  return { parameters, states, losses: lossesOfSteps };
}

/** The same by the epoch graph, in two runs of it, so that the second goes on from the state of the first. */
async function trained(model: Model, start: Numbers, optimizer: Optimizer, sparseUpdates: boolean) {
  const { file } = epochGraph(model, { optimizer, loss: losses.mse, sparseUpdates });
  const session = await (await nodeRuntime()).createSession(encodeModel(file), { threads: 1 });
  const float = (data: number[], dims: readonly number[] = [data.length]): Tensor =>
    new Tensor('float32', data, dims);
  let carried = Object.fromEntries(
    Object.entries(carriedDims(model, optimizer)).map(([name, dims]) => {
      const [parameter, state] = name.split('.');
      const values = start[parameter];
      return [name, float(state ? values.map(() => 0) : values, dims)];
    }),
  );
  const losses_: number[] = [];
  for (const [from, to] of [
    [0, 3],
    [3, 4],
  ]) {
    const run = batches.slice(from, to);
    const ends = run.map((_, step) => run.slice(0, step + 1).flatMap(({ user }) => user).length);
    const results = await session.run({
      ...carried,
      user: new Tensor('int32', Int32Array.from(run.flatMap(({ user }) => user))),
      item: new Tensor('int32', Int32Array.from(run.flatMap(({ item }) => item))),
      actual: float(run.flatMap(({ actual }) => actual)),
      batch_start: new Tensor('int64', BigInt64Array.from([0, ...ends], BigInt)),
      learning_rate: float(learningRates.slice(from, to)),
      momentum: float(momenta.slice(from, to)),
      first_step: float([from + 1], []),
    });
    carried = Object.fromEntries(
      Object.keys(carried).map((name) => [name, results[`${name}.next`] as Tensor]),
    );
    losses_.push(...(results.loss.data as Float32Array));
  }
  return {
    losses: losses_,
    carried: Object.fromEntries(
      Object.entries(carried).map(([name, { data }]) => [name, [...(data as Float32Array)]]),
    ),
  };
}

function startOf(model: Model): Numbers {
  const random = generator(3);
  return Object.fromEntries(
    Object.entries(model.parameters).map(([name, { dims }]) => [
      name,
      [
        ...normals(
          dims.reduce((product, dim) => product * dim),
          0.6,
          random,
        ),
      ],
    ]),
  );
}

function expectClose(actual: readonly number[], expected: readonly number[], what: string) {
  expect(actual.length, what).toBe(expected.length);
  const worst = Math.max(...actual.map((value, at) => Math.abs(value - expected[at])));
  expect(worst, what).toBeLessThan(1e-5);
}

const { 'row-adagrad': _, ...created } = optimizers;

const cases = Object.keys(models).flatMap((model) =>
  (Object.keys(created) as (keyof typeof created)[]).flatMap((optimizer) =>
    [0, 0.2].flatMap((weightDecay) =>
      [false, true].map((sparseUpdates) => ({ model, optimizer, weightDecay, sparseUpdates })),
    ),
  ),
);

describe('the epoch graph does what the textbook says', () => {
  test.each(cases)(
    '$model, $optimizer, weight decay $weightDecay, sparseUpdates: $sparseUpdates',
    async (given) => {
      const { model } = models[given.model];
      const optimizer = created[given.optimizer]({ weightDecay: given.weightDecay });
      const start = startOf(model);
      const rule = textbook[given.optimizer](given.weightDecay);
      const expected = reference(given.model, start, rule, optimizer.state.length, given.sparseUpdates);
      const { losses, carried } = await trained(model, start, optimizer, given.sparseUpdates);

      expect(optimizer.name).toBe(given.optimizer);
      expectClose(losses, expected.losses, 'losses');
      for (const [name, values] of Object.entries(expected.parameters)) {
        expectClose(carried[name], values, name);
        optimizer.state.forEach((state, index) => {
          expectClose(
            carried[`${name}.${state}`],
            expected.states[name].map((parts) => parts[index]),
            `${name}.${state}`,
          );
        });
      }
      if (given.sparseUpdates) {
        for (const [name, { rowsOf, dims }] of Object.entries(model.parameters)) {
          if (!rowsOf) continue;
          const width = dims[1] ?? 1;
          const untouched = row(carried[name], width, rowsOf === 'user' ? 5 : 4);
          const before = Float32Array.from(row(start[name], width, rowsOf === 'user' ? 5 : 4));
          expect(untouched, name).toEqual([...before]);
        }
      }
    },
  );
});

test('adamW decays weights by default, the others do not', () => {
  expect(adamW().config.weightDecay).toBe(0.1);
  for (const create of [sgd, adagrad, adam]) expect(create().config.weightDecay).toBe(0);
});

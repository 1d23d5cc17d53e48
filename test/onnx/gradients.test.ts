import fc from 'fast-check';
import { expect, describe as group, test } from 'vitest';
import { gradientRules } from '../../src/onnx/gradients.ts';
import { nodesBefore } from '../../src/onnx/graph.ts';
import * as onnx from '../../src/onnx/index.ts';
import { GraphError, gradients, input, type Value } from '../../src/onnx/index.ts';
import type { OperatorName } from '../../src/onnx/operators.ts';
import { runs } from '../support/soak.ts';
import { Draw } from './draw.ts';
import { type Elements, run } from './run.ts';

const { add, concat, constant, gather, matmul, max, mul, reduceSum, reshape, slice, transpose } = onnx;

type Rules = typeof gradientRules;
type Differentiable = { [Name in OperatorName]: Rules[Name] extends null ? never : Name }[OperatorName];

/** A function, of tensors that the case draws, whose outputs all count. */
type Case = (draw: Draw) => Value | Value[];

const unary =
  (operator: (x: Value) => Value | Value[], options?: { positive: boolean }): Case =>
  (draw) =>
    operator(draw.tensor(draw.dims(), options));

const binary =
  (operator: (a: Value, b: Value) => Value, options?: { positive: boolean }): Case =>
  (draw) => {
    const [a, b] = draw.pair();
    return operator(draw.tensor(a, options), draw.tensor(b, options));
  };

const reduction =
  (operator: typeof reduceSum): Case =>
  (draw) => {
    const dims = draw.dims();
    return operator(draw.tensor(dims), draw.reduction(dims));
  };

const alongAxis =
  (operator: typeof onnx.softmax): Case =>
  (draw) => {
    const dims = draw.dims(1);
    return operator(draw.tensor(dims), draw.axis(dims).axis);
  };

/** A step function, which has no gradient of its own, beside what has one. */
const stepped = (operator: (x: Value) => Value) => unary((x) => mul(operator(x), x));

/** One function or several for each operator that has a rule. */
const cases: Readonly<Record<Differentiable, Case | Readonly<Record<string, Case>>>> = {
  Add: binary(add),
  Sub: binary(onnx.sub),
  Mul: binary(mul),
  Div: binary(onnx.div, { positive: true }),
  Pow: {
    'of both sides': binary(onnx.pow, { positive: true }),
    'of a negative base': unary((x) => onnx.pow(x, 3)),
  },
  Max: binary(max),
  Min: binary(onnx.min),
  Where(draw) {
    const [a, b] = draw.pair();
    const chosen = draw.pick([a, b]);
    const bits = draw.numbers(chosen.reduce((product, dim) => product * dim, 1));
    const condition = onnx.greater(draw.fed('float', chosen, bits), 0);
    // The names of sizes are those of the pair's own, so here they stay numbers.
    const known = [0, 1, 2];
    return onnx.where(condition, draw.tensor(a, { known }), draw.tensor(b, { known }));
  },
  Neg: unary(onnx.neg),
  Sign: stepped(onnx.sign),
  Floor: stepped(onnx.floor),
  Abs: unary(onnx.abs),
  Exp: unary(onnx.exp),
  Log: unary(onnx.log, { positive: true }),
  Sqrt: unary(onnx.sqrt, { positive: true }),
  Reciprocal: unary(onnx.reciprocal, { positive: true }),
  Sigmoid: unary(onnx.sigmoid),
  Tanh: unary(onnx.tanh),
  Relu: unary(onnx.relu),
  LeakyRelu: (draw) => onnx.leakyRelu(draw.tensor(draw.dims()), draw.pick([0.01, 0.3])),
  Elu: (draw) => onnx.elu(draw.tensor(draw.dims()), draw.pick([1, 0.4])),
  Softplus: unary(onnx.softplus),
  Erf: unary(onnx.erf),
  Softmax: alongAxis(onnx.softmax),
  LogSoftmax: alongAxis(onnx.logSoftmax),
  Cast: {
    'between real numbers': unary((x) => onnx.cast(onnx.cast(x, 'double'), 'float')),
    'from whole numbers': unary((x) => mul(onnx.cast(onnx.cast(x, 'int64'), x.dtype), x)),
  },
  Identity: unary(onnx.identity),
  MatMul(draw) {
    const [before, beforeToo] = draw.pick([
      [[], []],
      [[3], []],
      [[], [2]],
      [[2, 1], [3]],
      [[2], [2]],
    ]);
    const [rows, inner, columns] = draw.dims(3);
    return matmul(draw.tensor([...before, rows, inner]), draw.tensor([...beforeToo, inner, columns]));
  },
  Gemm(draw) {
    const [rows, inner, columns] = draw.dims(3);
    const [transA, transB] = [draw.pick([true, false]), draw.pick([true, false])];
    const a = draw.tensor(transA ? [inner, rows] : [rows, inner]);
    const b = draw.tensor(transB ? [columns, inner] : [inner, columns]);
    return onnx.gemm(a, b, draw.tensor([rows, columns]), { alpha: draw.pick([1, -0.5]), transA, transB });
  },
  Transpose: {
    'by an order': (draw) => {
      const dims = draw.dims(0, 4);
      return transpose(draw.tensor(dims), draw.order(dims.length));
    },
    reversed: unary((x) => transpose(x)),
  },
  Reshape: {
    'to one axis': unary((x) => reshape(x, [-1])),
    'with kept and open sizes': (draw) => {
      const [a, b, c] = draw.dims(3);
      const shape = draw.pick([
        [0, -1],
        [-1, c],
        [0, 0, -1],
        [1, -1, 0, b],
        [0, -1, 1, c],
        [0, b * c, 1],
      ]);
      return reshape(draw.tensor([a, b, c], { known: [1, 2] }), shape);
    },
    'to a shape that is computed': (draw) => {
      const dims = draw.dims(1);
      const x = draw.tensor(dims);
      const flat = draw.tensor([dims.reduce((product, dim) => product * dim, 1)], { known: [0] });
      return mul(reshape(flat, onnx.shapeOf(x), x.dims), x);
    },
  },
  Expand(draw) {
    const [whole, part] = [draw.dims(), draw.below(4)];
    const x = draw.tensor(whole.slice(part).map((size) => draw.pick([size, 1])));
    const like = draw.tensor(whole);
    return mul(onnx.expandLike(x, like), like);
  },
  Squeeze(draw) {
    const dims = draw.dims();
    dims.splice(draw.below(dims.length + 1), 0, 1);
    const ones = [...dims.keys()].filter((index) => dims[index] === 1);
    const axes = ones.slice(draw.below(ones.length)).map((index) => draw.pick([index, index - dims.length]));
    return onnx.squeeze(draw.tensor(dims), axes);
  },
  Unsqueeze(draw) {
    const dims = draw.dims(1);
    return onnx.unsqueeze(draw.tensor(dims), draw.pick([[0], [-1], [0, -1], [dims.length], [-2, 0]]));
  },
  Concat(draw) {
    const dims = draw.dims(1);
    const { axis, index } = draw.axis(dims);
    const parts = draw.dims(1).map((size) => draw.tensor(dims.with(index, size), { known: [index] }));
    return concat(draw.pick([true, false]) ? parts : [...parts, parts[0]], axis);
  },
  Split: {
    'into parts that are all used': (draw) => splitting(draw).parts,
    'into parts of which one is not used': (draw) => {
      const { parts, x } = splitting(draw);
      return [...parts.slice(1), reduceSum(x)];
    },
  },
  Slice: {
    'by numbers': (draw) => {
      const dims = draw.dims(1);
      const { axis, index } = draw.axis(dims);
      const [start, end] = [draw.below(dims[index]), draw.pick([dims[index], -1, 100, 2])];
      return slice(draw.tensor(dims, { known: [index] }), start, end, { axis, step: draw.pick([1, 2, 3]) });
    },
    'by bounds that are computed': (draw) => {
      const dims = draw.dims(1);
      const { axis, index } = draw.axis(dims);
      const start = draw.below(dims[index]);
      const bounds = [start, dims[index]].map((bound) => draw.fed('int64', [1], [bound]));
      return slice(draw.tensor(dims), bounds[0], bounds[1], { axis, dim: 'cut' });
    },
  },
  Dropout: unary((x) => onnx.dropout(onnx.tanh(x), 0.4, 5)),
  Gather(draw) {
    const dims = draw.dims(1);
    const { axis, index } = draw.axis(dims);
    const rows = draw.rows(draw.dims(0, 2), dims[index], draw.pick(['int64', 'int32'] as const));
    return gather(draw.tensor(dims), rows, axis);
  },
  ReduceSum: reduction(reduceSum),
  ReduceMean: reduction(onnx.reduceMean),
  ReduceMax: reduction(onnx.reduceMax),
  ReduceMin: reduction(onnx.reduceMin),
  ScatterND: {
    'setting rows': (draw) => {
      const [rows, ...width] = draw.dims(1);
      const places = draw.order(rows).slice(draw.below(rows));
      const updates = draw.tensor([places.length, ...width], { known: [0] });
      return onnx.scatterRows(
        draw.tensor([rows, ...width]),
        draw.fed('int64', [places.length], places),
        updates,
      );
    },
    'adding to rows, some twice': (draw) => {
      const [rows, count, ...width] = draw.dims(2, 4);
      const updates = draw.tensor([count, ...width], { known: [0] });
      return onnx.scatterRows(draw.tensor([rows, ...width]), draw.rows([count], rows), updates, {
        reduction: 'add',
      });
    },
    'adding by a table of rows': (draw) => {
      const [rows, ...width] = draw.dims(1);
      const updates = draw.tensor([2, 3, ...width], { known: [0, 1] });
      return onnx.scatterNd(draw.tensor([rows, ...width]), draw.rows([2, 3, 1], rows), updates, {
        reduction: 'add',
      });
    },
  },
};

function splitting(draw: Draw): { x: Value; parts: Value[] } {
  const dims = draw.dims(1);
  const { axis, index } = draw.axis(dims);
  const sizes = draw.dims(2);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const x = draw.tensor(dims.with(index, total), { known: [index] });
  return { x, parts: onnx.split(x, sizes, axis) };
}

/** One value on several ways to the loss: its gradient is the sum over them. */
const chains: Readonly<Record<string, Case>> = {
  'a square': unary((x) => mul(x, x)),
  'many uses of one value': unary((x) => {
    const y = onnx.tanh(x);
    return [mul(add(y, x), onnx.sub(y, mul(x, y))), onnx.exp(y), x];
  }),
  'a table read twice': (draw) => {
    const table = draw.tensor([4, 3]);
    const [one, other] = [draw.rows([5], 4), draw.rows([5], 4)];
    return mul(gather(table, one), gather(table, other));
  },
  'two linear layers of one weight': (draw) => {
    const [x, weight] = [draw.tensor([2, 3]), draw.tensor([3, 3])];
    return matmul(onnx.sigmoid(matmul(x, weight)), transpose(weight));
  },
  'a bias that is broadcast, and its own sum': (draw) => {
    const [x, bias] = [draw.tensor([4, 3]), draw.tensor([3])];
    return mul(add(x, bias), reduceSum(bias));
  },
};

// ONNX Runtime has these on the CPU for float alone; a cast is only as good as its narrower type.
const FLOAT_ONLY = new Set<string>(['LeakyRelu', 'Elu', 'Softplus', 'Erf', 'Cast']);

/** Tries the gradient of a projection of the outputs, in a direction, against differences of the outputs. */
async function check(draw: Draw, outputs: readonly Value[]): Promise<void> {
  const named = Object.fromEntries(outputs.map((output, at) => [`y${at}`, output]));
  const at = async (distance: number): Promise<Elements[]> => {
    const moved = draw.targets.map((target, index) => {
      const { dims, data } = draw.feeds.get(target) as Elements;
      const numbers = data as readonly number[];
      return [target, { dims, data: numbers.map((x, i) => x + distance * direction[index][i]) }] as const;
    });
    // A session of its own, in which dropout drops what it drops in the others.
    return Object.values(await run(new Map([...draw.feeds, ...moved]), named));
  };
  const direction = draw.targets.map((target) => draw.numbers(draw.feeds.get(target)?.data.length ?? 0));
  const weights = (await at(0)).map(({ dims, data }) => ({ dims, data: draw.numbers(data.length) }));
  const project = (ys: Elements[]) =>
    ys.reduce((sum, { data }, index) => sum + dot(data, weights[index].data), 0);
  const step = draw.dtype === 'double' ? 1e-4 : 1e-2;
  const numeric = (project(await at(step)) - project(await at(-step))) / (2 * step);

  const projections = outputs.map(({ dtype, dims }, index) => input(`weights${index}`, dtype, dims));
  const losses = outputs.map((output, index) => reduceSum(mul(output, projections[index])));
  const loss = losses.reduce((sum, one) => add(sum, one));
  const slopes = gradients(loss, draw.targets);
  const fed = projections.map((projection, index) => [projection, weights[index]] as const);
  // With every value on the way as an output, all inferred dims are compared with the actual ones.
  const inner = nodesBefore(slopes).flatMap((node) => node.outputs);
  const onTheWay = Object.fromEntries(inner.map((value, index) => [`inner${index}`, value]));
  const results = await run(new Map([...draw.feeds, ...fed]), { ...onTheWay, ...toRecord(slopes) });
  const analytic = slopes.reduce((sum, _, index) => {
    const { dims, data } = results[`slope${index}`];
    expect(dims).toEqual(draw.feeds.get(draw.targets[index])?.dims);
    return sum + dot(data, direction[index]);
  }, 0);
  const tolerance = draw.dtype === 'double' ? 1e-5 : 5e-3;
  expect(Math.abs(analytic - numeric), `${analytic}, not ${numeric}`).toBeLessThan(
    tolerance * (1 + Math.abs(numeric)),
  );
}

const toRecord = (slopes: readonly Value[]) =>
  Object.fromEntries(slopes.map((slope, index) => [`slope${index}`, slope]));

const dot = (a: Elements['data'], b: readonly number[] | Elements['data']): number =>
  (a as number[]).reduce((sum, x, index) => sum + x * (b[index] as number), 0);

function checks(name: string, make: Case, operator?: string): void {
  test(name, () =>
    fc.assert(
      fc.asyncProperty(fc.gen(), async (choose) => {
        const draw = new Draw(choose, operator && FLOAT_ONLY.has(operator) ? 'float' : 'double');
        const outputs = [make(draw)].flat();
        await check(draw, outputs);
      }),
      // Differences of floats are only so exact, so the cases are the same everywhere.
      { seed: 7, numRuns: runs(12, 40) },
    ),
  );
}

group('every rule agrees with finite differences', () => {
  test('no rule is left out', () => {
    const rules = Object.entries(gradientRules).filter(([, rule]) => rule !== null);
    expect(Object.keys(cases).sort()).toEqual(rules.map(([name]) => name).sort());
  });

  for (const [operator, found] of Object.entries(cases)) {
    const variants = typeof found === 'function' ? { '': found } : found;
    for (const [variant, make] of Object.entries(variants)) {
      checks(`${operator} ${variant}`.trim(), make, operator);
    }
  }
});

group('gradients add up over every way to the loss', () => {
  for (const [name, make] of Object.entries(chains)) checks(name, make);
});

const vector = input('x', 'float', [3]);
const fedVector = (data: number[]) => new Map([[vector, { dims: [3], data }]]);

test('gradients of values on the way, and of the loss itself', async () => {
  const doubled = mul(vector, 2);
  const loss = reduceSum(mul(doubled, doubled));
  const [ofVector, ofDoubled, ofLoss] = gradients(loss, [vector, doubled, loss]);
  const results = await run(fedVector([1, -2, 3]), { ofVector, ofDoubled, ofLoss });
  expect(results.ofVector.data).toEqual([8, -16, 24]);
  expect(results.ofDoubled.data).toEqual([4, -8, 12]);
  expect(results.ofLoss.data).toEqual([1]);
});

test.each([
  ['ReduceMax', onnx.reduceMax, [2, 2, 1], [0.5, 0.5, 0]],
  ['ReduceMin', onnx.reduceMin, [2, 1, 1], [0, 0.5, 0.5]],
])('%s shares its gradient between equal elements', async (_, operator, data, expected) => {
  const [slope] = gradients(operator(vector), [vector]);
  expect((await run(fedVector(data), { slope })).slope.data).toEqual(expected);
});

test('what the gradient does not need is not in the graph', () => {
  const weight = input('weight', 'float', [3]);
  const loss = reduceSum(onnx.pow(mul(vector, weight), 2));
  const operators = nodesBefore(gradients(loss, [weight])).map(({ operator }) => operator);
  // The power's other side would take a logarithm.
  expect(operators).not.toContain('Log');
});

group('errors', () => {
  const expectError = (make: () => unknown, ...parts: string[]) => {
    expect(make).toThrow(GraphError);
    for (const part of parts) expect(make).toThrow(part);
  };

  test('a loss that is not a scalar', () =>
    expectError(() => gradients(mul(vector, 2, 'twice'), [vector]), 'scalar', 'float[3]'));

  test('a target that the loss does not depend on', () => {
    const other = input('other', 'float', [3]);
    const loss = reduceSum(vector, {}, 'error');
    expectError(() => gradients(loss, [vector, other]), '"error" does not depend on "other"');
    // Comparisons and whole numbers have no gradient.
    const count = reduceSum(onnx.cast(onnx.greater(other, 0), 'float'), {}, 'count');
    expectError(() => gradients(count, [other]), '"count" does not depend on "other"');
  });

  test('a loop on the way, whether it carries the target or captures it', () => {
    const trips = constant(3, 'int64');
    const carrying = onnx.loop(trips, [vector], (_, [x]) => ({ state: [mul(x, x)], scan: [] }), 'carrying');
    const capturing = onnx.loop(
      trips,
      [constant([0, 0, 0])],
      (_, [x]) => ({ state: [add(x, vector)], scan: [] }),
      'capturing',
    );
    for (const [name, { state }] of Object.entries({ carrying, capturing })) {
      const loss = reduceSum(add(state[0], vector));
      expectError(() => gradients(loss, [vector]), 'Loop', `"${name}"`, 'not differentiable');
    }
  });

  test('a rule whose gradient is of another shape than the input', () => {
    // As if the operator's output dims had been inferred wrongly.
    const outputs: Value[] = [];
    const node = { operator: 'Neg', inputs: [vector], attributes: {}, outputs };
    outputs.push({ name: 'opposite', dtype: 'float', dims: [2, 4], source: { kind: 'node', node } });
    const make = () => gradients(reduceSum(outputs[0]), [vector]);
    expectError(make, 'Neg "opposite"', 'the gradient of "x" is float[2, 4], but must be float[3]');
  });

  test('pieces of unknown size', () => {
    const open = input('open', 'float', ['n']);
    expectError(() => gradients(reduceSum(concat([open, vector], 0)), [vector]), 'Concat', 'n, 3');
  });

  test('a scatter into several axes at once', () => {
    const table = input('table', 'float', [2, 2]);
    const places = constant([0, 0], 'int64');
    const scattered = onnx.scatterNd(table, reshape(places, [1, 2]), input('update', 'float', [1]));
    expectError(() => gradients(reduceSum(scattered), [table]), 'ScatterND', 'depth 1');
  });
});

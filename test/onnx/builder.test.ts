import { expect, describe as group, test } from 'vitest';
import { predictGraph } from '../../graphs/heads/predict.ts';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import * as onnx from '../../src/onnx/index.ts';
import {
  add,
  buildModel,
  constant,
  encodeModel,
  GraphError,
  type GraphFile,
  initializer,
  input,
  loop,
  matmul,
  mul,
  reduceSum,
  type Value,
} from '../../src/onnx/index.ts';
import { run } from './run.ts';

const x = input('x', 'float', ['batch', 3]);
const weight = initializer('weight', 'float', [3, 2], Float32Array.of(1, 2, 3, 4, 5, 6));
const trips = constant(3, 'int64');

const build = (inputs: Value[], outputs: Record<string, Value>) =>
  buildModel({ name: 'test', inputs, outputs });

/** A graph as one line a node: `MatMul(x, weight) → product`. */
const lines = ({ nodes }: GraphFile): string[] =>
  nodes.map(({ operator, inputs, outputs }) => `${operator}(${inputs.join(', ')}) → ${outputs.join(', ')}`);

const bodyOf = (graph: GraphFile): GraphFile => {
  const attribute = graph.nodes.find(({ operator }) => operator === 'Loop')?.attributes.body;
  return attribute && 'graph' in attribute ? attribute.graph : expect.fail('no loop');
};

group('a graph is what a few lines say', () => {
  const biases = initializer('biases', 'float', [2], Float32Array.of(0.5, -0.5));
  const score = onnx.relu(add(matmul(x, weight, 'product'), biases, 'score'), 'activation');
  const file = build([x], { result: score });

  test('its operators and names', () => {
    expect(lines(file.graph)).toEqual([
      'MatMul(x, weight) → product',
      'Add(product, biases) → score',
      'Relu(score) → result',
    ]);
    expect(file.graph.nodes.map(({ name }) => name)).toEqual(['product', 'score', 'result']);
  });

  test('its inputs, outputs and initializers', () => {
    expect(file.graph.inputs).toEqual([{ name: 'x', dtype: 'float', dims: ['batch', 3] }]);
    expect(file.graph.outputs).toEqual([{ name: 'result', dtype: 'float', dims: ['batch', 2] }]);
    expect(file.graph.initializers).toEqual([
      { name: 'weight', dtype: 'float', dims: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: 'biases', dtype: 'float', dims: [2], data: Float32Array.of(0.5, -0.5) },
    ]);
  });

  test('its numbers', async () => {
    const { result } = await run(new Map([[x, { dims: [2, 3], data: [1, 0, 0, 0, -1, 0] }]]), {
      result: score,
    });
    expect(result).toEqual({ dims: [2, 2], data: [1.5, 1.5, 0, 0] });
  });

  test('without what the outputs do not need', () => {
    onnx.exp(x);
    expect(lines(build([x], { negative: onnx.neg(x) }).graph)).toEqual(['Neg(x) → negative']);
  });

  test('a long chain does not overflow the stack', () => {
    let value: Value = x;
    for (let count = 0; count < 20_000; count++) value = onnx.neg(value);
    expect(build([x], { value }).graph.nodes).toHaveLength(20_000);
  });
});

group('opset and IR version are as low as the operators allow', () => {
  const versions = (value: Value, inputs: Value[] = [x]) => {
    const { opsets, irVersion } = build(inputs, { value });
    return { opsets, irVersion };
  };

  test('elementwise operators', () =>
    expect(versions(mul(x, 2))).toEqual({ opsets: { '': 13 }, irVersion: 7 }));

  test('ScatterND, which adds only from opset 16', () => {
    const table = input('table', 'float', [5, 3]);
    const rows = constant([0, 1], 'int64');
    const updates = initializer('updates', 'float', [2, 3], new Float32Array(6));
    const set = versions(onnx.scatterRows(table, rows, updates), [table]);
    expect(set).toEqual({ opsets: { '': 13 }, irVersion: 7 });
    const added = versions(onnx.scatterRows(table, rows, updates, { reduction: 'add' }), [table]);
    expect(added).toEqual({ opsets: { '': 16 }, irVersion: 8 });
    // Inside a loop it counts as well.
    const { state } = loop(trips, [table], (_, [carried]) => ({
      state: [onnx.scatterRows(carried, rows, updates, { reduction: 'add' })],
      scan: [],
    }));
    expect(versions(state[0], [table])).toEqual(added);
  });

  test('the predict graph of dot-bias', () => {
    const model = dotBias({ factors: 2 })({ users: 2, items: 2, ratings: 9, low: 1, high: 5, mean: 3 });
    const values = Object.fromEntries(
      Object.entries(model.parameters).map(([name, { dims }]) => [
        name,
        { dims, data: new Float32Array(dims.reduce((product, dim) => product * dim, 1)) },
      ]),
    );
    const rating = { model, trained: values, error: 1 };
    const parts = predictGraph({ rating }, { userIds: ['a', 'b'], itemIds: ['c', 'd'] });
    const { opsets, irVersion } = buildModel(parts);
    expect({ opsets, irVersion }).toEqual({ opsets: { '': 13, 'ai.onnx.ml': 2 }, irVersion: 7 });
  });
});

group('names', () => {
  test('are unique, and those of outputs are as asked', () => {
    const twice = mul(mul(x, 2, 'scaled'), 3, 'scaled');
    expect(lines(build([x], { scaled: onnx.neg(twice) }).graph)).toEqual([
      'Mul(x, const_2) → scaled_2',
      'Mul(scaled_2, const_3) → scaled_3',
      'Neg(scaled_3) → scaled',
    ]);
  });

  test('outputs that are inputs, constants, or another output come through an Identity', async () => {
    const doubled = mul(x, 2);
    const outputs = { same: x, kept: weight, doubled, again: doubled };
    expect(lines(build([x], outputs).graph)).toEqual([
      'Identity(x) → same',
      'Identity(weight) → kept',
      'Mul(x, const_2) → doubled',
      'Identity(doubled) → again',
    ]);
    const results = await run(new Map([[x, { dims: [1, 3], data: [1, 2, 3] }]]), outputs);
    expect(results.same.data).toEqual([1, 2, 3]);
    expect(results.kept.data).toEqual([1, 2, 3, 4, 5, 6]);
    expect(results.again.data).toEqual([2, 4, 6]);
  });

  test('equal small constants are one, unlike ones and large ones are not', () => {
    const sums = [0.5, 0.5, 0, -0, 1].map((number) => add(x, number));
    const wide = input('wide', 'double', [3]);
    const double = add(wide, 0.5);
    const named = Object.fromEntries([...sums, double].map((value, index) => [`sum${index}`, value]));
    expect(
      build([x, wide], named).graph.initializers.map(({ name, dtype, data }) => [name, dtype, ...data]),
    ).toEqual([
      ['const_0.5', 'float', 0.5],
      ['const_0', 'float', 0],
      ['const_0_2', 'float', -0],
      ['const_1', 'float', 1],
      ['const_0.5_2', 'double', 0.5],
    ]);
    const large = [1, 2].map(() => initializer('large', 'float', [17], new Float32Array(17)));
    const both = { one: onnx.neg(large[0]), other: onnx.neg(large[1]) };
    expect(build([], both).graph.initializers.map(({ name }) => name)).toEqual(['large', 'large_2']);
  });
});

test('the same parts give the same bytes', () => {
  const make = () => {
    const { state, scan } = loop(trips, [x], (trip, [carried]) => {
      const next = mul(carried, onnx.cast(trip, 'float'));
      return { state: [next], scan: [reduceSum(next)] };
    });
    return encodeModel(build([x], { product: matmul(state[0], weight), sums: scan[0] }));
  };
  expect(make()).toEqual(make());
});

group('loops', () => {
  const start = input('start', 'float', [2]);
  const feeds = new Map([[start, { dims: [2], data: [1, 2] }]]);

  test('state goes from trip to trip, scanned values are stacked', async () => {
    const { state, scan } = loop(trips, [start, constant(0)], (trip, [vector, total]) => {
      const next = mul(vector, 2);
      return {
        state: [next, add(total, onnx.cast(trip, 'float'))],
        scan: [next, onnx.identity(trip)],
      };
    });
    const results = await run(feeds, {
      vector: state[0],
      total: state[1],
      vectors: scan[0],
      numbers: scan[1],
    });
    expect(results.vector.data).toEqual([8, 16]);
    expect(results.total.data).toEqual([3]);
    expect(results.vectors).toEqual({ dims: [3, 2], data: [2, 4, 4, 8, 8, 16] });
    expect(results.numbers.data).toEqual([0, 1, 2]);
  });

  test('a number of trips that is an input, zero included', async () => {
    const count = input('count', 'int64', []);
    const { state, scan } = loop(count, [start], (_, [vector]) => ({
      state: [add(vector, 1)],
      scan: [reduceSum(vector)],
    }));
    for (const trips of [0, 2]) {
      const results = await run(new Map([...feeds, [count, { dims: [], data: [trips] }]]), {
        vector: state[0],
        sums: scan[0],
      });
      expect(results.vector.data).toEqual([1 + trips, 2 + trips]);
      expect(results.sums.data).toEqual([3, 5].slice(0, trips));
    }
  });

  test('what does not vary stands outside, and is computed once', async () => {
    const outside = onnx.exp(start, 'outside');
    const { state } = loop(trips, [start], (_, [vector]) => {
      const unvarying = mul(outside, 0.5, 'unvarying');
      return { state: [add(vector, unvarying, 'moved')], scan: [] };
    });
    const { graph } = build([start], { result: state[0] });
    expect(lines(graph)).toEqual([
      'Exp(start) → outside',
      'Mul(outside, const_0.5) → unvarying',
      'Loop(const_3, true, start) → result',
    ]);
    expect(lines(bodyOf(graph))).toEqual(['Identity(go_on) → go_on_out', 'Add(start_in, unvarying) → moved']);
    const { result } = await run(feeds, { result: state[0] });
    expect(result.data[0]).toBeCloseTo(1 + 1.5 * Math.E, 5);
  });

  test('a body may hand out an outside value, its own input, or one value twice', async () => {
    const { state, scan } = loop(trips, [start, start], (_, [, last]) => ({
      state: [start, last],
      scan: [start, last, last],
    }));
    const outputs = { a: state[0], b: state[1], c: scan[0], d: scan[1], e: scan[2] };
    const results = await run(feeds, outputs);
    expect(Object.values(results).map(({ data }) => data.slice(0, 2))).toEqual(Array(5).fill([1, 2]));
  });

  test('nested loops, the inner one using values of the outer one and of the graph', async () => {
    // Σ over i < 3 of Σ over j < 2 of (start + i · 10 + j)
    const { state } = loop(trips, [constant([0, 0])], (i, [total]) => {
      const ten = mul(onnx.cast(i, 'float'), 10, 'ten');
      const shared = mul(start, 1, 'shared');
      const inner = loop(constant(2, 'int64'), [total], (j, [sum]) => ({
        state: [add(sum, add(add(shared, ten, 'base'), onnx.cast(j, 'float'), 'term'), 'sum')],
        scan: [],
      }));
      return { state: inner.state, scan: [] };
    });
    const { graph } = build([start], { result: state[0] });
    expect(lines(graph)).toContain('Mul(start, const_1) → shared');
    const outer = bodyOf(graph);
    expect(outer.nodes.map(({ operator }) => operator)).toEqual(['Identity', 'Cast', 'Mul', 'Add', 'Loop']);
    expect(bodyOf(outer).nodes.map(({ operator }) => operator)).toEqual(['Identity', 'Cast', 'Add', 'Add']);
    const { result } = await run(feeds, { result: state[0] });
    expect(result.data).toEqual([6 + 60 + 3, 12 + 60 + 3]);
  });
});

group('a wrong graph fails when it is built', () => {
  const wide = input('ratings', 'float', ['batch', 50]);
  const three = input('bias', 'float', [3]);
  const ids = input('ids', 'int64', ['batch']);
  const text = input('text', 'string', ['batch']);
  const flag = input('flag', 'bool', ['batch']);
  const two = initializer('two', 'int64', [2, 2], new BigInt64Array(4));
  const stays = (_: Value, [state]: readonly Value[]) => ({ state: [state], scan: [] });

  const wrong: Readonly<Record<string, readonly [make: () => unknown, ...parts: string[]]>> = {
    'sizes that cannot be broadcast': [
      () => mul(wide, three, 'scaled'),
      'Mul "scaled" (ratings: float[batch, 50], bias: float[3]): the sizes 50 and 3',
    ],
    'a name beside a number': [
      () => add(input('some', 'float', ['batch']), three, 'sum'),
      'Add "sum"',
      'float[batch]',
      'the sizes batch and 3',
    ],
    'inner sizes of a product': [
      () => matmul(wide, weight, 'product'),
      'MatMul "product" (ratings: float[batch, 50], weight: float[3, 2]): the inner sizes 50 and 3',
    ],
    'a product of vectors': [() => matmul(three, three), 'MatMul "matmul"', 'two axes'],
    'a third matrix that the product does not fit': [
      () => onnx.gemm(weight, weight, weight, { transB: true }),
      'Gemm "gemm"',
      "float[3, 2] is not a matrix of the product's shape [3, 3]",
    ],
    'a vector in a product of matrices': [() => onnx.gemm(weight, three, weight), 'Gemm', 'two axes'],
    'inner sizes of matrices': [() => onnx.gemm(weight, weight, weight), 'Gemm', 'the inner sizes 2 and 3'],
    'types that do not mix': [
      () => add(wide, ids, 'sum'),
      'Add "sum"',
      'int64[batch]',
      'ratings is float but ids is int64',
    ],
    'strings that are added': [() => add(text, text), 'Add', 'text is string'],
    'strings that are compared': [() => onnx.equal(text, text), 'Equal', 'text is string'],
    'an order of truth values': [() => onnx.less(flag, flag), 'Less', 'flag is bool'],
    'a logarithm of whole numbers': [() => onnx.log(ids), 'Log', 'ids is int64'],
    'a condition of numbers': [() => onnx.where(wide, wide, 0), 'Where', 'ratings is float'],
    'a choice without a tensor': [() => add(1, 2), 'Add', 'must be a tensor'],
    'real row numbers': [() => onnx.gather(wide, three), 'Gather', 'bias is float'],
    'an axis that is not there': [() => reduceSum(wide, { axes: [2] }), 'ReduceSum', 'no axis 2', 'rank 2'],
    'an order that is none': [() => onnx.transpose(wide, [0, 0]), 'Transpose', '[0,0]'],
    'a shape of another size': [
      () => onnx.reshape(weight, [4]),
      'Reshape',
      'float[3, 2] does not fit into [4]',
    ],
    'a shape with two open sizes': [() => onnx.reshape(weight, [-1, -1]), 'Reshape', '[-1,-1]'],
    'a kept size of an axis that is not there': [() => onnx.reshape(three, [3, 0]), 'Reshape', '[3,0]'],
    'a shape that is computed, of unknown names': [
      () => onnx.reshape(three, onnx.shapeOf(wide)),
      'Reshape',
      'dims',
    ],
    'a squeezed axis that is not 1': [() => onnx.squeeze(wide, [1]), 'Squeeze', 'size 50'],
    'a new axis twice': [() => onnx.unsqueeze(three, [0, -3]), 'Unsqueeze', '[0,-3]'],
    'parts that differ elsewhere': [() => onnx.concat([wide, x], 0), 'Concat', 'only axis 0'],
    'parts of no number': [() => onnx.concat([], 0), 'Concat', 'nothing'],
    'parts that do not add up': [() => onnx.split(wide, [20, 20], 1), 'Split', '[20,20]', '50'],
    'a cut along an open axis': [() => onnx.slice(wide, 0, 2), 'Slice', 'axis 0'],
    'a cut backwards': [() => onnx.slice(wide, 5, 2, { axis: 1, step: -1 }), 'Slice', 'steps'],
    'updates of another width': [
      () => onnx.scatterRows(weight, constant([0], 'int64'), input('row', 'float', [1, 3])),
      'ScatterND',
      'must be [1, 2] but are [1, 3]',
    ],
    'indices deeper than the tensor': [() => onnx.scatterNd(three, two, three), 'ScatterND', 'depth 2'],
    'a softmax of a scalar': [() => onnx.softmax(constant(1)), 'Softmax', 'rank 0'],
    'state that changes its shape': [
      () =>
        loop(trips, [three], (_, [bias]) => ({ state: [onnx.unsqueeze(bias, [0])], scan: [] }), 'training'),
      'Loop "training"',
      'bias enters as float[3] and leaves as float[1, 3]',
    ],
    'state that changes its type': [
      () => loop(trips, [three], (_, [bias]) => ({ state: [onnx.cast(bias, 'double')], scan: [] })),
      'enters as float[3] and leaves as double[3]',
    ],
    'state that is not handed on': [
      () => loop(trips, [three], (_, [bias]) => ({ state: [], scan: [bias] }), 'training'),
      'Loop "training": 1 values enter but 0 leave',
    ],
    'a number of trips that is real': [() => loop(constant(3), [three], stays), 'Loop', 'float'],
    'elements that are too few': [
      () => initializer('table', 'float', [2], new Float32Array(1)),
      '"table"',
      'float[2]',
    ],
    'an undeclared input': [
      () => build([x], { sum: add(x, three, 'sum') }),
      'Add "sum" uses "bias", which is neither an input of the graph nor computed in it',
    ],
    'an undeclared input of a loop': [
      () => {
        const { state } = loop(trips, [x], (_, [carried]) => ({
          state: [add(carried, three, 'sum')],
          scan: [],
        }));
        return build([x], { sum: state[0] });
      },
      'Add "sum" uses "bias"',
    ],
    'two inputs of one name': [
      () => build([x, input('x', 'float', [])], { negative: onnx.neg(x) }),
      'two inputs are called "x"',
    ],
    'an output called as an input is': [() => build([x], { x: onnx.neg(x) }), '"x"', 'input'],
    'a body that hands out nothing': [
      () => loop(trips, [three], () => ({ state: [undefined as unknown as Value], scan: [] })),
      'undefined',
    ],
  };

  test.each(Object.entries(wrong))('%s', (_, [make, ...parts]) => {
    expect(make).toThrow(GraphError);
    for (const part of parts) expect(make).toThrow(part);
  });

  test('a value of a loop that is used outside it, before or after', () => {
    let leaked = x;
    const { state } = loop(trips, [three], (_, [bias]) => {
      leaked = mul(bias, 2, 'leaked');
      return { state: [leaked], scan: [] };
    });
    const outside = onnx.neg(leaked);
    expect(() => build([three], { outside, state: state[0] })).toThrow('Mul "leaked" uses "bias_in"');
    expect(() => build([three], { state: state[0], outside })).toThrow('Mul "leaked" uses "bias_in"');
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelParts } from '../../src/onnx/builder.ts';
import { precomputed } from '../../src/onnx/constants.ts';
import { dependencies, nodesBefore, substitute } from '../../src/onnx/graph.ts';
import * as onnx from '../../src/onnx/index.ts';
import { constant, initializer, input, type TensorData, type Value } from '../../src/onnx/index.ts';
import type { Constant } from '../../src/onnx/value.ts';
import { runs } from '../support/soak.ts';
import { open, run, toTensor } from './run.ts';

const { add, loop, matmul, mul, relu, reshape, sub, transpose } = onnx;

async function evaluate(values: Readonly<Record<string, Value>>): Promise<Constant[]> {
  const graph = await open([], values);
  const results = await graph.run(new Map());
  await graph.close();
  return Object.entries(values).map(([name, { dtype }]) => {
    const { dims, data } = toTensor(dtype, results[name]);
    return { dtype, dims, data: data as TensorData };
  });
}

const VIEWS = ['Identity', 'Reshape', 'Squeeze', 'Transpose', 'Unsqueeze'];

/** What is computed at each run, though it depends on no input. */
function leftToCompute(parts: ModelParts): string[] {
  const fixed = new Set<Value>();
  const nodes = nodesBefore(Object.values(parts.outputs)).filter((node) => {
    const isFixed = dependencies(node).every((one) => one.source.kind === 'initializer' || fixed.has(one));
    if (isFixed) for (const output of node.outputs) fixed.add(output);
    return isFixed;
  });
  return nodes.map(({ operator }) => operator).filter((operator) => !VIEWS.includes(operator));
}

/** The names and dims of what is kept in the graph, small constants apart. */
function kept({ outputs }: ModelParts): string[] {
  const used = nodesBefore(Object.values(outputs)).flatMap(dependencies);
  const tables = used.filter(({ source, dims }) => source.kind === 'initializer' && dims.length > 1);
  return [...new Set(tables)].map(({ name, dims }) => `${name}[${dims}]`);
}

const x = input('x', 'float', [2, 3]);
const fed = new Map([[x, { dims: [2, 3], data: [1, -2, 3, 0.5, 0, -1] }]]);

/** Precomputes, and expects the same results as before. */
async function expectSame(outputs: Record<string, Value>): Promise<ModelParts> {
  const parts = await precomputed({ name: 'test', inputs: [x], outputs }, evaluate);
  const [before, after] = [await run(fed, outputs), await run(fed, parts.outputs)];
  for (const [name, { dims, data }] of Object.entries(before)) {
    expect(after[name].dims).toEqual(dims);
    for (const [index, number] of (data as number[]).entries())
      expect(after[name].data[index]).toBeCloseTo(number, 4);
  }
  return parts;
}

const table = (name: string, dims: number[], from = 1): Value => {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return initializer(
    name,
    'float',
    dims,
    Float32Array.from({ length: size }, (_, at) => Math.sin(from + at)),
  );
};

describe('what depends on no input', () => {
  test('is computed once, whatever the graph, and the results stay', async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (draw) => {
        const square = reshape(onnx.concat([x, table('row', [1, 3])], 0), [3, 3]);
        const values: Value[] = [square, table('one', [3, 3]), table('other', [3, 3], 7)];
        const any = (): Value => values[draw(fc.nat, values.length - 1)];
        for (let step = 0; step < 8; step++) {
          const [a, b] = [any(), any()];
          values.push(
            [
              () => add(a, b),
              () => onnx.tanh(matmul(a, b)),
              () => relu(a),
              () => transpose(a),
              () => reshape(transpose(a), [-1, 3]),
              () => onnx.split(a, [1, 2], 1).reduce((whole, part) => sub(onnx.reduceSum(part), whole), b),
              () =>
                loop(constant(2, 'int64'), [a], (_, [state]) => ({
                  state: [add(mul(state, b), transpose(b))],
                  scan: [],
                })).state[0],
            ][draw(fc.nat, 6)](),
          );
        }
        const parts = await expectSame({ y: add(any(), square), z: mul(values[values.length - 1], square) });
        expect(leftToCompute(parts)).toEqual([]);
      }),
      { numRuns: runs(50, 1000) },
    );
  });

  test('is kept in one position, where it is used as it is and turned', async () => {
    const weights = mul(table('weights', [3, 3]), 2, 'twice');
    const product = matmul(matmul(x, weights), transpose(weights));
    const parts = await expectSame({ y: add(product, matmul(x, reshape(weights, [-1, 3]))) });
    expect(kept(parts)).toEqual(['twice[3,3]']);
  });

  test('is kept turned, where it is used only so', async () => {
    const parts = await expectSame({
      y: matmul(x, transpose(table('weights', [5, 3]), undefined, 'turned')),
    });
    expect(kept(parts)).toEqual(['turned[3,5]']);
    expect(nodesBefore(Object.values(parts.outputs)).map(({ operator }) => operator)).toEqual(['MatMul']);
  });

  test('leaves a graph without any as it is', async () => {
    const parts = { name: 'test', inputs: [x], outputs: { y: matmul(x, table('weights', [3, 3])) } };
    const never = () => expect.fail('nothing to evaluate');
    expect(await precomputed(parts, never)).toBe(parts);
  });
});

describe('a value in the position of another', () => {
  const weights = table('weights', [3, 3]);
  const shift = table('shift', [2, 3]);
  const powers = (start: Value, factor: Value, by: Value): Value =>
    loop(constant(2, 'int64'), [start], (_, [outer]) => {
      const inner = loop(constant(3, 'int64'), [outer], (_, [state]) => ({
        state: [onnx.tanh(add(matmul(state, factor), by))],
        scan: [],
      }));
      return { state: inner.state, scan: [] };
    }).state[0];

  test.each<[string, Value, Value]>([
    ['that enters a loop', x, mul(x, 0.5)],
    ['that a loop in a loop takes from outside', weights, transpose(weights)],
    ['that is computed, and taken from outside', shift, sub(1, shift)],
  ])('%s', async (_, old, other) => {
    const changed = (value: Value) => (value === old ? other : value);
    const graph = add(powers(x, weights, shift), shift);
    const expected = add(powers(changed(x), changed(weights), changed(shift)), changed(shift));
    const [found] = substitute([graph], new Map([[old, other]]));
    const results = await run(fed, { found, expected, before: graph });
    expect(results.found).toEqual(results.expected);
    expect(results.found).not.toEqual(results.before);
  });

  test('that a node inside a loop computes from outside values alone', async () => {
    const half = mul(weights, 0.5, 'half');
    const graph = powers(x, half, shift);
    const [found] = substitute([graph], new Map([[half, weights]]));
    expect(await run(fed, { found })).toEqual(await run(fed, { found: powers(x, weights, shift) }));
  });

  test('of which nothing depends changes nothing', () => {
    const graph = powers(x, weights, shift);
    expect(substitute([graph], new Map([[table('nowhere', [1]), shift]]))).toEqual([graph]);
    expect(substitute([graph], new Map())[0]).toBe(graph);
  });
});

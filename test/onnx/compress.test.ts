import { describe, expect, test } from 'vitest';
import { compressed, type Precision } from '../../src/onnx/compress.ts';
import { dependencies, nodesBefore } from '../../src/onnx/graph.ts';
import * as onnx from '../../src/onnx/index.ts';
import { initializer, input, type Value } from '../../src/onnx/index.ts';
import { generator, uniforms } from '../../src/util/random.ts';
import { run } from './run.ts';

const { add, gather, matmul, transpose } = onnx;

const ids = input('ids', 'int64', ['n']);
const zero = input('zero', 'float', []);

function table(dims: readonly number[], element: (position: number) => number): Value {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return initializer(
    'table',
    'float',
    dims,
    Float32Array.from({ length: size }, (_, at) => element(at)),
  );
}

const elementsOf = ({ source }: Value): Float32Array => (source as { data: Float32Array }).data;

/** What is kept of a table, and the table as it comes back, whole. */
async function restored(original: Value, precision: Precision) {
  const { outputs } = compressed(
    { name: 'test', inputs: [zero], outputs: { y: add(original, zero) } },
    precision,
  );
  const kept = nodesBefore([outputs.y])
    .flatMap(dependencies)
    .filter(({ source }) => source.kind === 'initializer')
    .map((value) => onnx.describe(value));
  const { y } = await run(new Map([[zero, { dims: [], data: [0] }]]), outputs);
  expect(y.dims).toEqual(original.dims);
  return { kept, data: y.data as number[] };
}

/** Of every size that a float can have, each row of one of its own: 1e-45 to 1e4. */
const random = uniforms(20_000, generator(5));
const anySize = (width: number) => (position: number) =>
  (2 * random[position] - 1) * 10 ** ((Math.floor(position / width) % 50) - 45);

describe('a table kept in less space comes back', () => {
  test.each([[[128, 64]], [[64, 100]], [[100, 2, 40]]])('as float16, %j', async (dims) => {
    const original = table(dims, anySize(64));
    const { kept, data } = await restored(original, 'float16');
    expect(kept).toEqual([`float16[${dims.join(', ')}]`]);
    for (const [position, number] of elementsOf(original).entries()) {
      // 11 bits of a number, and none below 2⁻²⁴.
      const bound = Math.max(Math.abs(number) * 2 ** -11, 2 ** -25);
      expect(Math.abs(data[position] - number)).toBeLessThanOrEqual(bound);
    }
  });

  test.each([
    [[128, 64], 0],
    [[64, 100], 1],
    [[100, 2, 40], 0],
    [[64, 64], 0],
  ])('as int8 with a scale a row, %j', async (dims, axis) => {
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
    const rowOf = (position: number) => Math.floor(position / inner) % dims[axis];
    const original = table(dims, axis === 0 ? anySize(inner) : (at) => anySize(1)(at % dims[axis]));
    const { kept, data } = await restored(original, 'int8');
    const scale = dims.map((dim, at) => (at === axis ? dim : 1));
    expect(kept.sort()).toEqual([`float[${scale.join(', ')}]`, `int8[${dims.join(', ')}]`]);
    const largest = new Float64Array(dims[axis]);
    for (const [position, number] of elementsOf(original).entries())
      largest[rowOf(position)] = Math.max(largest[rowOf(position)], Math.abs(number));
    for (const [position, number] of elementsOf(original).entries()) {
      // Half a step of 1/127 of the largest, and the smallest float for a scale that is rounded.
      const bound = (largest[rowOf(position)] / 254) * 1.00001 + 64 * 2 ** -149;
      expect(Math.abs(data[position] - number)).toBeLessThanOrEqual(bound);
    }
  });

  test.each<Precision>(['float16', 'int8'])('as zeros, where it is zeros, as %s', async (precision) => {
    const { data } = await restored(
      table([128, 64], () => 0),
      precision,
    );
    expect(new Set(data)).toEqual(new Set([0]));
  });
});

describe('a table stays as it is', () => {
  test.each<[Precision, number]>([
    ['int8', Number.POSITIVE_INFINITY],
    ['int8', Number.NaN],
    ['float16', 1e5],
  ])('as %s with a number such as %d', async (precision, number) => {
    const original = table([128, 64], (position) => (position === 100 ? -number : position));
    const { kept, data } = await restored(original, precision);
    expect(kept).toEqual(['float[128, 64]']);
    expect(data).toEqual([...elementsOf(original)]);
  });

  test('where little is gained, as one of few numbers, or of one axis', async () => {
    for (const dims of [[100, 40], [10_000]])
      for (const precision of ['float16', 'int8'] as const)
        expect((await restored(table(dims, Math.cos), precision)).kept).toEqual([
          `float[${dims.join(', ')}]`,
        ]);
  });

  test('as float32', () => {
    const parts = { name: 'test', inputs: [ids], outputs: { y: gather(table([128, 64], Math.cos), ids) } };
    expect(compressed(parts, 'float32')).toBe(parts);
  });

  test('and float16 keeps what is infinite', async () => {
    const infinite = table([128, 64], (position) => (position % 2 ? Number.NEGATIVE_INFINITY : 1));
    const { kept, data } = await restored(infinite, 'float16');
    expect(kept).toEqual(['float16[128, 64]']);
    expect(data).toEqual([...elementsOf(infinite)]);
  });
});

describe.each<Precision>(['float16', 'int8'])('as %s', (precision) => {
  const original = table([128, 64], Math.cos);
  const rows = { dims: [3], data: [127, 5, 5] };

  test('only rows that are looked up are restored', async () => {
    const outputs = { y: onnx.reduceSum(gather(original, ids), { axes: [1] }) };
    const small = compressed({ name: 'test', inputs: [ids], outputs }, precision);
    const sizes = nodesBefore([small.outputs.y]).flatMap((node) => node.outputs.map(({ dims }) => dims[0]));
    expect(new Set(sizes)).toEqual(new Set(['n']));
    const { y } = await run(new Map([[ids, rows]]), small.outputs);
    for (const [position, row] of rows.data.entries()) {
      const expected = elementsOf(original)
        .subarray(64 * row, 64 * row + 64)
        .reduce((sum, one) => sum + one, 0);
      expect(Math.abs(Number(y.data[position]) - expected)).toBeLessThan(0.05);
    }
  });

  test('a table that is looked up, turned, and used in a loop is kept once', async () => {
    const picked = gather(original, ids);
    const { state } = onnx.loop(onnx.constant(2, 'int64'), [picked], (_, [x]) => ({
      state: [onnx.tanh(matmul(matmul(x, transpose(original)), original))],
      scan: [],
    }));
    const parts = { name: 'test', inputs: [ids], outputs: { y: state[0] } };
    const small = compressed(parts, precision);
    const { initializers } = onnx.buildModel(small).graph;
    expect(initializers.filter(({ dims }) => dims.join() === '128,64').map(({ dtype }) => dtype)).toEqual([
      precision,
    ]);
    const feeds = new Map([[ids, rows]]);
    const [before, after] = [await run(feeds, parts.outputs), await run(feeds, small.outputs)];
    const difference = (before.y.data as number[]).map((one, at) => Math.abs(one - Number(after.y.data[at])));
    expect(Math.max(...difference)).toBeLessThan(0.05);
  });
});

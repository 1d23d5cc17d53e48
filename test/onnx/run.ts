import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect } from 'vitest';
import {
  buildModel,
  type DataType,
  type Dim,
  describe,
  encodeModel,
  type Value,
} from '../../src/onnx/index.ts';

/** Elements of a tensor, as plain numbers or strings. */
export interface Elements {
  readonly dims: readonly number[];
  readonly data: readonly number[] | readonly string[];
}

/** What each input of a graph is fed. */
export type Feeds = ReadonlyMap<Value, Elements>;

const RUNTIME_TYPES = { float: 'float32', double: 'float64' } as Record<DataType, Tensor.Type>;

export function toTensor(dtype: DataType, { dims, data }: Elements): Tensor {
  const elements = dtype === 'int64' ? BigInt64Array.from(data as number[], BigInt) : data;
  return new Tensor(RUNTIME_TYPES[dtype] ?? dtype, elements as number[], dims);
}

/** A graph that can be run many times. Every result must have the type and the dims that the builder inferred. */
export async function open(inputs: readonly Value[], outputs: Readonly<Record<string, Value>>) {
  const file = buildModel({ name: 'test', inputs, outputs });
  const session = await InferenceSession.create(encodeModel(file), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // It warns of every node that it would remove were it not an output.
    logSeverityLevel: 3,
  });
  const run = async (feeds: Feeds): Promise<Record<string, Elements>> => {
    const fed = inputs.map((value) => [value.name, toTensor(value.dtype, feeds.get(value) as Elements)]);
    const results = await session.run(Object.fromEntries(fed));
    const sizes = new Map<Dim, number>();
    for (const [value, { dims }] of feeds) bind(sizes, value, dims);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, value]) => {
        const { type, dims, data } = results[name];
        expect(type, name).toBe(RUNTIME_TYPES[value.dtype] ?? value.dtype);
        bind(sizes, { ...value, name }, dims);
        return [name, { dims, data: Array.from(data as ArrayLike<number>, Number) }];
      }),
    );
  };
  return { file, run, close: () => session.release() };
}

/** One run of a graph. */
export async function run(feeds: Feeds, outputs: Readonly<Record<string, Value>>) {
  const graph = await open([...feeds.keys()], outputs);
  const results = await graph.run(feeds);
  await graph.close();
  return results;
}

// The same name is the same size everywhere.
function bind(sizes: Map<Dim, number>, value: Value, dims: readonly number[]): void {
  for (const [axis, dim] of value.dims.entries())
    if (typeof dim === 'string' && !sizes.has(dim)) sizes.set(dim, dims[axis]);
  const expected = value.dims.map((dim) => (typeof dim === 'number' ? dim : sizes.get(dim)));
  expect(dims, `${value.name}: ${describe(value)}`).toEqual(expected);
}

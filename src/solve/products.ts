import { type InferenceSession, Tensor } from 'onnxruntime-common';
import { buildModel, encodeModel, gemm, input, type ModelParts, matmul } from '../onnx/index.ts';
import type { Runtime } from '../run/runtime.ts';

/** Products of float32 matrices by ONNX Runtime, written to memory that is there already. */
export interface Products {
  /** Writes AB to `into`. */
  write(a: Tensor, b: Tensor, into: Tensor): Promise<void>;
  /** Subtracts AB, ABᵀ or AᵀB from `from`. */
  subtract(form: Form, a: Tensor, b: Tensor, from: Tensor): Promise<void>;
  release(): Promise<void>;
}

const FORMS = {
  ab: { transA: false, transB: false },
  abt: { transA: false, transB: true },
  atb: { transA: true, transB: false },
} as const;

type Form = keyof typeof FORMS;

export async function productsOf(runtime: Runtime): Promise<Products> {
  const open = (parts: ModelParts) => runtime.createSession(encodeModel(buildModel(parts)));
  const [product, ab, abt, atb] = await Promise.all([
    open(productGraph()),
    open(differenceGraph('ab')),
    open(differenceGraph('abt')),
    open(differenceGraph('atb')),
  ]);
  const differences = { ab, abt, atb };
  const output = await outputOf(ab);
  return {
    write: (a, b, into) => runInto(product, { a, b }, { into, output }),
    subtract: (form, a, b, from) => runInto(differences[form], { a, b, c: from }, { into: from, output }),
    async release() {
      await Promise.all([product, ab, abt, atb].map((session) => session.release()));
    },
  };
}

function productGraph(): ModelParts {
  const a = input('a', 'float', ['rows', 'inner']);
  const b = input('b', 'float', ['inner', 'columns']);
  return { name: 'product', inputs: [a, b], outputs: { result: matmul(a, b) } };
}

function differenceGraph(form: Form): ModelParts {
  const { transA, transB } = FORMS[form];
  const a = input('a', 'float', transA ? ['inner', 'rows'] : ['rows', 'inner']);
  const b = input('b', 'float', transB ? ['columns', 'inner'] : ['inner', 'columns']);
  const c = input('c', 'float', ['rows', 'columns']);
  const result = gemm(a, b, c, { alpha: -1, ...FORMS[form] });
  return { name: `difference_${form}`, inputs: [a, b, c], outputs: { result } };
}

/** Makes a tensor, on the memory of another, that a session writes its result to. */
type Output = (into: Tensor) => Tensor;

async function runInto(
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  { into, output }: { readonly into: Tensor; readonly output: Output | undefined },
): Promise<void> {
  if (output) {
    await session.run(feeds, { result: output(into) });
    return;
  }
  const { result } = await session.run(feeds);
  (into.data as Float32Array).set(result.data as Float32Array);
}

/**
 * How to give a runtime the memory for a result; undefined if it does not write there. ONNX Runtime for Node does;
 * WebAssembly has a memory of its own.
 */
async function outputOf(difference: InferenceSession): Promise<Output | undefined> {
  const one = () => new Tensor('float32', Float32Array.of(1), [1, 1]);
  const c = one();
  const { result } = await difference.run({ a: one(), b: one(), c });
  // A package may have its own copy of the class, and take tensors of another copy for options.
  const Own = result.constructor as typeof Tensor;
  const output: Output = ({ data, dims }) => new Own('float32', data as Float32Array, dims);
  await difference.run({ a: one(), b: one(), c }, { result: output(c) });
  return c.data[0] === 0 ? output : undefined;
}

import { type InferenceSession, Tensor } from 'onnxruntime-common';
import {
  add,
  buildModel,
  concat,
  encodeModel,
  input,
  type ModelParts,
  matmul,
  neg,
  shapeOf,
  slice,
  sub,
  transpose,
} from '../onnx/index.ts';
import type { Runtime } from '../run/runtime.ts';
import { solve } from '../util/linear-algebra.ts';

/** Up to this size, plain code is faster than calls of the runtime. */
const SMALL = 96;

/** Inverses of matrices that are small enough for several copies. */
export interface Halves {
  /**
   * @param matrix float32[n, n], symmetric and positive definite
   * @param turn is called before each product
   */
  of(matrix: Tensor, turn?: () => Promise<void>): Promise<Tensor>;
  release(): Promise<void>;
}

/**
 * The inverse by halves: that of A = [[F, B], [Bᵀ, D]] comes from the inverse of F, and that of the Schur complement
 * D − BᵀF⁻¹B. ONNX Runtime executes the products.
 */
export function halves(runtime: Runtime): Halves {
  let opened: Promise<InferenceSession[]> | undefined;
  // Small matrices need no session.
  const sessions = () => {
    opened ??= Promise.all(
      [schurGraph(), joinGraph()].map((graph) => runtime.createSession(encodeModel(buildModel(graph)))),
    );
    return opened;
  };
  return {
    of: (matrix, turn = async () => undefined) => byHalves({ sessions, turn }, matrix),
    async release() {
      for (const session of (await opened) ?? []) await session.release();
    },
  };
}

interface Steps {
  readonly sessions: () => Promise<readonly InferenceSession[]>;
  readonly turn: () => Promise<void>;
}

async function byHalves(steps: Steps, matrix: Tensor): Promise<Tensor> {
  const [n] = matrix.dims;
  if (n <= SMALL) return small(matrix);
  const [schur, join] = await steps.sessions();
  const first = await byHalves(steps, corner(matrix, n >> 1));
  await steps.turn();
  const { product, complement } = await schur.run({ matrix, first });
  const second = await byHalves(steps, complement);
  await steps.turn();
  return (await join.run({ first, product, second })).inverse;
}

/** From A and F⁻¹ to F⁻¹B and the Schur complement. */
function schurGraph(): ModelParts {
  const matrix = input('matrix', 'float', ['n', 'n']);
  const first = input('first', 'float', ['half', 'half']);
  const half = slice(shapeOf(first), 0, 1);
  const end = 2 ** 31 - 1;
  const besides = slice(matrix, half, end, { axis: 1, dim: 'rest' });
  const beside = slice(besides, 0, half, { dim: 'half' });
  const last = slice(besides, half, end, { dim: 'rest' });
  const product = matmul(first, beside);
  const complement = sub(last, matmul(transpose(beside), product));
  return { name: 'schur', inputs: [matrix, first], outputs: { product, complement } };
}

/** From F⁻¹, F⁻¹B and the inverse of the Schur complement to the inverse. */
function joinGraph(): ModelParts {
  const first = input('first', 'float', ['half', 'half']);
  const product = input('product', 'float', ['half', 'rest']);
  const second = input('second', 'float', ['rest', 'rest']);
  const cross = matmul(product, second);
  const above = concat([add(first, matmul(cross, transpose(product))), neg(cross)], 1);
  const below = concat([neg(transpose(cross)), second], 1);
  return {
    name: 'join',
    inputs: [first, product, second],
    outputs: { inverse: concat([above, below], 0) },
  };
}

/** The first rows and columns of a square matrix. */
function corner({ data, dims: [n] }: Tensor, size: number): Tensor {
  const part = new Float32Array(size * size);
  for (let row = 0; row < size; row++)
    part.set((data as Float32Array).subarray(row * n, row * n + size), row * size);
  return new Tensor('float32', part, [size, size]);
}

function small({ data, dims: [n] }: Tensor): Tensor {
  const unit = new Float64Array(n * n);
  for (let row = 0; row < n; row++) unit[row * n + row] = 1;
  solve(Float64Array.from(data as Float32Array), n, unit);
  return new Tensor('float32', Float32Array.from(unit), [n, n]);
}

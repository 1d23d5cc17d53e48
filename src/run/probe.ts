import { Tensor } from 'onnxruntime-common';
import * as onnx from '../onnx/index.ts';
import { add, gather, matmul, mul, reduceSum, sigmoid, slice, sub, type Value } from '../onnx/index.ts';

const USERS = 500;
const ITEMS = 700;
const FACTORS = 8;
const PAIRS = 2000;
const STEPS = 8;
const RATE = 20;

/** Largest difference from the CPU's numbers: GPUs multiply matrices with 10-bit mantissas. */
const TOLERANCE = 5e-3;

const ids = (kind: string, count: number): string[] =>
  Array.from({ length: count }, (_, row) => `${kind}${row}`);

/** Numbers from −1 to 1 without a pattern, so that each row is different. */
const numbers = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => Math.sin((index + 1) * (seed + 0.618) * 7.31));

/**
 * A small graph with everything that a device must compute right: lookups of ids in two tables, training steps in a loop
 * that add up duplicate rows, a matrix product, and a top-k.
 */
export function probeModel(): Uint8Array {
  const user = onnx.input('user', 'string', ['n']);
  const item = onnx.input('item', 'string', ['n']);
  const actual = onnx.input('actual', 'float', ['n']);
  const start = onnx.input('start', 'int64', [STEPS + 1]);
  const tables = [
    onnx.input('user_factors', 'float', [USERS + 1, FACTORS]),
    onnx.input('item_factors', 'float', [ITEMS + 1, FACTORS]),
  ];
  const allRows = [
    onnx.labelEncoder(user, ids('u', USERS), 'user_row'),
    onnx.labelEncoder(item, ids('i', ITEMS), 'item_row'),
  ];
  const { state, scan } = onnx.loop(onnx.constant(STEPS, 'int64'), tables, (trip, values) => {
    const at = onnx.reshape(trip, [1]);
    const batch = (all: Value, dim: string): Value =>
      slice(all, gather(start, at), gather(start, add(at, 1)), { dim });
    const rows = allRows.map((all) => batch(all, 'batch'));
    const taken = values.map((table, side) => gather(table, rows[side]));
    const predicted = sigmoid(reduceSum(mul(taken[0], taken[1]), { axes: [1] }));
    const error = sub(predicted, batch(actual, 'batch'));
    const loss = onnx.reduceMean(mul(error, error));
    const gradients = onnx.gradients(loss, taken);
    const next = values.map((table, side) => step(table, rows[side], gradients[side]));
    return { state: next, scan: [loss] };
  });
  const [users, items] = state;
  const some = slice(users, 0, 20);
  const one = reduceSum(mul(gather(users, onnx.constant([7], 'int64')), items), { axes: [1] });
  const { values: best, indices: top } = onnx.topK(one, onnx.constant([10], 'int64'), 10);
  const outputs = {
    rows: onnx.concat([gather(users, allRows[0]), gather(items, allRows[1])], 1),
    loss: scan[0],
    scores: matmul(some, onnx.transpose(items)),
    best,
    top,
  };
  const inputs = [user, item, actual, start, ...tables];
  return onnx.encodeModel(onnx.buildModel({ name: 'probe', inputs, outputs }));
}

/** A step of SGD on the rows of a batch. The gradients of a row that occurs several times are added up. */
function step(table: Value, rows: Value, gradients: Value): Value {
  const sums = onnx.summedRows(table, rows, gradients);
  return onnx.scatterRows(table, rows, sub(gather(table, rows), mul(sums, RATE)));
}

/** Inputs for `probeModel`. */
export function probeFeeds(): Record<string, Tensor> {
  const pairs = Array.from({ length: PAIRS }, (_, index) => index);
  const strings = (data: string[]): Tensor => new Tensor('string', data, [data.length]);
  const starts = BigInt64Array.from({ length: STEPS + 1 }, (_, at) => BigInt((at * PAIRS) / STEPS));
  return {
    // Some ids are unknown, and many occur more than once in a batch.
    user: strings(pairs.map((index) => `u${(index * index) % (USERS + 3)}`)),
    item: strings(pairs.map((index) => `i${(index * 31) % (ITEMS + 3)}`)),
    actual: new Tensor('float32', numbers(PAIRS, 3).map(Math.abs)),
    start: new Tensor('int64', starts),
    user_factors: new Tensor('float32', numbers((USERS + 1) * FACTORS, 1), [USERS + 1, FACTORS]),
    item_factors: new Tensor('float32', numbers((ITEMS + 1) * FACTORS, 2), [ITEMS + 1, FACTORS]),
  };
}

/** The first output that differs from the CPU's, and by how much; undefined if none does. */
export function difference(
  expected: Readonly<Record<string, Tensor>>,
  found: Readonly<Record<string, Tensor>>,
): string | undefined {
  for (const [name, { data }] of Object.entries(expected)) {
    const others = found[name].data;
    let furthest = 0;
    for (const [index, value] of (data as Float32Array).entries()) {
      // With a NaN the maximum stays NaN.
      furthest = Math.max(furthest, Math.abs(Number(value) - Number(others[index])));
    }
    if (!(furthest <= TOLERANCE)) return `${name} differ by ${furthest.toPrecision(2)}`;
  }
  return undefined;
}

const SIZE = 512;

/** A matrix product: a few ms on a CPU thread, a second on a graphics driver without a GPU. */
export function speedModel(): Uint8Array {
  const matrix = onnx.input('matrix', 'float', [SIZE, SIZE]);
  const square = matmul(matrix, matrix);
  const outputs = { sum: reduceSum(square, { axes: [0, 1] }) };
  return onnx.encodeModel(onnx.buildModel({ name: 'speed', inputs: [matrix], outputs }));
}

/** Inputs for `speedModel`. */
export const speedFeeds = (): Record<string, Tensor> => ({
  matrix: new Tensor(
    'float32',
    numbers(SIZE * SIZE, 1).map((x) => x / SIZE),
    [SIZE, SIZE],
  ),
});

import { apply } from './apply.ts';
import { DATA_TYPES } from './file.ts';
import { dependents } from './graph.ts';
import type { OperatorName } from './operators.ts';
import { axisOf, product } from './shapes.ts';
import {
  type Attributes,
  constant,
  type DataType,
  type Dim,
  GraphError,
  initializer,
  input,
  type Value,
} from './value.ts';

/** A tensor, or a number, which becomes a constant of the other operand's type. */
export type Operand = Value | number;

const one = (...use: Parameters<typeof apply>): Value => apply(...use)[0];

const asValue = (operand: Operand, like: Value): Value =>
  typeof operand === 'number' ? constant(operand, like.dtype) : operand;

const binary =
  (operator: OperatorName) =>
  (a: Operand, b: Operand, name?: string): Value => {
    const like = typeof a === 'number' ? b : a;
    if (typeof like === 'number') throw new GraphError(`${operator}: one operand must be a tensor`);
    return one(operator, [asValue(a, like), asValue(b, like)], { name });
  };

const unary =
  (operator: OperatorName) =>
  (x: Value, name?: string): Value =>
    one(operator, [x], { name });

const ofTensors =
  (operator: OperatorName) =>
  (a: Value, b: Value, name?: string): Value =>
    one(operator, [a, b], { name });

const withAlpha =
  (operator: OperatorName, otherwise: number) =>
  (x: Value, alpha = otherwise, name?: string): Value =>
    one(operator, [x], { attributes: { alpha: { float: alpha } }, name });

const alongAxis =
  (operator: OperatorName) =>
  (x: Value, axis = -1, name?: string): Value =>
    one(operator, [x], { attributes: { axis: { int: axis } }, name });

const withAxes =
  (operator: OperatorName) =>
  (x: Value, axes: readonly number[], name?: string): Value =>
    one(operator, [x, constant(axes, 'int64')], { name });

const gathering =
  (operator: OperatorName) =>
  (x: Value, indices: Value, axis = 0, name?: string): Value =>
    one(operator, [x, indices], { attributes: { axis: { int: axis } }, name });

export const add = binary('Add');
export const sub = binary('Sub');
export const mul = binary('Mul');
export const div = binary('Div');
export const pow = binary('Pow');
export const max = binary('Max');
export const min = binary('Min');
export const equal = binary('Equal');
export const less = binary('Less');
export const lessOrEqual = binary('LessOrEqual');
export const greater = binary('Greater');
export const greaterOrEqual = binary('GreaterOrEqual');

export const neg = unary('Neg');
export const abs = unary('Abs');
export const sign = unary('Sign');
export const exp = unary('Exp');
export const log = unary('Log');
export const sqrt = unary('Sqrt');
export const reciprocal = unary('Reciprocal');
export const floor = unary('Floor');
export const sigmoid = unary('Sigmoid');
export const tanh = unary('Tanh');
export const relu = unary('Relu');
export const softplus = unary('Softplus');
export const erf = unary('Erf');
export const not = unary('Not');
export const identity = unary('Identity');

export const and = ofTensors('And');
export const or = ofTensors('Or');

/** x where positive, `alpha`·x elsewhere. */
export const leakyRelu = withAlpha('LeakyRelu', 0.01);

/** x where positive, `alpha`·(eˣ − 1) elsewhere. */
export const elu = withAlpha('Elu', 1);

/** Softmax along `axis`. */
export const softmax = alongAxis('Softmax');

export const logSoftmax = alongAxis('LogSoftmax');

/** `a` where the condition holds, `b` elsewhere. All three broadcast. */
export function where(condition: Value, a: Operand, b: Operand, name?: string): Value {
  const like = typeof a === 'number' ? b : a;
  if (typeof like === 'number') return where(condition, constant(like), b, name);
  return one('Where', [condition, asValue(a, like), asValue(b, like)], { name });
}

export const cast = (x: Value, to: DataType, name?: string): Value =>
  x.dtype === to ? x : one('Cast', [x], { attributes: { to: { int: DATA_TYPES[to] } }, name });

/** The matrix product over the last two axes. The axes before them broadcast. */
export const matmul = ofTensors('MatMul');

/** How a product is added: times `alpha`, and of matrices that may be given transposed. */
export type Gemm = Partial<Record<'transA' | 'transB', boolean>> & { readonly alpha?: number };

/** `alpha`·AB + C in one operator. A runtime may write the result to the memory of C, which has its shape. */
export const gemm = (a: Value, b: Value, c: Value, { alpha = 1, transA, transB }: Gemm = {}): Value => {
  const turned = { transA: { int: Number(transA ?? false) }, transB: { int: Number(transB ?? false) } };
  return one('Gemm', [a, b, c], { attributes: { alpha: { float: alpha }, ...turned } });
};

/** Permutes the axes. @param axes the new order. Default: reversed */
export const transpose = (x: Value, axes?: readonly number[], name?: string): Value =>
  one('Transpose', [x], { attributes: axes && { perm: { ints: axes } }, name });

/**
 * The same elements in another shape. In a list of numbers, 0 keeps the size of that axis, and one −1 is inferred from the
 * others. A shape known only when the graph runs is an int64 tensor; `dims` then names its sizes.
 */
export const reshape = (
  x: Value,
  shape: readonly number[] | Value,
  dims?: readonly Dim[],
  name?: string,
): Value => one('Reshape', [x, isValue(shape) ? shape : constant(shape, 'int64')], { name, dims });

/**
 * Dropout: zeroes random elements of x at a rate, and scales the rest by 1 / (1 − rate).
 *
 * @param seed seed of the session's generator. A new session drops the same elements again.
 */
export const dropout = (x: Value, rate: number, seed: number, name?: string): Value =>
  one('Dropout', [x, constant(rate, x.dtype), constant(1, 'bool')], {
    attributes: { seed: { int: seed } },
    name,
  });

/** x broadcast to the shape of `like`. */
export const expandLike = (x: Value, like: Value, name?: string): Value =>
  x.dims.join() === like.dims.join() ? x : one('Expand', [x, shapeOf(like)], { name, dims: like.dims });

export const squeeze = withAxes('Squeeze');
export const unsqueeze = withAxes('Unsqueeze');

export const concat = (values: readonly Value[], axis: number, name?: string): Value =>
  one('Concat', values, { attributes: { axis: { int: axis } }, name });

/** Splits an axis into parts of the given sizes. */
export const split = (x: Value, sizes: readonly number[], axis = 0, name?: string): Value[] =>
  apply('Split', [x, constant(sizes, 'int64')], { attributes: { axis: { int: axis } }, name });

/**
 * x[start:end:step] along one axis. Bounds are numbers, or int64 tensors of shape [1]. With tensors, or along an axis
 * whose size is a name, `dim` names the new size.
 */
export function slice(
  x: Value,
  start: number | Value,
  end: number | Value,
  { axis = 0, step = 1, dim, name }: { axis?: number; step?: number; dim?: Dim; name?: string } = {},
): Value {
  const bound = (value: number | Value): Value => (isValue(value) ? value : constant([value], 'int64'));
  const inputs = [x, bound(start), bound(end), constant([axis], 'int64'), constant([step], 'int64')];
  const dims =
    dim === undefined ? undefined : x.dims.map((old, at) => (at === axisOf(axis, x.dims.length) ? dim : old));
  return one('Slice', inputs, { name, dims });
}

/** Rows of x (or slices along `axis`) by index. Index −1 is the last row, so check ids before they reach a graph. */
export const gather = gathering('Gather');

/** Options of a scatter. */
export interface Scatter {
  /** Adds the updates to the elements. @default replaces the elements */
  readonly reduction?: 'add';
  readonly name?: string;
}

const reducing = (reduction: Scatter['reduction']): Attributes =>
  reduction ? { reduction: { string: reduction } } : {};

/**
 * x with the rows at `rows` (int64, of any shape) replaced by, or with `reduction: 'add'` increased by, `updates`.
 *
 * In a session with more than one intra-op thread, ONNX Runtime loses some of several additions to the same row.
 */
export const scatterRows = (x: Value, rows: Value, updates: Value, scatter?: Scatter): Value =>
  scatterNd(x, unsqueeze(rows, [-1], `${rows.name}_column`), updates, scatter);

/**
 * For each element of `ids` the sum of all `rows` with the same id: with the cotangents of looked-up rows, the gradient of
 * the table's row. Duplicates have the same sum, so it can be written to the table without adding, on any number of
 * threads.
 *
 * @param table the table that the ids are rows of
 * @param ids int64[n]
 * @param rows [n, …]
 * @returns [n, …]
 */
export function summedRows(table: Value, ids: Value, rows: Value): Value {
  const index = sharedIndex(table, ids);
  const sums = scatterRows(zerosLike(rows), index, rows, { reduction: 'add' });
  return gather(sums, index, 0, `${rows.name}_total`);
}

/** For each element of `ids` the index of one element with the same id, the same for all of them. */
function sharedIndex(table: Value, ids: Value): Value {
  const [count] = table.dims;
  const size = typeof count === 'number' ? constant([count], 'int64') : slice(shapeOf(table), 0, 1);
  const indices = scatterRows(full(size, 0, 'int64', { dims: [count] }), ids, rowNumbers(ids));
  return gather(indices, ids, 0, `${ids.name}_index`);
}

/** `scatterRows` for whole multi-indices: `indices` is int64[…, depth]. */
export const scatterNd = (
  x: Value,
  indices: Value,
  updates: Value,
  { reduction, name }: Scatter = {},
): Value => one('ScatterND', [x, indices, updates], { attributes: reducing(reduction), name });

/** The elements of x at `indices` (int64, of as many axes as x) along `axis`. */
export const gatherElements = gathering('GatherElements');

/**
 * x with the elements at `indices` (int64, of as many axes as x) along `axis` replaced by, or with `reduction: 'add'`
 * increased by, `updates`.
 */
export const scatterElements = (
  x: Value,
  indices: Value,
  updates: Value,
  { axis = 0, reduction, name }: Scatter & { readonly axis?: number } = {},
): Value =>
  one('ScatterElements', [x, indices, updates], {
    attributes: { axis: { int: axis }, ...reducing(reduction) },
    name,
  });

/**
 * The `k` (int64[1]) largest elements along the last axis, largest first, and their indices (int64). Of equal elements the
 * one with the lower index comes first. `dim` names the new size.
 */
export function topK(x: Value, k: Value, dim: Dim, name = 'top'): { values: Value; indices: Value } {
  const dims = [...x.dims.slice(0, -1), dim];
  const [values, indices] = apply('TopK', [x, k], { attributes: { axis: { int: -1 } }, name, dims });
  return { values, indices };
}

/** Options of a reduction. */
export interface Reduction {
  /** Axes to reduce. @default all */
  readonly axes?: readonly number[];
  /** Keeps the reduced axes, with size 1. @default false */
  readonly keepDims?: boolean;
}

// ONNX Runtime gets the shape of an empty tensor wrong if an axis is negative.
const fromStart = (axes: readonly number[], { dims: { length } }: Value): number[] =>
  axes.map((axis) => (axis < 0 && axis >= -length ? axis + length : axis));

export const reduceSum = (x: Value, { axes, keepDims = false }: Reduction = {}, name?: string): Value =>
  one('ReduceSum', axes?.length ? [x, constant(fromStart(axes, x), 'int64')] : [x], {
    attributes: { keepdims: { int: Number(keepDims) } },
    name,
  });

const reduction =
  (operator: OperatorName) =>
  (x: Value, { axes, keepDims = false }: Reduction = {}, name?: string): Value => {
    const over = axes?.length && { axes: { ints: fromStart(axes, x) } };
    return one(operator, [x], { attributes: { ...over, keepdims: { int: Number(keepDims) } }, name });
  };

export const reduceMean = reduction('ReduceMean');
export const reduceMax = reduction('ReduceMax');
export const reduceMin = reduction('ReduceMin');

/** The shape of x, int64[rank]; a constant if all sizes are numbers. */
export const shapeOf = (x: Value): Value =>
  isStatic(x.dims) ? constant(x.dims, 'int64') : one('Shape', [x], { name: `${x.name}_shape` });

/** The number of elements of x, a scalar; a constant if all sizes are numbers. */
export function sizeOf(x: Value, dtype: DataType = x.dtype): Value {
  const size = product(x.dims);
  if (size !== undefined) return constant(size, dtype);
  return cast(one('Size', [x], { name: `${x.name}_count` }), dtype, `${x.name}_size`);
}

/** A tensor of the shape of x, filled with one value. */
export const fullLike = (x: Value, value: number, dtype: DataType = x.dtype, name?: string): Value =>
  full(shapeOf(x), value, dtype, { dims: x.dims, name });

/** A tensor filled with one value. `shape` is an int64 tensor; `dims` names its sizes. */
export function full(
  shape: Value,
  value: number,
  dtype: DataType,
  { dims, name }: { readonly dims: readonly Dim[]; readonly name?: string },
): Value {
  const { source } = constant([value], dtype);
  if (source.kind !== 'initializer') throw new GraphError('unreachable');
  const attributes = { value: { tensor: { dtype, dims: [1], data: source.data } } };
  return one('ConstantOfShape', [shape], { attributes, name, dims });
}

export const zerosLike = (x: Value, name?: string): Value => fullLike(x, 0, x.dtype, name ?? 'zeros');

/** The row numbers of x, int64: 0, 1, … below the size of its first axis. */
export function rowNumbers(x: Value, name = 'row_numbers'): Value {
  const size = x.dims.length === 1 ? shapeOf(x) : slice(shapeOf(x), 0, 1, { name: `${name}_count` });
  // CumSum stays on a GPU. Range needs the size as a number on the CPU.
  return exclusiveSum(full(size, 1, 'int64', { dims: x.dims.slice(0, 1) }), name);
}

/** The exclusive cumulative sum along the first axis. */
export const exclusiveSum = (x: Value, name?: string): Value =>
  one('CumSum', [x, constant(0, 'int64')], { attributes: { exclusive: { int: 1 } }, name });

/** 0, 1, … below `limit` (an int64 scalar); `dim` names the size. */
export const range = (limit: Value, dim: Dim, name = 'range'): Value =>
  one('Range', [constant(0, 'int64'), limit, constant(1, 'int64')], { name, dims: [dim] });

/** Maps string ids to int64 row numbers: the index of an id in `ids`, or `ids.length` for an unknown id. */
export const labelEncoder = (x: Value, ids: readonly string[], name?: string): Value =>
  one('LabelEncoder', [x], {
    attributes: {
      keys_strings: { strings: ids },
      values_int64s: { ints: ids.map((_, row) => row) },
      default_int64: { int: ids.length },
    },
    name,
  });

/**
 * Runs `body` `trips` times (an int64 scalar). Each iteration gets the `state` of the one before. The values of `scan` are
 * stacked along a new first axis. What does not vary between iterations is computed once, outside the loop.
 */
export function loop(
  trips: Value,
  state: readonly Value[],
  body: (trip: Value, state: readonly Value[]) => { state: readonly Value[]; scan: readonly Value[] },
  name = 'loop',
): { state: Value[]; scan: Value[] } {
  const trip = input('trip', 'int64', []);
  const condition = input('go_on', 'bool', []);
  const carried = state.map((value) => input(`${value.name}_in`, value.dtype, value.dims));
  const result = body(trip, carried);
  const inputs = [trip, condition, ...carried];
  if (result.state.length !== state.length)
    throw new GraphError(`Loop "${name}": ${state.length} values enter but ${result.state.length} leave`);
  const varying = dependents([...result.state, ...result.scan], inputs);
  const taken = new Set<Value>();
  // ONNX wants each output of a body to be a different value that a node inside it computes.
  const outputs = [condition, ...result.state, ...result.scan].map((value) => {
    const inside = value.source.kind === 'node' && varying.has(value.source.node) && !taken.has(value);
    taken.add(value);
    return inside ? value : identity(value, `${value.name}_out`);
  });
  const attributes = { body: { graph: { inputs, outputs } } };
  const go = initializer('true', 'bool', [], Uint8Array.of(1));
  const all = apply('Loop', [trips, go, ...state], { attributes, name });
  return { state: all.slice(0, state.length), scan: all.slice(state.length) };
}

function isStatic(dims: readonly Dim[]): dims is readonly number[] {
  return dims.every((dim) => typeof dim === 'number');
}

function isValue(candidate: unknown): candidate is Value {
  return typeof candidate === 'object' && candidate !== null && 'source' in candidate;
}

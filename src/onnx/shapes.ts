import {
  type Attributes,
  type DataType,
  type Dim,
  describe,
  GraphError,
  type TensorType,
  type Value,
} from './value.ts';

/** Infers the output types of an operator. Throws a `GraphError` if the inputs do not fit. */
export type Infer = (
  inputs: readonly Value[],
  attributes: Attributes,
  /** The output's dims, where they depend on values known only when the graph runs. */
  dims?: readonly Dim[],
) => TensorType[];

/** The shape that two shapes broadcast to. */
export function broadcast(a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw new GraphError(`the sizes ${left} and ${right} cannot be broadcast together`);
  });
}

/** The axis counted from the start; a negative axis counts from the end, as in ONNX. */
export function axisOf(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) {
    throw new GraphError(`there is no axis ${axis} in a tensor of rank ${rank}`);
  }
  return positive;
}

/** The elements of a constant int64 input; undefined if it is not constant. */
export function constantInts(value: Value): number[] | undefined {
  return value.source.kind === 'initializer'
    ? Array.from(value.source.data as BigInt64Array, Number)
    : undefined;
}

export function intsOf(attributes: Attributes, name: string): readonly number[] | undefined {
  const attribute = attributes[name];
  return attribute && 'ints' in attribute ? attribute.ints : undefined;
}

export function intOf(attributes: Attributes, name: string, otherwise: number): number {
  const attribute = attributes[name];
  return attribute && 'int' in attribute ? attribute.int : otherwise;
}

const NUMERIC: readonly DataType[] = ['float', 'double', 'int32', 'int64'];
const REAL: readonly DataType[] = ['float', 'double'];

const typeOf = ({ dtype, dims }: Value): TensorType => ({ dtype, dims });

function expectDtype(value: Value, allowed: readonly DataType[]): void {
  if (!allowed.includes(value.dtype)) {
    throw new GraphError(`${value.name} is ${value.dtype}, which must be one of ${allowed.join(', ')}`);
  }
}

function expectSame(values: readonly Value[]): void {
  for (const value of values) {
    if (value.dtype !== values[0].dtype) {
      throw new GraphError(`${values[0].name} is ${values[0].dtype} but ${value.name} is ${value.dtype}`);
    }
  }
}

const ofOne =
  (allowed: readonly DataType[]): Infer =>
  ([x]) => {
    expectDtype(x, allowed);
    return [typeOf(x)];
  };

/** One input, and one output of the same type. */
export const unary = ofOne(REAL);
export const unaryNumeric = ofOne(NUMERIC);
export const same: Infer = ([x]) => [typeOf(x)];

const ofTwo =
  (allowed: readonly DataType[], result?: DataType): Infer =>
  ([a, b]) => {
    expectSame([a, b]);
    expectDtype(a, allowed);
    return [{ dtype: result ?? a.dtype, dims: broadcast(a.dims, b.dims) }];
  };

/** Two inputs of one type, broadcast. */
export const binary = ofTwo(NUMERIC);
export const comparison = ofTwo(NUMERIC, 'bool');
export const equality = ofTwo([...NUMERIC, 'bool'], 'bool');

export const logical: Infer = (inputs) => {
  for (const value of inputs) expectDtype(value, ['bool']);
  return [{ dtype: 'bool', dims: inputs.map((value) => value.dims).reduce(broadcast) }];
};

export const where: Infer = ([condition, a, b]) => {
  expectDtype(condition, ['bool']);
  expectSame([a, b]);
  return [{ dtype: a.dtype, dims: broadcast(condition.dims, broadcast(a.dims, b.dims)) }];
};

export const matmul: Infer = ([a, b]) => {
  expectSame([a, b]);
  expectDtype(a, NUMERIC);
  if (a.dims.length < 2 || b.dims.length < 2) throw new GraphError('both factors need at least two axes');
  const [rows, inner] = a.dims.slice(-2);
  const [innerToo, columns] = b.dims.slice(-2);
  if (inner !== innerToo) throw new GraphError(`the inner sizes ${inner} and ${innerToo} differ`);
  return [{ dtype: a.dtype, dims: [...broadcast(a.dims.slice(0, -2), b.dims.slice(0, -2)), rows, columns] }];
};

/** αA′B′ + C of matrices, where A′ and B′ may be transposed. */
export const gemm: Infer = ([a, b, c], attributes) => {
  const turned = (x: Value, flag: string): Value =>
    intOf(attributes, flag, 0) ? { ...x, dims: x.dims.toReversed() } : x;
  expectSame([a, c]);
  const [{ dims }] = matmul([turned(a, 'transA'), turned(b, 'transB')], {});
  if (dims.length !== 2 || c.dims.join() !== dims.join())
    throw new GraphError(`${describe(c)} is not a matrix of the product's shape [${dims.join(', ')}]`);
  return [typeOf(c)];
};

export const transpose: Infer = ([x], attributes) => {
  const order = intsOf(attributes, 'perm') ?? x.dims.map((_, axis) => x.dims.length - 1 - axis);
  if ([...order].sort((a, b) => a - b).join() !== [...x.dims.keys()].join())
    throw new GraphError(`[${order}] is not an order of the axes`);
  return [{ dtype: x.dtype, dims: order.map((axis) => x.dims[axis]) }];
};

/** The number of elements; undefined if a size is a name. */
export const product = (dims: readonly Dim[]): number | undefined =>
  dims.reduce<number | undefined>(
    (all, dim) => (typeof dim === 'number' && all !== undefined ? all * dim : undefined),
    1,
  );

export const reshape: Infer = ([x, shape], _, dims) => {
  const asked = constantInts(shape);
  if (!asked) return [{ dtype: x.dtype, dims: given(dims) }];
  const out: Dim[] = asked.map((size, axis) => (size === 0 ? x.dims[axis] : size));
  const hole = asked.indexOf(-1);
  const size = product(x.dims);
  if (hole >= 0) {
    const rest = product(out.filter((_, axis) => axis !== hole));
    if (size !== undefined && rest) out[hole] = size / rest;
    else out[hole] = dims?.[hole] ?? withoutCommon(x.dims, out, hole);
  }
  const outSize = product(out);
  if (
    out.some((dim) => typeof dim !== 'string' && !(Number.isInteger(dim) && dim >= 0)) ||
    (size ?? outSize) !== (outSize ?? size)
  ) {
    throw new GraphError(`${describe(x)} does not fit into [${asked}]`);
  }
  return [{ dtype: x.dtype, dims: out }];
};

// The size for the −1 of a reshape: of [batch, 4, 5] to [-1, 20] it is batch.
function withoutCommon(from: readonly Dim[], to: readonly Dim[], hole: number): Dim {
  const names = from.filter((dim) => typeof dim === 'string');
  for (const [axis, dim] of to.entries())
    if (axis !== hole && names.includes(dim as string)) names.splice(names.indexOf(dim as string), 1);
  const numbers = (dims: readonly Dim[]): number =>
    product(dims.filter((dim) => typeof dim === 'number')) ?? 1;
  const ratio = numbers(from) / numbers(to.filter((_, axis) => axis !== hole));
  if (names.length === 0) return ratio;
  return ratio === 1 ? names.join('*') : `${names.join('*')}*${ratio}`;
}

function given(dims: readonly Dim[] | undefined): readonly Dim[] {
  if (!dims) throw new GraphError('the shape is not a constant; name its sizes in `dims`');
  return dims;
}

export const shapeInput: Infer = ([x], _, dims) => [{ dtype: x.dtype, dims: given(dims) }];

export const shape: Infer = ([x]) => [{ dtype: 'int64', dims: [x.dims.length] }];

export const scalarInt: Infer = () => [{ dtype: 'int64', dims: [] }];

/** A flag that says whether the operator did something. */
export const flag: Infer = () => [{ dtype: 'bool', dims: [1] }];

/** The gradient of a table, from the cotangents of rows. */
export const gatherGrad: Infer = ([, , rows], _, dims) => [{ dtype: rows.dtype, dims: given(dims) }];

/** x with some elements zeroed, and a mask of those kept. */
export const dropout: Infer = ([x, ratio]) => {
  expectSame([x, ratio]);
  return [typeOf(x), { dtype: 'bool', dims: x.dims }];
};

export const squeeze: Infer = ([x, axes]) => {
  const gone = (constantInts(axes) ?? []).map((axis) => axisOf(axis, x.dims.length));
  for (const axis of gone) {
    if (x.dims[axis] !== 1) throw new GraphError(`axis ${axis} has size ${x.dims[axis]}, not 1`);
  }
  return [{ dtype: x.dtype, dims: x.dims.filter((_, axis) => !gone.includes(axis)) }];
};

export const unsqueeze: Infer = ([x, axes]) => {
  const fresh = constantInts(axes) ?? [];
  const rank = x.dims.length + fresh.length;
  const axesOfOne = fresh.map((axis) => axisOf(axis, rank));
  if (new Set(axesOfOne).size < axesOfOne.length) throw new GraphError(`an axis occurs twice in [${fresh}]`);
  const rest = [...x.dims];
  const next = (axis: number): Dim => (axesOfOne.includes(axis) ? 1 : (rest.shift() as Dim));
  return [{ dtype: x.dtype, dims: Array.from({ length: rank }, (_, axis) => next(axis)) }];
};

export const concat: Infer = (inputs, attributes) => {
  if (inputs.length === 0) throw new GraphError('there is nothing to join');
  expectSame(inputs);
  const axis = axisOf(intOf(attributes, 'axis', 0), inputs[0].dims.length);
  for (const value of inputs) {
    if (
      value.dims.length !== inputs[0].dims.length ||
      value.dims.some((dim, at) => at !== axis && dim !== inputs[0].dims[at])
    ) {
      throw new GraphError(`only axis ${axis} may differ`);
    }
  }
  const sizes = inputs.map((value) => value.dims[axis]);
  const total =
    product(sizes) === undefined ? sizes.join('+') : (sizes as number[]).reduce((sum, size) => sum + size, 0);
  return [{ dtype: inputs[0].dtype, dims: inputs[0].dims.map((dim, at) => (at === axis ? total : dim)) }];
};

export const split: Infer = ([x, sizes], attributes) => {
  const axis = axisOf(intOf(attributes, 'axis', 0), x.dims.length);
  const parts = constantInts(sizes) ?? [];
  const total = parts.reduce((sum, part) => sum + part, 0);
  if (total !== x.dims[axis]) throw new GraphError(`the parts [${parts}] do not add up to ${x.dims[axis]}`);
  return parts.map((part) => ({ dtype: x.dtype, dims: x.dims.map((dim, at) => (at === axis ? part : dim)) }));
};

export const slice: Infer = ([x, starts, ends, axes, steps], _, dims) => {
  const bounds = [starts, ends, axes, steps].map(constantInts);
  if (dims) return [{ dtype: x.dtype, dims }];
  const [from, to, along, by] = bounds;
  if (!from || !to || !along || !by) return [{ dtype: x.dtype, dims: given(dims) }];
  const out = [...x.dims];
  for (const [index, axisGiven] of along.entries()) {
    const axis = axisOf(axisGiven, out.length);
    const size = out[axis];
    if (typeof size !== 'number')
      throw new GraphError(`the size of axis ${axis} is not known; name the new size in \`dim\``);
    if (by[index] < 1) throw new GraphError('steps must be positive');
    const clamp = (bound: number): number => Math.min(Math.max(bound < 0 ? bound + size : bound, 0), size);
    out[axis] = Math.max(0, Math.ceil((clamp(to[index]) - clamp(from[index])) / by[index]));
  }
  return [{ dtype: x.dtype, dims: out }];
};

export const gather: Infer = ([x, indices], attributes) => {
  expectDtype(indices, ['int32', 'int64']);
  const axis = axisOf(intOf(attributes, 'axis', 0), x.dims.length);
  return [{ dtype: x.dtype, dims: [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)] }];
};

export const scatterNd: Infer = ([x, indices, updates]) => {
  expectDtype(indices, ['int64']);
  expectSame([x, updates]);
  const depth = indices.dims.at(-1);
  if (typeof depth !== 'number' || depth > x.dims.length)
    throw new GraphError(`indices of depth ${depth} into ${describe(x)}`);
  const wanted = [...indices.dims.slice(0, -1), ...x.dims.slice(depth)];
  if (wanted.join() !== updates.dims.join()) {
    throw new GraphError(`the updates must be [${wanted.join(', ')}] but are [${updates.dims.join(', ')}]`);
  }
  return [typeOf(x)];
};

export const gatherElements: Infer = ([x, indices]) => {
  if (indices.dims.length !== x.dims.length)
    throw new GraphError('indices must have as many axes as the data');
  return [{ dtype: x.dtype, dims: indices.dims }];
};

export const scatterElements: Infer = ([x, indices, updates]) => {
  expectDtype(indices, ['int32', 'int64']);
  expectSame([x, updates]);
  if (indices.dims.join() !== updates.dims.join() || indices.dims.length !== x.dims.length)
    throw new GraphError('indices and updates must have the same shape, with as many axes as the data');
  return [typeOf(x)];
};

export const topK: Infer = ([x, k], attributes, dims) => {
  expectDtype(x, NUMERIC);
  expectDtype(k, ['int64']);
  axisOf(intOf(attributes, 'axis', -1), x.dims.length);
  return [
    { dtype: x.dtype, dims: given(dims) },
    { dtype: 'int64', dims: given(dims) },
  ];
};

/** Axes are an input, or an attribute in the older form of the operators. */
export const reduce: Infer = ([x, input], attributes) => {
  expectDtype(x, NUMERIC);
  const axes = input ? constantInts(input) : intsOf(attributes, 'axes');
  const gone = axes?.map((axis) => axisOf(axis, x.dims.length)) ?? [...x.dims.keys()];
  const keep = intOf(attributes, 'keepdims', 1) === 1;
  const dims = x.dims.flatMap((dim, axis) => (gone.includes(axis) ? (keep ? [1] : []) : [dim]));
  return [{ dtype: x.dtype, dims }];
};

export const alongAxis: Infer = ([x], attributes) => {
  expectDtype(x, REAL);
  axisOf(intOf(attributes, 'axis', -1), x.dims.length);
  return [typeOf(x)];
};

export const range: Infer = ([start, limit, step], _, dims) => {
  expectSame([start, limit, step]);
  return [{ dtype: start.dtype, dims: given(dims) }];
};

export const loop: Infer = ([trips, condition, ...initial], attributes) => {
  expectDtype(trips, ['int64']);
  expectDtype(condition, ['bool']);
  const attribute = attributes.body;
  if (!attribute || !('graph' in attribute)) throw new GraphError('a loop needs a body');
  const { outputs } = attribute.graph;
  const carried = outputs.slice(1, 1 + initial.length);
  for (const [index, value] of carried.entries()) {
    if (describe(value) !== describe(initial[index])) {
      throw new GraphError(
        `${initial[index].name} enters as ${describe(initial[index])} and leaves as ${describe(value)}`,
      );
    }
  }
  const scanned = outputs.slice(1 + initial.length);
  const count =
    trips.source.kind === 'initializer' ? Number((trips.source.data as BigInt64Array)[0]) : `${trips.name}`;
  return [
    ...carried.map(({ dtype, dims }) => ({ dtype, dims })),
    ...scanned.map(({ dtype, dims }) => ({ dtype, dims: [count, ...dims] })),
  ];
};

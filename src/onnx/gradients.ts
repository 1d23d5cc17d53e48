import type { OperatorName } from './operators.ts';
import * as ops from './ops.ts';
import { axisOf, constantInts, intOf, intsOf } from './shapes.ts';
import { type Attributes, GraphError, type Node, type Value } from './value.ts';

/** The node that a rule differentiates; `y` is its first output. */
export type Use = Pick<Node, 'inputs' | 'outputs' | 'attributes'> & { readonly y: Value };

/**
 * The vector–Jacobian product of an operator: maps the cotangents of its outputs to a cotangent for each input, null for
 * an input without gradient. `dy` is the cotangent of the first output, `dys` those of all; undefined for an output that
 * the loss does not depend on. A result may have the shape that its input was broadcast to: `gradients` sums it.
 */
export type Rule = (use: Use, dy: Value, dys: readonly (Value | undefined)[]) => readonly (Value | null)[];

const { add, sub, mul, div, neg, where, reduceSum } = ops;

const NOT_DIFFERENTIABLE = [
  ...([
    'Equal',
    'Less',
    'LessOrEqual',
    'Greater',
    'GreaterOrEqual',
    'And',
    'Or',
    'Not',
    'Shape',
    'Size',
  ] as const),
  ...(['ConstantOfShape', 'Range', 'CumSum', 'Loop', 'GatherElements', 'ScatterElements', 'TopK'] as const),
  ...(['LabelEncoder', 'GatherGrad', 'InPlaceAccumulatorV2', 'AdamWOptimizer'] as const),
];

type WithoutRule = Readonly<Record<(typeof NOT_DIFFERENTIABLE)[number], null>>;

/** One rule per operator; null if it is not differentiable. */
export const gradientRules = {
  Add: (_, dy) => [dy, dy],
  Sub: (_, dy) => [dy, neg(dy)],
  Mul: ({ inputs: [a, b] }, dy) => (a === b ? [mul(dy, mul(a, 2)), null] : [mul(dy, b), mul(dy, a)]),
  Div: ({ inputs: [, b], y }, dy) => [div(dy, b), neg(div(mul(dy, y), b))],
  Pow: ({ inputs: [a, b], y }, dy) => [mul(dy, mul(b, ops.pow(a, sub(b, 1)))), mul(dy, mul(y, ops.log(a)))],
  Max: ({ inputs: [a, b] }, dy) => chosen(ops.greaterOrEqual(a, b), dy),
  Min: ({ inputs: [a, b] }, dy) => chosen(ops.lessOrEqual(a, b), dy),
  Where: ({ inputs: [condition] }, dy) => [null, ...chosen(condition, dy)],
  Neg: (_, dy) => [neg(dy)],
  Sign: () => [null],
  Floor: () => [null],
  Abs: ({ inputs: [x] }, dy) => [mul(dy, ops.sign(x))],
  Exp: ({ y }, dy) => [mul(dy, y)],
  Log: ({ inputs: [x] }, dy) => [div(dy, x)],
  Sqrt: ({ y }, dy) => [div(dy, mul(y, 2))],
  Reciprocal: ({ y }, dy) => [neg(mul(dy, mul(y, y)))],
  Sigmoid: ({ y }, dy) => [mul(dy, mul(y, sub(1, y)))],
  Tanh: ({ y }, dy) => [mul(dy, sub(1, mul(y, y)))],
  Relu: ({ y }, dy) => [where(ops.greater(y, 0), dy, 0)],
  LeakyRelu: ({ inputs: [x], attributes }, dy) => [
    where(ops.greater(x, 0), dy, mul(dy, alphaOf(attributes))),
  ],
  Elu: ({ inputs: [x], y, attributes }, dy) => [
    where(ops.greater(x, 0), dy, mul(dy, add(y, alphaOf(attributes)))),
  ],
  Softplus: ({ inputs: [x] }, dy) => [mul(dy, ops.sigmoid(x))],
  Erf: ({ inputs: [x] }, dy) => [mul(dy, mul(ops.exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))],
  Softmax: ({ y, attributes }, dy) => [mul(y, sub(dy, sumAlong(mul(dy, y), attributes)))],
  LogSoftmax: ({ y, attributes }, dy) => [sub(dy, mul(ops.exp(y), sumAlong(dy, attributes)))],
  Cast: ({ inputs: [x], y }, dy) => [isReal(x) && isReal(y) ? ops.cast(dy, x.dtype) : null],
  Identity: (_, dy) => [dy],
  MatMul: ({ inputs: [a, b] }, dy) => [ops.matmul(dy, swapLast(b)), ops.matmul(swapLast(a), dy)],
  Gemm: ({ inputs: [a, b], attributes }, dy) => {
    const turn = (x: Value, flag: string) => (intOf(attributes, flag, 0) ? swapLast(x) : x);
    const scaled = mul(dy, alphaOf(attributes));
    return [
      turn(ops.matmul(scaled, swapLast(turn(b, 'transB'))), 'transA'),
      turn(ops.matmul(swapLast(turn(a, 'transA')), scaled), 'transB'),
      dy,
    ];
  },
  Transpose: ({ inputs: [x], attributes }, dy) => [ops.transpose(dy, inverse(intsOf(attributes, 'perm'), x))],
  Reshape: ({ inputs: [x] }, dy) => [reshapeLike(dy, x), null],
  Expand: (_, dy) => [dy, null],
  Squeeze: ({ inputs: [x] }, dy) => [reshapeLike(dy, x), null],
  Unsqueeze: ({ inputs: [x] }, dy) => [reshapeLike(dy, x), null],
  Concat: ({ inputs, attributes }, dy) => splitLike(dy, inputs, intOf(attributes, 'axis', 0)),
  Split: ({ outputs, attributes }, _, dys) => [
    ops.concat(
      outputs.map((output, part) => dys[part] ?? ops.zerosLike(output)),
      intOf(attributes, 'axis', 0),
    ),
    null,
  ],
  Slice: ({ inputs }, dy) => [unslice(dy, inputs), null, null, null, null],
  Gather: ({ inputs: [x, indices], attributes }, dy) => [
    ungather(dy, x, indices, intOf(attributes, 'axis', 0)),
    null,
  ],
  ReduceSum: ({ inputs: [x, axes], attributes }, dy) => [
    unreduce(dy, x, axes && constantInts(axes), attributes),
    null,
  ],
  ReduceMean: ({ inputs: [x], y, attributes }, dy) => [
    unreduce(div(dy, elementsOfMean(x, y, attributes)), x, intsOf(attributes, 'axes'), attributes),
  ],
  ReduceMax: extremum,
  ReduceMin: extremum,
  // The cotangent of a replaced row goes to its update; with reduction=add it goes to both.
  ScatterND: ({ inputs: [, indices, updates], attributes }, dy) => [
    attributes.reduction ? dy : ops.scatterNd(dy, indices, ops.zerosLike(updates)),
    null,
    gatherRows(dy, indices),
  ],
  Dropout: ({ inputs: [, ratio], outputs: [, kept] }, dy) => [
    div(mul(dy, ops.cast(kept, dy.dtype)), sub(1, ratio)),
    null,
    null,
  ],
  ...(Object.fromEntries(NOT_DIFFERENTIABLE.map((operator) => [operator, null])) as WithoutRule),
} satisfies Record<OperatorName, Rule | null>;

const isReal = (value: Value): boolean => value.dtype === 'float' || value.dtype === 'double';

function chosen(condition: Value, dy: Value): [Value, Value] {
  return [where(condition, dy, 0), where(condition, 0, dy)];
}

function alphaOf(attributes: Attributes): number {
  return 'float' in attributes.alpha ? attributes.alpha.float : 1;
}

function sumAlong(x: Value, attributes: Attributes): Value {
  return reduceSum(x, { axes: [intOf(attributes, 'axis', -1)], keepDims: true });
}

function swapLast(x: Value): Value {
  const axes = x.dims.map((_, axis) => axis);
  const [row, column] = axes.slice(-2);
  return ops.transpose(x, [...axes.slice(0, -2), column, row]);
}

function inverse(order: readonly number[] | undefined, x: Value): number[] {
  const axes = order ?? x.dims.map((_, axis) => x.dims.length - 1 - axis);
  return axes.map((_, axis) => axes.indexOf(axis));
}

function reshapeLike(dy: Value, x: Value): Value {
  return ops.reshape(dy, ops.shapeOf(x), x.dims);
}

function splitLike(dy: Value, inputs: readonly Value[], axisGiven: number): Value[] {
  const axis = axisOf(axisGiven, dy.dims.length);
  const sizes = inputs.map((value) => value.dims[axis]);
  if (!sizes.every((size) => typeof size === 'number')) {
    throw new GraphError(
      `Concat: the gradient needs known sizes along axis ${axis}, not ${sizes.join(', ')}`,
    );
  }
  return ops.split(dy, sizes, axis);
}

// Scatters the cotangent of a slice to the rows that it was cut from. Slicing the row numbers alike gives those rows.
function unslice(dy: Value, [x, start, end, axes, steps]: readonly Value[]): Value {
  const [axis, ...more] = constantInts(axes) ?? [];
  const step = constantInts(steps)?.[0];
  if (more.length || axis === undefined || step === undefined)
    throw new GraphError('Slice: the gradient takes one axis');
  const along = axisOf(axis, x.dims.length);
  const rows = ops.slice(ops.rowNumbers(toFront(x, along)), start, end, { step, dim: dy.dims[along] });
  return ungather(dy, x, rows, along);
}

function toFront(x: Value, axis: number): Value {
  return axis === 0 ? x : ops.transpose(x, [axis, ...x.dims.map((_, at) => at).filter((at) => at !== axis)]);
}

/** Scatters the rows of `dy` to the rows that they were gathered from. Those of the same row are added up. */
function ungather(dy: Value, x: Value, indices: Value, axisGiven: number): Value {
  const axis = axisOf(axisGiven, x.dims.length);
  const rank = indices.dims.length;
  // dy is [before, indices, after]: move the index axes to the front, scatter onto [axis, before, after], and move back.
  const axes = dy.dims.map((_, at) => at);
  const own = axes.slice(axis, axis + rank);
  const rows = axis === 0 ? dy : ops.transpose(dy, [...own, ...axes.filter((at) => !own.includes(at))]);
  const zeros = ops.zerosLike(toFront(x, axis));
  const sum = ops.scatterRows(zeros, ops.cast(indices, 'int64'), rows, { reduction: 'add' });
  if (axis === 0) return sum;
  const back = x.dims.map((_, at) => at);
  return ops.transpose(sum, [...back.slice(1, axis + 1), 0, ...back.slice(axis + 1)]);
}

function gatherRows(dy: Value, indices: Value): Value {
  if (indices.dims.at(-1) !== 1) throw new GraphError('ScatterND: the gradient takes indices of depth 1');
  return ops.gather(dy, ops.squeeze(indices, [-1]));
}

/**
 * The number of elements that each mean is taken over. With sizes known only when the graph runs it is a sum of ones, which
 * stays on a GPU.
 */
function elementsOfMean(x: Value, y: Value, attributes: Attributes): Value {
  if (![...x.dims, ...y.dims].some((dim) => typeof dim === 'string'))
    return div(ops.sizeOf(x), ops.sizeOf(y));
  const keepDims = intOf(attributes, 'keepdims', 1) === 1;
  return reduceSum(ops.fullLike(x, 1), { axes: intsOf(attributes, 'axes'), keepDims });
}

/** Broadcasts the cotangent of a reduction back over the axes that were reduced. */
function unreduce(dy: Value, x: Value, axes: readonly number[] | undefined, attributes: Attributes): Value {
  return ops.expandLike(restored(dy, x, axes, attributes), x);
}

function restored(reduced: Value, x: Value, axes: readonly number[] | undefined, attributes: Attributes) {
  if (intOf(attributes, 'keepdims', 1) === 1) return reduced;
  const gone = (axes ?? x.dims.map((_, axis) => axis)).map((axis) => axisOf(axis, x.dims.length));
  return gone.length ? ops.unsqueeze(reduced, gone) : reduced;
}

// Elements that tie for the extremum share the cotangent.
function extremum({ inputs: [x], y, attributes }: Use, dy: Value): readonly Value[] {
  const axes = intsOf(attributes, 'axes');
  const winners = ops.cast(ops.equal(x, restored(y, x, axes, attributes)), x.dtype);
  const ties = reduceSum(winners, { axes: axes ?? x.dims.map((_, axis) => axis), keepDims: true });
  return [mul(winners, div(restored(dy, x, axes, attributes), ties))];
}

import { apply } from './apply.ts';
import { bodyOf, dependencies, nodesBefore } from './graph.ts';
import { lookupOf } from './lookups.ts';
import { type OperatorName, operatorTable } from './operators.ts';
import * as ops from './ops.ts';
import { axisOf, constantInts, intOf, intsOf } from './shapes.ts';
import { constant, type Dim, input, type Node, type Value } from './value.ts';

/** What a value of the formula depends on: no id, the left id, the right id, or both. */
type Side = 'none' | 'left' | 'right' | 'pairs';

interface Sided {
  readonly side: Side;
  /** [left, …], [right, …], or [left, …, right]. With the right ids last, elementwise operators run over long rows. */
  readonly value: Value;
}

/** The reason why a formula must be computed pair by pair. */
class OneByOne extends Error {
  constructor({ operator, outputs }: Node, reason: string) {
    super(`${operator} "${outputs[0].name}" ${reason}`);
  }
}

/**
 * Vectorizes a formula of pairs (a kind of `vmap`): computes it for each left id with each right id.
 *
 * What depends on one side only is computed once per id. A sum of products of both sides becomes a matrix product. A
 * linear layer over both sides, concatenated, becomes the sum of a layer over each. A formula that combines the sides in
 * another way is computed pair by pair.
 *
 * @param formula maps int64[batch] and int64[batch] to one number per pair, [batch]
 * @param left int64[n]
 * @param right int64[m]
 * @param onOneByOne called with the reason if the formula is computed pair by pair
 * @returns [n, m]
 */
export function allPairs(
  formula: (left: Value, right: Value) => Value,
  left: Value,
  right: Value,
  onOneByOne?: (reason: string) => void,
): Value {
  const [anyLeft, anyRight] = ['left', 'right'].map((name) => input(name, 'int64', ['batch']));
  const result = formula(anyLeft, anyRight);
  const pairs = new Pairs(left, right);
  try {
    return pairs.compute(result, anyLeft, anyRight);
  } catch (error) {
    if (!(error instanceof OneByOne)) throw error;
    onOneByOne?.(error.message);
  }
  const dims = [left.dims[0], right.dims[0]];
  const flat = (side: Side, value: Value): Value =>
    ops.reshape(pairs.stretched({ side, value }), [-1], [dims.join('*')]);
  return ops.reshape(formula(flat('left', left), flat('right', right)), pairs.shape, dims, result.name);
}

class Pairs {
  private readonly known = new Map<Value, Sided>();

  constructor(
    private readonly left: Value,
    private readonly right: Value,
  ) {}

  /** int64[2] */
  get shape(): Value {
    return ops.concat([ops.shapeOf(this.left), ops.shapeOf(this.right)], 0, 'pairs_shape');
  }

  compute(result: Value, left: Value, right: Value): Value {
    this.known.set(left, { side: 'left', value: this.left });
    this.known.set(right, { side: 'right', value: this.right });
    for (const node of nodesBefore([result])) {
      if (bodyOf(node) && dependencies(node).some((value) => this.known.has(value)))
        throw new OneByOne(node, 'has a body that depends on ids');
      const inputs = node.inputs.map((value) => this.of(value));
      const [side, ...more] = new Set(inputs.map((one) => one.side).filter((one) => one !== 'none'));
      if (side === undefined) continue;
      if (more.length > 0 || side === 'pairs') {
        this.known.set(node.outputs[0], { side: 'pairs', value: this.ofPairs(node, inputs) });
        continue;
      }
      const found = lookupOf(node);
      const ids = found?.lookup.indices;
      if (
        found &&
        (ids === left || ids === right) &&
        isEveryRow(this[side as 'left' | 'right'], found.table)
      ) {
        this.known.set(node.outputs[0], { side, value: found.table });
        continue;
      }
      const rows = this[side as 'left' | 'right'].dims[0];
      const dims = node.outputs[0].dims.map((dim) => (dim === 'batch' ? rows : dim));
      const values = inputs.map(({ value }) => value);
      const outputs = again(node, values, node.attributes, dims);
      for (const [index, output] of node.outputs.entries())
        this.known.set(output, { side, value: outputs[index] });
    }
    return this.stretched(this.of(result));
  }

  /** A value broadcast to all pairs. */
  stretched(sided: Sided): Value {
    const value = this.lifted(sided);
    const inner = value.dims.slice(1, -1).map(Number);
    const dims = [this.left.dims[0], ...inner, this.right.dims[0]];
    if (value.dims.join() === dims.join()) return value;
    const parts = [ops.shapeOf(this.left), constant(inner, 'int64'), ops.shapeOf(this.right)];
    return apply('Expand', [value, ops.concat(parts, 0)], { name: value.name, dims })[0];
  }

  private of(value: Value): Sided {
    return this.known.get(value) ?? { side: 'none', value };
  }

  /** A value with axes of size 1 added, so that it broadcasts with [left, …, right]. */
  private lifted({ side, value }: Sided): Value {
    const axes = value.dims.map((_, axis) => axis);
    if (side === 'pairs' || axes.length === 0) return value;
    if (side !== 'right') return ops.unsqueeze(value, [-1], value.name);
    const last = axes.length > 1 ? ops.transpose(value, [...axes.slice(1), 0], value.name) : value;
    return ops.unsqueeze(last, [0], value.name);
  }

  private ofPairs(node: Node, inputs: readonly Sided[]): Value {
    const { operator, attributes } = node;
    const fit = inputs.every(({ side }, index) => side === 'none' || isOfBatch(node.inputs[index]));
    if (!fit) throw new OneByOne(node, 'takes an input without a row for each id');
    if (operator === 'ReduceSum') {
      const product = this.matrixProduct(node);
      if (product) return product;
    }
    if (operator === 'MatMul') return this.linear(node);
    const values = inputs.map((one) => this.lifted(one));
    const rank = Math.max(node.inputs[0].dims.length, node.outputs[0].dims.length);
    if (operator === 'Concat') {
      const [axis] = innerAxes(node, [intOf(attributes, 'axis', 0)], rank);
      return ops.concat(
        inputs.map((one) => this.stretched(one)),
        axis,
        node.outputs[0].name,
      );
    }
    if (AXES_INPUT.has(operator)) {
      const axes = innerAxes(node, node.inputs[1] && constantInts(node.inputs[1]), rank);
      return again(node, [values[0], constant(axes, 'int64')])[0];
    }
    if (AXES_ATTRIBUTE.has(operator)) {
      const axes = { ints: innerAxes(node, intsOf(attributes, 'axes'), rank) };
      return again(node, values, { ...attributes, axes })[0];
    }
    const aligned = inputs.every(
      ({ side }, index) => side === 'none' || node.inputs[index].dims.length === rank,
    );
    if (!operatorTable[operator as OperatorName].elementwise) throw new OneByOne(node, 'combines both sides');
    if (!aligned) throw new OneByOne(node, 'combines inputs with different numbers of axes');
    return again(node, values)[0];
  }

  /** Σ left · right over the last axis, as a matrix product. */
  private matrixProduct({ inputs: [x, axes], attributes, outputs }: Node): Value | undefined {
    const { source } = x;
    const summed = axes && constantInts(axes)?.map((axis) => axisOf(axis, x.dims.length));
    if (source.kind !== 'node' || source.node.operator !== 'Mul' || x.dims.length !== 2) return;
    const factors = source.node.inputs.map((value) => this.of(value));
    const [left, right] = ['left', 'right'].map((side) => factors.find((one) => one.side === side)?.value);
    if (!left || !right || summed?.join() !== '1' || left.dims[1] !== right.dims[1]) return;
    const product = ops.matmul(left, ops.transpose(right, undefined, right.name), outputs[0].name);
    return intOf(attributes, 'keepdims', 1) ? ops.unsqueeze(product, [1]) : product;
  }

  /** [left, right] · weight, as left · its rows of the weight + right · its rows. */
  private linear(node: Node): Value {
    const [x, weight] = node.inputs;
    const [{ name }] = node.outputs;
    if (this.of(weight).side !== 'none' || x.dims.length !== 2 || weight.dims.length !== 2)
      throw new OneByOne(node, 'is not a product of rows and one matrix');
    const { source } = x;
    const joined = source.kind === 'node' && source.node.operator === 'Concat' ? source.node.inputs : [x];
    let row = 0;
    const terms = joined.map((part) => {
      const { side, value } = this.of(part);
      const width = Number(part.dims[1]);
      const rows = joined.length > 1 ? ops.slice(weight, row, row + width, { name: weight.name }) : weight;
      row += width;
      return side === 'pairs'
        ? ops.matmul(ops.transpose(rows, undefined, weight.name), value, name)
        : this.lifted({ side, value: ops.matmul(value, rows, `${name}_${side}`) });
    });
    return terms.reduce((sum, term) => ops.add(sum, term, name));
  }
}

/** Whether the first axis of a value, and no other, is the batch. */
const isOfBatch = ({ dims }: Value): boolean => dims.lastIndexOf('batch') === 0;

/** The axes of a node that lie between those of the two sides. Their numbers are the same with one side and with two. */
function innerAxes(node: Node, axes: readonly number[] | undefined, rank: number): number[] {
  const positive = (axes ?? [0]).map((axis) => axisOf(axis, rank));
  if (positive.includes(0)) throw new OneByOne(node, 'goes along the axis of the ids');
  return positive;
}

const AXES_INPUT = new Set(['ReduceSum', 'Squeeze', 'Unsqueeze']);
const AXES_ATTRIBUTE = new Set(['ReduceMean', 'ReduceMax', 'ReduceMin']);

/** Whether row numbers are all rows of a table, in order: as an initializer, or as a range over the same axis. */
function isEveryRow({ dims: [count], source }: Value, table: Value): boolean {
  if (count !== table.dims[0]) return false;
  if (source.kind === 'node')
    return (
      source.node.operator === 'Range' &&
      isNumber(source.node.inputs[0], 0) &&
      isNumber(source.node.inputs[2], 1)
    );
  return (
    source.kind === 'initializer' &&
    (source.data as BigInt64Array).every((row, index) => row === BigInt(index))
  );
}

const isNumber = (value: Value, wanted: number): boolean => constantInts(value)?.join() === String(wanted);

/** Applies a node's operator to other inputs. */
function again(node: Node, inputs: readonly Value[], attributes = node.attributes, dims?: readonly Dim[]) {
  return apply(node.operator as OperatorName, inputs, {
    attributes,
    name: node.outputs[0].name,
    dims,
  });
}

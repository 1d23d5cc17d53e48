/** Typed arrays by the element types that the builder knows, under their ONNX names. */
export const ARRAYS = {
  float: Float32Array,
  double: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
};

export type DataType = keyof typeof ARRAYS | 'string';

/** The size of an axis: a number, or a name for a size that is known only when the graph runs. */
export type Dim = number | string;

/** What is known of a tensor before it is computed. */
export interface TensorType {
  readonly dtype: DataType;
  readonly dims: readonly Dim[];
  /** Not one tensor but a list of tensors, each of any shape; `dims` is then empty. */
  readonly sequence?: true;
}

/** The elements of a constant tensor. `bool` is one byte an element; `float16` the bits of one. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | readonly string[];

/** A tensor with its elements. */
export interface Constant extends TensorType {
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** The inside of a `Loop`: values computed from `inputs`, and from whatever outside it they use. */
export interface Body {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** An operator's attribute; the key says its ONNX type, `G` what stands for a graph. */
export type Attribute<G = Body> =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly strings: readonly string[] }
  | { readonly string: string }
  | { readonly tensor: Constant }
  | { readonly graph: G };

export type Attributes = Readonly<Record<string, Attribute>>;

/** One use of an operator. */
export interface Node {
  readonly operator: string;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

/** Where a value comes from: from outside, from the file, or from a node. */
export type Source =
  | { readonly kind: 'input' }
  | { readonly kind: 'initializer'; readonly data: TensorData }
  | { readonly kind: 'node'; readonly node: Node };

/**
 * A symbolic tensor: a type, and where it comes from. Values are not changed once others use
 * them; a graph is whatever a set of outputs depends on. `name` is what the value would like to be called; the builder makes it unique.
 */
export interface Value extends TensorType {
  readonly name: string;
  readonly source: Source;
}

/** A graph that cannot be right: the message names the operator, the node, and the shapes. */
export class GraphError extends Error {
  override name = 'GraphError';
}

/** A tensor that the caller gives when the graph runs. */
export function input(name: string, dtype: DataType, dims: readonly Dim[]): Value {
  return { name, dtype, dims, source: { kind: 'input' } };
}

/** A list of tensors that the caller gives when the graph runs. */
export function sequenceInput(name: string, dtype: DataType): Value {
  return { ...input(name, dtype, []), sequence: true };
}

/** A tensor whose elements are kept in the graph. */
export function initializer(name: string, dtype: DataType, dims: readonly number[], data: TensorData): Value {
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (data.length !== size) {
    throw new GraphError(`initializer "${name}": ${data.length} elements for ${describe({ dtype, dims })}`);
  }
  return { name, dtype, dims, source: { kind: 'initializer', data } };
}

/** A constant from plain numbers: `constant(2)`, `constant([1, 0], 'int64')`. */
export function constant(numbers: number | readonly number[], dtype: DataType = 'float'): Value {
  const list = typeof numbers === 'number' ? [numbers] : numbers;
  const dims = typeof numbers === 'number' ? [] : [numbers.length];
  return initializer(`const_${list.join('_')}`, dtype, dims, tensorData(list, dtype));
}

function tensorData(numbers: readonly number[], dtype: DataType): TensorData {
  if (dtype === 'float16' || dtype === 'string')
    throw new GraphError(`a ${dtype} constant needs its elements: use initializer()`);
  return dtype === 'int64' ? BigInt64Array.from(numbers, BigInt) : ARRAYS[dtype].from(numbers);
}

/** `float[batch, 50]` */
export function describe(type: TensorType): string {
  return `${type.dtype}[${type.dims.join(', ')}]`;
}

/** Typed arrays, by the ONNX names of the element types that the builder knows. */
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

/** Element type and shape of a tensor. */
export interface TensorType {
  readonly dtype: DataType;
  readonly dims: readonly Dim[];
  /** A list of tensors of any shapes in place of one tensor; `dims` is then empty. */
  readonly sequence?: true;
}

/** The elements of a constant tensor. `bool` has one byte per element; `float16` has the bits. */
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

/** The body of a `Loop`: values computed from `inputs` and from values outside it. */
export interface Body {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** An operator's attribute. The key is its ONNX type; `G` is the type of a graph. */
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

/** Where a value comes from: an input, the file, or a node. */
export type Source =
  | { readonly kind: 'input' }
  | { readonly kind: 'initializer'; readonly data: TensorData }
  | { readonly kind: 'node'; readonly node: Node };

/**
 * A symbolic tensor: a type and a source. A value does not change once others use it. A graph is everything that some
 * outputs depend on. `name` is a preferred name, which the builder makes unique.
 */
export interface Value extends TensorType {
  readonly name: string;
  readonly source: Source;
}

/** A graph is invalid. The message names the operator, the node and the shapes. */
export class GraphError extends Error {
  override name = 'GraphError';
}

/** An input of the graph. */
export function input(name: string, dtype: DataType, dims: readonly Dim[]): Value {
  return { name, dtype, dims, source: { kind: 'input' } };
}

/** An input of the graph that is a list of tensors. */
export function sequenceInput(name: string, dtype: DataType): Value {
  return { ...input(name, dtype, []), sequence: true };
}

/**
 * A constant tensor, stored in the graph.
 *
 * @throws GraphError if `data` does not have as many elements as `dims` say
 */
export function initializer(name: string, dtype: DataType, dims: readonly number[], data: TensorData): Value {
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (data.length !== size) {
    throw new GraphError(`initializer "${name}": ${data.length} elements for ${describe({ dtype, dims })}`);
  }
  return { name, dtype, dims, source: { kind: 'initializer', data } };
}

/** A constant from plain numbers: `constant(2)` is a scalar, `constant([1, 0], 'int64')` has one axis. */
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

/** A type as text, such as `float[batch, 50]`. */
export function describe(type: TensorType): string {
  return `${type.dtype}[${type.dims.join(', ')}]`;
}

import type { Attribute, Constant, DataType, TensorType } from './value.ts';

/** What our files name as the program that wrote them. */
export const PRODUCER = 'cofactor';

/** A name and the type of its tensor. */
export interface NamedType extends TensorType {
  readonly name: string;
}

export interface NamedConstant extends Constant {
  readonly name: string;
}

export interface NodeFile {
  readonly operator: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute<GraphFile>>>;
}

export interface GraphFile {
  readonly name: string;
  readonly inputs: readonly NamedType[];
  readonly outputs: readonly NamedType[];
  readonly nodes: readonly NodeFile[];
  readonly initializers: readonly NamedConstant[];
}

/** The content of an `.onnx` file. */
export interface ModelFile {
  readonly irVersion: number;
  /** Operator set versions by domain; '' is ONNX's own. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly graph: GraphFile;
}

/** Values of `TensorProto.DataType`, by element type. */
export const DATA_TYPES: Readonly<Record<DataType, number>> = {
  float: 1,
  int8: 3,
  uint16: 4,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
};

/** The element type for a value of `TensorProto.DataType`; undefined if the builder does not know it. */
export const dataTypeOf = (number: number): DataType | undefined =>
  (Object.keys(DATA_TYPES) as DataType[]).find((dtype) => DATA_TYPES[dtype] === number);

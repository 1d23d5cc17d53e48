/** A graph builder for ONNX: tensors, operators, gradients, files. It does not know about recommenders. */
export { gradients } from './backward.ts';
export { buildModel, type ModelParts } from './builder.ts';
export { decodeModel } from './decode.ts';
export { encodeModel } from './encode.ts';
export type { GraphFile, ModelFile, NamedType, NodeFile } from './file.ts';
export { type Lookup, lookups, type TableUse } from './lookups.ts';
export * from './ops.ts';
export * from './training.ts';
export {
  constant,
  type DataType,
  type Dim,
  describe,
  GraphError,
  initializer,
  input,
  sequenceInput,
  type TensorData,
  type TensorType,
  type Value,
} from './value.ts';
export { allPairs } from './vectorize.ts';

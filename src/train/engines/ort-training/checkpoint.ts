import { Builder } from 'flatbuffers';
import type { Tensors } from '../../../../graphs/heads/serving.ts';
import { DATA_TYPES } from '../../../onnx/file.ts';

// The file format is that of `ort_training_checkpoint.fbs` and `ort.fbs` in ONNX Runtime 1.19. The numbers of fields are
// their positions in the tables there.
const IDENTIFIER = 'ODTC';
const VERSION = 2;
const CHECKPOINT = { fields: 4, version: 0, moduleState: 1 };
const MODULE_STATE = { fields: 3, parametersToTrain: 0, frozenParameters: 1 };
const TENSOR = { fields: 7, name: 0, dims: 2, dataType: 3, rawData: 4 };

/**
 * The training API's `checkpoint`, with all parameters as trainable. It has no optimizer state, so that starts at zero.
 */
export function encodeCheckpoint(parameters: Tensors): Uint8Array {
  const bytes = Object.values(parameters).reduce((sum, { data }) => sum + data.byteLength, 0);
  const builder = new Builder(bytes + 1024);
  const tensors = Object.entries(parameters).map(([name, tensor]) => writeTensor(builder, name, tensor));
  const toTrain = offsets(builder, tensors);
  const frozen = offsets(builder, []);
  builder.startObject(MODULE_STATE.fields);
  builder.addFieldOffset(MODULE_STATE.parametersToTrain, toTrain, 0);
  builder.addFieldOffset(MODULE_STATE.frozenParameters, frozen, 0);
  const moduleState = builder.endObject();
  builder.startObject(CHECKPOINT.fields);
  builder.addFieldInt32(CHECKPOINT.version, VERSION, 0);
  builder.addFieldOffset(CHECKPOINT.moduleState, moduleState, 0);
  builder.finish(builder.endObject(), IDENTIFIER);
  return builder.asUint8Array().slice();
}

function writeTensor(builder: Builder, name: string, { dims, data }: Tensors[string]): number {
  const rawData = builder.createByteVector(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  builder.startVector(BigInt64Array.BYTES_PER_ELEMENT, dims.length, BigInt64Array.BYTES_PER_ELEMENT);
  for (const dim of dims.toReversed()) builder.addInt64(BigInt(dim));
  const shape = builder.endVector();
  const text = builder.createString(name);
  builder.startObject(TENSOR.fields);
  builder.addFieldOffset(TENSOR.name, text, 0);
  builder.addFieldOffset(TENSOR.dims, shape, 0);
  builder.addFieldInt32(TENSOR.dataType, DATA_TYPES.float, 0);
  builder.addFieldOffset(TENSOR.rawData, rawData, 0);
  return builder.endObject();
}

function offsets(builder: Builder, all: readonly number[]): number {
  const size = Int32Array.BYTES_PER_ELEMENT;
  builder.startVector(size, all.length, size);
  for (const offset of all.toReversed()) builder.addOffset(offset);
  return builder.endVector();
}

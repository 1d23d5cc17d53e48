import type { Message } from './wire.ts';

// The fields of onnx.proto that `encode.ts` writes. All others are refused: ONNX Runtime may understand more fields than
// are known here. Those that strangers could use are named.

export const MODEL: Message = {
  1: ['ir_version', 'int'],
  2: ['producer_name', 'bytes'],
  3: ['producer_version', 'bytes'],
  6: ['doc_string', 'bytes'],
  7: ['graph', 'bytes'],
  8: ['opset_import', 'many'],
  14: ['metadata_props', 'counted'],
  20: 'graphs for training (training_info)',
  25: 'functions',
};

export const OPSET: Message = { 1: ['domain', 'bytes'], 2: ['version', 'int'] };

export const GRAPH: Message = {
  1: ['node', 'many'],
  2: ['name', 'bytes'],
  5: ['initializer', 'many'],
  11: ['input', 'many'],
  12: ['output', 'many'],
  15: 'sparse initializers',
};

export const NODE: Message = {
  1: ['input', 'many'],
  2: ['output', 'many'],
  3: ['name', 'bytes'],
  4: ['op_type', 'bytes'],
  5: ['attribute', 'many'],
  7: ['domain', 'bytes'],
  8: 'the overload of a function',
};

export const ATTRIBUTE: Message = {
  1: ['name', 'bytes'],
  2: ['f', 'float'],
  3: ['i', 'int'],
  4: ['s', 'bytes'],
  5: ['t', 'bytes'],
  6: ['g', 'bytes'],
  8: ['ints', 'ints'],
  9: ['strings', 'counted'],
  11: 'several graphs',
  20: ['type', 'int'],
  21: 'a reference to an attribute of a function',
  22: 'a sparse tensor',
  23: 'sparse tensors',
};

/** The field that holds the value of an attribute, by its type. */
export const ATTRIBUTE_FIELDS: Readonly<Record<number, string>> = {
  1: 'f',
  2: 'i',
  3: 's',
  4: 't',
  5: 'g',
  7: 'ints',
  8: 'strings',
};

export const TENSOR: Message = {
  1: ['dims', 'ints'],
  2: ['data_type', 'int'],
  4: 'numbers outside raw_data (float_data)',
  5: 'numbers outside raw_data (int32_data)',
  6: ['string_data', 'counted'],
  7: 'numbers outside raw_data (int64_data)',
  8: ['name', 'bytes'],
  9: ['raw_data', 'bytes'],
  10: 'numbers outside raw_data (double_data)',
  11: 'numbers outside raw_data (uint64_data)',
  13: 'its numbers in another file (external data)',
  14: 'its numbers in another file (external data)',
};

export const VALUE_INFO: Message = { 1: ['name', 'bytes'], 2: ['type', 'bytes'] };
export const TYPE: Message = { 1: ['tensor_type', 'bytes'] };
export const TENSOR_TYPE: Message = { 1: ['elem_type', 'int'], 2: ['shape', 'bytes'] };
export const SHAPE: Message = { 1: ['dim', 'many'] };
export const DIMENSION: Message = { 1: ['dim_value', 'int'], 2: ['dim_param', 'bytes'] };

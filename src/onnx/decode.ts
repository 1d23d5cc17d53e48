import onnxProto, { type onnx as Proto } from 'onnx-proto';
import { dataTypeOf, type GraphFile, type ModelFile, type NamedType } from './file.ts';
import {
  ARRAYS,
  type Attribute,
  type Constant,
  type DataType,
  GraphError,
  type TensorData,
} from './value.ts';

// The package is CommonJS: its one export is the default.
const { onnx } = onnxProto;
const { DataType: Types } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

/**
 * Reads the bytes of an `.onnx` file.
 *
 * @throws GraphError if the bytes are not an ONNX model
 */
export function decodeModel(bytes: Uint8Array): ModelFile {
  try {
    return readModel(onnx.ModelProto.decode(bytes));
  } catch (error) {
    throw new GraphError(`not an ONNX model: ${(error as Error).message}`);
  }
}

function readModel(proto: Proto.ModelProto): ModelFile {
  if (!proto.graph || proto.opsetImport.length === 0) throw new GraphError('it has no graph');
  return {
    irVersion: Number(proto.irVersion),
    opsets: Object.fromEntries(
      proto.opsetImport.map(({ domain, version }) => [domain ?? '', Number(version)]),
    ),
    producer: proto.producerName,
    metadata: Object.fromEntries(proto.metadataProps.map(({ key, value }) => [key ?? '', value ?? ''])),
    graph: decodeGraph(proto.graph),
  };
}

function decodeGraph(graph: Proto.IGraphProto): GraphFile {
  return {
    name: graph.name ?? '',
    inputs: (graph.input ?? []).map(decodeType),
    outputs: (graph.output ?? []).map(decodeType),
    nodes: (graph.node ?? []).map((node) => ({
      operator: node.opType ?? '',
      domain: node.domain ?? '',
      name: node.name ?? '',
      inputs: node.input ?? [],
      outputs: node.output ?? [],
      attributes: Object.fromEntries(
        (node.attribute ?? []).map((proto) => [proto.name ?? '', decodeAttribute(proto)]),
      ),
    })),
    initializers: (graph.initializer ?? []).map((tensor) => ({
      name: tensor.name ?? '',
      ...decodeTensor(tensor),
    })),
  };
}

function decodeType({ name, type }: Proto.IValueInfoProto): NamedType {
  const sequence = type?.sequenceType;
  const tensor = sequence ? sequence.elemType?.tensorType : type?.tensorType;
  const dims = (tensor?.shape?.dim ?? []).map(
    (dim) => dim.dimParam || (Object.hasOwn(dim, 'dimValue') ? Number(dim.dimValue) : '?'),
  );
  const sort = sequence ? { sequence: true as const } : {};
  return { name: name ?? '', dtype: dtypeOf(tensor?.elemType), dims, ...sort };
}

// A file from another tool may use types that the builder does not know. They keep ONNX's name in lower case.
function dtypeOf(number: number | null | undefined): DataType {
  const known = dataTypeOf(number ?? 0);
  return known ?? ((Types[number ?? 0]?.toLowerCase() ?? `type ${number}`) as DataType);
}

// A byte order mark at the start of an id is part of the id.
const text = new TextDecoder('utf-8', { ignoreBOM: true });

function decodeAttribute(proto: Proto.IAttributeProto): Attribute<GraphFile> {
  switch (proto.type) {
    case AttributeType.INT:
      return { int: Number(proto.i) };
    case AttributeType.INTS:
      return { ints: (proto.ints ?? []).map(Number) };
    case AttributeType.FLOAT:
      return { float: proto.f ?? 0 };
    case AttributeType.STRINGS:
      return { strings: (proto.strings ?? []).map((bytes) => text.decode(bytes)) };
    case AttributeType.TENSOR:
      return { tensor: decodeTensor(proto.t ?? {}) };
    case AttributeType.GRAPH:
      return { graph: decodeGraph(proto.g ?? {}) };
    case AttributeType.STRING:
      return { string: text.decode(proto.s ?? new Uint8Array()) };
    default:
      return { string: `(${AttributeType[proto.type ?? 0] ?? proto.type})` };
  }
}

function decodeTensor(proto: Proto.ITensorProto): Constant {
  const dims = (proto.dims ?? []).map(Number);
  return { dtype: dtypeOf(proto.dataType), dims, data: decodeData(proto) };
}

function decodeData(proto: Proto.ITensorProto): TensorData {
  if (proto.dataType === Types.STRING) return (proto.stringData ?? []).map((bytes) => text.decode(bytes));
  // A copy, because a typed array needs an aligned offset and raw data in the file has any. Absent data is empty.
  const raw = proto.rawData?.length ? new Uint8Array(proto.rawData) : undefined;
  const dtype = dataTypeOf(proto.dataType ?? 0) as keyof typeof ARRAYS | undefined;
  // A type that the builder does not know is given as bytes.
  if (raw) return dtype ? new ARRAYS[dtype](raw.buffer) : raw;
  switch (dtype) {
    case 'float':
      return Float32Array.from(proto.floatData ?? []);
    case 'double':
      return Float64Array.from(proto.doubleData ?? []);
    case 'int64':
      return BigInt64Array.from((proto.int64Data ?? []).map((number) => BigInt(String(number))));
    // ONNX stores shorter types as int32, including the bits of float16.
    default:
      return ARRAYS[dtype ?? 'bool'].from(proto.int32Data ?? []);
  }
}

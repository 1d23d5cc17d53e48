import { PbfWriter } from 'pbf';
import { DATA_TYPES, type GraphFile, type ModelFile, type NamedType, type NodeFile } from './file.ts';
import { type Attribute, type Constant, type Dim, GraphError, type TensorData } from './value.ts';

// Field and type numbers are those of onnx.proto. The library that `decode.ts` uses could write them too, but it is too
// large for a page that trains.

/**
 * The bytes of an `.onnx` file. The same model gives the same bytes.
 *
 * @throws GraphError if the file would be over 2 GiB
 */
export function encodeModel(model: ModelFile): Uint8Array {
  const writer = new PbfWriter();
  writeModel(model, writer);
  // A copy, because the writer's buffer may be twice as long.
  const bytes = writer.finish().slice();
  if (bytes.length > 2 ** 31 - 1)
    throw new GraphError(`graph "${model.graph.name}": over 2 GiB, ONNX's limit for a file`);
  return bytes;
}

function writeModel({ irVersion, producer, graph, opsets, metadata }: ModelFile, writer: PbfWriter): void {
  writer.writeVarintField(1, irVersion);
  text(writer, 2, producer);
  writer.writeMessage(7, writeGraph, graph);
  for (const opset of Object.entries(opsets)) writer.writeMessage(8, writeOpset, opset);
  for (const entry of Object.entries(metadata)) writer.writeMessage(14, writeEntry, entry);
}

function writeOpset([domain, version]: [string, number], writer: PbfWriter): void {
  text(writer, 1, domain);
  writer.writeVarintField(2, version);
}

function writeEntry([key, value]: [string, string], writer: PbfWriter): void {
  text(writer, 1, key);
  text(writer, 2, value);
}

function writeGraph({ name, inputs, outputs, nodes, initializers }: GraphFile, writer: PbfWriter): void {
  for (const node of nodes) writer.writeMessage(1, writeNode, node);
  text(writer, 2, name);
  for (const { name, ...constant } of initializers) writer.writeMessage(5, writeTensor, { name, constant });
  for (const type of inputs) writer.writeMessage(11, writeType, type);
  for (const type of outputs) writer.writeMessage(12, writeType, type);
}

function writeNode(node: NodeFile, writer: PbfWriter): void {
  for (const input of node.inputs) text(writer, 1, input);
  for (const output of node.outputs) text(writer, 2, output);
  text(writer, 3, node.name);
  text(writer, 4, node.operator);
  for (const attribute of Object.entries(node.attributes)) writer.writeMessage(5, writeAttribute, attribute);
  text(writer, 7, node.domain);
}

function writeType({ name, dtype, dims, sequence }: NamedType, writer: PbfWriter): void {
  const writeDim = (dim: Dim): void =>
    typeof dim === 'number' ? writer.writeVarintField(1, dim) : text(writer, 2, dim);
  const writeShape = (): void => {
    for (const dim of dims) writer.writeMessage(1, writeDim, dim);
  };
  const writeTensorType = (): void => {
    writer.writeVarintField(1, DATA_TYPES[dtype]);
    // Tensors of a sequence have no shape in the file, so they may have any.
    if (!sequence) writer.writeMessage(2, writeShape, dims);
  };
  const writeTensor = (): void => writer.writeMessage(1, writeTensorType, dtype);
  const writeSequence = (): void => writer.writeMessage(1, writeTensor, dtype);
  text(writer, 1, name);
  writer.writeMessage(2, sequence ? () => writer.writeMessage(4, writeSequence, dtype) : writeTensor, dtype);
}

/** Values of `AttributeProto.AttributeType`. */
const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, ints: 7, strings: 8 };

function writeAttribute([name, attribute]: [string, Attribute<GraphFile>], writer: PbfWriter): void {
  const [[kind]] = Object.entries(attribute);
  text(writer, 1, name);
  if ('float' in attribute) writer.writeFloatField(2, attribute.float);
  else if ('int' in attribute) writer.writeVarintField(3, attribute.int);
  else if ('string' in attribute) text(writer, 4, attribute.string);
  else if ('tensor' in attribute) writer.writeMessage(5, writeTensor, { constant: attribute.tensor });
  else if ('graph' in attribute) writer.writeMessage(6, writeGraph, attribute.graph);
  else if ('ints' in attribute) writer.writePackedVarint(8, attribute.ints as number[]);
  else for (const string of attribute.strings) text(writer, 9, string);
  writer.writeVarintField(20, ATTRIBUTE_TYPES[kind as keyof typeof ATTRIBUTE_TYPES]);
}

function writeTensor({ name, constant }: { name?: string; constant: Constant }, writer: PbfWriter): void {
  const { dtype, dims, data } = constant;
  writer.writePackedVarint(1, dims as number[]);
  writer.writeVarintField(2, DATA_TYPES[dtype]);
  if (dtype === 'string') for (const string of data as readonly string[]) text(writer, 6, string);
  if (name !== undefined) text(writer, 8, name);
  if (dtype === 'string') return;
  const { buffer, byteOffset, byteLength } = data as Exclude<TensorData, readonly string[]>;
  writer.writeBytesField(9, new Uint8Array(buffer, byteOffset, byteLength));
}

const utf8 = new TextEncoder();

const text = (writer: PbfWriter, field: number, string: string): void =>
  writer.writeBytesField(field, utf8.encode(string));

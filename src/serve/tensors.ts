import { Float16Array } from '@petamoriken/float16';
import { type InferenceSession, Tensor } from 'onnxruntime-common';
import { badRequest } from './errors.ts';
import { textProblem } from './json.ts';
import { LIMITS } from './limits.ts';

/** A tensor in a request of the Open Inference Protocol, version 2. */
export interface GivenTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly data?: readonly unknown[];
}

export type TensorMetadata = Extract<InferenceSession.ValueMetadata, { isTensor: true }>;

/** The protocol's name for an element type of ONNX Runtime. */
export function datatypeOf(type: Tensor.Type): string {
  const named: Partial<Record<Tensor.Type, string>> = {
    string: 'BYTES',
    float16: 'FP16',
    float32: 'FP32',
    float64: 'FP64',
  };
  return named[type] ?? type.toUpperCase();
}

interface NumberArray {
  readonly BYTES_PER_ELEMENT: number;
  new (bytes: ArrayBuffer): Iterable<number | bigint>;
}

/** Typed arrays by datatype. The protocol's bytes are little-endian, like all machines that Node runs on here. */
const ARRAYS: Readonly<Record<string, NumberArray>> = {
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  FP16: Float16Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

/** The range of an integer datatype; undefined for other datatypes. */
function boundsOf(datatype: string): readonly [bigint, bigint] | undefined {
  const [, unsigned, bits] = /^(U?)INT(\d+)$/.exec(datatype) ?? [];
  if (bits === undefined) return undefined;
  const values = 2n ** BigInt(bits);
  return unsigned ? [0n, values - 1n] : [-values / 2n, values / 2n - 1n];
}

const LONGEST = 2n ** 63n - 1n;

export const DATATYPES = ['BYTES', 'BOOL', ...Object.keys(ARRAYS)];

/**
 * Converts a tensor of a request to the one that a model takes. The type may differ if every value fits, and so may
 * trailing axes of size 1.
 *
 * @param bytes the elements, if they are binary
 * @throws HttpError 400 if the tensor does not fit
 */
export function readTensor(given: GivenTensor, wanted: TensorMetadata, bytes?: Buffer): Tensor {
  const dims = fittingShape(given, wanted);
  const size = given.shape.reduce((product, dim) => Math.min(product * dim, Number.MAX_SAFE_INTEGER), 1);
  if (size > LIMITS.elements)
    throw wrong(given, `shape [${given.shape}] has more than ${LIMITS.elements} elements`);
  const convert = conversion(given, wanted);
  const values = bytes ? readBytes(given, bytes, size) : readData(given, size);
  return new Tensor(wanted.type as 'string', convert(values) as string[], dims);
}

const wrong = ({ name }: GivenTensor, message: string) =>
  badRequest(`input ${JSON.stringify(name)}: ${message}`);

/** The conversion from the given datatype to the model's type. @throws HttpError 400 if there is none */
function conversion(given: GivenTensor, { type }: TensorMetadata): (values: unknown[]) => unknown {
  const { datatype } = given;
  if (type === 'string' && datatype === 'BYTES') return (texts) => texts;
  if (type === 'bool' && datatype === 'BOOL') return (flags) => Uint8Array.from(flags, Number);
  if (type === 'float32' && ARRAYS[datatype])
    return (numbers) => Float32Array.from(numbers as number[], toFloat);
  if (type === 'int64' && boundsOf(datatype))
    return (numbers) => BigInt64Array.from(numbers as number[], toLong);
  throw wrong(given, `datatype ${datatype}, but the model takes ${datatypeOf(type)}`);

  function toFloat(value: number | bigint): number {
    const float = Math.fround(Number(value));
    if (!Number.isFinite(float)) throw wrong(given, `${value} is not a finite FP32`);
    return float;
  }

  function toLong(value: number | bigint): bigint {
    if (value > LONGEST) throw wrong(given, `${value} is beyond INT64`);
    return BigInt(value);
  }
}

function fittingShape(given: GivenTensor, { shape: wanted }: TensorMetadata): number[] {
  const dims = [...given.shape];
  while (dims.length > wanted.length && dims.at(-1) === 1) dims.pop();
  while (dims.length < wanted.length && wanted[dims.length] === 1) dims.push(1);
  const fits =
    dims.length === wanted.length &&
    wanted.every((dim, axis) => typeof dim === 'string' || dim === dims[axis]);
  if (fits) return dims;
  throw wrong(given, `shape [${given.shape}], but the model takes [${protocolShape(wanted)}]`);
}

/** A shape in the protocol, where -1 is an axis of any size. */
export const protocolShape = (shape: TensorMetadata['shape']): number[] =>
  shape.map((dim) => (typeof dim === 'number' ? dim : -1));

/** The elements of a JSON list, which is flat or nested according to the shape. */
function readData(given: GivenTensor, size: number): unknown[] {
  const { data, datatype, shape } = given;
  if (!data) throw wrong(given, 'it has neither data nor parameters.binary_data_size');
  if (datatype === 'FP16') throw wrong(given, 'FP16 comes as binary data only');
  const values = Array.isArray(data[0]) ? flatten(given, data, 0) : data;
  if (values.length !== size)
    throw wrong(given, `shape [${shape}] has ${size} elements, but data has ${values.length}`);
  const type = { BYTES: 'string', BOOL: 'boolean' }[datatype] ?? 'number';
  const bounds = boundsOf(datatype);
  for (const value of values) {
    if (typeof value === type && (!bounds || within(value as number, bounds))) continue;
    throw wrong(given, `${short(value)} is not ${datatype}`);
  }
  return values as unknown[];
}

const within = (value: number, [low, high]: readonly [bigint, bigint]): boolean =>
  Number.isInteger(value) && value >= low && value <= high;

function flatten(given: GivenTensor, list: unknown, axis: number): unknown[] {
  const { shape } = given;
  if (!Array.isArray(list) || list.length !== shape[axis])
    throw wrong(given, `data is not nested according to shape [${shape}]`);
  return axis === shape.length - 1 ? list : list.flatMap((part) => flatten(given, part, axis + 1));
}

const short = (value: unknown): string => JSON.stringify(value).slice(0, 40);

/** The elements of binary data: little-endian numbers, or texts, each as its length in 4 bytes and its UTF-8. */
function readBytes(given: GivenTensor, bytes: Buffer, size: number): unknown[] {
  const { datatype } = given;
  if (datatype === 'BYTES') return readTexts(given, bytes, size);
  const Numbers = ARRAYS[datatype] ?? Uint8Array;
  const wanted = size * Numbers.BYTES_PER_ELEMENT;
  if (bytes.length !== wanted)
    throw wrong(given, `shape [${given.shape}] of ${datatype} takes ${wanted} bytes, not ${bytes.length}`);
  // A copy, because a typed array must start at a multiple of its element size.
  const numbers = [...new Numbers(Uint8Array.from(bytes).buffer)];
  return datatype === 'BOOL' ? numbers.map((number) => number !== 0) : numbers;
}

// A byte order mark at the start of an id is part of the id.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function readTexts(given: GivenTensor, bytes: Buffer, size: number): string[] {
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const start = at + 4;
    const end = start <= bytes.length ? start + bytes.readUInt32LE(at) : start;
    if (end > bytes.length) throw wrong(given, 'its binary data is cut off');
    try {
      texts.push(utf8.decode(bytes.subarray(start, end)));
    } catch {
      throw wrong(given, 'its binary data has a text that is not UTF-8');
    }
    const problem = textProblem(texts[texts.length - 1]);
    if (problem) throw wrong(given, problem);
    at = end;
  }
  if (texts.length !== size)
    throw wrong(
      given,
      `shape [${given.shape}] has ${size} elements, but its binary data has ${texts.length}`,
    );
  return texts;
}

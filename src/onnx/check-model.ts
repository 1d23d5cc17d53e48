import { Constants, type Known } from './check-constants.ts';
import { dataTypeOf } from './file.ts';
import * as messages from './messages.ts';
import { type Operator, type OperatorName, operatorTable } from './operators.ts';
import { ARRAYS, type DataType, GraphError } from './value.ts';
import { type Message, type Parts, WireReader } from './wire.ts';

/** Loops in loops. */
const DEEPEST = 4;
/** Runs of all bodies: of one in a loop, for each trip of the loops around it. */
const MOST_TRIPS = 10_000;
/** Axes of a tensor. */
const MOST_AXES = 16;
/** Bytes of a name. */
const LONGEST_NAME = 10_000;

/** `ORTM`, by which ONNX Runtime tells its own format, whatever else the bytes mean. */
const ORT_FORMAT = [0x4f, 0x52, 0x54, 0x4d];

/** Whole numbers are divided by the processor, which ends the process for a division by zero. */
const OF_FLOATS: ReadonlySet<string> = new Set(['Div', 'ReduceMean']);
const FLOATS: ReadonlySet<DataType> = new Set(['float', 'double', 'float16']);

/**
 * Checks the bytes of an `.onnx` file from a stranger, before ONNX Runtime reads it: they are of the kind that `encodeModel`
 * writes, with operators of the table, and nothing in them leads out of the file, or is large or long out of proportion to
 * it. What a model computes is not judged.
 *
 * @throws GraphError that says what is wrong
 */
export function checkModel(bytes: Uint8Array): void {
  new ModelCheck(bytes).run();
}

interface Level {
  readonly depth: number;
  /** How often the graph runs. */
  readonly trips: number;
}

/** A node, as it stands in a graph. */
interface NodeParts {
  readonly label: string;
  readonly operator: string;
  readonly inputs: readonly Known[];
  readonly attributes: ReadonlyMap<string, Parts>;
}

class ModelCheck {
  private readonly reader = new WireReader();
  private readonly constants: Constants;
  /** Names of all values, also of those in bodies: none may stand twice. */
  private readonly taken = new Set<string>();
  /** What is known of the values that the next node may use, by name. */
  private readonly scope = new Map<string, Known>();
  private trips = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.constants = new Constants(bytes.length);
  }

  run(): void {
    if (ORT_FORMAT.every((byte, at) => this.bytes[4 + at] === byte))
      throw new GraphError('it is in the format of ONNX Runtime, not in ONNX');
    const model = this.reader.read(this.bytes, messages.MODEL, 'the model');
    const graph = bytesOf(model, 'graph');
    if (!graph || !model.has('opset_import')) throw new GraphError('it has no graph');
    this.opsets(model);
    this.graph(graph, { depth: 0, trips: 1 });
  }

  private opsets(model: Parts): void {
    const domains = new Set<string>();
    for (const bytes of model.get('opset_import')?.bytes ?? []) {
      const domain = textOf(this.reader.read(bytes, messages.OPSET, 'an opset'), 'domain');
      if (!DOMAINS.has(domain))
        throw new GraphError(`it has operators of an unknown domain, ${quoted(domain)}`);
      if (domains.has(domain)) throw new GraphError(`it names the domain ${quoted(domain)} twice`);
      domains.add(domain);
    }
  }

  /** @returns what is known of the outputs */
  private graph(bytes: Uint8Array, level: Level): Known[] {
    const graph = this.reader.read(bytes, messages.GRAPH, 'a graph');
    const own = new Set<string>();
    const add = (name: string, known: Known): void => {
      if (name === '') throw new GraphError('a value has no name');
      if (this.taken.has(name)) throw new GraphError(`there are two values ${quoted(name)}`);
      this.taken.add(name);
      own.add(name);
      this.scope.set(name, known);
    };
    for (const bytes of all(graph, 'input')) add(...this.declared(bytes));
    for (const bytes of all(graph, 'initializer')) {
      const [name, known] = this.tensor(bytes, 'initializer');
      add(name, known);
    }
    for (const bytes of all(graph, 'node')) {
      const node = this.reader.read(bytes, messages.NODE, 'a node');
      const results = this.node(node, level);
      for (const [index, name] of texts(node, 'output').entries()) add(name, results(index));
    }
    const results = all(graph, 'output').map((bytes) => {
      const [name] = this.declared(bytes);
      const known = own.has(name) ? this.scope.get(name) : undefined;
      if (!known) throw new GraphError(`the output ${quoted(name)} is computed nowhere`);
      return known;
    });
    for (const name of own) this.scope.delete(name);
    return results;
  }

  /** A value that a graph declares, with its type. */
  private declared(bytes: Uint8Array): [string, Known] {
    const info = this.reader.read(bytes, messages.VALUE_INFO, 'an input or output');
    const name = textOf(info, 'name');
    const where = `the value ${quoted(name)}`;
    const inside = (parts: Parts, field: string, message: Message): Parts =>
      this.reader.read(bytesOf(parts, field) ?? new Uint8Array(), message, where);
    const type = inside(inside(info, 'type', messages.TYPE), 'tensor_type', messages.TENSOR_TYPE);
    if (!type.has('shape')) throw new GraphError(`${where} has no shape`);
    const axes = all(inside(type, 'shape', messages.SHAPE), 'dim');
    if (axes.length > MOST_AXES) throw new GraphError(`${where} has ${axes.length} axes`);
    const dims = axes.map((dim) => {
      const parts = this.reader.read(dim, messages.DIMENSION, where);
      if (parts.size > 1) throw new GraphError(`${where} has an axis of two sizes`);
      return numberOf(parts, 'dim_value') ?? 1;
    });
    this.constants.fit(dims, where);
    return [name, { dtype: dtypeOf(type, 'elem_type', where) }];
  }

  private tensor(bytes: Uint8Array, what: string): [string, Known] {
    const parts = this.reader.read(bytes, messages.TENSOR, `the ${what}`);
    const name = textOf(parts, 'name');
    const where = `the ${what} ${quoted(name)}`;
    const { numbers: dims = [], count: axes = 0 } = parts.get('dims') ?? {};
    if (axes > MOST_AXES) throw new GraphError(`${where} has ${axes} axes`);
    const dtype = dtypeOf(parts, 'data_type', where);
    const raw = bytesOf(parts, 'raw_data') ?? new Uint8Array();
    const strings = parts.get('string_data')?.count ?? 0;
    const width = dtype === 'string' ? 1 : ARRAYS[dtype].BYTES_PER_ELEMENT;
    const elements = dims.reduce((product, dim) => product * dim, 1);
    const [has, hasNot] = dtype === 'string' ? [strings, raw.length] : [raw.length, strings];
    if (dims.some((dim) => dim < 0) || has !== elements * width || hasNot > 0)
      throw new GraphError(
        `${where} of [${dims.join(', ')}] ${dtype} does not match the bytes of its elements`,
      );
    this.constants.fit(dims, where);
    const ints = dtype === 'int64' && elements <= MOST_AXES ? int64s(raw) : undefined;
    return [name, { dtype, constant: { elements, dims, ints } }];
  }

  /** @returns what is known of each output, by its index */
  private node(node: Parts, level: Level): (index: number) => Known {
    const operator = textOf(node, 'op_type');
    const domain = textOf(node, 'domain');
    const [name = ''] = texts(node, 'output');
    const label = `${quoted(operator).slice(1, -1)} ${quoted(name)}`;
    const known: Operator | undefined = Object.hasOwn(operatorTable, operator)
      ? operatorTable[operator as OperatorName]
      : undefined;
    if (!known || (known.domain ?? '') !== domain)
      throw new GraphError(
        `${label} is an operator that no model of cofactor has${domain && `, of ${quoted(domain)}`}`,
      );
    const inputs = texts(node, 'input').map((input) => {
      const found = this.scope.get(input);
      if (!found) throw new GraphError(`${label} uses ${quoted(input)}, which is computed nowhere before it`);
      return found;
    });
    const attributes = this.attributes(node, label);
    const parts = { label, operator, inputs, attributes };
    if (operator === 'Loop') return this.loop(parts, level);
    if (OF_FLOATS.has(operator) && inputs.some(({ dtype }) => !FLOATS.has(dtype)))
      throw new GraphError(`${label} divides whole numbers, which can end the process`);
    const result = this.result(parts);
    const results = { dtype: result, ...this.constants.result(operator, inputs, label) };
    return (index) => (operator === 'TopK' && index === 1 ? { dtype: 'int64' } : results);
  }

  private attributes(node: Parts, label: string): Map<string, Parts> {
    const attributes = new Map<string, Parts>();
    for (const bytes of all(node, 'attribute')) {
      const attribute = this.reader.read(bytes, messages.ATTRIBUTE, `an attribute of ${label}`);
      const name = textOf(attribute, 'name');
      if (attributes.has(name)) throw new GraphError(`${label} has the attribute ${quoted(name)} twice`);
      const field = messages.ATTRIBUTE_FIELDS[numberOf(attribute, 'type') ?? 0];
      const others = [...attribute.keys()].filter((key) => !['name', 'type', field].includes(key));
      if (!field || others.length > 0)
        throw new GraphError(`${label} has the attribute ${quoted(name)} of a wrong type`);
      if (field === 'g' && (textOf(node, 'op_type') !== 'Loop' || name !== 'body'))
        throw new GraphError(`${label} has a graph in it, as only a Loop has`);
      const tensor = bytesOf(attribute, 't');
      if (tensor) this.tensor(tensor, `tensor ${quoted(name)} of ${label}`);
      attributes.set(name, attribute);
    }
    return attributes;
  }

  private result({ operator, inputs, attributes, label }: NodeParts): DataType {
    const value = bytesOf(attributes.get('value'), 't');
    if (value && operator === 'ConstantOfShape') return this.tensor(value, `tensor of ${label}`)[1].dtype;
    if (operator === 'Cast') return castTo(numberOf(attributes.get('to'), 'i') ?? 0, label);
    const [first, second] = inputs;
    return RESULTS[operator] ?? (operator === 'Where' ? second : first)?.dtype ?? 'float';
  }

  private loop({ label, inputs, attributes }: NodeParts, level: Level): (index: number) => Known {
    const [trip] = inputs;
    const { ints } = trip?.constant ?? {};
    const most = trip?.most ?? (ints?.length === 1 ? ints[0] : Number.POSITIVE_INFINITY);
    const trips = level.trips * Math.max(1, most);
    this.trips += trips;
    if (this.trips > MOST_TRIPS)
      throw new GraphError(`${label} has no constant number of trips, or more than ${MOST_TRIPS} in all`);
    if (level.depth >= DEEPEST) throw new GraphError(`${label} is a loop in more than ${DEEPEST} others`);
    const body = bytesOf(attributes.get('body'), 'g');
    if (!body) throw new GraphError(`${label} has no body`);
    const results = this.graph(body, { depth: level.depth + 1, trips });
    return (index) => ({ dtype: results[index + 1]?.dtype ?? 'float' });
  }
}

const DOMAINS: ReadonlySet<string> = new Set(Object.values(operatorTable).map(({ domain = '' }) => domain));

const RESULTS: Readonly<Record<string, DataType>> = {
  Equal: 'bool',
  Less: 'bool',
  LessOrEqual: 'bool',
  Greater: 'bool',
  GreaterOrEqual: 'bool',
  Shape: 'int64',
  Size: 'int64',
  LabelEncoder: 'int64',
};

const castTo = (number: number, label: string): DataType => {
  const dtype = dataTypeOf(number);
  if (dtype) return dtype;
  throw new GraphError(`${label} casts to an unknown type, number ${number}`);
};

function dtypeOf(parts: Parts, field: string, where: string): DataType {
  const number = numberOf(parts, field) ?? 0;
  const dtype = dataTypeOf(number);
  if (!dtype) throw new GraphError(`${where} has elements of an unknown type, number ${number}`);
  return dtype;
}

function int64s(raw: Uint8Array): number[] {
  // A copy, because the array needs an aligned offset.
  return Array.from(new BigInt64Array(new Uint8Array(raw).buffer), Number);
}

const all = (parts: Parts, field: string): readonly Uint8Array[] => parts.get(field)?.bytes ?? [];
const bytesOf = (parts: Parts | undefined, field: string): Uint8Array | undefined =>
  parts?.get(field)?.bytes[0];
const numberOf = (parts: Parts | undefined, field: string): number | undefined =>
  parts?.get(field)?.numbers[0];
const texts = (parts: Parts, field: string): string[] => all(parts, field).map(decoded);
const textOf = (parts: Parts, field: string): string => texts(parts, field)[0] ?? '';

/** Two names of other bytes must not become the same text. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(bytes: Uint8Array): string {
  if (bytes.length > LONGEST_NAME) throw new GraphError(`a name has ${bytes.length} bytes`);
  try {
    return utf8.decode(bytes);
  } catch {
    throw new GraphError('a name is not UTF-8');
  }
}

/** A name for a message: on one line, and cut, because it may have any length. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}

import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { onnx as Proto } from 'onnx-proto';
import { expect, test } from 'vitest';
import { modelNames } from '../../graphs/models/index.ts';
import { headOf } from '../../src/artifact/manifest.ts';
import { checkModel } from '../../src/onnx/check-model.ts';
import {
  add,
  buildModel,
  constant,
  encodeModel,
  GraphError,
  gather,
  initializer,
  input,
  labelEncoder,
  loop,
  min,
  reduceSum,
  sizeOf,
  type Value,
} from '../../src/onnx/index.ts';
import { train } from '../../src/train/train.ts';
import { lowRank } from '../support/low-rank.ts';

const { onnx } = createRequire(import.meta.url)('onnx-proto') as { onnx: typeof Proto };

const ratings = lowRank();
const ARTIFACTS = join(import.meta.dirname, '../support/artifacts');

const variants = modelNames.flatMap((model) =>
  (['float32', 'float16', 'int8'] as const).flatMap((precision) =>
    (model === 'item-item' ? (['ranking'] as const) : (['rating', 'ranking', 'both'] as const)).map(
      (objective) => ({ model, precision, objective }),
    ),
  ),
);

test.each(variants)('every head of $model for $objective in $precision passes', async (variant) => {
  const { precision, model, objective } = variant;
  // So wide that tables are large enough to be stored in fewer bits.
  const more = model === 'item-item' ? {} : { epochs: 1, factors: 160 };
  const trained = await train(ratings, { model, objective, ...more });
  const { files } = await trained.artifact({ precision, seen: true });
  const heads = Object.entries(files).filter(([name]) => headOf(name) !== undefined);
  expect(heads.length).toBeGreaterThan(3);
  for (const [name, bytes] of heads) expect(() => checkModel(bytes), name).not.toThrow();
});

test('every head of an older format passes', async () => {
  for (const folder of await readdir(ARTIFACTS))
    for (const name of await readdir(join(ARTIFACTS, folder))) {
      if (headOf(name) === undefined) continue;
      const bytes = await readFile(join(ARTIFACTS, folder, name));
      expect(() => checkModel(bytes), name).not.toThrow();
    }
});

/** A model with something of everything: ids, a table, and a loop. */
function small(trips = 5): Uint8Array {
  const user = input('user', 'string', ['n']);
  const row = labelEncoder(user, ['a', 'b'], 'row');
  const found = gather(initializer('table', 'float', [3, 2], new Float32Array(6)), row, 0, 'found');
  const start = reduceSum(found, { axes: [1] }, 'start');
  const { state } = loop(constant(trips, 'int64'), [start], (_, [x]) => ({ state: [add(x, 1)], scan: [] }));
  return encodeModel(buildModel({ name: 'small', inputs: [user], outputs: { rating: state[0] } }));
}

type Graph = Proto.IGraphProto & { node: Proto.INodeProto[]; initializer: Proto.ITensorProto[] };

/** The small model with a change. */
function changed(change: (graph: Graph, model: Proto.IModelProto) => void): Uint8Array {
  const model = onnx.ModelProto.decode(small());
  change(model.graph as Graph, model);
  return Uint8Array.from(onnx.ModelProto.encode(model).finish());
}

const nodeOf = ({ node }: Graph, operator: string): Proto.INodeProto => {
  const found = node.find(({ opType }) => opType === operator);
  if (!found) throw new Error(`there is no ${operator}`);
  return found;
};
const tableOf = ({ initializer }: Graph): Proto.ITensorProto => {
  const found = initializer.find(({ name }) => name === 'table');
  if (!found) throw new Error('there is no table');
  return found;
};
/** A node before all others. */
const first =
  (opType: string, inputs: readonly string[], more: Proto.INodeProto = {}) =>
  (graph: Graph): void => {
    graph.node.unshift({ opType, input: [...inputs], output: ['strange'], ...more });
  };
const ints = (name: string, numbers: readonly bigint[]): Proto.ITensorProto => ({
  name,
  dims: [numbers.length],
  dataType: 7,
  rawData: new Uint8Array(BigInt64Array.from(numbers).buffer),
});

/** A field behind those of a model. */
const withField = (tag: readonly number[], content: readonly number[]): Uint8Array =>
  Uint8Array.of(...small(), ...tag, content.length, ...content);

const secret = [{ key: 'location', value: '../secret.txt' }];

const refused: Readonly<Record<string, readonly [() => Uint8Array, RegExp]>> = {
  'a table in another file': [
    () => changed((graph) => Object.assign(tableOf(graph), { dataLocation: 1, externalData: secret })),
    /^the initializer has its numbers in another file \(external data\)$/,
  ],
  'a table that only says that it is in another file': [
    () => changed((graph) => Object.assign(tableOf(graph), { dataLocation: 1 })),
    /another file/,
  ],
  'a table that only says in which file it is': [
    () => changed((graph) => Object.assign(tableOf(graph), { externalData: secret })),
    /another file/,
  ],
  'a constant in another file': [
    () =>
      changed((graph) =>
        first('ConstantOfShape', ['const_1'], {
          attribute: [
            { name: 'value', type: 4, t: { dims: [1], dataType: 1, dataLocation: 1, externalData: secret } },
          ],
        })(graph),
      ),
    /the tensor "value" of ConstantOfShape "strange" has its numbers in another file/,
  ],
  'ids of an encoder in another file': [
    () =>
      changed((graph) =>
        first('LabelEncoder', ['user'], {
          domain: 'ai.onnx.ml',
          attribute: [{ name: 'keys_tensor', type: 4, t: { dims: [1], dataType: 8, externalData: secret } }],
        })(graph),
      ),
    /the tensor "keys_tensor" of LabelEncoder "strange" has its numbers in another file/,
  ],
  'a tensor in a loop in another file': [
    () =>
      changed((graph) => {
        const t = { dims: [1], dataType: 1, externalData: secret };
        nodeOf(graph, 'Loop').attribute?.push({ name: 'value', type: 4, t });
      }),
    /the tensor "value" of Loop ".*" has its numbers in another file/,
  ],
  functions: [() => withField([0xca, 0x01], [0x0a, 0x01, 0x41]), /^the model has functions$/],
  'the overload of a function': [overloaded, /^a node has the overload of a function$/],
  'graphs for training': [() => withField([0xa2, 0x01], []), /^the model has graphs for training/],
  'a field of a newer format': [
    () => withField([0xd2, 0x01], []),
    /^the model has an unknown field, number 26$/,
  ],
  'two graphs, which ONNX Runtime would join': [
    () => Uint8Array.of(...small(), 0x3a, 0),
    /^the model has the field "graph" twice$/,
  ],
  'a field of another form': [
    () => Uint8Array.of(...small(), 0x38, 0),
    /^the model has a broken field "graph"$/,
  ],
  'a number without an end': [() => Uint8Array.of(...small(), ...Array(11).fill(0xff)), /cut off or broken/],
  'bytes beyond the end': [() => small().subarray(0, -3), /cut off or broken/],
  'a file that is ONNX, and to ONNX Runtime one of its own format': [
    () => Uint8Array.of(0x12, 6, 0, 0, ...Buffer.from('ORTM'), ...small().subarray(small().indexOf(0x3a))),
    /^it is in the format of ONNX Runtime, not in ONNX$/,
  ],
  'no bytes': [() => new Uint8Array(), /^it has no graph$/],
  'sparse initializers': [
    () => changed((graph) => Object.assign(graph, { sparseInitializer: [{ dims: [3] }] })),
    /^a graph has sparse initializers$/,
  ],
  'fewer bytes than elements': [
    () => changed((graph) => Object.assign(tableOf(graph), { rawData: new Uint8Array(23) })),
    /^the initializer "table" of \[3, 2\] float does not match the bytes of its elements$/,
  ],
  'more elements than bytes': [
    () => changed((graph) => Object.assign(tableOf(graph), { dims: [3, 2 ** 40] })),
    /does not match the bytes/,
  ],
  'a size below 0': [
    () => changed((graph) => Object.assign(tableOf(graph), { dims: [-3, -2] })),
    /does not match the bytes/,
  ],
  'sizes whose product is small only when it overflows': [
    () => changed((graph) => Object.assign(tableOf(graph), { dims: [2 ** 62, 4, 6] })),
    /does not match the bytes/,
  ],
  'a giant size beside one of zero': [
    () =>
      changed((graph) => Object.assign(tableOf(graph), { dims: [0, 2 ** 40], rawData: new Uint8Array() })),
    /^the initializer "table" has the sizes \[0, 1099511627776\], too large for this file$/,
  ],
  'a table of many axes': [
    () => changed((graph) => Object.assign(tableOf(graph), { dims: Array<number>(17).fill(1) })),
    /^the initializer "table" has 17 axes$/,
  ],
  'an input of many axes': [
    () => changed((graph) => graph.input?.push(typed('many', ...Array<number>(1000).fill(1)))),
    /^the value "many" has 1000 axes$/,
  ],
  'an input without a shape': [
    () => changed((graph) => graph.input?.push({ name: 'loose', type: { tensorType: { elemType: 1 } } })),
    /^the value "loose" has no shape$/,
  ],
  'numbers outside raw_data': [
    () => changed((graph) => Object.assign(tableOf(graph), { floatData: [1], rawData: new Uint8Array() })),
    /numbers outside raw_data/,
  ],
  'strings in a table of numbers': [
    () => changed((graph) => Object.assign(tableOf(graph), { stringData: [Uint8Array.of(65)] })),
    /does not match the bytes/,
  ],
  'an unknown type of elements': [
    () => changed((graph) => Object.assign(tableOf(graph), { dataType: 16 })),
    /^the initializer "table" has elements of an unknown type, number 16$/,
  ],
  'a loop of a million trips': [
    () => small(1e6),
    /^Loop ".*" has no constant number of trips, or more than 10000/,
  ],
  'a loop without a number of trips': [
    () =>
      changed((graph) =>
        Object.assign(nodeOf(graph, 'Loop'), {
          input: ['', ...(nodeOf(graph, 'Loop').input ?? []).slice(1)],
        }),
      ),
    /^Loop ".*" uses "", which is computed nowhere/,
  ],
  'a loop with a number of trips that a request decides': [
    () => {
      const [k, x] = [input('k', 'int64', []), input('x', 'float', [])];
      const { state } = loop(k, [x], (_, [inner]) => ({ state: [add(inner, 1)], scan: [] }));
      return encodeModel(buildModel({ name: 'asked', inputs: [k, x], outputs: { y: state[0] } }));
    },
    /no constant number of trips/,
  ],
  'many loops, one after the other': [
    () => {
      let x: Value = input('start', 'float', ['n']);
      const start = x;
      for (let times = 0; times < 101; times++)
        [x] = loop(constant(100, 'int64'), [x], (_, [inner]) => ({ state: [add(inner, 1)], scan: [] })).state;
      return encodeModel(buildModel({ name: 'many', inputs: [start], outputs: { end: x } }));
    },
    /more than 10000 in all/,
  ],
  'loops in loops that are short each': [() => nested(101, 100), /more than 10000 in all/],
  'loops in loops in loops': [() => nested(...Array<number>(6).fill(1)), /is a loop in more than 4 others$/],
  'an operator that models do not have': [
    () => changed(first('If', ['row'])),
    /^If "strange" is an operator that no model of cofactor has$/,
  ],
  'an operator of another domain': [
    () => changed(first('Add', ['user', 'user'], { domain: 'evil' })),
    /^Add "strange" is an operator that no model of cofactor has, of "evil"$/,
  ],
  'a name of JavaScript for an operator': [
    () => changed(first('constructor', [])),
    /is an operator that no model/,
  ],
  'a name of a megabyte': [() => changed(first('x'.repeat(1e6), ['user'])), /^a name has 1000000 bytes$/],
  'an operator with a long name': [
    () => changed(first('x'.repeat(1000), ['user'])),
    /^x{60}… "strange" is an operator that no/,
  ],
  'an unknown domain': [
    () => changed((_, model) => model.opsetImport?.push({ domain: 'evil', version: 1 })),
    /^it has operators of an unknown domain, "evil"$/,
  ],
  'a domain twice': [
    () => changed((_, model) => model.opsetImport?.push({ domain: '', version: 1 })),
    /^it names the domain "" twice$/,
  ],
  'a cycle': [
    () => changed((graph) => first('Identity', ['rating'])(graph)),
    /^Identity "strange" uses "rating", which is computed nowhere before it$/,
  ],
  'a value of itself': [() => changed(first('Identity', ['strange'])), /computed nowhere before it$/],
  'a value twice': [
    () => changed(first('Identity', ['user'], { output: ['row'] })),
    /^there are two values "row"$/,
  ],
  'an output that nothing computes': [
    () => changed((graph) => void graph.node.splice(2)),
    /^the output "rating" is computed nowhere$/,
  ],
  'a graph in another operator': [
    () =>
      changed((graph) =>
        first('Identity', ['user'], { attribute: [{ name: 'body', type: 5, g: { name: 'inside' } }] })(graph),
      ),
    /^Identity "strange" has a graph in it, as only a Loop has$/,
  ],
  'an attribute twice': [
    () =>
      changed((graph) =>
        first('Cast', ['user'], {
          attribute: [1, 1].map((i) => ({ name: 'to', type: 2, i })),
        })(graph),
      ),
    /has the attribute "to" twice$/,
  ],
  'an attribute of two types': [
    () => changed(first('Cast', ['user'], { attribute: [{ name: 'to', type: 2, i: 1, f: 1 }] })),
    /has the attribute "to" of a wrong type$/,
  ],
  'a name that is not UTF-8': [
    () => {
      const bytes = small();
      bytes[Buffer.from(bytes).indexOf('table')] = 0xff;
      return bytes;
    },
    /^a name is not UTF-8$/,
  ],
  'a giant that the loader computes': [
    () =>
      changed((graph) => {
        graph.initializer.push(ints('giant', [1n << 40n]));
        first('ConstantOfShape', ['giant'])(graph);
      }),
    /^ConstantOfShape "strange" computes from constants alone/,
  ],
  'a square of a table': [
    () =>
      changed((graph) => {
        const rows = (dims: number[], name: string): Proto.ITensorProto => ({
          ...{ name, dims, dataType: 1 },
          rawData: new Uint8Array(4 * 20_000),
        });
        graph.initializer.push(rows([20_000, 1], 'down'), rows([1, 20_000], 'along'));
        first('Mul', ['down', 'along'])(graph);
      }),
    /^Mul "strange" computes from constants more than \d+ elements/,
  ],
  'an input of a giant size': [
    () => changed((graph) => graph.input?.push(typed('giant', 2 ** 40))),
    /^the value "giant" has the sizes \[1099511627776\], too large for this file$/,
  ],
  'a giant shape to expand to': [
    () =>
      changed((graph) => {
        graph.initializer.push(ints('giant', [1n << 40n]));
        graph.node.push({ opType: 'Expand', input: ['row', 'giant'], output: ['strange'] });
      }),
    /^Expand "strange" has the sizes \[1099511627776\]/,
  ],
  'a constant empty selection, of which ONNX Runtime takes the largest and dies': [
    () =>
      changed((graph) => {
        graph.initializer.push(ints('none', []));
        first('Gather', ['table', 'none'])(graph);
      }),
    /^Gather "strange" computes from constants alone/,
  ],
  'a division of whole numbers': [
    () =>
      changed((graph) => void graph.node.push({ opType: 'Div', input: ['row', 'row'], output: ['strange'] })),
    /^Div "strange" divides whole numbers, which can end the process$/,
  ],
  'more parts than any model has': [
    () =>
      changed((graph) => {
        graph.node.unshift({
          opType: 'Max',
          input: Array<string>(100_001).fill('user'),
          output: ['strange'],
        });
      }),
    /^there are more than 100000 parts, many more than any model has$/,
  ],
};

/** A node with the field `overload`, which this version of onnx.proto does not know. */
function overloaded(): Uint8Array {
  const { graph, ...model } = onnx.ModelProto.decode(small());
  const inside = onnx.GraphProto.encode(graph as Proto.IGraphProto).finish();
  const outside = onnx.ModelProto.encode(model).finish();
  const node = [0x0a, 2 + 3, 0x22, 0, 0x42, 1, 0x41];
  const length = inside.length + node.length;
  return Uint8Array.of(...outside, 0x3a, (length & 127) | 128, length >> 7, ...node, ...inside);
}

const typed = (name: string, ...dims: number[]): Proto.IValueInfoProto => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});

function nested(...trips: number[]): Uint8Array {
  const start = input('start', 'float', ['n']);
  const within = (x: ReturnType<typeof add>, [most, ...others]: readonly number[]): typeof x =>
    most === undefined
      ? add(x, 1)
      : loop(constant(most, 'int64'), [x], (_, [inner]) => ({ state: [within(inner, others)], scan: [] }))
          .state[0];
  return encodeModel(buildModel({ name: 'nested', inputs: [start], outputs: { end: within(start, trips) } }));
}

test('what the cases change passes as it is', () => {
  expect(() => checkModel(small())).not.toThrow();
  expect(() => checkModel(changed(() => undefined))).not.toThrow();
  expect(() => checkModel(nested(99, 100))).not.toThrow();
});

test('a loop may have as many trips as a request has rows, up to a constant', () => {
  const x = input('x', 'float', ['n']);
  const trips = min(sizeOf(x, 'int64'), 1000);
  const { state } = loop(trips, [x], (_, [inner]) => ({ state: [add(inner, 1)], scan: [] }));
  const bytes = encodeModel(buildModel({ name: 'bounded', inputs: [x], outputs: { end: state[0] } }));
  expect(() => checkModel(bytes)).not.toThrow();
});

test.each(Object.entries(refused))('%s is refused', (_, [make, message]) => {
  const bytes = make();
  expect(() => checkModel(bytes)).toThrow(GraphError);
  expect(() => checkModel(bytes)).toThrow(message);
});

test('a list of any length is counted, not held', () => {
  // Of ten million numbers of a byte each: they would take hundreds of megabytes as numbers.
  const count = 1e7;
  const bytes = changed(
    first('LabelEncoder', ['user'], {
      domain: 'ai.onnx.ml',
      attribute: [{ name: 'values_int64s', type: 7, ints: Array<number>(count).fill(1) }],
    }),
  );
  expect(bytes.length).toBeGreaterThan(count);
  const before = process.memoryUsage().rss;
  checkModel(bytes);
  expect(process.memoryUsage().rss - before).toBeLessThan(5 * count);
});

test('every beginning and every changed byte of a model passes or is a GraphError', () => {
  const bytes = small();
  const attempt = (candidate: Uint8Array): void => {
    try {
      checkModel(candidate);
    } catch (error) {
      expect(error).toBeInstanceOf(GraphError);
      expect((error as Error).message).toMatch(/^[^\n]{5,300}$/);
    }
  };
  for (let at = 0; at < bytes.length; at++) {
    attempt(bytes.subarray(0, at));
    for (let bit = 0; bit < 8; bit++) {
      const flipped = bytes.slice();
      flipped[at] ^= 1 << bit;
      attempt(flipped);
    }
  }
});

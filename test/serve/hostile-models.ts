import { createRequire } from 'node:module';
import type { onnx as Proto } from 'onnx-proto';

const { onnx } = createRequire(import.meta.url)('onnx-proto') as { onnx: typeof Proto };

/** Whole numbers from 0, which decide what is made. */
export interface Dice {
  below(limit: number): number;
  one<T>(of: readonly T[]): T;
}

export function diceOf(numbers: readonly number[]): Dice {
  let at = 0;
  const below = (limit: number): number => Math.floor((numbers[at++ % numbers.length] / 2 ** 31) * limit);
  return { below, one: (of) => of[below(of.length)] };
}

interface Graph extends Proto.IGraphProto {
  node: Proto.INodeProto[];
  initializer: Proto.ITensorProto[];
  input: Proto.IValueInfoProto[];
  output: Proto.IValueInfoProto[];
}

interface Making {
  readonly model: Proto.ModelProto;
  readonly graph: Graph;
  readonly dice: Dice;
  /** The path of a file that no model may read. */
  readonly canary: string;
  names: number;
}

const [FLOAT, INT64, BOOL] = [1, 7, 9];
const HUGE = [2 ** 20, 2 ** 27, 2 ** 31, 2 ** 40, 2 ** 62];

const fresh = (making: Making, prefix = 'made'): string => `${prefix}_${making.names++}`;

/** A name that anything in the graph may have. */
function anyName({ graph, dice }: Making): string {
  const names = [
    ...graph.initializer.map(({ name }) => name ?? ''),
    ...graph.input.map(({ name }) => name ?? ''),
    ...graph.node.flatMap(({ output }) => output ?? []),
  ];
  return dice.one(names);
}

function ints(
  making: Making,
  numbers: readonly number[],
  dims: readonly number[] = [numbers.length],
): string {
  const name = fresh(making, 'ints');
  const data = BigInt64Array.from(numbers, (number) => BigInt(number));
  making.graph.initializer.push({
    name,
    dims: [...dims],
    dataType: INT64,
    rawData: new Uint8Array(data.buffer),
  });
  return name;
}

function floats(making: Making, dims: readonly number[]): string {
  const name = fresh(making, 'floats');
  const size = dims.reduce((product, dim) => product * dim, 1);
  making.graph.initializer.push({
    name,
    dims: [...dims],
    dataType: FLOAT,
    rawData: new Uint8Array(4 * size).fill(63),
  });
  return name;
}

/** Adds a node at the end. @returns the name of its first output */
function node(making: Making, opType: string, input: readonly string[], more: Proto.INodeProto = {}): string {
  const output = fresh(making);
  making.graph.node.push({ opType, input: [...input], output: [output], ...more });
  return output;
}

/** Something that a request decides, as a float of one element, or as its whole number. */
function asked(making: Making, to = FLOAT): string {
  const shape = node(making, 'Shape', [making.graph.input[0].name ?? '']);
  const size = node(making, 'ReduceMax', [shape], { attribute: [{ name: 'keepdims', type: 2, i: 1 }] });
  return node(making, 'Cast', [size], { attribute: [{ name: 'to', type: 2, i: to }] });
}

/** Makes a value an output, so that it must be computed. */
function answer(making: Making, name: string, elemType = FLOAT): void {
  making.graph.output.push({
    name,
    type: { tensorType: { elemType, shape: { dim: [{ dimParam: fresh(making, 'size') }] } } },
  });
}

function loopOf(making: Making, trips: string, body: Proto.IGraphProto): string {
  const go = fresh(making, 'go');
  making.graph.initializer.push({ name: go, dims: [], dataType: BOOL, rawData: Uint8Array.of(1) });
  const start = floats(making, [1]);
  return node(making, 'Loop', [trips, go, start], { attribute: [{ name: 'body', type: 5, g: body }] });
}

function bodyOf(making: Making, inside: (input: string) => Proto.INodeProto): Proto.IGraphProto {
  const [trip, go, goOut, x, y] = ['trip', 'go', 'go_out', 'x', 'y'].map((name) => fresh(making, name));
  const type = (name: string, elemType: number): Proto.IValueInfoProto => ({
    name,
    type: { tensorType: { elemType, shape: { dim: [] } } },
  });
  const loose = (name: string): Proto.IValueInfoProto => ({
    name,
    type: { tensorType: { elemType: FLOAT } },
  });
  return {
    name: fresh(making, 'body'),
    input: [type(trip, INT64), type(go, BOOL), loose(x)],
    output: [type(goOut, BOOL), loose(y)],
    node: [
      { opType: 'Identity', input: [go], output: [goOut] },
      { ...inside(x), output: [y] },
    ],
  };
}

/** What a stranger would try. */
const attacks: Readonly<Record<string, (making: Making) => void>> = {
  'external data': ({ graph, dice, canary }) => {
    const tensor = dice.one(graph.initializer);
    const location = dice.one([canary, 'canary.bin', './canary.bin', '../canary.bin', 'x/../canary.bin']);
    const entries = [{ key: 'location', value: location }];
    if (dice.below(2)) entries.push({ key: 'offset', value: '0' }, { key: 'length', value: '16' });
    Object.assign(tensor, { externalData: entries });
    if (dice.below(4))
      Object.assign(tensor, { dataLocation: 1, rawData: undefined, dims: [4], dataType: FLOAT });
    if (dice.below(2))
      graph.output.push({ name: tensor.name, type: { tensorType: { elemType: FLOAT, shape: { dim: [] } } } });
  },
  'external data in a constant': (making) => {
    const t = {
      dims: [4],
      dataType: FLOAT,
      dataLocation: 1,
      externalData: [{ key: 'location', value: making.canary }],
    };
    const [operator, name, domain] = making.dice.one([
      ['Constant', 'value', ''],
      ['ConstantOfShape', 'value', ''],
      ['LabelEncoder', 'keys_tensor', 'ai.onnx.ml'],
      ['LabelEncoder', 'default_tensor', 'ai.onnx.ml'],
    ]);
    answer(making, node(making, operator, [], { domain, attribute: [{ name, type: 4, t }] }));
  },
  'huge dims of a table': ({ graph, dice }) => {
    const dims = Array.from({ length: 1 + dice.below(4) }, () => dice.one([...HUGE, -1, 0, 1]));
    Object.assign(dice.one(graph.initializer), { dims });
  },
  'huge dims of an input': ({ graph, dice }) => {
    const dim = [{ dimValue: dice.one(HUGE) }, { dimValue: dice.one([1, -5, 2 ** 20]) }];
    Object.assign(dice.one([...graph.input, ...graph.output]), {
      type: { tensorType: { elemType: FLOAT, shape: { dim } } },
    });
  },
  'loops in loops': (making) => {
    const nest = (left: number): Proto.INodeProto =>
      left === 0
        ? { opType: 'Neg', input: [floats(making, [1])] }
        : {
            opType: 'Loop',
            input: [ints(making, [3], []), '', floats(making, [1])],
            attribute: [{ name: 'body', type: 5, g: bodyOf(making, () => nest(left - 1)) }],
          };
    const depth = making.dice.one([1, 2, 3, 5, 8]);
    answer(
      making,
      loopOf(
        making,
        ints(making, [2], []),
        bodyOf(making, () => nest(depth)),
      ),
    );
  },
  'graphs in graphs without end': ({ graph, dice }) => {
    let inside: Proto.IGraphProto = { name: 'deepest' };
    for (let depth = dice.one([10, 60, 150]); depth > 0; depth--)
      inside = { node: [{ opType: 'If', attribute: [{ name: 'then_branch', type: 5, g: inside }] }] };
    graph.node.push({
      opType: dice.one(['If', 'Loop', 'Scan']),
      attribute: [{ name: 'body', type: 5, g: inside }],
    });
  },
  'an unknown operator': (making) => {
    const [opType, domain] = making.dice.one([
      ...[
        ['Conv', ''],
        ['If', ''],
        ['Einsum', ''],
        ['Optional', ''],
        ['RandomUniform', ''],
        ['StringSplit', ''],
      ],
      ...[
        ['EPContext', 'com.microsoft'],
        ['FusedMatMul', 'com.microsoft'],
        ['Add', 'evil'],
        ['PyOp', 'pyop'],
      ],
    ]);
    answer(making, node(making, opType, [anyName(making)], { domain }));
  },
  'a cycle': (making) => {
    const [one, other] = [fresh(making), fresh(making)];
    making.graph.node.push({ opType: 'Neg', input: [one], output: [other] });
    making.graph.node.push({ opType: 'Neg', input: [other], output: [one] });
    answer(making, one);
  },
  'an input from a later node': ({ graph, dice }) => {
    const [from, to] = [dice.one(graph.node), dice.one(graph.node)];
    from.input?.splice(0, 1, to.output?.[0] ?? '');
  },
  'a loop with giant trips': (making) => {
    const trips = making.dice.one([
      () => ints(making, [making.dice.one(HUGE)], []),
      () => node(making, 'Mul', [asked(making, INT64), ints(making, [2 ** 40])]),
      () => node(making, 'Min', [asked(making, INT64), ints(making, [2 ** 40], [])]),
      () => '',
    ])();
    answer(
      making,
      loopOf(
        making,
        trips,
        bodyOf(making, (x) => ({ opType: 'Neg', input: [x] })),
      ),
    );
  },
  'a loop that grows': (making) => {
    const axis = [{ name: 'axis', type: 2, i: 0 }];
    const trips = ints(making, [making.dice.one([10, 30, 60])], []);
    const body = bodyOf(making, (x) => ({ opType: 'Concat', input: [x, x], attribute: axis }));
    answer(making, loopOf(making, trips, body));
  },
  'a giant from constants': (making) => {
    const shape = ints(making, [making.dice.one(HUGE), making.dice.one([1, 2, 1000])]);
    const [zero, one] = [ints(making, [0], []), ints(making, [1], [])];
    answer(
      making,
      making.dice.one([
        () => node(making, 'ConstantOfShape', [shape]),
        () => node(making, 'Expand', [floats(making, [1]), shape]),
        () => node(making, 'Range', [zero, ints(making, [making.dice.one(HUGE)], []), one]),
        () => node(making, 'MatMul', [floats(making, [3000, 1]), floats(making, [1, 3000])]),
        () => node(making, 'Mul', [floats(making, [3000, 1]), floats(making, [1, 3000])]),
      ])(),
    );
  },
  'a giant from a request': (making) => {
    const one = asked(making);
    const shape = ints(making, [making.dice.one([1000, 2 ** 16, 2 ** 20, 2 ** 30, 2 ** 40])]);
    const axis = { attribute: [{ name: 'axis', type: 2, i: 0 }] };
    answer(
      making,
      making.dice.one([
        () => node(making, 'Expand', [one, shape]),
        () => node(making, 'Expand', [one, node(making, 'Mul', [asked(making, INT64), shape])]),
        () => node(making, 'ConstantOfShape', [node(making, 'Mul', [asked(making, INT64), shape])]),
        () => {
          let x = one;
          for (let times = making.dice.one([5, 20, 28, 40]); times > 0; times--)
            x = node(making, 'Concat', [x, x], axis);
          return x;
        },
        () => {
          const table = node(making, 'Mul', [floats(making, [3000, 1]), one]);
          return node(making, 'MatMul', [table, floats(making, [1, 3000])]);
        },
      ])(),
    );
  },
  'a division of whole numbers by zero': (making) => {
    const zero = making.dice.one([
      ints(making, [0]),
      node(making, 'Sub', [asked(making, INT64), asked(making, INT64)]),
    ]);
    answer(making, node(making, 'Div', [asked(making, INT64), zero]), INT64);
  },
  'the largest of nothing': (making) => {
    const none = making.dice.one([
      () => ints(making, [], [0]),
      () => {
        const zero = ints(making, [0]);
        return node(making, 'Slice', [asked(making, INT64), zero, zero, zero, ints(making, [1])]);
      },
    ])();
    const found = node(making, 'Gather', [floats(making, [2, 2]), none]);
    const top = fresh(making);
    making.graph.node.push({
      opType: 'TopK',
      input: [found, ints(making, [1])],
      output: [top, fresh(making)],
    });
    answer(making, top);
  },
  'an operator on nothing': (making) => {
    const zero = ints(making, [0]);
    const one = ints(making, [1]);
    const rows = node(making, 'Slice', [asked(making, INT64), zero, zero, zero, one]);
    const table = making.dice.one([floats(making, [2, 2]), floats(making, [2, 1, 3]), floats(making, [2])]);
    const x = node(making, 'Gather', [table, rows]);
    const axes = { attribute: [{ name: 'axes', type: 7, ints: [0] }] };
    const axis = { attribute: [{ name: 'axis', type: 2, i: making.dice.one([0, -1]) }] };
    answer(
      making,
      making.dice.one([
        ...['Softmax', 'LogSoftmax'].map((operator) => () => node(making, operator, [x], axis)),
        ...['ReduceMax', 'ReduceMin', 'ReduceMean'].map(
          (operator) => () => node(making, operator, [x], axes),
        ),
        () => node(making, 'ReduceSum', [x, zero]),
        () => node(making, 'CumSum', [x, zero]),
        () => node(making, 'MatMul', [x, x]),
        () => node(making, 'Gemm', [x, x]),
        () => node(making, 'Gather', [x, zero], axis),
        () => node(making, 'GatherElements', [x, rows], axis),
        () => node(making, 'ScatterElements', [x, rows, x], axis),
        () => node(making, 'ScatterND', [x, rows, x]),
        () => node(making, 'Concat', [x, x], axis),
        () => node(making, 'Split', [x, one], axis),
        () => node(making, 'Expand', [x, ints(making, [2, 2])]),
        () => node(making, 'Reshape', [x, ints(making, [-1, 2])]),
        () => node(making, 'Reshape', [x, ints(making, [0, -1])]),
        () => node(making, 'Slice', [x, zero, one, zero, one]),
        () => node(making, 'Squeeze', [x, one]),
        () => node(making, 'Transpose', [x]),
      ])(),
    );
  },
  'numbers out of range': (making) => {
    const one = asked(making);
    const wild = ints(making, [making.dice.one([-1, 0, 7, 2 ** 31, -(2 ** 31), 2 ** 62, -(2 ** 62)])]);
    const zero = ints(making, [0]);
    answer(
      making,
      making.dice.one([
        () => node(making, 'Gather', [node(making, 'Mul', [one, floats(making, [4])]), wild]),
        () => node(making, 'Slice', [one, zero, wild, zero, wild]),
        () => node(making, 'Slice', [one, wild, wild, zero, ints(making, [1])]),
        () => node(making, 'Reshape', [one, wild]),
        () => node(making, 'Unsqueeze', [one, wild]),
        () => node(making, 'Squeeze', [one, wild]),
        () => node(making, 'ReduceSum', [one, wild]),
        () => node(making, 'CumSum', [one, wild]),
        () => node(making, 'Range', [zero, wild, ints(making, [1])]),
        () => node(making, 'TopK', [one, wild]),
        () => node(making, 'Split', [one, wild]),
        () => node(making, 'GatherElements', [one, wild]),
        () => node(making, 'ScatterElements', [one, wild, one]),
        () => node(making, 'ScatterND', [one, wild, one]),
        () => node(making, 'Softmax', [one], { attribute: [{ name: 'axis', type: 2, i: 2 ** 40 }] }),
        () => node(making, 'Transpose', [one], { attribute: [{ name: 'perm', type: 7, ints: [5, -1] }] }),
        () => node(making, 'Pow', [asked(making, INT64), wild]),
      ])(),
    );
  },
  'an encoder of broken ids': (making) => {
    const id = making.graph.input[0].name ?? '';
    const attribute: Proto.IAttributeProto[] = [
      { name: 'keys_strings', type: 8, strings: ['a', 'a', 'b'].map((text) => Buffer.from(text)) },
      { name: 'values_int64s', type: 7, ints: Array<number>(making.dice.below(5)).fill(2 ** 40) },
    ];
    answer(making, node(making, 'LabelEncoder', [id], { domain: 'ai.onnx.ml', attribute }), INT64);
  },
  'sparse and training': ({ graph, model, dice }) => {
    if (dice.below(2)) Object.assign(graph, { sparseInitializer: [{ dims: [2 ** 40] }] });
    else Object.assign(model, { trainingInfo: [{ algorithm: { name: 'x' } }] });
  },
  'another opset': ({ model, dice }) => {
    Object.assign(dice.one(model.opsetImport), {
      version: dice.one([0, 1, 6, 9, 11, 12, 15, 18, 21, 99, 2 ** 40]),
    });
  },
};

/** Changes that keep the form of a file, but not its sense. */
const edits: readonly ((making: Making) => void)[] = [
  (making) => {
    const { input = [] } = making.dice.one(making.graph.node);
    if (input?.length) input.splice(making.dice.below(input.length), 1, anyName(making));
  },
  ({ graph, dice }) => {
    Object.assign(dice.one(graph.node), { opType: dice.one(graph.node).opType });
  },
  ({ graph, dice }) => {
    const tensor = dice.one(graph.initializer.filter(({ dataType }) => dataType === INT64));
    const raw = Uint8Array.from(tensor?.rawData ?? []);
    if (raw.length < 8) return;
    const numbers = new BigInt64Array(raw.buffer);
    numbers[dice.below(numbers.length)] = BigInt(
      dice.one([-1, 0, 1, 2, 1000, 2 ** 20, 2 ** 31, 2 ** 45, -(2 ** 40)]),
    );
    tensor.rawData = raw;
  },
  ({ graph, dice }) => {
    const tensor = dice.one(graph.initializer);
    const raw = Uint8Array.from(tensor.rawData ?? []);
    for (let times = 1 + dice.below(8); times > 0 && raw.length > 0; times--)
      raw[dice.below(raw.length)] = dice.one([0, 1, 127, 128, 255]);
    tensor.rawData = raw;
  },
  ({ graph, dice }) => {
    const dims = dice.one(graph.initializer).dims ?? [];
    dims.reverse();
    if (dice.below(2)) dims.push(1);
  },
  ({ graph, dice }) => {
    const { attribute = [] } = dice.one(graph.node);
    if (!attribute?.length) return;
    const chosen = dice.one(attribute);
    if (chosen.type === 2) chosen.i = dice.one([-(2 ** 40), -2, -1, 0, 1, 2, 7, 11, 2 ** 40]);
    else if (chosen.type === 7) chosen.ints?.splice(0, 1, dice.one([-1, 0, 3, 2 ** 40]));
    else attribute.splice(0, 1);
  },
  ({ graph, dice }) => {
    graph.node.splice(dice.below(graph.node.length), 1);
  },
  ({ graph, dice }) => {
    const { type } = dice.one([...graph.input, ...graph.output]);
    Object.assign(type?.tensorType ?? {}, { elemType: dice.one([1, 6, 7, 8, 9, 10, 11]) });
  },
];

function opened(head: Uint8Array, dice: Dice, canary: string): Making {
  const model = onnx.ModelProto.decode(head);
  return { model, graph: model.graph as Graph, dice, canary, names: 0 };
}

const closed = ({ model }: Making): Uint8Array => Uint8Array.from(onnx.ModelProto.encode(model).finish());

/** A head with something that a stranger would try in it. */
export function attacked(head: Uint8Array, dice: Dice, canary: string): Uint8Array {
  const making = opened(head, dice, canary);
  dice.one(Object.values(attacks))(making);
  return closed(making);
}

/** A head whose largest table is in another file. */
export function withTableIn(head: Uint8Array, location: string): Uint8Array {
  const making = opened(head, diceOf([0]), location);
  const [table] = making.graph.initializer.sort(
    (a, b) => (b.rawData?.length ?? 0) - (a.rawData?.length ?? 0),
  );
  Object.assign(table, {
    rawData: new Uint8Array(),
    dataLocation: 1,
    externalData: [{ key: 'location', value: location }],
  });
  return closed(making);
}

/** A head that is changed in one or a few places, but in its form. */
export function edited(head: Uint8Array, dice: Dice): Uint8Array {
  const making = opened(head, dice, '');
  for (let times = 1 + dice.below(3); times > 0; times--) dice.one(edits)(making);
  return closed(making);
}

/** A head whose bytes are changed. */
export function damaged(head: Uint8Array, dice: Dice): Uint8Array {
  const place = dice.below(head.length);
  const [before, after] = [head.subarray(0, place), head.subarray(place)];
  const bytes = Uint8Array.from({ length: 1 + dice.below(6) }, () => dice.below(256));
  return Uint8Array.from(
    Buffer.concat(
      dice.one([
        () => [before, Uint8Array.of(after[0] ^ (1 << dice.below(8))), after.subarray(1)],
        () => [before, bytes, after.subarray(bytes.length)],
        () => [before],
        () => [before, bytes, after],
        () => [before, after.subarray(bytes.length * 4)],
        () => [before, after.subarray(0, bytes.length * 4), after],
      ])(),
    ),
  );
}

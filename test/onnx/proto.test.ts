import { createRequire } from 'node:module';
import fc, { type Arbitrary } from 'fast-check';
import type { onnx as Proto } from 'onnx-proto';
import { expect, describe as group, test } from 'vitest';
import {
  buildModel,
  constant,
  type DataType,
  decodeModel,
  encodeModel,
  GraphError,
  type GraphFile,
  initializer,
  input,
  labelEncoder,
  loop,
  type ModelFile,
  mul,
  type TensorData,
} from '../../src/onnx/index.ts';
import { train } from '../../src/train/train.ts';
import { lowRank } from '../support/low-rank.ts';
import { runs } from '../support/soak.ts';

const { onnx: proto } = createRequire(import.meta.url)('onnx-proto') as { onnx: typeof Proto };

// Every code point but the halves of surrogate pairs, which UTF-8 cannot hold.
const text = fc.string({ unit: 'binary', maxLength: 8 });
const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const whole = fc.maxSafeInteger();

const elements: Record<DataType, (size: number) => Arbitrary<TensorData>> = {
  float: (size) => fc.float32Array({ minLength: size, maxLength: size }),
  double: (size) => fc.float64Array({ minLength: size, maxLength: size }),
  float16: (size) => fc.uint16Array({ minLength: size, maxLength: size }),
  int8: (size) => fc.int8Array({ minLength: size, maxLength: size }),
  uint16: (size) => fc.uint16Array({ minLength: size, maxLength: size }),
  int32: (size) => fc.int32Array({ minLength: size, maxLength: size }),
  int64: (size) =>
    fc.array(int64, { minLength: size, maxLength: size }).map((numbers) => BigInt64Array.from(numbers)),
  bool: (size) => fc.uint8Array({ minLength: size, maxLength: size, max: 1 }),
  string: (size) => fc.array(text, { minLength: size, maxLength: size }),
};
const dtype = fc.constantFrom(...(Object.keys(elements) as DataType[]));

const tensor = fc
  .tuple(dtype, fc.array(fc.nat(3), { maxLength: 3 }))
  .chain(([dtype, dims]) =>
    elements[dtype](dims.reduce((product, dim) => product * dim, 1)).map((data) => ({ dtype, dims, data })),
  );
const type = fc.record({ name, dtype, dims: fc.array(fc.oneof(fc.nat(), name), { maxLength: 3 }) });

const { graph } = fc.letrec<{ graph: GraphFile }>((tie) => {
  const attribute = fc.oneof(
    { maxDepth: 2 },
    fc.record({ int: whole }),
    fc.record({ ints: fc.array(whole) }),
    fc.record({ float: fc.float({ noNaN: true }) }),
    fc.record({ string: text }),
    fc.record({ strings: fc.array(text) }),
    fc.record({ tensor }),
    fc.record({ graph: tie('graph') }),
  );
  const node = fc.record({
    operator: name,
    domain: text,
    name: text,
    inputs: fc.array(text, { maxLength: 3 }),
    outputs: fc.array(text, { maxLength: 3 }),
    attributes: fc.dictionary(name, attribute, { maxKeys: 3, noNullPrototype: true }),
  });
  return {
    graph: fc.record({
      name: text,
      inputs: fc.array(type, { maxLength: 3 }),
      outputs: fc.array(type, { maxLength: 3 }),
      nodes: fc.array(node, { maxLength: 3 }),
      initializers: fc.array(
        fc.tuple(name, tensor).map(([name, constant]) => ({ name, ...constant })),
        { maxLength: 3 },
      ),
    }),
  };
});

const model: Arbitrary<ModelFile> = fc.record({
  irVersion: fc.nat(20),
  opsets: fc.dictionary(text, fc.nat(30), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
  producer: text,
  metadata: fc.dictionary(text, text, { noNullPrototype: true }),
  graph,
});

/** What another writer makes of a file. */
const again = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(proto.ModelProto.encode(proto.ModelProto.decode(bytes)).finish());

test('any model is the same after encoding and decoding', () =>
  fc.assert(
    fc.property(model, (file) => {
      expect(decodeModel(encodeModel(file))).toEqual(file);
    }),
    { numRuns: runs(100, 2000) },
  ));

test('the bytes are those of ONNX’s own schema', () =>
  fc.assert(
    fc.property(model, (file) => {
      const bytes = encodeModel(file);
      expect(again(bytes)).toEqual(bytes);
    }),
    { numRuns: runs(100, 2000) },
  ));

test('the bytes of a trained model too', async () => {
  const model = await train(lowRank(), { model: 'mlp', factors: 4, hidden: [6], epochs: 1 });
  const artifact = await model.artifact({ seen: true });
  const files = Object.entries(artifact.files).filter(([name]) => name.endsWith('.onnx'));
  expect(files).toHaveLength(9);
  for (const [name, bytes] of files) expect(Buffer.from(again(bytes)).equals(bytes), name).toBe(true);
});

test('tensors in the fields that other tools use instead of raw data', () => {
  const constants: Proto.ITensorProto[] = [
    { name: 'float', dataType: 1, dims: [2], floatData: [1.5, -2] },
    { name: 'double', dataType: 11, dims: [2], doubleData: [1.5, -2] },
    { name: 'int32', dataType: 6, dims: [2], int32Data: [1, -2] },
    { name: 'int64', dataType: 7, dims: [2], int64Data: [1, -2] },
    { name: 'bool', dataType: 9, dims: [2], int32Data: [1, 0] },
  ];
  const bytes = proto.ModelProto.encode({
    opsetImport: [{ version: 13 }],
    graph: { name: 'elsewhere', initializer: constants },
  }).finish();
  expect(decodeModel(bytes).graph.initializers.map(({ name, dtype, data }) => [name, dtype, data])).toEqual([
    ['float', 'float', Float32Array.of(1.5, -2)],
    ['double', 'double', Float64Array.of(1.5, -2)],
    ['int32', 'int32', Int32Array.of(1, -2)],
    ['int64', 'int64', BigInt64Array.of(1n, -2n)],
    ['bool', 'bool', Uint8Array.of(1, 0)],
  ]);
});

group('bytes that are no model are a GraphError, and nothing else', () => {
  const start = input('start', 'float', ['batch', 2]);
  const id = input('id', 'string', ['batch']);
  const weight = initializer('weight', 'float', [2], Float32Array.of(1, 2));
  const { state } = loop(constant(3, 'int64'), [start], (_, [x]) => ({ state: [mul(x, weight)], scan: [] }));
  const outputs = { result: state[0], row: labelEncoder(id, ['é', '😀']) };
  const bytes = encodeModel(
    buildModel({ name: 'real', inputs: [start, id], outputs, metadata: { why: 'test' } }),
  );

  const expectNoOtherError = (candidate: Uint8Array) => {
    try {
      decodeModel(candidate);
    } catch (error) {
      expect(error).toBeInstanceOf(GraphError);
    }
  };

  test('what is plainly none', () => {
    const texts = ['', 'user,item,rating\n1,2,3\n', '{"a": 1}', '\0'.repeat(100)];
    for (const text of texts) {
      expect(() => decodeModel(new TextEncoder().encode(text))).toThrow(GraphError);
      expect(() => decodeModel(new TextEncoder().encode(text))).toThrow('not an ONNX model');
    }
  });

  test('a tensor whose bytes are cut', () => {
    const cut = proto.ModelProto.encode({
      opsetImport: [{ version: 13 }],
      graph: { initializer: [{ dataType: 1, dims: [1], rawData: Uint8Array.of(1, 2, 3) }] },
    }).finish();
    expect(() => decodeModel(cut)).toThrow(GraphError);
  });

  test('graphs inside graphs without end', () => {
    // From the inside out, so backwards: attribute, node and graph, each with its length before it.
    const backwards: number[] = [];
    const wrap = (tag: number) => {
      const header = [tag];
      let length = backwards.length;
      for (; length > 127; length >>= 7) header.push((length & 127) | 128);
      backwards.push(...[...header, length].reverse());
    };
    for (let depth = 0; depth < 20_000; depth++) for (const tag of [0x32, 0x2a, 0x0a]) wrap(tag);
    wrap(0x3a);
    expect(() => decodeModel(Uint8Array.from(backwards.reverse()))).toThrow(GraphError);
  });

  test('every beginning of a real file', () => {
    // The opset stands behind the graph, the metadata behind both.
    const whole = decodeModel(bytes);
    for (let length = 0; length < bytes.length; length++) {
      const part = bytes.subarray(0, length);
      try {
        expect(decodeModel(part).graph).toEqual(whole.graph);
      } catch (error) {
        expect(error).toBeInstanceOf(GraphError);
      }
    }
  });

  test('random bytes', () =>
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), expectNoOtherError), {
      numRuns: runs(1000, 20_000),
    }));

  test('a real file with bytes changed, removed, or put in', () => {
    const edit = fc.record({
      position: fc.nat(bytes.length - 1),
      removed: fc.nat(4),
      added: fc.uint8Array({ maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
        const changed = [...bytes];
        for (const { position, removed, added } of edits) changed.splice(position, removed, ...added);
        expectNoOtherError(Uint8Array.from(changed));
      }),
      { numRuns: runs(1000, 20_000) },
    );
  });
});

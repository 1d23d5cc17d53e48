import { describe, expect, test } from 'vitest';
import { VERSION } from '../../src/version.ts';
import { served } from '../support/served.ts';

const movies = served();
const { get, post } = movies;

const heads = ['predict', 'recommend', 'similar', 'fold-in', 'fold-in-many'];

describe('the server and its models', () => {
  test('are described', async () => {
    expect(await get('/v2')).toMatchObject({ status: 200, body: { name: 'cofactor', version: VERSION } });
    expect(await get('/v2/health/live')).toMatchObject({ status: 200, body: { live: true } });
    expect(await get('/v2/health/ready')).toMatchObject({ status: 200, body: { ready: true } });
    expect((await get('/v2/models/movies.recommend')).body).toEqual({
      name: 'movies.recommend',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [
        { name: 'user', datatype: 'BYTES', shape: [-1] },
        { name: 'k', datatype: 'INT64', shape: [1] },
        { name: 'exclude', datatype: 'BYTES', shape: [-1, -1] },
      ],
      outputs: [
        { name: 'item', datatype: 'BYTES', shape: [-1, -1] },
        { name: 'score', datatype: 'FP32', shape: [-1, -1] },
        { name: 'rating', datatype: 'FP32', shape: [-1, -1] },
      ],
    });
  });

  test('are ready, by name and by version', async () => {
    for (const head of heads) {
      const path = `/v2/models/movies.${head}`;
      for (const at of [path, `${path}/versions/1`]) {
        expect(await get(at)).toMatchObject({ status: 200, body: { name: `movies.${head}` } });
        expect(await get(`${at}/ready`)).toMatchObject({ status: 200, body: { ready: true } });
      }
      expect(await get(`${path}/versions/2`)).toMatchObject({
        status: 404,
        body: { error: `model movies.${head} only has version 1` },
      });
    }
  });

  test('are listed', async () => {
    const { body } = await post('/v2/repository/index', '');
    expect(body.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual(
      heads.map((head) => [`movies.${head}`, 'READY']),
    );
  });

  test.each([
    'movies',
    'predict',
    'movies.seen',
    'movies.predict.onnx',
    '..',
    '%2e%2e%2fmovies',
    '__proto__',
  ])('there is none called %s', async (name) => {
    const { status, body } = await get(`/v2/models/${name}/ready`);
    expect(status).toBe(404);
    expect(body).toEqual({ error: expect.any(String) });
  });
});

interface Tensor {
  name: string;
  shape: number[];
  datatype: string;
  data?: unknown[];
  parameters?: object;
}

const tensor = (name: string, datatype: string, shape: number[], data: unknown[]): Tensor => ({
  name,
  datatype,
  shape,
  data,
});
const texts = (name: string, ...data: string[]) => tensor(name, 'BYTES', [data.length], data);

async function infer(head: string, request: object | Tensor[]) {
  const body = Array.isArray(request) ? { inputs: request } : request;
  return post(`/v2/models/movies.${head}/infer`, body);
}

/** The outputs by name. */
async function outputs(head: string, request: object | Tensor[]): Promise<Record<string, Tensor>> {
  const { status, body } = await infer(head, request);
  expect({ status, error: body.error }).toEqual({ status: 200, error: undefined });
  return Object.fromEntries(body.outputs.map((output: Tensor) => [output.name, output]));
}

async function refusal(head: string, request: object | Tensor[]): Promise<string> {
  const { status, body } = await infer(head, request);
  expect({ status, body }).toEqual({ status: 400, body: { error: expect.stringMatching(/^[^\n]{5,400}$/) } });
  return body.error;
}

describe('inference', () => {
  test('predicts', async () => {
    const [users, items] = [
      ['u1', 'u2', 'nobody'],
      ['i3', 'i4', 'nothing'],
    ];
    const { status, body } = await infer('predict', [texts('user', ...users), texts('item', ...items)]);
    expect(status).toBe(200);
    expect(body).toEqual({
      model_name: 'movies.predict',
      model_version: '1',
      outputs: [
        {
          name: 'rating',
          datatype: 'FP32',
          shape: [3],
          data: Array.from(await movies.recommender.predict(users, items)),
        },
      ],
    });
  });

  test('recommends, with and without what may be left out', async () => {
    const [expected] = await movies.recommender.recommend(['u1'], { k: 10, includeSeen: true });
    const ids = expected.map(({ item }) => item);
    expect(await outputs('recommend', [texts('user', 'u1')])).toMatchObject({
      item: { datatype: 'BYTES', shape: [1, 10], data: ids },
      rating: { datatype: 'FP32', shape: [1, 10], data: expected.map(({ rating }) => rating) },
    });
    const exclude = tensor('exclude', 'BYTES', [1, 2], [ids[0], ids[2]]);
    const { item } = await outputs('recommend', [
      texts('user', 'u1'),
      exclude,
      tensor('k', 'INT64', [1], [3]),
    ]);
    expect(item.data).toEqual([ids[1], ids[3], ids[4]]);
  });

  test('finds what is similar', async () => {
    const [expected] = await movies.recommender.similar(['i1'], { k: 3 });
    const { similar, similarity } = await outputs('similar', [
      texts('item', 'i1'),
      tensor('k', 'INT64', [1], [3]),
    ]);
    expect(similar.data).toEqual(expected.map(({ item }) => item));
    expect(similarity.data).toEqual(expected.map((one) => one.similarity));
  });

  test('folds a person in', async () => {
    const { recommended, parameters } = await movies.recommender.foldIn([{ item: 'i1', rating: 5 }], {
      k: 3,
    });
    const all = await outputs('fold-in', [
      texts('item', 'i1'),
      tensor('rating', 'FP32', [1], [5]),
      tensor('k', 'INT64', [], [3]),
    ]);
    expect(all.top_item.data).toEqual(recommended.map(({ item }) => item));
    for (const [name, values] of Object.entries(parameters))
      expect(all[name].data).toEqual(Array.from(values));
  });

  test('gives the outputs that are asked for, in that order, and the id', async () => {
    const inputs = [texts('user', 'u1')];
    const request = { id: 'mine "7"', inputs, outputs: [{ name: 'rating' }, { name: 'item' }] };
    const { body } = await infer('recommend', request);
    expect(body.id).toBe('mine "7"');
    expect(body.outputs.map(({ name }: Tensor) => name)).toEqual(['rating', 'item']);
    expect((await infer('recommend', { inputs, outputs: [{ name: 'rating' }] })).body.outputs).toHaveLength(
      1,
    );
    expect(await refusal('recommend', { inputs, outputs: [{ name: 'ratings' }] })).toMatch(
      /"ratings".*item, score, rating/,
    );
  });

  test('of many rows at once is what each row alone gives', async () => {
    const users = Array.from({ length: 9000 }, (_, row) => `u${row % 40}`);
    const items = users.map((_, row) => `i${row % 23}`);
    const { rating } = await outputs('predict', [texts('user', ...users), texts('item', ...items)]);
    expect(rating.data).toEqual(Array.from(await movies.recommender.predict(users, items)));
  });

  test('takes data that is nested as the shape says, and axes of 1 too many or too few', async () => {
    const flat = await outputs('recommend', [
      texts('user', 'u1', 'u2'),
      tensor('exclude', 'BYTES', [2, 2], ['i1', 'i2', 'i3', '']),
    ]);
    for (const [user, exclude, k] of [
      [
        texts('user', 'u1', 'u2'),
        tensor(
          'exclude',
          'BYTES',
          [2, 2],
          [
            ['i1', 'i2'],
            ['i3', ''],
          ],
        ),
        tensor('k', 'INT64', [], [10]),
      ],
      [
        tensor('user', 'BYTES', [2, 1], ['u1', 'u2']),
        tensor(
          'exclude',
          'BYTES',
          [2, 2, 1],
          [
            [['i1'], ['i2']],
            [['i3'], ['']],
          ],
        ),
        tensor('k', 'INT64', [1, 1], [[10]]),
      ],
    ])
      expect(await outputs('recommend', [user, exclude, k])).toEqual(flat);
  });

  test.each<[what: string, head: string, inputs: unknown[], message: RegExp]>([
    ['no inputs', 'predict', [], /input "user" is missing/],
    ['a missing input', 'predict', [texts('user', 'u1')], /input "item" is missing/],
    [
      "an input that is not the model's",
      'predict',
      [texts('users', 'u1')],
      /input "users": the model takes user, item/,
    ],
    ['an input twice', 'predict', [texts('user', 'u1'), texts('user', 'u1')], /input "user" is given twice/],
    [
      'axes of different lengths',
      'predict',
      [texts('user', 'u1'), texts('item', 'i1', 'i2')],
      /input "item": axis 0 is 2, but 1/,
    ],
    [
      'another rank',
      'predict',
      [tensor('user', 'BYTES', [1, 2], ['a', 'b'])],
      /shape \[1,2\], but the model takes \[-1\]/,
    ],
    [
      'a shape that is too long',
      'predict',
      [tensor('user', 'BYTES', Array(9).fill(1), ['a'])],
      /inputs\.0\.shape.*8/,
    ],
    [
      'a shape of a huge number',
      'predict',
      [tensor('user', 'BYTES', [2 ** 50], ['a'])],
      /inputs\.0\.shape\.0 must be at most 1048576/,
    ],
    ['a negative shape', 'predict', [tensor('user', 'BYTES', [-1], ['a'])], /inputs\.0\.shape\.0/],
    ['a shape of fractions', 'predict', [tensor('user', 'BYTES', [1.5], ['a'])], /inputs\.0\.shape\.0/],
    ['a shape of texts', 'predict', [{ ...texts('user'), shape: ['1'] }], /inputs\.0\.shape\.0/],
    [
      'too many elements',
      'recommend',
      [texts('user', 'u1'), tensor('exclude', 'BYTES', [2 ** 19, 4], ['a'])],
      /more than 1048576 elements/,
    ],
    [
      'less data than the shape says',
      'predict',
      [tensor('user', 'BYTES', [3], ['a'])],
      /input "user": shape \[3\] has 3 elements, but data has 1/,
    ],
    [
      'more data than the shape says',
      'predict',
      [tensor('user', 'BYTES', [1], ['a', 'b'])],
      /but data has 2/,
    ],
    [
      'data nested otherwise',
      'recommend',
      [tensor('exclude', 'BYTES', [2, 2], [['a'], ['b', 'c']])],
      /not nested according to shape \[2,2\]/,
    ],
    ['no data', 'predict', [{ ...texts('user', 'a'), data: undefined }], /neither data nor/],
    ['data that is no list', 'predict', [{ ...texts('user', 'a'), data: 'a' }], /data must be a list/],
    ['numbers for texts', 'predict', [tensor('user', 'BYTES', [1], [7])], /input "user": 7 is not BYTES/],
    ['null for a text', 'predict', [tensor('user', 'BYTES', [1], [null])], /null is not BYTES/],
    [
      'another datatype for texts',
      'predict',
      [tensor('user', 'INT64', [1], [7])],
      /input "user": datatype INT64, but the model takes BYTES/,
    ],
    [
      'floats for whole numbers',
      'recommend',
      [texts('user', 'u1'), tensor('k', 'FP32', [1], [3])],
      /input "k": datatype FP32, but the model takes INT64/,
    ],
    [
      'a fraction in whole numbers',
      'recommend',
      [texts('user', 'u1'), tensor('k', 'INT64', [1], [1.5])],
      /1.5 is not INT64/,
    ],
    [
      'a number beyond its datatype',
      'recommend',
      [texts('user', 'u1'), tensor('k', 'INT8', [1], [200])],
      /200 is not INT8/,
    ],
    ['an unknown datatype', 'predict', [tensor('user', 'STRING', [1], ['a'])], /datatype/],
    [
      'FP16 in JSON',
      'fold-in',
      [texts('item', 'i1'), tensor('rating', 'FP16', [1], [1])],
      /FP16 comes as binary data only/,
    ],
    [
      'a float that is not finite',
      'fold-in',
      [texts('item', 'i1'), tensor('rating', 'FP64', [1], [1e39])],
      /2\^53/,
    ],
    [
      'k of 0',
      'recommend',
      [texts('user', 'u1'), tensor('k', 'INT64', [1], [0])],
      /k is 0; give a whole number from 1 to 1000/,
    ],
    ['k of 1001', 'similar', [texts('item', 'i1'), tensor('k', 'INT64', [1], [1001])], /k is 1001/],
    [
      'more results than a tensor may hold',
      'recommend',
      [texts('user', ...Array(1100).fill('u1')), tensor('k', 'INT64', [1], [1000])],
      /output "item" would have over 1048576 elements/,
    ],
    [
      'more ratings than one person has',
      'fold-in',
      [texts('item', ...Array(3001).fill('i1')), tensor('rating', 'FP32', [3001], Array(3001).fill(1))],
      /3001 items; fold-in accepts up to 3000/,
    ],
    ['no rows', 'recommend', [texts('user')], /no rows/],
    ['a NUL in an id', 'predict', [texts('user', 'a\0b')], /NUL/],
    ['a lone surrogate', 'predict', [texts('user', '\ud800')], /surrogate/],
    ['no object as an input', 'predict', [7], /inputs\.0 must be a JSON object/],
  ])('refuses %s', async (_, head, inputs, message) => {
    expect(await refusal(head, { inputs })).toMatch(message);
  });

  test.each<[what: string, body: string, message: RegExp]>([
    ['nothing', '', /the body must be a JSON object/],
    ['no JSON', '{"inputs": [', /not JSON/],
    ['a list', '[]', /the body must be a JSON object/],
    ['no inputs', '{}', /inputs/],
    ['an unsafe integer', '{"inputs": [], "parameters": {"a": 9007199254740993}}', /2\^53/],
    ['an integer beyond all', '{"inputs": [], "id": 1e999}', /2\^53/],
    ['a number as id', '{"inputs": [], "id": 1}', /id must be a text/],
    ['a deep document', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, /nested/],
  ])('refuses a body of %s', async (_, body, message) => {
    const answer = await post('/v2/models/movies.predict/infer', body);
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringMatching(message) } });
  });

  test('takes whole numbers of any type where the model wants INT64, and numbers of any where it wants FP32', async () => {
    const whole = ['INT8', 'INT16', 'INT32', 'INT64', 'UINT8', 'UINT16', 'UINT32', 'UINT64'];
    const answers = new Set<string>();
    for (const datatype of [...whole, 'FP32', 'FP64']) {
      const k = tensor('k', whole.includes(datatype) ? datatype : 'INT64', [1], [2]);
      const all = await outputs('fold-in', [
        texts('item', 'i1', 'i2'),
        tensor('rating', datatype, [2], [4, 2]),
        k,
      ]);
      answers.add(JSON.stringify(all));
    }
    expect(answers.size).toBe(1);
  });
});

/** A request of the binary data extension. */
async function inferBinary(
  head: string,
  request: object,
  data: Buffer,
  headers: Record<string, string> = {},
) {
  const json = Buffer.from(JSON.stringify(request));
  const response = await fetch(`${movies.url}/v2/models/movies.${head}/infer`, {
    method: 'POST',
    headers: {
      'inference-header-content-length': String(json.length),
      'content-type': 'application/octet-stream',
      ...headers,
    },
    body: Buffer.concat([json, data]),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const length = Number(response.headers.get('inference-header-content-length') ?? bytes.length);
  return {
    status: response.status,
    body: JSON.parse(bytes.toString('utf8', 0, length)),
    data: bytes.subarray(length),
  };
}

const packed = (...all: string[]) =>
  Buffer.concat(
    all.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(text));
      return [length, Buffer.from(text)];
    }),
  );

const binary = (name: string, datatype: string, shape: number[], size: number) => ({
  name,
  datatype,
  shape,
  parameters: { binary_data_size: size },
});

describe('binary data', () => {
  const [users, items] = [packed('u1', 'Zoë'), packed('i1', 'i2')];
  const inputs = [binary('user', 'BYTES', [2], users.length), binary('item', 'BYTES', [2], items.length)];

  test('goes in and comes out', async () => {
    const request = { inputs, parameters: { binary_data_output: true } };
    const { status, body, data } = await inferBinary('predict', request, Buffer.concat([users, items]));
    expect(status).toBe(200);
    expect(body.outputs).toEqual([
      { name: 'rating', datatype: 'FP32', shape: [2], parameters: { binary_data_size: 8 } },
    ]);
    const expected = await movies.recommender.predict(['u1', 'Zoë'], ['i1', 'i2']);
    expect([data.readFloatLE(0), data.readFloatLE(4)]).toEqual(Array.from(expected));
  });

  test('may be asked for of one output, and mixed with JSON', async () => {
    const k = Buffer.alloc(1, 2);
    const { body, data } = await inferBinary(
      'recommend',
      {
        inputs: [texts('user', 'u1'), binary('k', 'UINT8', [1], 1)],
        outputs: [
          { name: 'rating', parameters: { binary_data: false } },
          { name: 'item', parameters: { binary_data: true } },
        ],
      },
      k,
    );
    const [expected] = await movies.recommender.recommend(['u1'], { k: 2, includeSeen: true });
    expect(body.outputs[0].data).toEqual(expected.map(({ rating }) => rating));
    expect(data).toEqual(packed(...expected.map(({ item }) => item)));
  });

  test('of every type is read', async () => {
    const write: Record<string, (buffer: Buffer) => void> = {
      INT8: (buffer) => buffer.writeInt8(3),
      INT16: (buffer) => buffer.writeInt16LE(3),
      INT32: (buffer) => buffer.writeInt32LE(3),
      INT64: (buffer) => buffer.writeBigInt64LE(3n),
      UINT8: (buffer) => buffer.writeUInt8(3),
      UINT16: (buffer) => buffer.writeUInt16LE(3),
      UINT32: (buffer) => buffer.writeUInt32LE(3),
      UINT64: (buffer) => buffer.writeBigUInt64LE(3n),
      FP16: (buffer) => buffer.writeUInt16LE(0x4200),
      FP32: (buffer) => buffer.writeFloatLE(3),
      FP64: (buffer) => buffer.writeDoubleLE(3),
    };
    const answers = new Set<string>();
    for (const [datatype, fill] of Object.entries(write)) {
      const bytes = Buffer.alloc(Number(/\d+/.exec(datatype)) / 8);
      fill(bytes);
      const { status, body } = await inferBinary(
        'fold-in',
        {
          inputs: [texts('item', 'i1'), binary('rating', datatype, [1], bytes.length)],
          outputs: [{ name: 'top_rating' }],
        },
        bytes,
      );
      expect(status, datatype).toBe(200);
      answers.add(JSON.stringify(body));
    }
    expect(answers.size).toBe(1);
  });

  const nan = Buffer.alloc(4);
  nan.writeFloatLE(Number.NaN);
  test.each<[what: string, inputs: object[], data: Buffer, message: RegExp]>([
    [
      'less than is announced',
      inputs,
      users,
      /input "item": binary_data_size is 12, but the body does not have as many bytes/,
    ],
    ['more than is announced', inputs, Buffer.concat([users, items, users]), /14 more bytes than its inputs/],
    ['cut off in a length', [binary('user', 'BYTES', [1], 3)], users.subarray(0, 3), /cut off/],
    ['cut off in a text', [binary('user', 'BYTES', [1], 5)], users.subarray(0, 5), /cut off/],
    [
      'more texts than the shape says',
      [binary('user', 'BYTES', [1], users.length)],
      users,
      /has 1 elements, but its binary data has 2/,
    ],
    ['no UTF-8', [binary('user', 'BYTES', [1], 5)], Buffer.from([1, 0, 0, 0, 0xff]), /UTF-8/],
    ['a NUL', [binary('user', 'BYTES', [1], 5)], Buffer.from([1, 0, 0, 0, 0]), /NUL/],
    [
      'bytes that are no whole numbers',
      [binary('k', 'INT64', [1], 7)],
      Buffer.alloc(7),
      /takes 8 bytes, not 7/,
    ],
    ['a number that is none', [binary('rating', 'FP32', [1], 4)], nan, /NaN is not a finite FP32/],
    ['a number beyond INT64', [binary('k', 'UINT64', [1], 8)], Buffer.alloc(8, 0xff), /beyond INT64/],
    ['a negative size', [binary('k', 'INT64', [1], -8)], Buffer.alloc(8), /binary_data_size is -8/],
  ])('of %s is refused', async (_, inputs, data, message) => {
    const head = JSON.stringify(inputs).includes('"user"') ? 'predict' : 'fold-in';
    const { status, body } = await inferBinary(head, { inputs }, data);
    expect({ status, body }).toEqual({ status: 400, body: { error: expect.stringMatching(message) } });
  });

  test.each(['-1', '1.5', 'x', '100000'])('a header of length %s is refused', async (length) => {
    const headers = { 'inference-header-content-length': length };
    expect(await inferBinary('predict', { inputs }, Buffer.alloc(0), headers)).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/inference-header-content-length/) },
    });
  });
});

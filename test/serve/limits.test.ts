import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { rawRequest } from '../support/raw-http.ts';
import { served } from '../support/served.ts';

const movies = served({ workers: 1 });
const { get, post } = movies;

const raw = (...pieces: string[]) => rawRequest(movies.url, ...pieces);

const oneLine = { error: expect.stringMatching(/^[^\n]{5,400}$/) };
const infer = '/v2/models/movies.predict/infer';
const large = JSON.stringify({ inputs: [], parameters: { much: 'x'.repeat(2 ** 20) } });

describe('a body over 1 MiB', () => {
  test('is refused by its length', async () => {
    expect(await post(infer, large)).toMatchObject({ status: 413, body: oneLine });
  });

  test('is refused while it is read, where it does not say its length', async () => {
    const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
    const head = `POST ${infer} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const pieces = Array.from({ length: 17 }, () => chunk('x'.repeat(2 ** 16)));
    expect(await raw(head, ...pieces, '0\r\n\r\n')).toMatchObject({ status: 413, body: oneLine });
  });

  test('of just as much is read', async () => {
    const body = `{"inputs":[],"id":"${'x'.repeat(2 ** 20 - 21)}"}`;
    expect(Buffer.byteLength(body)).toBe(2 ** 20);
    expect(await post(infer, body)).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/"user"/) },
    });
  });
});

describe('other bodies', () => {
  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'nonsense'])(
    'of type %s are refused',
    async (type) => {
      const answer = await post('/predict', '{"pairs":[]}', { headers: { 'content-type': type } });
      expect(answer).toMatchObject({ status: 415, body: oneLine });
    },
  );

  test.each(['application/json; charset=utf-8', 'application/octet-stream'])(
    'of type %s are read',
    async (type) => {
      expect(await post('/predict', '{"pairs":[]}', { headers: { 'content-type': type } })).toMatchObject({
        status: 200,
      });
    },
  );

  test('that are compressed are refused', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect(await post('/predict', '{"pairs":[]}', { headers })).toMatchObject({ status: 415, body: oneLine });
  });

  test('that are not UTF-8 are refused', async () => {
    const body = Buffer.from('{"pairs":[{"user":"\xff","item":"i"}]}', 'latin1');
    expect(await post('/predict', '', { body })).toMatchObject({
      status: 400,
      body: { error: 'the body is not UTF-8' },
    });
  });
});

describe('other methods', () => {
  test.each([
    ['DELETE', '/recommend', 'POST'],
    ['GET', '/predict', 'POST'],
    ['POST', '/similar/i1', 'GET, HEAD'],
    ['PUT', '/v2', 'GET, HEAD'],
    ['GET', infer, 'POST'],
  ])('%s %s is refused, and told what is allowed', async (method, path, allowed) => {
    const { status, headers, body } = await get(path, { method });
    expect({ status, allow: headers.get('allow'), body }).toEqual({
      status: 405,
      allow: allowed,
      body: oneLine,
    });
  });

  test.each(['/nothing', '/v1/models/movies', '/recommend/a/b', '/v2/models/../../etc/passwd', '//'])(
    'there is nothing at %s',
    async (path) => {
      const { status, body } = await get(path);
      expect({ status, body }).toEqual({ status: 404, body: oneLine });
    },
  );
});

describe('what is no good HTTP', () => {
  test.each<[what: string, status: number, pieces: string[]]>([
    ['noise', 400, ['\x16\x03\x01\x02\x00\x01\x00\r\n\r\n']],
    ['an unknown method', 400, ['BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n']],
    ['a broken header', 400, ['GET /v2 HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n']],
    [
      'two lengths',
      400,
      [`POST ${infer} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
    ],
    [
      'a length and chunks',
      400,
      [
        `POST ${infer} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`,
      ],
    ],
    [
      'a broken chunk',
      400,
      [`POST ${infer} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`],
    ],
    ['headers too long', 431, [`GET /v2 HTTP/1.1\r\nHost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`]],
    ['no host', 400, ['GET /v2 HTTP/1.1\r\nConnection: close\r\n\r\n']],
    [
      'an expectation',
      417,
      [
        `POST ${infer} HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      ],
    ],
  ])('%s is answered in one line', async (_, status, pieces) => {
    expect(await raw(...pieces)).toMatchObject({ status, body: oneLine });
  });

  test('the server survives connections that are cut', async () => {
    for (let time = 0; time < 20; time++) {
      const socket = connect(Number(new URL(movies.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`POST ${infer} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"inputs"`);
      await setTimeout(2);
      socket.destroy();
    }
    expect(await get('/v2/health/live')).toMatchObject({ status: 200 });
  });
});

test('requests beyond the queue get 503 with Retry-After; all others are answered', async () => {
  // A search that takes some milliseconds, and cannot be joined with another.
  const shape = [1500];
  const inputs = [
    {
      name: 'item',
      datatype: 'BYTES',
      shape,
      data: Array.from({ length: 1500 }, (_, row) => `i${row % 20}`),
    },
    {
      name: 'rating',
      datatype: 'FP32',
      shape,
      data: Array.from({ length: 1500 }, (_, row) => 1 + (row % 5)),
    },
  ];
  const answers = await Promise.all(
    Array.from({ length: 300 }, () => post('/v2/models/movies.fold-in/infer', { inputs })),
  );
  const refused = answers.filter(({ status }) => status === 503);
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(65);
  expect(refused.length).toBeGreaterThan(0);
  for (const { status, body, headers } of answers) {
    if (status === 503)
      expect({ body, after: headers.get('retry-after') }).toEqual({ body: oneLine, after: '1' });
    else expect(status).toBe(200);
  }
});

test('a full queue is answered', async () => {
  const answers = await Promise.all(
    Array.from({ length: 65 }, (_, index) => get(`/similar/i1?k=${1 + index}`)),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});

test('a short request is answered between long ones', async () => {
  const ratings = Array.from({ length: 3000 }, (_, row) => ({ item: `i${row % 20}`, rating: 1 + (row % 5) }));
  let answered = 0;
  const long = Array.from({ length: 40 }, async () => {
    const { status } = await post('/recommend', { ratings });
    answered++;
    return status;
  });
  await Promise.race(long);
  expect(await get('/similar/i1')).toMatchObject({ status: 200 });
  expect(answered).toBeLessThan(20);
  expect(new Set(await Promise.all(long))).toEqual(new Set([200]));
});

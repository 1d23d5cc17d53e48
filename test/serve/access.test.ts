import { mkdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { type ServeOptions, type Server, serve } from '../../src/serve/serve.ts';
import { argumentError, userError } from '../support/files.ts';
import { rawRequest } from '../support/raw-http.ts';
import { served } from '../support/served.ts';

const movies = served({ workers: 1 });

const servers: Server[] = [];
afterAll(async () => void (await Promise.all(servers.map((server) => server.close()))));

/** Starts another server of the same model. @returns its address */
async function start(options: ServeOptions): Promise<string> {
  const server = await serve([movies.directory], {
    ...{ port: 0, workers: 1, logLevel: 'silent', page: false },
    ...options,
  });
  servers.push(server);
  return server.url;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends what `fetch` would not: any host, any origin, or a body without a type. */
function ask(url: string, path: string, { method = 'GET', headers = {}, body }: Asked = {}) {
  return new Promise<{ status?: number; headers: NodeJS.Dict<string | string[]>; body: string }>(
    (resolve, reject) => {
      const sent = request(new URL(path, url), { method, headers, agent: false }, async (response) => {
        const body = (await response.toArray()).join('');
        resolve({ status: response.statusCode, headers: response.headers, body });
      });
      sent.on('error', reject);
      sent.end(body);
    },
  );
}

const oneLine = (text: string): string => {
  const { error } = JSON.parse(text);
  expect(error).toMatch(/^[^\n]{5,401}$/);
  return error;
};

const portOf = (url: string): string => new URL(url).port;

test('on loopback the server answers for its own hosts and those that it is told', async () => {
  const url = await start({ host: '127.0.0.2', allowHosts: ['recommender.example', 'fd00::1'] });
  for (const host of [
    ...['localhost', 'LOCALHOST', 'localhost.', '127.0.0.1', '[::1]', 'localhost:80', '[::1]:80'],
    ...['recommender.example', 'Recommender.Example.:8080', '[fd00::1]', '127.0.0.2'],
  ])
    expect({ host, status: (await ask(url, '/v2', { headers: { host } })).status }).toEqual({
      host,
      status: 200,
    });
});

test.each([
  ...['attacker.example', 'attacker.example:8080', '127.0.0.1.attacker.example', 'localhost.example'],
  ...['localhost..', 'local host', '0.0.0.0', '127.0.0.2', '[::2]', ':80', 'localhost@attacker.example'],
])('and for no other, such as %s, at any path', async (host) => {
  for (const [method, path] of [
    ['GET', '/v2/health/live'],
    ['GET', '/'],
    ['GET', '/metrics'],
    ['GET', '/nothing'],
    ['OPTIONS', '/recommend'],
    ['DELETE', '/recommend'],
    ['POST', '/predict'],
  ]) {
    const answer = await ask(movies.url, path, { method, headers: { host } });
    expect(answer.status, `${method} ${path}`).toBe(421);
    expect(oneLine(answer.body)).toBe(`the host ${host} is not this server's; --allow-host allows another`);
  }
});

test('a host is named in one line, however long it is', async () => {
  const { status, body } = await ask(movies.url, '/v2', { headers: { host: 'x'.repeat(5000) } });
  expect(status).toBe(421);
  expect(oneLine(body).length).toBeLessThan(200);
});

test('HTTP/1.0 needs no host, which HTTP/1.1 does', async () => {
  expect(await rawRequest(movies.url, 'GET /v2 HTTP/1.0\r\n\r\n')).toMatchObject({ status: 200 });
  expect(await rawRequest(movies.url, 'GET /v2 HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatchObject({
    status: 400,
  });
});

test('a server that others can reach answers for all hosts, or for those that it is told', async () => {
  const open = await start({ host: '0.0.0.0' });
  const told = await start({ host: '0.0.0.0', allowHosts: ['one.example'] });
  const status = async (url: string, host: string) => (await ask(url, '/v2', { headers: { host } })).status;
  const hosts = ['one.example', 'two.example', `localhost:${portOf(told)}`];
  expect(await Promise.all(hosts.map((host) => status(open, host)))).toEqual([200, 200, 200]);
  expect(await Promise.all(hosts.map((host) => status(told, host)))).toEqual([200, 421, 200]);
});

test.each<[type: string | undefined, path: string, headers: Record<string, string>]>([
  [undefined, '/predict', {}],
  [undefined, '/recommend', {}],
  [undefined, '/predict', { origin: 'https://attacker.example' }],
  [undefined, '/v2/models/movies.predict/infer', { origin: 'https://attacker.example' }],
  [undefined, '/v2/repository/index', { origin: 'null' }],
  ['text/plain', '/v2/models/movies.predict/infer', {}],
  ['', '/predict', {}],
  ['text/plain;application/json', '/predict', {}],
])('a body of type %s is refused at %s with %j', async (type, path, headers) => {
  const answer = await ask(movies.url, path, {
    method: 'POST',
    headers: { ...headers, ...(type !== undefined && { 'content-type': type }) },
    body: '{"pairs":[]}',
  });
  expect(answer.status).toBe(415);
  expect(oneLine(answer.body)).toMatch(/content-type.*; send application\/json$/);
});

test("requests of Triton's client, which sends no type, are answered", async () => {
  const index = await ask(movies.url, '/v2/repository/index', { method: 'POST' });
  expect(index).toMatchObject({ status: 200 });
  const user = { name: 'user', shape: [1], datatype: 'BYTES', data: ['u1'] };
  const body = JSON.stringify({ inputs: [user, { ...user, name: 'item', data: ['i1'] }] });
  const path = '/v2/models/movies.predict/infer';
  expect(await ask(movies.url, path, { method: 'POST', body })).toMatchObject({ status: 200 });
});

const origin = 'https://shop.example';
const preflight = {
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'POST' },
} as const;

const corsOf = (headers: NodeJS.Dict<string | string[]>) =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith('access-control') || name === 'vary'),
  );

test('pages of other origins may not ask', async () => {
  const answer = await ask(movies.url, '/v2', { headers: { origin } });
  expect({ status: answer.status, ...corsOf(answer.headers) }).toEqual({ status: 200 });
  const refused = await ask(movies.url, '/predict', preflight);
  expect({ status: refused.status, ...corsOf(refused.headers) }).toEqual({ status: 405 });
});

const exposed = { 'access-control-expose-headers': 'inference-header-content-length, retry-after' };
const allowed = {
  'access-control-allow-methods': 'GET, HEAD, POST',
  'access-control-allow-headers': 'content-type, authorization, inference-header-content-length',
  'access-control-max-age': '600',
};

test('pages of the given origins may', async () => {
  const page = join(movies.folder.path, 'page');
  const url = await start({ cors: ['https://other.example:8443', origin], page });
  const headers = { origin };
  const granted = { 'access-control-allow-origin': origin, vary: 'Origin', ...exposed };
  for (const [path, status] of [
    ['/v2', 200],
    ['/nothing', 404],
    ['/recommend', 405],
    ['/similar/nothing', 404],
  ] as const) {
    const answer = await ask(url, path, { headers });
    expect({ status: answer.status, ...corsOf(answer.headers) }).toEqual({ status, ...granted });
  }
  const asked = await ask(url, '/predict', preflight);
  expect({ status: asked.status, body: asked.body, ...corsOf(asked.headers) }).toEqual({
    ...{ status: 204, body: '' },
    ...granted,
    ...allowed,
  });
  // An OPTIONS that is no preflight is answered as ever.
  const { status, headers: found } = await ask(url, '/predict', { method: 'OPTIONS', headers });
  expect({ status, allow: found.allow }).toEqual({ status: 405, allow: 'POST' });
  for (const other of ['https://shop.example.attacker.example', 'http://shop.example', 'null', '*']) {
    const answer = await ask(url, '/v2', { headers: { origin: other } });
    expect(corsOf(answer.headers)).toEqual({ vary: 'Origin' });
  }
  expect((await ask(url, '/')).headers.vary).toBe('accept-encoding, Origin');
});

test('with * pages of all origins may', async () => {
  const url = await start({ cors: ['*'] });
  const answer = await ask(url, '/predict', preflight);
  expect({ status: answer.status, ...corsOf(answer.headers) }).toEqual({
    ...{ status: 204, 'access-control-allow-origin': '*' },
    ...exposed,
    ...allowed,
  });
});

const TOKEN = 'correct-horse-battery-staple';
const tokenFile = () => movies.folder.write('token', `${TOKEN}\n`);

test('with a token file, requests need the token before their body is read', async () => {
  const url = await start({ tokenFile: await tokenFile(), cors: [origin] });
  const statusOf = async (authorization: string) =>
    (await ask(url, '/v2', { headers: { authorization } })).status;
  expect(await statusOf(`Bearer ${TOKEN}`)).toBe(200);
  expect(await statusOf(`bearer  ${TOKEN}`)).toBe(200);
  for (const wrong of ['', TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, 'Bearer'])
    expect(await statusOf(wrong), wrong).toBe(401);
  for (const path of ['/', '/v2', '/nothing', '/openapi.json', '/recommend/u1', '/v2/healthy']) {
    const { status, headers, body } = await ask(url, path);
    expect({ path, status, asks: headers['www-authenticate'] }).toEqual({
      ...{ path, status: 401, asks: 'Bearer' },
    });
    expect(oneLine(body)).toMatch(/asks for a token/);
  }
  const started =
    'POST /predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 9\r\n\r\n';
  expect(await rawRequest(url, started)).toMatchObject({ status: 401 });
  expect(await ask(url, '/predict', preflight)).toMatchObject({ status: 204 });
  // A page learns that its token is wrong.
  const refused = await ask(url, '/v2', { headers: { origin } });
  expect(refused.headers['access-control-allow-origin']).toBe(origin);
});

test('only supervisors need none, unless all is protected', async () => {
  const paths = ['/v2/health/live', '/v2/health/ready', '/v2/health/live/', '/metrics'];
  const statuses = (url: string, headers = {}) =>
    Promise.all(paths.map(async (path) => (await ask(url, path, { headers })).status));
  expect(await statuses(await start({ tokenFile: await tokenFile() }))).toEqual([200, 200, 200, 200]);
  const all = await start({ tokenFile: await tokenFile(), protectAll: true });
  expect(await statuses(all)).toEqual([401, 401, 401, 401]);
  expect(await statuses(all, { authorization: `Bearer ${TOKEN}` })).toEqual([200, 200, 200, 200]);
});

test.each<[what: string, content: string, message: RegExp]>([
  ['a short text', 'secret', /has no token.*at least 16 printable ASCII characters/],
  ['nothing', '\n', /has no token/],
  ['two words', 'secret-secret secret-secret', /has no token/],
  ['two lines', 'secret-secret\nsecret-secret\n', /has no token/],
  ['other letters', 'secret-secret-sécret', /has no token/],
  ['a control character', 'secret-secret\0secret', /has no token/],
  ['too much', 'secret'.repeat(1000), /more than 4 kB/],
])('a file with %s is no token file', async (_, content, message) => {
  const file = await movies.folder.write('bad-token', content);
  const text = await userError(start({ tokenFile: file }));
  expect(text).toMatch(message);
  expect(text).toMatch(/`tokenFile`/);
  expect(text).not.toMatch(/secret/);
});

test('nor is what is no file', async () => {
  expect(await userError(start({ tokenFile: join(movies.folder.path, 'none') }))).toMatch(/no such file/);
  const folder = join(movies.folder.path, 'folder');
  await mkdir(folder);
  expect(await userError(start({ tokenFile: folder }))).toMatch(/is not a file/);
  expect(await userError(start({ tokenFile: '/dev/zero' }))).toMatch(/is not a file/);
});

test.each<[options: object, message: RegExp]>([
  [{ protectAll: true }, /`protectAll` needs `tokenFile`/],
  [{ protectAll: 'yes' }, /protectAll is "yes"; give true or false/],
  [{ tokenFile: '' }, /tokenFile is ""; give a path/],
  [{ allowHosts: 'shop.example' }, /allowHosts is "shop.example"; give a list/],
  [{ allowHosts: ['http://shop.example'] }, /host names or addresses, without scheme and port/],
  [{ allowHosts: ['shop.example:80'] }, /allowHosts is/],
  [{ allowHosts: [''] }, /allowHosts is/],
  [{ cors: origin }, /cors is "https:\/\/shop.example"; give a list/],
  [{ cors: ['shop.example'] }, /origins as browsers send them, such as https:\/\/example\.com, or \*/],
  [{ cors: ['https://shop.example/'] }, /cors is/],
  [{ cors: ['https://shop.example/path'] }, /cors is/],
  [{ cors: ['https://Shop.example'] }, /cors is/],
  [{ cors: ['https://shop.example:443'] }, /cors is/],
  [{ cors: ['https://shop.example:99999'] }, /cors is/],
  [{ cors: ['https://user@shop.example'] }, /cors is/],
  [{ cors: ['https://*.example'] }, /cors is/],
  [{ cors: ['null'] }, /cors is/],
])('%j is an error', async (options, message) => {
  expect(await argumentError(start(options))).toMatch(message);
});

test('origins of apps, and of addresses, are origins', async () => {
  const cors = [
    'capacitor://localhost',
    'http://localhost:5173',
    'http://[::1]:3000',
    'chrome-extension://abc',
  ];
  const url = await start({ cors });
  for (const origin of cors) {
    const { headers } = await ask(url, '/v2', { headers: { origin } });
    expect(headers['access-control-allow-origin']).toBe(origin);
  }
});

test('a server that others can reach says at start that it is open, unless there is a token', async () => {
  const lines: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
  try {
    await start({ host: '127.0.0.1', logLevel: 'warn' });
    await start({ host: '0.0.0.0', logLevel: 'warn', tokenFile: await tokenFile() });
    expect(lines).toEqual([]);
    await start({ host: '0.0.0.0', logLevel: 'warn' });
  } finally {
    write.mockRestore();
  }
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    /^\{"level":40,.*everyone who can reach this address may ask.*--token-file.*\}\n$/,
  );
});

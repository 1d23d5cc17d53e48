import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { program, workplace } from '../support/cli.ts';

const { at, text, failure, write } = workplace();

beforeAll(async () => {
  await text('train', 'ratings.csv', '--out', 'movies', '--factors', '2', '--epochs', '1');
});

let child: ChildProcess;
afterEach(() => child?.kill('SIGKILL'));

/** Starts a server, and waits until it says where it listens. */
async function start(...args: string[]) {
  const log: string[] = [];
  child = spawn(process.execPath, [program, 'serve', 'movies', '--port', '0', ...args], { cwd: at() });
  child.stderr?.on('data', (chunk) => log.push(String(chunk)));
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  expect(String(line)).toMatch(/^Listening at http:\/\/[^\n]*\n$/);
  const [url] = /http:\S+(?=:\s)/.exec(line) as RegExpExecArray;
  return {
    url,
    ended,
    lines: () =>
      log
        .join('')
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((one) => JSON.parse(one)),
  };
}

const status = async (url: string) => (await fetch(url)).status;

test('serves at 127.0.0.1 and logs no ids', async () => {
  const { url, lines, ended } = await start('--log-level', 'debug');
  expect(new URL(url).hostname).toBe('127.0.0.1');
  expect(await status(`${url}/recommend/secret-user`)).toBe(200);
  expect(await status(`${url}/v2/models/movies.predict`)).toBe(200);
  expect(lines()).toContainEqual(
    expect.objectContaining({ method: 'GET', route: '/recommend/:user', status: 200 }),
  );
  expect(JSON.stringify(lines())).not.toContain('secret-user');
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 0 });
});

test('after SIGTERM the server is not ready, answers all requests in flight and ends', async () => {
  const { url, ended } = await start('--workers', '1');
  const [shape, rows] = [[2000], Array.from({ length: 2000 }, (_, row) => row)];
  const inputs = [
    { name: 'item', datatype: 'BYTES', shape, data: rows.map((row) => `i${row % 10}`) },
    { name: 'rating', datatype: 'FP32', shape, data: rows.map((row) => 1 + (row % 5)) },
  ];
  const send = async () => {
    const body = JSON.stringify({ inputs, outputs: [{ name: 'top_item' }] });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/v2/models/movies.fold-in/infer`, { method: 'POST', headers, body });
    const { outputs } = JSON.parse(await response.text());
    return `${response.status} ${outputs[0].data.length}`;
  };
  // One whose body comes late, over a connection of its own.
  const late = connect(Number(new URL(url).port), '127.0.0.1');
  await once(late, 'connect');
  const body = '{"pairs":[{"user":"u1","item":"i1"}]}';
  late.write(
    `POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  const sent = Array.from({ length: 40 }, send);
  // The others wait for the worker.
  await Promise.race(sent);
  child.kill('SIGTERM');
  const ready = async () => {
    const response = await fetch(`${url}/v2/health/ready`);
    return `${response.status} ${await response.text()}`;
  };
  await expect.poll(ready, { interval: 20 }).toBe('503 {"error":"the server is closing"}');
  expect(await status(`${url}/v2/health/live`)).toBe(200);
  expect(new Set(await Promise.all(sent))).toEqual(new Set(['200 10']));
  const opens = () =>
    fetch(url).then(
      () => true,
      () => false,
    );
  await expect.poll(opens).toBe(false);
  late.write(body);
  expect(String((await once(late, 'data'))[0])).toMatch(/^HTTP\/1.1 200.*"ratings":\[\d/s);
  expect(await ended).toMatchObject({ code: 0, signal: null });
});

test('flags say who may ask', async () => {
  await write('token', 'correct-horse-battery-staple\n');
  const hosts = ['--allow-host', 'one.example', '--allow-host', 'localhost'];
  const origins = ['--cors', 'https://one.example', '--cors', 'https://two.example'];
  const { url, lines } = await start(...hosts, ...origins, '--token-file', 'token', '--host', '0.0.0.0');
  const ask = async (headers: Record<string, string>) => {
    const response = await fetch(url.replace('0.0.0.0', 'localhost'), { headers });
    return [response.status, response.headers.get('access-control-allow-origin')];
  };
  const authorization = 'Bearer correct-horse-battery-staple';
  expect(await ask({ origin: 'https://one.example', authorization })).toEqual([200, 'https://one.example']);
  expect(await ask({ origin: 'https://two.example' })).toEqual([401, 'https://two.example']);
  expect(await ask({ origin: 'https://six.example', authorization })).toEqual([200, null]);
  expect(lines().filter(({ level }) => level > 30)).toEqual([]);
});

test('Ctrl-C ends it', async () => {
  const { url, ended } = await start();
  // A connection that is kept does not hold it up.
  expect(await status(`${url}/v2`)).toBe(200);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 0 });
});

test('mistakes print one line', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  const { port } = blocker.address() as { port: number };
  expect(await failure('serve', 'movies', '--port', String(port))).toMatch(
    /another program listens there; choose another --port/,
  );
  blocker.close();
  expect(await failure('serve', 'movies', '--host', '192.0.2.1', '--port', '0')).toMatch(/no such address/);
  expect(await failure('serve', 'nowhere')).toMatch(/no such folder/);
  expect(await failure('serve', 'movies', './movies')).toMatch(/both would have the name movies/);
  expect(await failure('serve', 'movies', '--port', '70000')).toMatch(
    /--port.*Give a whole number from 0 to 65535\.$/,
  );
  expect(await failure('serve', 'movies', '--workers', '0')).toMatch(
    /--workers.*Give a whole number from 1\.$/,
  );
  expect(await failure('serve', 'movies', '--allow-host', 'http://shop.example')).toMatch(
    /--allow-host.*Give a host name or an address, without scheme and port\.$/,
  );
  expect(await failure('serve', 'movies', '--cors', 'shop.example')).toMatch(/--cors.*Give an origin/);
  expect(await failure('serve', 'movies', '--protect-all')).toMatch(/--protect-all needs --token-file/);
  expect(await failure('serve', 'movies', '--token-file', 'none')).toMatch(/none: no such file/);
  expect(await failure('serve')).toMatch(/folders/);
});

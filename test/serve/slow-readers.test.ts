import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { serve } from '../../src/serve/serve.ts';
import { withLimits } from '../support/limits.ts';
import { served } from '../support/served.ts';
import { standInPage } from '../support/stand-in.ts';

withLimits({
  ...{ connections: 16, spareConnections: 4, connectionsPerAddress: 8 },
  ...{ sendTimeout: 1000, leastRate: 2 ** 20, checkInterval: 50, closeTimeout: 4000 },
});

/** More than the buffers of the operating system hold. */
const LARGE = randomBytes(2 ** 25);
const PATH = '/assets/large-file.bin';

const movies = served({ workers: 1 });
let page: string;
beforeAll(async () => {
  page = await standInPage(join(movies.folder.path, 'large'));
  await writeFile(join(page, PATH), LARGE);
});

const start = () => serve(movies.directory, { port: 0, workers: 1, logLevel: 'silent', page });

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A connection that asks for something, or for nothing, and never reads. */
async function deaf(url: string, path?: string): Promise<{ readonly ended: Promise<unknown> }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  socket.pause();
  if (path) socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  // Not by once, which fails where the connection is reset.
  return { ended: new Promise((resolve) => socket.once('close', resolve)) };
}

/** A connection that stays open would count. */
const CLOSE = { headers: { connection: 'close' } };

const alive = async (url: string) => (await fetch(`${url}/v2/health/live`, CLOSE)).status;

/** Memory that requests hold. */
async function held(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, CLOSE)).text();
  return Number(/^cofactor_request_memory_bytes (\d+)/m.exec(text)?.[1]);
}

/** Starts a download, whose first bytes have come. */
async function download(url: string): Promise<IncomingMessage> {
  const [response] = await once(get(`${url}${PATH}`, { agent: new Agent() }), 'response');
  return response;
}

async function bytesOf(response: IncomingMessage, pause = 0): Promise<number> {
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (pause > 0) await setTimeout(pause);
  }
  return length;
}

describe('connections that do not read', () => {
  test('are ended, and what others download is not', async () => {
    const server = await start();
    const never = await Promise.all(Array.from({ length: 5 }, () => deaf(server.url, PATH)));
    const other = download(server.url).then(bytesOf);
    await expect
      .poll(async () => {
        const text = await (await fetch(`${server.url}/metrics`)).text();
        return Number(/^cofactor_request_memory_bytes (\d+)/m.exec(text)?.[1]);
      })
      .toBeGreaterThan(0);
    expect(await other).toBe(LARGE.length);
    await expect.poll(() => held(server.url)).toBe(0);
    // The server has ended them: reading shows it.
    for (const socket of sockets) socket.resume();
    await Promise.all(never.map(({ ended }) => ended));
    await server.close();
  });

  test('do not keep others from a health check, nor do those that say nothing', async () => {
    const server = await start();
    for (const path of [undefined, PATH]) {
      for (let time = 0; time < 40; time++) await deaf(server.url, path);
      await expect.poll(() => alive(server.url)).toBe(200);
    }
    for (let time = 0; time < 20; time++) {
      for (let more = 0; more < 12; more++) await deaf(server.url);
      // The one that has waited longest makes room.
      expect(await alive(server.url)).toBe(200);
    }
    await server.close();
  });

  test('of one address that are many keep others from an answer only until they are ended', async () => {
    const server = await start();
    const status = async () => (await fetch(`${server.url}/v2`, CLOSE)).status;
    // Some are ended meanwhile, because they do not read.
    await expect
      .poll(async () => {
        if ((await held(server.url)) === 0)
          await Promise.all(Array.from({ length: 9 }, () => deaf(server.url, PATH)));
        return status();
      })
      .toBe(503);
    await expect.poll(() => alive(server.url)).toBe(200);
    await expect.poll(status).toBe(200);
    await server.close();
  });
});

describe('a server that closes', () => {
  test('sends a slow client its answer to the last byte', async () => {
    const server = await start();
    const response = await download(server.url);
    const closed = server.close();
    expect(await bytesOf(response, 1)).toBe(LARGE.length);
    await closed;
  });

  test('does not wait for ever for one that does not read', async () => {
    const server = await start();
    const { ended } = await deaf(server.url, PATH);
    await server.close();
    for (const socket of sockets) socket.resume();
    await ended;
  });
});

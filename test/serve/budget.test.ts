import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { writeArtifact } from '../../src/artifact/artifact.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { type Server, serve } from '../../src/serve/serve.ts';
import { userError } from '../support/files.ts';
import { served } from '../support/served.ts';
import { sha256 } from '../support/sha256.ts';

const movies = served({ workers: 1 });

function withTitles({ manifest, files }: Artifact, titles: ReadonlyMap<string, string>): Artifact {
  const bytes = Buffer.from(JSON.stringify(Object.fromEntries(titles)));
  const entry = { bytes: bytes.length, sha256: sha256(bytes) };
  return {
    files: { ...files, 'titles.json': bytes },
    manifest: { ...manifest, files: { ...manifest.files, 'titles.json': entry } },
  };
}

const head = 'POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

async function opened(): Promise<Socket> {
  const socket = connect(Number(new URL(movies.url).port), '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`${movies.url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)`, 'm').exec(text)?.[1]);
};

test('a budget that the models alone exceed is refused, and the message says what is enough', async () => {
  const message = await userError(serve(movies.directory, { port: 0, memory: 50e6 }));
  expect(message).toMatch(
    /^`memory` is 50\.0 MB, and the server with movies needs up to \d+(\.\d)? [MG]B; give so much/,
  );
});

test('memory is free again after answers, errors, and clients that leave', async () => {
  const inputs = [{ name: 'item', shape: [1], datatype: 'BYTES', data: ['i1'] }];
  await movies.post('/v2/models/movies.similar/infer', { inputs });
  await movies.post('/v2/models/movies.similar/infer', { inputs: [] });
  await movies.post('/v2/models/movies.similar/infer', '{');
  await movies.get('/nothing');
  for (let time = 0; time < 5; time++) {
    const socket = await opened();
    socket.write(`${head}Content-Length: 900000\r\n\r\n{${' '.repeat(500_000)}`);
    await expect.poll(() => metric('cofactor_request_memory_bytes')).toBeGreaterThan(500_000);
    socket.destroy();
    await expect.poll(() => metric('cofactor_request_memory_bytes')).toBe(0);
  }
  expect(await metric('cofactor_request_memory_limit_bytes')).toBeGreaterThan(1e6);
});

test('memory is free again after a client that sent many requests at once has left', async () => {
  // A search that takes some time, so that the other answers wait behind it.
  const shape = [1500];
  const rows = Array.from({ length: 1500 }, (_, row) => row);
  const body = JSON.stringify({
    inputs: [
      { name: 'item', datatype: 'BYTES', shape, data: rows.map((row) => `i${row % 20}`) },
      { name: 'rating', datatype: 'FP32', shape, data: rows.map((row) => 1 + (row % 5)) },
    ],
  });
  const socket = await opened();
  socket.write(
    `${head.replace('/predict', '/v2/models/movies.fold-in/infer')}Content-Length: ${body.length}\r\n\r\n${body}`.repeat(
      20,
    ),
  );
  await expect.poll(() => metric('cofactor_request_memory_bytes')).toBeGreaterThan(1e6);
  socket.destroy();
  await expect.poll(() => metric('cofactor_request_memory_bytes')).toBe(0);
});

const bytesIn = (text = ''): number => Number.parseFloat(text) * (text.endsWith('GB') ? 1e9 : 1e6);

describe('a new model', () => {
  const start = async (memory: number) =>
    serve(movies.directory, { port: 0, workers: 1, memory, logLevel: 'silent', page: false });
  const needed = async (): Promise<number> =>
    bytesIn(/needs up to (\S+ \w+)/.exec(await userError(start(50e6)))?.[1]);

  /** Writes titles of so many characters into the folder. @returns why the server refuses the model */
  async function refusedWith(server: Server, lengths: readonly number[]): Promise<string> {
    const titles = new Map(lengths.map((length, index) => [`i${index}`, 'x'.repeat(length)]));
    await writeArtifact(movies.directory, withTitles(movies.recommender.artifact, titles));
    const refused = async () =>
      (await (await fetch(`${server.url}/status`)).json()).models[0].refused?.reason;
    await expect.poll(refused).toBeDefined();
    return refused();
  }

  test('that does not fit into the memory is refused before it is read', async () => {
    const server = await start((await needed()) + 100e6);
    const lengths = Array<number>(5000).fill(9000);
    expect(await refusedWith(server, lengths)).toMatch(
      /^`memory` is .* and the server with movies needs up to/,
    );
    await server.close();
    await writeArtifact(movies.directory, movies.recommender.artifact);
  });

  test('with titles that no list can have is refused', async () => {
    const server = await start((await needed()) + 100e6);
    expect(await refusedWith(server, [10, 10_001])).toMatch(
      /^the title of the item "i1" has 10001 characters; shorten it to 10000, and train again$/,
    );
    await server.close();
    await writeArtifact(movies.directory, movies.recommender.artifact);
  });
});

test('a body that is announced and does not come takes little', async () => {
  const socket = await opened();
  socket.write(`${head}Content-Length: 1000000\r\n\r\n`);
  await expect.poll(() => metric('cofactor_request_memory_bytes')).toBeGreaterThan(0);
  expect(await metric('cofactor_request_memory_bytes')).toBeLessThan(150_000);
  socket.destroy();
});

test('a client that sends many requests before it has answers is cut off', async () => {
  const socket = await opened();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.resume();
  socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(20_000));
  expect((await movies.get('/v2/health/live')).status).toBe(200);
  await closed;
  await expect.poll(() => metric('cofactor_request_memory_bytes')).toBe(0);
});

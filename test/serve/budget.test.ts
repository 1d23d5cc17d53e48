import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { serve } from '../../src/serve/serve.ts';
import { userError } from '../support/files.ts';
import { served } from '../support/served.ts';

const movies = served({ workers: 1 });

const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`${movies.url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)`, 'm').exec(text)?.[1]);
};

test('a budget that the models alone exceed is refused, and the message says what is enough', async () => {
  const message = await userError(serve(movies.directory, { port: 0, memory: 50e6 }));
  expect(message).toMatch(
    /^`memory` is 50\.0 MB, and the server with its models needs \d+(\.\d)? MB; give so much/,
  );
});

test('memory is free again after answers, errors, and clients that leave', async () => {
  const inputs = [{ name: 'item', shape: [1], datatype: 'BYTES', data: ['i1'] }];
  await movies.post('/v2/models/movies.similar/infer', { inputs });
  await movies.post('/v2/models/movies.similar/infer', { inputs: [] });
  await movies.post('/v2/models/movies.similar/infer', '{');
  await movies.get('/nothing');
  for (let time = 0; time < 5; time++) {
    const socket = connect(Number(new URL(movies.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      'POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n{',
    );
    await expect.poll(() => metric('cofactor_request_memory_bytes')).toBeGreaterThan(900_000);
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
  const head = `POST /v2/models/movies.fold-in/infer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
  const socket = connect(Number(new URL(movies.url).port), '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`.repeat(20));
  await expect.poll(() => metric('cofactor_request_memory_bytes')).toBeGreaterThan(1e6);
  socket.destroy();
  await expect.poll(() => metric('cofactor_request_memory_bytes')).toBe(0);
});

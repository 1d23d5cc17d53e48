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

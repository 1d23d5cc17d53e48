import { expect, test } from 'vitest';
import { served } from '../support/served.ts';

const movies = served({ workers: 1, timeout: 0.1 });

const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`${movies.url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)`, 'm').exec(text)?.[1]);
};

test('a request that waits longer than the deadline gets 503, and is not run', async () => {
  // A search that takes some hundred milliseconds, and cannot be joined with another.
  const shape = [3000];
  const rows = Array.from({ length: 3000 }, (_, row) => row);
  const inputs = [
    { name: 'item', datatype: 'BYTES', shape, data: rows.map((row) => `i${row % 20}`) },
    { name: 'rating', datatype: 'FP32', shape, data: rows.map((row) => 1 + (row % 5)) },
  ];
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => movies.post('/v2/models/movies.fold-in/infer', { inputs })),
  );
  const late = answers.filter(({ status }) => status === 503);
  expect(late.length).toBeGreaterThan(20);
  for (const { body, headers } of late)
    expect([body.error, headers.get('retry-after')]).toEqual([
      'the answer takes longer than 0.1 s; try again later',
      '1',
    ]);
  // No more than what was run already.
  await expect.poll(async () => (await movies.get('/similar/i1')).status).toBe(200);
  expect(await metric('cofactor_queue_length')).toBe(0);
  expect(await metric('cofactor_request_memory_bytes')).toBe(0);
});

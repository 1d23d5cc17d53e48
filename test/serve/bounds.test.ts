import { describe, expect, test } from 'vitest';
import { withLimits } from '../support/limits.ts';
import { served } from '../support/served.ts';

withLimits({ answer: 60_000 });

const movies = served({ workers: 1 });

const infer = (head: string, body: object) => movies.post(`/v2/models/movies.${head}/infer`, body);
const texts = (name: string, data: string[]) => ({ name, shape: [data.length], datatype: 'BYTES', data });
const count = (k: number) => ({ name: 'k', shape: [1], datatype: 'INT64', data: [k] });
const items = (rows: number) => Array.from({ length: rows }, (_, row) => `i${row % 20}`);

describe('an output that is named several times', () => {
  test.each([2, 400, 1000])('is refused, %i times', async (times) => {
    const outputs = Array(times).fill({ name: 'similar' });
    expect(await infer('similar', { inputs: [texts('item', ['i1'])], outputs })).toMatchObject({
      status: 400,
      body: { error: 'output "similar" is named twice' },
    });
  });

  test('is refused beside others, whatever its form', async () => {
    const outputs = ['similar', 'similarity', 'similar'].map((name) => ({
      name,
      parameters: { binary_data: true },
    }));
    expect(await infer('similar', { inputs: [texts('item', ['i1'])], outputs })).toMatchObject({
      status: 400,
    });
  });
});

test('an input that is given several times is refused', async () => {
  const inputs = [texts('item', ['i1']), texts('item', ['i2'])];
  expect(await infer('similar', { inputs })).toMatchObject({
    status: 400,
    body: { error: 'input "item" is given twice' },
  });
});

describe('an answer', () => {
  test('whose bound is too large is refused before anything runs', async () => {
    expect(await infer('similar', { inputs: [texts('item', items(100)), count(20)] })).toMatchObject({
      status: 413,
      body: {
        error: expect.stringMatching(/^the answer could have \d+\.\d kB, more than 60\.0 kB; ask for fewer/),
      },
    });
  });

  test('is within its bound, in one piece or many', async () => {
    for (const rows of [1, 40, 80]) {
      const { status, body } = await infer('similar', { inputs: [texts('item', items(rows)), count(19)] });
      expect(status).toBe(200);
      expect(JSON.stringify(body).length).toBeLessThan(60_000);
      expect(body.outputs.map(({ shape }: { shape: number[] }) => shape)).toEqual(Array(2).fill([rows, 19]));
      for (const { data } of body.outputs) expect(data).toHaveLength(rows * 19);
    }
  });

  test('may have one output where two would be too large', async () => {
    const inputs = [texts('item', items(130)), count(19)];
    expect(await infer('similar', { inputs })).toMatchObject({ status: 413 });
    const { status, body } = await infer('similar', { inputs, outputs: [{ name: 'similar' }] });
    expect({ status, length: body.outputs?.[0].data.length }).toEqual({ status: 200, length: 130 * 19 });
  });
});

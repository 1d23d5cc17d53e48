import { Agent, request } from 'node:http';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { served } from '../support/served.ts';
import { runs } from '../support/soak.ts';
import { requests, type Sent } from './requests.ts';

const REQUESTS = runs(1000, 10_000);

const movies = served();
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
afterAll(() => agent.destroy());

function send({ method, path, headers, body }: Sent): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(movies.url, { agent, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

test(`${REQUESTS} requests of all kinds are each answered, or refused in one line`, async () => {
  const all = fc.sample(requests, REQUESTS);
  const counts: Record<number, number> = {};
  const client = async () => {
    for (let sent = all.pop(); sent; sent = all.pop()) {
      const { status, text } = await send(sent);
      counts[status] = (counts[status] ?? 0) + 1;
      if (status < 400) continue;
      const story = `${sent.method} ${sent.path} ${sent.body?.toString().slice(0, 2000)}: ${status} ${text}`;
      expect(status < 500 || status === 503, story).toBe(true);
      expect(JSON.parse(text), story).toEqual({ error: expect.stringMatching(/^[^\n]{5,401}$/) });
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
  // Many are answered, and many are refused for what they hold.
  expect(counts[200]).toBeGreaterThan(REQUESTS / 5);
  expect(counts[400]).toBeGreaterThan(REQUESTS / 5);
  expect((await movies.get('/recommend/u1')).body.items).toHaveLength(8);
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { serve } from '../../src/serve/serve.ts';
import { LastHour, Tally } from '../../src/serve/tally.ts';
import { browserTests } from '../support/browser.ts';
import { root } from '../support/documents.ts';
import { served } from '../support/served.ts';

const movies = served();
const inBrowser = browserTests();
const axe = await readFile(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8');
const html = { headers: { accept: 'text/html,application/xhtml+xml;q=0.9' } };

async function askSome(): Promise<void> {
  for (const user of ['u1', 'u2', 'u3']) await movies.get(`/recommend/${user}?k=20&includeSeen=true`);
  await movies.post('/recommend', { ratings: [{ item: 'i2', rating: 5 }], k: 5 });
  await movies.get('/similar/i1');
  for (const item of ['secret-1', 'secret-22']) await movies.get(`/similar/${item}`);
  await movies.get('/recommend/u1?k=0');
  await movies.get('/secret-path');
}

const jsonOf = async () => (await movies.get('/status')).body;

test('it says traffic, refusals with their reasons, models and what they recommended', async () => {
  const before = await jsonOf();
  await askSome();
  const status = await jsonOf();
  const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
  expect(sum(status.minutes.answered) - sum(before.minutes.answered)).toBe(5);
  expect(sum(status.minutes.refused) - sum(before.minutes.refused)).toBe(4);
  expect(status.minutes.answered).toHaveLength(60);
  expect(status.all.requests - before.all.requests).toBe(9);
  expect(status.routes.map(({ route }: { route: string }) => route).sort()).toEqual([
    'GET /recommend/:user',
    'GET /similar/:item',
    'POST /recommend',
    'other paths',
  ]);
  const [busiest] = status.routes;
  expect(busiest).toMatchObject({ route: 'GET /recommend/:user', requests: 4, refused: 1 });
  expect(busiest.p50).toBeGreaterThan(0);
  expect(busiest.p95).toBeGreaterThanOrEqual(busiest.p50);
  expect(busiest.p99).toBeGreaterThanOrEqual(busiest.p95);
  const refusals = status.refusals.map(({ status, reason, count }: Record<string, unknown>) => [
    status,
    reason,
    count,
  ]);
  expect(refusals).toHaveLength(3);
  expect(refusals[0]).toEqual([404, 'the model does not know the item "…"', 2]);
  expect(refusals).toContainEqual([400, 'k must be at least 1', 1]);
  const [model] = status.models;
  expect(model).toMatchObject({ name: 'movies', version: 1, users: 30, items: 20, lists: 4, refused: null });
  expect(Date.parse(model.written)).toBeLessThanOrEqual(Date.parse(model.since));
  // Three lists have all items; the fourth has five, and not the one that the person rated.
  expect(model.recommended).toHaveLength(10);
  expect(model.recommended.map(({ lists }: { lists: number }) => lists)).toEqual([
    ...Array(5).fill(4),
    ...Array(5).fill(3),
  ]);
  expect(JSON.stringify(status)).not.toMatch(/secret|"u\d/);
});

test('a browser gets a page without scripts, which renews itself', async () => {
  const exclude = Array.from({ length: 20 }, (_, item) => `i${item}`).filter(
    (item) => !movies.recommender.titles.has(item),
  );
  for (let turn = 0; turn < 9; turn++)
    await movies.post('/recommend', { ratings: [{ item: 'i0', rating: 5 }], exclude });
  const response = await fetch(`${movies.url}/status`, html);
  const page = await response.text();
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': expect.stringMatching(/^default-src 'none'; .*frame-ancestors 'none'$/),
    'cache-control': 'no-store',
    refresh: '10',
    vary: 'accept',
    'x-content-type-options': 'nosniff',
  });
  expect(page).not.toMatch(/<script|secret|\bu\d+\b/);
  expect(page).toContain('GET <wbr>/recommend<wbr>/:user<wbr>');
  expect(page).toContain('The First');
  expect(page).toContain('Zwei &#38; &#34;quoted&#34;');
  expect(page).toMatch(/1, served for \d+ (second|minute)s?/);
  expect(page).toMatch(/Started <time datetime="\d{4}-[^"]*Z">(just\u00a0now|\d+\u00a0\w+\u00a0ago)<\/time>/);
});

test('it asks for the token that the rest asks for', async () => {
  const token = 'a-token-of-enough-characters';
  const server = await serve([movies.directory], {
    port: 0,
    logLevel: 'silent',
    page: false,
    tokenFile: await movies.folder.write('token', token),
    workers: 1,
  });
  try {
    for (const { headers } of [html, { headers: { accept: 'application/json' } }]) {
      expect((await fetch(`${server.url}/status`, { headers })).status).toBe(401);
      const authorization = `Bearer ${token}`;
      const known = await fetch(`${server.url}/status`, { headers: { ...headers, authorization } });
      expect(known.status).toBe(200);
    }
    const { body } = {
      body: await (
        await fetch(`${server.url}/status`, { headers: { authorization: `Bearer ${token}` } })
      ).json(),
    };
    // Requests for it are not traffic, but what was refused is said.
    expect(body.all.requests).toBe(0);
    expect(body.refusals[0]).toMatchObject({ status: 401, count: 2 });
  } finally {
    await server.close();
  }
});

const breaches = async (page: Page): Promise<unknown[]> => {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } }
    ).axe.run();
    return violations.map(({ id }) => id);
  });
};

inBrowser('the page fits phones and desks, in light and dark, and everyone can use it', async (context) => {
  await askSome();
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [390, 768, 1280, 1600]) {
      const page = await context.newPage();
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      await page.goto(`${movies.url}/status`);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      expect(await breaches(page)).toEqual([]);
      await page.close();
    }
});

describe('counts take bounded memory', () => {
  test('what is frequent is kept among any number of others', () => {
    const tally = new Tally(10);
    for (let turn = 0; turn < 10_000; turn++) {
      tally.add(`other ${turn}`);
      if (turn % 5 === 0) tally.add('frequent', `text ${turn}`);
    }
    const all = tally.top(100);
    expect(all.length).toBeLessThanOrEqual(20);
    expect(all[0]).toMatchObject({ key: 'frequent', text: 'text 9995', count: 2000 });
  });

  test('minutes older than an hour are forgotten', () => {
    const hour = new LastHour();
    const start = 29_000_000 * 60_000;
    for (const minute of [0, 0, 59, 60, 61]) hour.add(minute === 59, start + minute * 60_000);
    const { answered, refused } = hour.minutes(start + 61 * 60_000);
    expect(answered).toEqual([...Array(58).fill(0), 1, 1]);
    expect(refused).toEqual([...Array(57).fill(0), 1, 0, 0]);
    expect(hour.minutes(start + 200 * 60_000).answered).toEqual(Array(60).fill(0));
  });
});

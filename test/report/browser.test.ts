import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect } from 'vitest';
import { report } from '../../src/report/report.ts';
import { browserTests } from '../support/browser.ts';
import { temporaryFolder } from '../support/files.ts';
import { HOSTILE, held, known, trained } from './models.ts';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = temporaryFolder();
const inBrowser = browserTests();
let url: string;

beforeAll(async () => {
  const titles = new Map(known.itemIds.map((id) => [id, `${id} ${HOSTILE}`]));
  const recommender = await trained({}, { titles, valid: held, seen: true });
  url = pathToFileURL(
    await folder.write('report.html', await report(recommender, { data: held, source: HOSTILE })),
  ).href;
});

for (const colorScheme of ['light', 'dark'] as const)
  inBrowser(`axe finds nothing, and nothing is too wide: ${colorScheme}`, async (context) => {
    const page = await context.newPage();
    await page.emulateMedia({ colorScheme });
    await page.goto(url);
    for (const details of await page.locator('details').all()) await details.locator('summary').click();
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 844 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
    }
    await page.evaluate(axe);
    const { violations } = (await page.evaluate("axe.run({ resultTypes: ['violations'] })")) as {
      violations: { id: string; impact: string; nodes: { html: string }[] }[];
    };
    expect(violations.map(({ id, impact, nodes }) => [id, impact, nodes[0].html])).toEqual([]);
  });

inBrowser('titles are text, and nothing is loaded', async (context) => {
  const page = await context.newPage();
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('dialog', () => requests.push('a dialog'));
  await page.goto(url);
  expect(requests).toEqual([url]);
  expect(await page.locator('script, img, link, iframe').count()).toBe(0);
  expect(await page.locator('#standings bdi').first().textContent()).toContain(HOSTILE);
  expect(await page.locator('.source').first().textContent()).toBe(HOSTILE);
  // Every chart is drawn in the colours of the style sheet: none is black by mistake.
  const fills = await page
    .locator('svg path[fill^="var("]')
    .evaluateAll((paths) => paths.map((path) => getComputedStyle(path).fill));
  expect(fills.length).toBeGreaterThan(20);
  expect(fills).not.toContain('rgb(0, 0, 0)');
});

inBrowser('on paper it is light, and no chart is cut', async (context) => {
  const page = await context.newPage();
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  // A4 between its margins.
  await page.setViewportSize({ width: 680, height: 1000 });
  await page.goto(url);
  expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
    'rgb(255, 255, 255)',
  );
  const widths = await page
    .locator('svg:visible')
    .evaluateAll((charts) => charts.map((chart) => chart.getBoundingClientRect().right));
  expect(widths).toHaveLength(11);
  for (const right of widths) expect(right).toBeLessThanOrEqual(680);
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import { browserTests, staticHost } from '../support/browser.ts';
import { ratingsCsv } from '../support/cli.ts';
import { temporaryFolder } from '../support/files.ts';

// How the views look, and that nothing hides what a visitor wants to see.

const root = fileURLToPath(new URL('../..', import.meta.url));
const axe = await readFile(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8');
const folder = temporaryFolder();
const host = staticHost(() => ({
  '/': join(root, 'dist/page/'),
  '/model/': join(root, 'artifacts/ml-latest-small/'),
}));
const inBrowser = browserTests();
/** What Chromium says of a test that reads pixels. */
const READS = /willReadFrequently/;
let ratings: string;

beforeAll(async () => {
  ratings = await folder.write('mine.csv', ratingsCsv());
});

async function open(context: BrowserContext, view: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${host.url}index.html#/${view}`);
  return page;
}

const recommended = (page: Page) =>
  page.getByRole('list', { name: 'Recommended for you' }).getByRole('listitem');
const groups = (page: Page) => page.getByRole('region', { name: /^Well-known/ }).getByRole('radiogroup');

async function rate(page: Page): Promise<void> {
  await groups(page).first().getByRole('radio', { name: '5 stars', exact: true }).check({ force: true });
  await expect.poll(() => recommended(page).count()).toBe(10);
}

/** Number of coloured pixels of the map, which are those of circles, in its left, right, upper and lower half. */
const coloured = (page: Page) =>
  page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('.map-canvas canvas');
    const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height);
    const halves = [0, 0, 0, 0];
    if (!canvas || !pixels) return halves;
    for (let at = 0; at < pixels.data.length; at += 4) {
      const [red, green, blue, alpha] = pixels.data.subarray(at, at + 4);
      if (alpha < 100 || Math.max(red, green, blue) - Math.min(red, green, blue) < 60) continue;
      const [x, y] = [(at / 4) % canvas.width, Math.floor(at / 4 / canvas.width)];
      halves[x < canvas.width / 2 ? 0 : 1]++;
      halves[y < canvas.height / 2 ? 2 : 3]++;
    }
    return halves;
  });

for (const width of [390, 1280])
  inBrowser(
    `after a search no half of the map is empty, ${width} pixels wide`,
    async (context) => {
      const page = await open(context, 'map');
      await page.setViewportSize({ width, height: 800 });
      await page.locator('.map-canvas canvas').waitFor();
      const circle = 60;
      for (const title of ['pulp fiction', 'judge dredd', 'interstellar']) {
        await page.getByRole('combobox').fill(title);
        await page.keyboard.press('Enter');
        await page.getByText(/is marked on the map/).waitFor({ state: 'attached' });
        await expect.poll(async () => Math.min(...(await coloured(page)))).toBeGreaterThan(circle);
      }
    },
    READS,
  );

inBrowser(
  'empty stars are outlines, halves are told and shown, and the left half gives one',
  async (context) => {
    const page = await open(context, 'recommend');
    const group = groups(page).first();
    await group.waitFor();
    await page.getByText('Press a star, or its left half for half a star.').waitFor();
    expect(await group.getAttribute('data-halves')).toBe('true');
    const box = await group.boundingBox();
    if (!box) throw new Error('no stars');
    const star = box.width / 5;
    const middle = box.y + box.height / 2;
    const number = group.locator('xpath=following-sibling::span');
    await page.mouse.move(box.x + star * 3.25, middle);
    await expect.poll(() => number.textContent()).toBe('3.5');
    await page.mouse.move(box.x + star * 3.75, middle);
    await expect.poll(() => number.textContent()).toBe('4');
    await page.mouse.click(box.x + star * 2.25, middle);
    await expect
      .poll(() => group.getByRole('radio', { checked: true }).getAttribute('aria-label'))
      .toBe('2.5 stars');
  },
);

for (const width of [390, 1280])
  inBrowser(`nothing covers the results, ${width} pixels wide`, async (context) => {
    const page = await open(context, 'recommend');
    await page.setViewportSize({ width, height: 800 });
    await rate(page);
    // Each button, wherever it is in the window when it gets the focus, is what one sees at its place.
    const covered = await page.evaluate(() => {
      const seen = ({ left, top, width, height }: DOMRect) =>
        document.elementFromPoint(left + width / 2, top + height / 2);
      const buttons = [...document.querySelectorAll<HTMLElement>('.recommendation button, .own-row button')];
      return [...buttons, ...buttons.toReversed()].filter((button) => {
        button.focus();
        return !button.contains(seen(button.getBoundingClientRect()));
      }).length;
    });
    expect(covered).toBe(0);
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    const [top] = await page
      .locator('.brand')
      .evaluateAll(([brand]) => [brand.getBoundingClientRect().bottom]);
    expect(top).toBeLessThanOrEqual(0);
    await page.getByRole('button', { name: 'Remove all' }).click();
    const heading = page.getByRole('heading', { name: 'Recommended for you' });
    await expect.poll(() => heading.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(
      await heading.evaluate((element) => {
        const { left, top, height } = element.getBoundingClientRect();
        return element.contains(document.elementFromPoint(left + 5, top + height / 2));
      }),
    ).toBe(true);
  });

inBrowser('axe finds nothing serious in results, light and dark, at three widths', async (context) => {
  const page = await open(context, 'recommend');
  await rate(page);
  await page.goto(`${host.url}index.html#/train`);
  await page.getByLabel('Data file').setInputFiles(ratings);
  await page.getByRole('radio', { name: 'All, side by side' }).check({ force: true });
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.getByText('Training is done').waitFor({ state: 'attached' });
  await page.goto(`${host.url}index.html#/map`);
  await page.locator('.map-canvas canvas').waitFor();
  await page.evaluate(axe);
  for (const width of [390, 768, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const view of ['recommend', 'map', 'train']) {
        await page.goto(`${host.url}index.html#/${view}`);
        const found = await page.evaluate("axe.run({ resultTypes: ['violations'] })");
        const { violations } = found as {
          violations: { id: string; impact: string; nodes: { html: string }[] }[];
        };
        const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
        const where = [width, colorScheme, view];
        expect([where, serious.map(({ id, nodes }) => [id, nodes[0].html])]).toEqual([where, []]);
        expect([where, await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)]).toEqual(
          [where, false],
        );
      }
    }
  }
});

inBrowser(
  'on paper: dark on light, no header, and charts that fit the sheet',
  async (context) => {
    const page = await open(context, 'map');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('.map-canvas canvas').waitFor();
    await page.getByRole('heading', { name: 'What each axis separates' }).waitFor();
    const label = () =>
      page.evaluate(() => {
        const canvas = document.querySelector<HTMLCanvasElement>('.map-canvas canvas');
        const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        let dark = 0;
        let light = 0;
        for (let at = 0; at < pixels.length; at += 4) {
          const [red, green, blue, alpha] = [pixels[at], pixels[at + 1], pixels[at + 2], pixels[at + 3]];
          if (alpha < 200 || Math.max(red, green, blue) - Math.min(red, green, blue) > 30) continue;
          if (red < 60) dark++;
          if (red > 220) light++;
        }
        return { width: Number.parseFloat(canvas?.style.width ?? ''), dark, light };
      });
    await expect.poll(async () => (await label()).light).toBeGreaterThan(1000);
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const printed = await label();
    expect(printed.width).toBeLessThan(700);
    expect(printed.dark).toBeGreaterThan(1000);
    const look = await page.evaluate(() => {
      const { color } = getComputedStyle(document.querySelector('h2') as Element);
      return { color, header: getComputedStyle(document.querySelector('.top') as Element).display };
    });
    expect(look).toEqual({ color: 'rgb(23, 33, 43)', header: 'none' });
    await page.emulateMedia({ media: 'screen', colorScheme: 'dark' });
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    await expect.poll(async () => (await label()).width).toBeGreaterThan(1000);
    await page.pdf();
  },
  READS,
);

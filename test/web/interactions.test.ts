import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import { load, readItems, readRatings, train } from '../../src/index.ts';
import { browserTests, staticHost } from '../support/browser.ts';
import { ratingsCsv } from '../support/cli.ts';
import { temporaryFolder, unzipped } from '../support/files.ts';

// The page, with a model of interactions, or with a visitor's file of them.

const root = fileURLToPath(new URL('../..', import.meta.url));
const axe = await readFile(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8');
const folder = temporaryFolder();
const shop = () => join(folder.path, 'shop');
const host = staticHost(() => ({ '/': join(root, 'dist/page/'), '/model/': `${shop()}/` }));
const inBrowser = browserTests();

let plays: string;
let orders: string;

beforeAll(async () => {
  plays = await folder.write('plays.csv', await unzipped('plays/plays.csv'));
  orders = await folder.write('orders.csv', await unzipped('shop/orders.csv'));
  const articles = await folder.write('articles.csv', await unzipped('shop/articles.csv'));
  const { ratings } = await readRatings(orders, { countColumn: 'quantity' });
  const model = await train(ratings, { factors: 16, epochs: 4 });
  await model.save(shop(), await readItems(articles));
});

async function open(context: BrowserContext, view = 'recommend'): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${host.url}index.html#/${view}`);
  return page;
}

const toggles = (page: Page) =>
  page.getByRole('region', { name: /^Well-known/ }).getByRole('button', { name: /^I have it/ });
const owned = (page: Page) => page.getByRole('list', { name: /^What you have/ }).getByRole('listitem');
const recommended = (page: Page) =>
  page.getByRole('list', { name: 'Recommended for you' }).getByRole('listitem');

/** Lines about ratings, of all that a visitor can see, hear or hover over, in any view. */
async function aboutRatings(page: Page): Promise<string[]> {
  const says = await page.evaluate(() =>
    [
      document.title,
      ...[...document.querySelectorAll('body, body *')].flatMap(({ childNodes }) =>
        [...childNodes].flatMap((node) => (node instanceof Text ? node.data : [])),
      ),
      ...[...document.querySelectorAll('[aria-label], [title], [placeholder]')].flatMap((element) =>
        ['aria-label', 'title', 'placeholder'].map((name) => element.getAttribute(name) ?? ''),
      ),
    ].join('\n'),
  );
  // The shop sells star anise.
  return says.replaceAll(/star anise/gi, '').match(/.*\b(ratings?|rated|stars?)\b.*/gi) ?? [];
}

inBrowser('a visitor says what they have, and gets ten others with reasons', async (context) => {
  const page = await open(context);
  for (const at of [0, 1]) await toggles(page).nth(at).click();
  await expect.poll(() => recommended(page).count()).toBe(10);
  expect(await toggles(page).nth(0).getAttribute('aria-pressed')).toBe('true');
  expect(await owned(page).count()).toBe(2);
  expect(await page.getByRole('radio').count()).toBe(0);
  expect(await page.locator('.predicted').count()).toBe(0);
  for (const why of await recommended(page).locator('.why').allTextContents())
    expect(why).toMatch(/^Because you have \S|^Many people have it/);

  // The same as in Node, from the same files.
  const recommender = await load(shop());
  const starters = recommender.items.toSorted((one, other) => other.count - one.count).slice(0, 2);
  const { recommended: expected } = await recommender.foldIn(starters.map(({ item }) => item));
  expect(await page.locator('.recommended-title').allTextContents()).toEqual(
    expected.map(({ item }) => recommender.titles.get(item)),
  );
  const popular = page.getByRole('region', { name: 'Popular with everyone' });
  expect(await popular.getByRole('listitem').first().textContent()).toMatch(/\d+ people have it/);

  await recommended(page)
    .first()
    .getByRole('button', { name: /^Like this/ })
    .click();
  const alike = page.getByRole('dialog').getByRole('list', { name: /^Items like/ });
  await expect.poll(() => alike.getByRole('listitem').count()).toBeGreaterThanOrEqual(8);
  await alike
    .getByRole('button', { name: /^I have it/, pressed: false })
    .first()
    .click();
  await page.keyboard.press('Escape');
  await expect.poll(() => owned(page).count()).toBe(3);

  await page.reload();
  await expect.poll(() => recommended(page).count()).toBe(10);
  expect(await owned(page).count()).toBe(3);
  await toggles(page).nth(0).click();
  await expect.poll(() => owned(page).count()).toBe(2);
  // Apart from ratings, which another model may use.
  expect(await page.evaluate(() => Object.keys(localStorage))).toEqual(['cofactor.items']);
});

inBrowser('by the keyboard alone: find an item, say that you have it, take it back', async (context) => {
  const page = await open(context);
  const search = page.getByRole('combobox');
  await search.waitFor();
  await search.focus();
  await page.keyboard.type('darjeling');
  await expect.poll(() => page.getByRole('option').count()).toBeGreaterThan(0);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.evaluate(() => document.activeElement?.ariaLabel)).toMatch(/^I have it: Darj/);
  await page.keyboard.press('Space');
  await expect.poll(() => owned(page).count()).toBe(1);
  await page.getByRole('button', { name: /^Remove Darjeeling/ }).focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => recommended(page).count()).toBe(0);
});

inBrowser(
  'no view says rating or star; axe finds nothing serious, light and dark, wide and narrow',
  async (context) => {
    const page = await open(context);
    for (const at of [0, 1]) await toggles(page).nth(at).click();
    await expect.poll(() => recommended(page).count()).toBe(10);
    await page.evaluate(axe);
    for (const [width, height] of [
      [1280, 800],
      [360, 800],
    ]) {
      await page.setViewportSize({ width, height });
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        for (const view of ['recommend', 'map', 'train']) {
          await page.evaluate((hash) => {
            location.hash = hash;
          }, `#/${view}`);
          if (view === 'map') await page.getByRole('region', { name: /^Most and least popular/ }).waitFor();
          if (view === 'train') await page.getByText('Settings').waitFor();
          const { violations } = (await page.evaluate("axe.run({ resultTypes: ['violations'] })")) as {
            violations: { id: string; impact: string; nodes: { html: string }[] }[];
          };
          const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
          expect(serious.map(({ id, nodes }) => [colorScheme, view, id, nodes[0].html])).toEqual([]);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          expect(overflow).toBeLessThanOrEqual(0);
          expect(await aboutRatings(page)).toEqual([]);
        }
      }
    }
    await page.getByText('Settings').click();
    expect(await page.getByLabel('Objective').count()).toBe(0);
    expect(await aboutRatings(page)).toEqual([]);
  },
);

inBrowser('a visitor trains on a file of plays what Node trains', async (context) => {
  const page = await open(context, 'train');
  await page.getByLabel('Data file').setInputFiles(plays);
  await page.getByRole('button', { name: 'Start training' }).click();
  const results = page.getByRole('table', { name: 'Results' });
  await results.waitFor();
  const columns = await results.getByRole('columnheader').allTextContents();
  expect(columns).toEqual(['Model', 'NDCG', 'Precision', 'Seconds', 'Size']);
  expect(await page.locator('.curves').count()).toBe(1);
  expect(await page.getByRole('progressbar').count()).toBe(1);
  expect(await page.locator('.facts').textContent()).toMatch(/Interactions to train on/);
  expect(await page.locator('.understood').textContent()).toMatch(/"plays" counts/);

  const { ratings, valid } = await readRatings(plays, { valid: 0.1 });
  const { metrics } = await train(ratings, {}, { valid });
  const [ndcg] = await results.locator('td').allTextContents();
  const popular = await results
    .getByRole('row', { name: /^Most popular/ })
    .locator('td')
    .allTextContents();
  expect(popular.slice(0, 2)).toEqual([
    expect.stringMatching(/^0\.\d{4}$/),
    expect.stringMatching(/^0\.\d{4}$/),
  ]);
  expect(Math.abs(Number(ndcg) - (metrics.valid?.ndcg ?? 0))).toBeLessThan(0.01);

  await page.getByRole('button', { name: 'Use this model' }).click();
  await page.goto(`${host.url}index.html#/recommend`);
  await toggles(page).first().click();
  await expect.poll(() => recommended(page).count()).toBe(10);
});

inBrowser('a model that an older version of the page kept is of ratings', async (context) => {
  const page = await open(context, 'train');
  const file = await folder.write('few.csv', ratingsCsv());
  await page.getByLabel('Data file').setInputFiles(file);
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.getByRole('button', { name: 'Use this model' }).click();
  await page.getByText('You are using your own').waitFor();
  await page.waitForFunction(
    () =>
      new Promise<boolean>((resolve) => {
        indexedDB.open('cofactor').onsuccess = ({ target }) => {
          const store = (target as IDBOpenDBRequest).result
            .transaction('models', 'readwrite')
            .objectStore('models');
          store.get('used').onsuccess = ({ target }) => {
            const kept = (target as IDBRequest).result;
            if (!kept) return resolve(false);
            kept.artifact.manifest.format = 3;
            delete kept.artifact.manifest.data.kind;
            store.put(kept, 'used').onsuccess = () => resolve(true);
          };
        };
      }),
  );
  await page.goto(`${host.url}index.html#/recommend`);
  await page.reload();
  await page.getByRole('button', { name: 'Use it' }).click();
  await page.getByRole('heading', { name: /^Rate a few / }).waitFor();
  await page.getByRole('radiogroup').first().waitFor();
});

inBrowser('a visitor names the columns of a file with unusual names', async (context) => {
  const page = await open(context, 'train');
  const rows = ratingsCsv().trim().split('\n').slice(1);
  const file = await folder.write('odd.csv', `wer,was,wieviel,wann\n${rows.join('\n')}\n`);
  await page.getByLabel('Data file').setInputFiles(file);
  await expect
    .poll(() => page.getByRole('alert').textContent())
    .toMatch(
      /^odd\.csv: no user, item column found; .* name the right ones with “User column”, “Item column”/,
    );
  expect(await page.getByRole('button', { name: 'Start training' }).isDisabled()).toBe(true);
  await page.getByLabel('User column').fill('wer');
  await page.getByLabel('Item column').fill('was');
  await page.getByLabel('Rating column').fill('wieviel');
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.getByRole('table', { name: 'Results' }).waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  expect(await page.locator('.facts').textContent()).toMatch(/Ratings to train on/);
});

inBrowser('ratings are predicted only from ratings', async (context) => {
  const page = await open(context, 'train');
  const rated = await folder.write('rated.csv', ratingsCsv());
  await page.getByLabel('Data file').setInputFiles(rated);
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.getByRole('table', { name: 'Results' }).waitFor();
  // A page of interactions, and a visitor's file of ratings.
  expect(await page.locator('.curves').count()).toBe(2);
  await page.getByText('Settings').click();
  await page.getByLabel('Objective').selectOption('both');
  await page.getByLabel('Data file').setInputFiles(plays);
  await expect.poll(() => page.getByRole('alert').textContent()).toMatch(/^plays\.csv: .*rating/);
});

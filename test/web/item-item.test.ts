import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import type { BrowserContext, Page } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import { load, type Recommender, readItems, readRatings, train } from '../../src/index.ts';
import { browserTests, staticHost } from '../support/browser.ts';
import { ratingsCsv } from '../support/cli.ts';
import { temporaryFolder, unzipped } from '../support/files.ts';

// The page, with a model of weights between items, or where it trains one.

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = temporaryFolder();
const shop = () => join(folder.path, 'shop');
const host = staticHost(() => ({ '/': join(root, 'dist/page/'), '/model/': `${shop()}/` }));
const inBrowser = browserTests();

let plays: string;

beforeAll(async () => {
  plays = await folder.write('plays.csv', await unzipped('plays/plays.csv'));
  const orders = await folder.write('orders.csv', await unzipped('shop/orders.csv'));
  const articles = await folder.write('articles.csv', await unzipped('shop/articles.csv'));
  const { ratings } = await readRatings(orders);
  await (await train(ratings, { model: 'item-item' })).save(shop(), await readItems(articles));
});

async function open(context: BrowserContext, view = 'recommend'): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${host.url}index.html#/${view}`);
  return page;
}

const recommended = (page: Page) =>
  page.getByRole('list', { name: 'Recommended for you' }).getByRole('listitem');

async function startTraining(page: Page, file: string, way: string): Promise<void> {
  await page.getByLabel('Data file').setInputFiles(file);
  // What was understood comes above the models, and moves them.
  await page.getByRole('button', { name: 'Start training', disabled: false }).waitFor();
  await page.getByRole('radio', { name: way }).check({ force: true });
  await page.getByRole('button', { name: 'Start training' }).click();
}

inBrowser('recommends from what a visitor has, with reasons, and says what is a weight', async (context) => {
  const page = await open(context);
  const toggles = page.getByRole('button', { name: /^I have it/ });
  for (const at of [0, 1]) await toggles.nth(at).click();
  await expect.poll(() => recommended(page).count()).toBe(10);

  // The same as in Node, from the same files.
  const recommender = await load(shop());
  const starters = recommender.items.toSorted((one, other) => other.count - one.count).slice(0, 2);
  const own = starters.map(({ item }) => item);
  const { recommended: expected } = await recommender.foldIn(own);
  const title = (item: string) => recommender.titles.get(item) as string;
  expect(await page.locator('.recommended-title').allTextContents()).toEqual(
    expected.map(({ item }) => title(item)),
  );
  // The reason that comes first has the larger weight.
  const weights = await recommender.similar(own, { k: recommender.items.length });
  const weightOf = (at: number) => weights[at].find(({ item }) => item === expected[0].item)?.similarity ?? 0;
  const [first] = [0, 1].toSorted((one, other) => weightOf(other) - weightOf(one));
  const why = await recommended(page).locator('.why').first().textContent();
  expect(why?.startsWith(`Because you have ${title(own[first])}`)).toBe(true);

  await recommended(page)
    .first()
    .getByRole('button', { name: /^Like this/ })
    .click();
  const dialog = page.getByRole('dialog');
  const row = dialog.getByRole('listitem').nth(1);
  await row.waitFor();
  const text = await row.textContent();
  const shown = (await recommender.similar(expected[0].item, { k: 100 })).find(({ item }) =>
    text?.startsWith(title(item)),
  );
  expect(text).toContain(`weight ${shown?.similarity.toFixed(3)}`);
  expect(await dialog.textContent()).not.toContain('% alike');
});

inBrowser('has no map, and says why', async (context) => {
  const page = await open(context, 'map');
  await page.getByText(/^There is no map: this model has weights from each of the \w+ to others/).waitFor();
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('What the model has learned');
  expect(await page.locator('canvas').count()).toBe(0);
});

async function downloaded(page: Page): Promise<Recommender> {
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).click();
  const directory = join(folder.path, 'mine');
  await mkdir(directory);
  for (const [file, bytes] of Object.entries(unzipSync(await readFile(await (await downloading).path()))))
    await writeFile(join(directory, file), bytes);
  return load(directory);
}

inBrowser('a page computes what Node computes, and draws no curves', async (context) => {
  const page = await open(context, 'train');
  await page.getByText('Settings').click();
  await page.getByRole('radio', { name: 'Items that go together' }).check({ force: true });
  expect(await page.getByLabel('Epochs').count()).toBe(0);
  await page.getByLabel('Regularization').fill('120');
  await startTraining(page, plays, 'Items that go together');
  const results = page.getByRole('table', { name: 'Results' });
  await results.waitFor();
  expect(await page.getByRole('progressbar').count()).toBe(1);
  expect(await page.locator('.curves').count()).toBe(0);
  expect(await page.locator('.table-frame').textContent()).toMatch(
    /the ids of people and items, and who has/,
  );

  const { ratings, valid } = await readRatings(plays, { valid: 0.1 });
  const recipe = { model: 'item-item', regularization: 120 } as const;
  const judged = await train(ratings, recipe, { valid });
  const [ndcg] = await results.locator('td').allTextContents();
  expect(Math.abs(Number(ndcg) - (judged.metrics.valid?.ndcg ?? 0))).toBeLessThan(1e-3);
  // What is saved is trained on everything.
  const fitted = await train((await readRatings(plays)).ratings, recipe);
  const [mine, nodes] = [await downloaded(page), await fitted.recommender()];
  for (const user of ratings.userIds.slice(0, 20)) {
    const [own, others] = [await mine.recommend(user), await nodes.recommend(user)];
    for (const [at, { score }] of own.entries()) expect(score).toBeCloseTo(others[at].score, 3);
  }
  const items = ratings.itemIds.slice(0, 5);
  const [own, others] = [await mine.foldIn(items), await nodes.foldIn(items)];
  expect(own.recommended.map(({ item }) => item)).toEqual(others.recommended.map(({ item }) => item));

  await page.getByRole('button', { name: 'Use this model' }).click();
  await page.goto(`${host.url}index.html#/recommend`);
  await page
    .getByRole('button', { name: /^I have it/ })
    .first()
    .click();
  await expect.poll(() => recommended(page).count()).toBe(10);
});

inBrowser('beside models that learn by epochs it is a level line', async (context) => {
  const page = await open(context, 'train');
  const file = await folder.write('ratings.csv', ratingsCsv());
  await page.getByText('Settings').click();
  await page.getByRole('radio', { name: 'All, side by side' }).check({ force: true });
  await page.getByLabel('Epochs').fill('1');
  await page.getByRole('textbox', { name: /^Factors/ }).fill('2');
  await page.getByLabel('Held-out part').fill('30');
  await startTraining(page, file, 'All, side by side');
  await expect.poll(() => page.getByRole('button', { name: 'Use this model' }).count()).toBe(3);
  expect(await page.getByRole('progressbar').count()).toBe(3);
  expect(await page.getByRole('region', { name: 'Verdict' }).locator('b').allTextContents()).toHaveLength(3);
  const notes = await page.locator('.curves .note').allTextContents();
  expect(notes.map((note) => note.includes('“Items that go together” has no epochs'))).toEqual([false, true]);
  await page.setViewportSize({ width: 390, height: 844 });
  await expect
    .poll(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth))
    .toBeLessThanOrEqual(0);
});

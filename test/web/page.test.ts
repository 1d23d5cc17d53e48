import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import type { BrowserContext, Page } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import { load, readRatings, train } from '../../src/index.ts';
import { serve } from '../../src/serve/serve.ts';
import { browserTests, staticHost } from '../support/browser.ts';
import { sample, temporaryFolder } from '../support/files.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const demo = join(root, 'artifacts/ml-latest-small');
const axe = await readFile(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8');
const folder = temporaryFolder();
const host = staticHost(() => ({ '/': join(root, 'dist/page/'), '/model/': `${demo}/` }));
const inBrowser = browserTests();
const VIEWS = ['recommend', 'map', 'train'] as const;

let ratingsFile: string;
let titlesFile: string;

beforeAll(async () => {
  const text = async (name: string) =>
    gunzipSync(await readFile(join(root, sample, `${name}.csv.gz`))).toString();
  ratingsFile = await folder.write(
    'mine.csv',
    (await text('ratings')).split('\n').slice(0, 12_001).join('\n'),
  );
  titlesFile = await folder.write('movies.csv', await text('movies'));
});

async function open(context: BrowserContext, view = 'recommend', url = host.url): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${url}index.html#/${view}`);
  return page;
}

const rated = (page: Page) => page.getByRole('list', { name: /^Your ratings/ }).getByRole('listitem');
const recommended = (page: Page) =>
  page.getByRole('list', { name: 'Recommended for you' }).getByRole('listitem');

/** Rates the titles that the page starts with. */
async function rate(page: Page, ...stars: string[]): Promise<void> {
  for (const [at, star] of stars.entries()) {
    const group = page
      .getByRole('region', { name: /^Well-known/ })
      .getByRole('radiogroup')
      .nth(at);
    await group.getByRole('radio', { name: star, exact: true }).check({ force: true });
    await expect.poll(() => rated(page).count()).toBe(at + 1);
  }
}

const titlesIn = (texts: string[]): string[] => texts.map((text) => text.replace(/\s+/g, ' ').trim());

inBrowser('a visitor rates three titles, and gets ten others with reasons', async (context) => {
  const page = await open(context);
  await rate(page, '5 stars', '4.5 stars', '2 stars');
  await expect.poll(() => recommended(page).count()).toBe(10);
  const names = await page.locator('.recommended-title').allTextContents();
  const own = await page.locator('.own .rows li').allTextContents();
  for (const title of titlesIn(names))
    for (const mine of titlesIn(own)) expect(mine.startsWith(title)).toBe(false);
  for (const why of await recommended(page).locator('.why').allTextContents())
    expect(why).toMatch(/^Because you rated|^Most people like it/);

  // The same as in Node, from the same files.
  const recommender = await load(demo);
  const starters = recommender.items.toSorted((one, other) => other.count - one.count).slice(0, 3);
  const ratings = starters.map(({ item }, at) => ({ item, rating: [5, 4.5, 2][at] }));
  const { recommended: expected } = await recommender.foldIn(ratings);
  const shown = await page.locator('.predicted').allTextContents();
  expect(shown.map((text) => Number(/[\d.]+/.exec(text)?.[0]))).toEqual(
    expected.map(({ rating }) => Number(rating?.toFixed(1))),
  );

  await recommended(page)
    .first()
    .getByRole('button', { name: /^Like this/ })
    .click();
  const alike = page.getByRole('dialog').getByRole('list', { name: /^Titles like/ });
  await expect.poll(() => alike.getByRole('listitem').count()).toBeGreaterThanOrEqual(8);
  await page.keyboard.press('Escape');
  await expect.poll(() => page.getByRole('dialog').count()).toBe(0);

  await page.reload();
  await expect.poll(() => recommended(page).count()).toBe(10);
  expect(await rated(page).count()).toBe(3);
});

inBrowser(
  'what is popular is beside what is recommended, and alone before the first rating',
  async (context) => {
    const page = await open(context);
    const popular = page.getByRole('region', { name: 'Popular with everyone' });
    const rows = popular.getByRole('listitem');
    await expect.poll(() => rows.count()).toBe(10);
    expect(await popular.textContent()).toMatch(/knows nothing about you yet/);
    const recommender = await load(demo);
    const [first] = recommender.items.toSorted((one, other) => other.count - one.count);
    expect(await rows.first().textContent()).toContain(`${first.count} ratings`);
    await rate(page, '5 stars');
    await expect.poll(() => recommended(page).count()).toBe(10);
    // What the visitor has rated is in neither list.
    expect(await rows.count()).toBe(10);
    expect(await rows.first().textContent()).not.toContain(`${first.count} ratings`);
    const shared = await popular.locator('.badge').count();
    expect(await popular.textContent()).toMatch(shared === 0 ? /None of them/ : `${shared} of these 10`);
  },
);

inBrowser('a model that ranks alone shows no stars, and says what its tables are', async (context) => {
  const page = await open(context, 'train');
  await page.getByLabel('Data file').setInputFiles(ratingsFile);
  await page.getByText('Settings').click();
  await page.getByLabel('Objective').selectOption('ranking');
  await page.getByLabel('Epochs').fill('2');
  await page.getByRole('button', { name: 'Start training' }).click();
  const results = page.getByRole('table', { name: 'Results' });
  await results.waitFor();
  const columns = await results.getByRole('columnheader').allTextContents();
  expect(columns).toEqual(['Model', 'NDCG', 'Precision', 'Seconds', 'Size']);
  expect(await page.getByRole('progressbar').count()).toBe(1);
  await page.getByRole('button', { name: 'Use this model' }).click();
  await page.goto(`${host.url}index.html#/recommend`);
  await rate(page, '5 stars');
  await expect.poll(() => recommended(page).count()).toBe(10);
  expect(await page.locator('.predicted').count()).toBe(0);
  await page.goto(`${host.url}index.html#/map`);
  await page.getByRole('region', { name: /^First and last .+ for everyone$/ }).waitFor();
});

inBrowser('by the keyboard alone: find a title, rate it, take the rating back', async (context) => {
  const page = await open(context);
  const search = page.getByRole('combobox');
  await search.waitFor();
  await search.focus();
  await page.keyboard.type('matrx');
  await expect.poll(() => page.getByRole('option').count()).toBeGreaterThan(0);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  const group = page.getByRole('radiogroup', { name: /^Your rating of .*Matrix/ }).first();
  await group.getByRole('radio').first().focus();
  await page.keyboard.press('4');
  await expect.poll(() => rated(page).count()).toBe(1);
  await expect.poll(() => recommended(page).count()).toBe(10);
  await page.getByRole('button', { name: /^Remove your rating of .*Matrix/ }).focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => recommended(page).count()).toBe(0);
});

inBrowser('the map, its ends, and the best and worst beside their averages', async (context) => {
  const page = await open(context, 'map');
  await page.locator('canvas').first().waitFor();
  const ends = page.getByRole('region', { name: 'What each axis separates' });
  expect(await ends.getByRole('list').count()).toBe(4);
  const tables = page.getByRole('region', { name: /^Best and worst/ }).getByRole('table');
  await expect.poll(() => tables.count()).toBe(2);
  for (const at of [0, 1]) expect(await tables.nth(at).getByRole('row').count()).toBe(11);
  await page.getByRole('button', { name: 'Zoom in' }).click();
});

for (const [name, model] of [
  ['Factors and biases', 'dot-bias'],
  ['Neural network', 'mlp'],
] as const) {
  inBrowser(`a visitor trains on a file of theirs what Node trains: ${model}`, async (context) => {
    const page = await open(context, 'train');
    await page.getByLabel('Data file').setInputFiles(ratingsFile);
    await page.getByLabel(/^Titles file/).setInputFiles(titlesFile);
    // What was understood comes above the models, and moves them.
    await page.getByRole('button', { name: 'Start training', disabled: false }).waitFor();
    await page.getByRole('radio', { name }).check({ force: true });
    await page.getByRole('button', { name: 'Start training' }).click();
    const results = page.getByRole('table', { name: 'Results' });
    await results.waitFor();
    await page.locator('canvas').first().waitFor();

    const { ratings, valid } = await readRatings(ratingsFile, { valid: 0.1 });
    const { metrics, ranking } = await train(ratings, { model }, { valid });
    const { rmse = 0 } = metrics.valid ?? {};
    const [shown, , ndcg] = await results.locator('td').allTextContents();
    expect(Math.abs(Number(shown) - rmse)).toBeLessThan(1e-3);
    expect(Math.abs(Number(ndcg) - (ranking?.metrics.valid?.ndcg ?? 0))).toBeLessThan(0.01);
    expect(await page.locator('.curves canvas').count()).toBe(2);
    expect(await page.getByRole('progressbar').count()).toBe(1);
    const verdict = await page.getByRole('region', { name: 'Verdict' }).textContent();
    expect(verdict).toMatch(/^Predictions are .* averages.*; recommendations are .* the most popular items/);

    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    const saved = await (await downloading).path();
    const directory = join(folder.path, model);
    await mkdir(directory);
    for (const [file, bytes] of Object.entries(unzipSync(await readFile(saved))))
      await writeFile(join(directory, file), bytes);
    const recommender = await load(directory);
    expect(recommender.titles.get('1')).toBe('Toy Story (1995)');
    const { judged, data } = recommender.artifact.manifest;
    expect(judged?.rating?.model.rmse).toBeCloseTo(rmse, 3);
    expect([judged?.isSaved, data.ratings]).toEqual([false, 12_000]);

    await page.getByRole('button', { name: 'Use this model' }).click();
    await page.goto(`${host.url}index.html#/recommend`);
    await rate(page, '5 stars');
    await expect.poll(() => recommended(page).count()).toBe(10);
  });
}

inBrowser('a file that cannot be used is refused in one clear line, and nothing is lost', async (context) => {
  const page = await open(context, 'train');
  const broken = await folder.write('broken.csv', 'user,item,rating\n1,2,3\n1,3,four\n');
  await page.getByLabel('Data file').setInputFiles(broken);
  await expect
    .poll(() => page.getByRole('alert').textContent())
    .toBe(
      'broken.csv, line 3: "four" in column "rating" is not a finite number; correct or remove the line; or leave it out with “Skip bad rows”: Yes',
    );
  expect(await page.getByRole('button', { name: 'Start training' }).isDisabled()).toBe(true);
  await page.goto(`${host.url}index.html#/recommend`);
  await rate(page, '5 stars');
  await expect.poll(() => recommended(page).count()).toBe(10);
});

const cells = (page: Page, name: string) =>
  page
    .getByRole('table', { name })
    .getByRole('row')
    .evaluateAll((rows) => rows.map((row) => Array.from(row.children, ({ textContent }) => textContent)));

inBrowser(
  'a visitor sees how a file was understood, and corrects it, before it is trained on',
  async (context) => {
    const page = await open(context, 'train');
    const rows = Array.from(
      { length: 300 },
      (_, row) => `Zoë${row % 20};B${(row * 7) % 33};${row % 3 ? (row % 5) + 1 : 0}`,
    );
    const text = `Benutzer;Buch;Note\n${rows.join('\n')}\nZoë1;B1;gut\n`;
    const file = await folder.write('noten.csv', Buffer.from(text, 'latin1'));
    await page.getByLabel('Data file').setInputFiles(file);
    const problem = page.getByRole('alert');
    await expect
      .poll(() => problem.textContent())
      .toMatch(/^noten\.csv, line 2: .*such as “Encoding”: latin-1$/);
    await page.getByLabel('Encoding').fill('latin-1');
    await expect.poll(() => problem.textContent()).toMatch(/no item column found; .*“Item column”/);
    await page.getByLabel('Item column').fill('Buch');
    await page.getByLabel('Rating column').fill('Note');
    await expect.poll(() => problem.textContent()).toMatch(/line 302: "gut" .*“Skip bad rows”: Yes$/);
    await page.getByLabel('Skip bad rows').selectOption('Yes');
    const read = page.getByRole('region', { name: 'What was read' });
    await read.waitFor();
    expect(await problem.count()).toBe(0);
    const assumed = () => read.getByRole('listitem').allTextContents();
    expect(await assumed()).toEqual([
      expect.stringMatching(/^1 row is left out, which cannot be read: noten\.csv, line 302: "gut"/),
      expect.stringMatching(/if that means "not rated", leave such rows out with “Drop rating”: 0\.$/),
    ]);
    await page.getByLabel('Drop rating').fill('0');
    await expect.poll(async () => (await assumed())[0]).toMatch(/^100 rows are left out, whose rating is 0/);
    expect(await cells(page, 'What was read')).toEqual([
      ['Format', 'text'],
      ['Encoding', 'latin-1'],
      ['Delimiter', '";"'],
      ['Header', 'the first line'],
      ['Columns', 'user "Benutzer", item "Buch", rating "Note"'],
      ['Users', '20'],
      ['Items', '22'],
      ['Ratings', '200'],
      ['Scale', '1 to 5'],
      ['Times', 'none'],
      ['Duplicates', 'none'],
    ]);
    expect((await cells(page, 'First rows')).slice(0, 2)).toEqual([
      ['User', 'Item', 'Rating'],
      ['"Zoë1"', '"B7"', '"2"'],
    ]);

    await page.evaluate(axe);
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 });
      const found = await page.evaluate("axe.run({ resultTypes: ['violations'] })");
      const { violations } = found as { violations: { id: string; impact: string }[] };
      expect(violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))).toEqual([]);
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0);
    }
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.getByRole('table', { name: 'Results' }).waitFor();
    expect(await page.locator('.facts').textContent()).toMatch(/Ratings to train on180Ratings held out20/);

    // What was chosen for a file is not for another.
    await page.getByLabel('Data file').setInputFiles(ratingsFile);
    await expect.poll(async () => (await cells(page, 'What was read'))[1]).toEqual(['Encoding', 'utf-8']);
    expect(await page.getByLabel('Item column').inputValue()).toBe('');
  },
);

inBrowser('without the network after the first visit', async (context) => {
  const page = await open(context);
  await rate(page, '5 stars');
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await context.setOffline(true);
  await page.reload();
  await expect.poll(() => recommended(page).count()).toBe(10);
  await page.goto(`${host.url}index.html#/map`);
  await page.locator('canvas').first().waitFor();
});

inBrowser('axe finds nothing serious, light and dark, wide and narrow', async (context) => {
  const page = await open(context);
  await page.getByRole('radiogroup').first().waitFor();
  await page.evaluate(axe);
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
  ]) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const view of VIEWS) {
        await page.evaluate((hash) => {
          location.hash = hash;
        }, `#/${view}`);
        if (view === 'map') await page.locator('canvas').first().waitFor();
        const found = await page.evaluate("axe.run({ resultTypes: ['violations'] })");
        const { violations } = found as {
          violations: { id: string; impact: string; nodes: { html: string }[] }[];
        };
        const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
        expect(serious.map(({ id, nodes }) => [colorScheme, view, id, nodes[0].html])).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow).toBeLessThanOrEqual(0);
      }
    }
  }
});

inBrowser('cofactor serve shows it under its policy', async (context) => {
  const server = await serve([demo], { port: 0, logLevel: 'silent' });
  try {
    const page = await open(context, 'recommend', `${server.url}/`);
    await rate(page, '5 stars');
    await expect.poll(() => recommended(page).count()).toBe(10);
    await page.goto(`${server.url}/#/map`);
    await page.locator('canvas').first().waitFor();
    // Without predict.onnx, which has data about users and is not published.
    const tables = page.getByRole('region', { name: /^Best and worst/ });
    await tables.waitFor();
    expect(await tables.textContent()).toMatch(/go by average ratings/);
  } finally {
    await server.close();
  }
});

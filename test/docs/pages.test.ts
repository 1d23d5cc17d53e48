import { copyFile, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { build, createServer, type InlineConfig, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readArtifact, writeArtifact } from '../../src/artifact/artifact.ts';
import { published } from '../../src/artifact/site.ts';
import { browserTests, staticHost } from '../support/browser.ts';
import { documents, isOfPage, root } from '../support/documents.ts';
import { temporaryFolder } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';

const blocks = (wanted: string): string[] =>
  documents
    .flatMap(({ blocks }) => blocks)
    .filter((block) => isOfPage(block) && block.language === wanted)
    .map(({ code }) => code);
/** Of the README, and of the page about pages. */
const [short, asking, training, understanding] = blocks('ts');

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.path, ...names);
const host = staticHost(() => ({
  '/': at('site/'),
  '/built/': at('built/'),
  '/movies/': `${at('movies')}/`,
}));
const inBrowser = browserTests();
let developing: ViteDevServer;

/** A project in which the documents' programs are modules, begun by what a person does. */
beforeAll(async () => {
  await writeArtifact(at('movies'), published(await readArtifact(join(root, 'artifacts/ml-latest-small'))));
  await mkdir(at('project/node_modules'), { recursive: true });
  // Copies, as npm installs them: Vite treats a link as a source of the project, which it does not bundle in advance.
  for (const [name, target] of [
    ['cofactor', root],
    ['onnxruntime-web', join(root, 'node_modules/onnxruntime-web')],
  ])
    for (const part of ['package.json', 'dist'])
      await cp(join(target, part), at('project/node_modules', name, part), {
        recursive: true,
        filter: (path) => !path.endsWith('.map'),
      });
  const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    await mkdir(dirname(at('project/node_modules', name)), { recursive: true });
    await symlink(join(root, 'node_modules', name), at('project/node_modules', name), 'junction');
  }
  const page =
    '<!doctype html><link rel="icon" href="data:,"><input type="file" aria-label="Ratings"><script type="module" src="./main.js"></script>';
  await writeFile(at('project/index.html'), page);
  await writeFile(at('project/short.ts'), short);
  await writeFile(at('project/asking.ts'), asking);
  await writeFile(at('project/training.ts'), training);
  await writeFile(at('project/understanding.ts'), understanding);
  await writeFile(
    at('project/main.js'),
    `const run = (program) => program.then(() => console.log('done'));
     run(Promise.all([import('./short.ts'), import('./asking.ts'), import('./understanding.ts')]));
     document.querySelector('input').onchange = () => run(import('./training.ts'));`,
  );
  const config: InlineConfig = { root: at('project'), base: './', logLevel: 'error', configFile: false };
  await build({ ...config, build: { outDir: at('built'), target: 'es2022' } });
  developing = await createServer({
    ...config,
    base: '/',
    server: { host: '127.0.0.1', port: 0, fs: { strict: false }, proxy: { '/movies/': host.url } },
  });
  await developing.listen();
  const { userIds, itemIds, users, items, ratings } = lowRank();
  const lines = Array.from(users, (user, place) => [userIds[user], itemIds[items[place]], ratings[place]]);
  await folder.write('ratings.csv', `user,item,rating\n${lines.join('\n')}\n`);
});
afterAll(() => developing?.close());

/** What the page logs until the program is done. */
async function logged(page: Page, begin: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const done = new Promise<void>((resolve, reject) => {
    page.on('console', (message) => {
      if (message.text() === 'done') resolve();
      else if (message.type() === 'log') lines.push(message.text());
    });
    page.on('pageerror', reject);
  });
  await begin();
  await done;
  page.removeAllListeners();
  return lines;
}

for (const [name, url] of [
  ['built', () => `${host.url}built/index.html`],
  ['in development', () => (developing.resolvedUrls as { local: string[] }).local[0]],
] as const) {
  inBrowser(`the documents’ programs in a project of Vite, ${name}`, async (context) => {
    const page = await context.newPage();
    const lines = (await logged(page, () => page.goto(url()))).filter((line) => !/^[\d.]+$/.test(line));
    const understood = lines.filter((line) => line.includes('Zoë'));
    expect(understood).toEqual([expect.stringMatching(/^2 1 \{"user":"Zoë","item":"Tee"\} .*interaction/)]);
    const recommended = lines.filter((line) => !understood.includes(line));
    expect(recommended).toHaveLength(10);
    for (const line of recommended) expect(line).toMatch(/.+ [345]\.\d$/);
    expect(await page.locator('body').textContent()).toMatch(/\(\d{4}\), .+\(\d{4}\)/);
    const told = await logged(page, () => page.getByLabel('Ratings').setInputFiles(at('ratings.csv')));
    expect(told.filter((line) => /^judging rating 5 0\.\d+ \d\.\d+$/.test(line))).toHaveLength(1);
    expect(told.at(-2)).toMatch(/^training ranking \d+ \d\.\d+ undefined$/);
    expect(told.at(-1)).toMatch(/^\d\.\d+ \d+$/);
  });
}

inBrowser('the documents’ page without a bundler', async (context) => {
  const [html] = blocks('html');
  await mkdir(at('site'));
  await cp(join(root, 'dist/standalone'), at('site/cofactor'), { recursive: true });
  const wasm = 'ort-wasm-simd-threaded.wasm';
  await copyFile(join(root, 'node_modules/onnxruntime-web/dist', wasm), at('site/cofactor', wasm));
  await writeFile(at('site/index.html'), `<!doctype html>${html}`);
  const page = await context.newPage();
  await page.goto(host.url);
  await page.waitForFunction("document.title.split(',').length === 3");
});

test('the documents have programs for pages', () => {
  expect([...blocks('ts'), ...blocks('html')]).toHaveLength(5);
});

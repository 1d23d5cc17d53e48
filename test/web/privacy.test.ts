import { copyFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { beforeAll, expect } from 'vitest';
import { browserTests, staticHost } from '../support/browser.ts';
import { workplace } from '../support/cli.ts';
import { documents, isOfPage, root } from '../support/documents.ts';

const { at, text, write } = workplace();
/** The folder of the model that the site publishes. */
let model = 'movies';
const host = staticHost(() => ({ '/': at('site/'), '/movies/': at(`${model}/`) }));
const WARNING = /lists predict\.onnx, recommend\.onnx, seen\.onnx, which tell about users/;
const inBrowser = browserTests();

/** People whose ids are found wherever they are. */
const people = Array.from({ length: 30 }, (_, person) => `person-${person}@example.org`);
/** With the items that the documents ask for. */
const items = ['296', '593', ...Array.from({ length: 18 }, (_, item) => `${1000 + item}`)];

/** The documents’ programs of a page that ask a model. */
const asking = documents
  .flatMap(({ blocks }) => blocks)
  .filter((block) => isOfPage(block) && /\bload\(/.test(block.code));

/** A site as the documents say: the page, the library beside it, and a model. */
beforeAll(async () => {
  const rows = people.flatMap((person, row) =>
    items.slice(row % 5, 12 + (row % 7)).map((item, at) => `${person},${item},${1 + ((row + at) % 5)}`),
  );
  await write('opinions.csv', `user,item,rating\n${rows.join('\n')}\n`);
  await text(...'train opinions.csv --epochs 1 --factors 4 --out movies'.split(' '));
  await text('export', 'movies', '--public', 'public');
  await mkdir(at('site'));
  await cp(join(root, 'dist/standalone'), at('site/cofactor'), { recursive: true });
  const wasm = 'ort-wasm-simd-threaded.wasm';
  await copyFile(join(root, 'node_modules/onnxruntime-web/dist', wasm), at('site/cofactor', wasm));
  for (const [index, { language, code }] of asking.entries()) {
    const script = async () => {
      const { code: plain } = await transform(code, { loader: 'ts' });
      const module = plain.replace(/["']cofactor\/web["']/, '"./cofactor/web.js"');
      return `<script type="module">${module}\ndocument.title = 'done';</script>`;
    };
    const html = language === 'html' ? code : await script();
    await writeFile(
      at('site', `page-${index}.html`),
      `<!doctype html><link rel="icon" href="data:,">${html}`,
    );
  }
});

for (const [published, folder, logged] of [
  ['as a whole', 'movies', WARNING],
  ['as its public part', 'public', undefined],
] as const)
  inBrowser(
    `the documents’ pages fetch nothing about users from a model that is published ${published}`,
    async (context) => {
      model = folder;
      expect((await readdir(at(folder))).includes('seen.onnx')).toBe(folder === 'movies');
      expect(asking.map(({ language }) => language).sort()).toEqual(['html', 'ts', 'ts']);
      const fetched = new Map<string, Promise<Buffer>>();
      const warnings: string[] = [];
      context.on('response', (response) => fetched.set(response.url(), response.body()));
      context.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()));
      for (const index of asking.keys()) {
        const page = await context.newPage();
        await page.goto(`${host.url}page-${index}.html`);
        await page.waitForFunction('document.title');
      }
      const names = [...fetched.keys()].map((url) => url.replace(`${host.url}movies/`, ''));
      for (const name of ['manifest.json', 'fold-in.onnx', 'items.json']) expect(names).toContain(name);
      expect(names.filter((name) => /predict|recommend|seen/.test(name))).toEqual([]);
      for (const [url, body] of fetched) {
        const content = (await body).toString('latin1');
        expect([url, people.filter((id) => `${url} ${content}`.includes(id))]).toEqual([url, []]);
      }
      expect(warnings.length).toBe(folder === 'movies' ? asking.length : 0);
      // What is not asked for would have told.
      if (folder === 'movies')
        expect((await readFile(at('movies/predict.onnx'))).toString('latin1')).toContain(people[0]);
    },
    logged,
  );

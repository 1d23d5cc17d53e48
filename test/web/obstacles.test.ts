import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContext } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import { browserTests, staticHost } from '../support/browser.ts';
import { temporaryFolder } from '../support/files.ts';

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const WASM = 'ort-wasm-simd-threaded.wasm';
const PAGE = '<!doctype html><title>The page of an application</title>';

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder.path, ...names);
// A sandboxed frame is of no origin, so its requests are always to another.
const host = staticHost(
  () => ({
    '/': `${folder.path}/`,
    '/page/': path('dist/page/'),
    '/page/model/': path('artifacts/ml-latest-small/'),
  }),
  { 'access-control-allow-origin': '*' },
);
const inBrowser = browserTests();

/** Changes to a file of a copy of the model, by the name of the copy. */
const changes: Readonly<Record<string, [string, (bytes: Buffer) => Buffer | string]>> = {
  whole: ['manifest.json', (bytes) => bytes],
  'page-for-manifest': ['manifest.json', () => PAGE],
  'cut-manifest': ['manifest.json', (bytes) => bytes.subarray(0, 300)],
  'page-for-onnx': ['predict.onnx', () => PAGE],
  'cut-onnx': ['predict.onnx', (bytes) => bytes.subarray(0, 300)],
  'long-onnx': ['predict.onnx', (bytes) => Buffer.concat([bytes, bytes])],
};

beforeAll(async () => {
  for (const [name, [file, change]] of Object.entries(changes)) {
    await cp(path('test/support/artifacts/format-2'), at(name), { recursive: true });
    await writeFile(at(name, file), change(await readFile(at(name, file))));
  }
  for (const name of ['cofactor', 'without-wasm', 'page-for-wasm', 'cut-wasm', 'without-runtime'])
    await cp(path('dist/standalone'), at(name), { recursive: true });
  await copyFile(path(`node_modules/onnxruntime-web/dist/${WASM}`), at('cofactor', WASM));
  await writeFile(at('page-for-wasm', WASM), PAGE);
  await writeFile(at('cut-wasm', WASM), (await readFile(at('cofactor', WASM))).subarray(0, 1e6));
  for (const name of await readdir(at('without-runtime')))
    if (name.startsWith('ort.wasm')) await rm(at('without-runtime', name));
  await mkdir(at('nothing'));
});

interface Visit {
  /** @default 'cofactor' */
  readonly library?: string;
  /** @default 'whole' */
  readonly model?: string;
  readonly options?: object;
  /** The page's Content Security Policy. */
  readonly policy?: string;
  /** Whether the page is shown in a sandboxed frame. */
  readonly sandboxed?: boolean;
}

let pages = 0;

/** What a page says that loads a model and asks it: the answer, or the error. */
async function said(context: BrowserContext, visit: Visit): Promise<string> {
  const { library = 'cofactor', model = 'whole', options, policy, sandboxed } = visit;
  const name = `visit-${pages++}.html`;
  const load = `load('/${model}', ${JSON.stringify({ heads: ['predict'], ...options })})`;
  await folder.write(
    name,
    `<!doctype html>
    ${policy ? `<meta http-equiv="Content-Security-Policy" content="${policy}">` : ''}
    <script type="module">
      import { load } from '/${library}/web.js';
      ${load}.then((recommender) => recommender.predict('u1', 'i7')).then(
        (rating) => console.log('said', rating.toFixed(3)),
        (error) => console.log('said', error.name, error.code, error.message),
      );
    </script>`,
  );
  await folder.write(`frame-${name}`, `<iframe sandbox="allow-scripts" src="${name}"></iframe>`);
  const page = await context.newPage();
  const [message] = await Promise.all([
    page.waitForEvent('console', (message) => message.text().startsWith('said ')),
    page.goto(`${host.url}${sandboxed ? 'frame-' : ''}${name}`),
  ]);
  return message.text().slice('said '.length).replaceAll(host.url, '/');
}

const COPY = "copy the model's whole folder again";
const HTML = 'is a page of HTML, which servers send for a missing file; is it in this folder?';
const cases: readonly [what: string, visit: Visit, expected: string | RegExp][] = [
  [
    'a policy that forbids WebAssembly',
    { policy: "script-src 'self' 'unsafe-inline'" },
    "UserError device the page's Content Security Policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src",
  ],
  [
    'a policy that forbids fetching',
    { policy: "connect-src 'none'" },
    'UserError network /whole/manifest.json: cannot be fetched (Failed to fetch); is the network there, and do CORS and connect-src allow it?',
  ],
  [
    'no .wasm',
    { library: 'without-wasm' },
    /^UserError device ONNX Runtime cannot start: its ort-wasm-simd-threaded\.wasm cannot be fetched; copy it beside its JavaScript, or name its folder in `wasmPaths` \(/,
  ],
  [
    'no .wasm where the page says',
    { options: { wasmPaths: '/nothing/' } },
    /^UserError device ONNX Runtime cannot start: its ort-wasm-simd-threaded\.wasm cannot be fetched; /,
  ],
  [
    'a page in place of the .wasm',
    { library: 'page-for-wasm' },
    /^UserError device ONNX Runtime cannot start: its ort-wasm-simd-threaded\.wasm is a page of HTML, cut off or of another version; copy it again \(/,
  ],
  [
    'a .wasm that was cut off',
    { library: 'cut-wasm' },
    /^UserError device ONNX Runtime cannot start: its ort-wasm-simd-threaded\.wasm is a page of HTML, cut off or/,
  ],
  [
    'no JavaScript of ONNX Runtime',
    { library: 'without-runtime' },
    /^UserError device ONNX Runtime cannot be loaded: .*ort\.wasm.*; is its JavaScript beside the page's\?$/,
  ],
  [
    'a page in place of the manifest',
    { model: 'page-for-manifest' },
    `UserError model /page-for-manifest/manifest.json: ${HTML}`,
  ],
  [
    'a manifest that was cut off',
    { model: 'cut-manifest' },
    `UserError model /cut-manifest/manifest.json: is cut off; ${COPY}`,
  ],
  [
    'a page in place of a graph',
    { model: 'page-for-onnx' },
    `UserError model /page-for-onnx/predict.onnx: ${HTML}`,
  ],
  [
    'a graph that was cut off',
    { model: 'cut-onnx' },
    `UserError model /cut-onnx/predict.onnx: has 300 of the 2146 bytes that manifest.json lists: it was cut off; ${COPY}`,
  ],
  [
    'a graph that is too long',
    { model: 'long-onnx' },
    `UserError model /long-onnx/predict.onnx: has more than the 2146 bytes that manifest.json lists: it was changed; ${COPY}`,
  ],
];

for (const [what, visit, expected] of cases)
  inBrowser(
    `${what} is named as the cause, with what to do`,
    async (context) => {
      const message = await said(context, visit);
      expect(message).not.toMatch(/train .* again/);
      if (typeof expected === 'string') expect(message).toBe(expected);
      else expect(message).toMatch(expected);
    },
    // The browser and ONNX Runtime log what they could not load.
    /404|wasm|WebAssembly|ArrayBuffer|Content Security Policy/,
  );

const working: readonly [what: string, visit: Visit][] = [
  ['a policy that allows WebAssembly', { policy: "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'" }],
  [
    'a .wasm alone, in a folder of its own',
    { library: 'without-wasm', options: { wasmPaths: '/cofactor/' } },
  ],
  ['a sandboxed frame, in which the browser refuses to store', { sandboxed: true }],
];

for (const [what, visit] of working)
  inBrowser(`a model answers with ${what}`, async (context) => {
    expect(await said(context, visit)).toBe('2.705');
  });

inBrowser('the page that comes with cofactor works in a sandboxed frame', async (context) => {
  await folder.write('sandbox.html', '<iframe sandbox="allow-scripts" src="page/index.html"></iframe>');
  const page = await context.newPage();
  const registered = page.waitForTimeout(4500);
  await page.goto(`${host.url}sandbox.html`);
  const rows = page.frameLocator('iframe').getByRole('region', { name: 'Popular with everyone' });
  await expect.poll(() => rows.getByRole('listitem').count()).toBe(10);
  // By then the page has tried to register its service worker.
  await registered;
});

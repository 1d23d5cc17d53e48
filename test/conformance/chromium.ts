import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { launchChromium, NO_CHROMIUM } from '../support/chromium.ts';
import type { Report, Runtime } from './cases.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** The program of the page. */
const program = `
  import * as ort from 'onnxruntime-web';
  import { runCases } from './cases.ts';
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = '/ort/';
  const read = async (path) => new Uint8Array(await (await fetch('/golden/' + path)).arrayBuffer());
  window.report = async () => ({
    runtime: 'onnxruntime-web in Chromium',
    version: ort.env.versions.web,
    results: await runCases(read, await (await fetch('/golden/golden.json')).json(), ort),
  });`;

/** What is at the paths of the page. */
async function contentOf(path: string, folder: string, script: Uint8Array): Promise<Uint8Array | undefined> {
  if (path === '/') return Buffer.from('<!doctype html><script type="module" src="/page.js"></script>');
  if (path === '/page.js') return script;
  const [, mount, ...names] = path.split('/');
  const ort = dirname(fileURLToPath(import.meta.resolve('onnxruntime-web')));
  const root = { golden: folder, ort }[mount];
  return root === undefined ? undefined : readFile(join(root, ...names)).catch(() => undefined);
}

async function runIn(browser: Browser, folder: string): Promise<Report> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: here, loader: 'ts' },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const server = createServer(async ({ url = '' }, response) => {
    const path = decodeURIComponent(new URL(url, 'http://host').pathname);
    const bytes = await contentOf(path, folder, outputFiles[0].contents);
    const type = path === '/' ? 'text/html' : /js$/.test(path) ? 'text/javascript' : 'application/wasm';
    response.writeHead(bytes ? 200 : 404, { 'content-type': type }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction('window.report');
    return await page.evaluate('report()');
  } finally {
    server.close();
  }
}

async function launched(): Promise<Browser> {
  const browser = await launchChromium();
  if (!browser) throw new Error(NO_CHROMIUM);
  return browser;
}

/** ONNX Runtime in WebAssembly, as a page has it. */
export const chromiumRuntime: Runtime = {
  name: 'Chromium',
  limits: {
    'byte-order-mark': 'drops a byte order mark at the start of a string of over 16 bytes that it gives',
  },
  fetch: async () => (await launched()).close(),
  async run(folder) {
    const browser = await launched();
    try {
      return await runIn(browser, folder);
    } finally {
      await browser.close();
    }
  },
};

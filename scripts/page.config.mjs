// How Vite serves the page for development, and builds it.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { notices } from './notices.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const MODEL = here('../artifacts/ml-latest-small');

/** Serves a trained model beside the page, as a published site does. */
function demoModel() {
  const serve = ({ url = '' }, response, next) => {
    const name = /^\/model\/([^/?]+)/.exec(url)?.[1];
    if (name === undefined) {
      next();
      return;
    }
    const file = join(MODEL, basename(name));
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const type = file.endsWith('.json') ? 'application/json' : 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-length': statSync(file).size });
    createReadStream(file).pipe(response);
  };
  return {
    name: 'demo-model',
    configureServer: ({ middlewares }) => void middlewares.use(serve),
    configurePreviewServer: ({ middlewares }) => void middlewares.use(serve),
  };
}

/** Emits the service worker with the list of built files, and a version that changes when any of them does. */
function serviceWorker() {
  return {
    name: 'service-worker',
    apply: 'build',
    generateBundle(_, bundle) {
      const built = Object.values(bundle).filter(({ fileName }) => fileName.startsWith('assets/'));
      const version = createHash('sha256');
      for (const file of Object.values(bundle)) version.update('code' in file ? file.code : file.source);
      const source = readFileSync(here('../src/page/service-worker.js'), 'utf8')
        .replace('/* files */', built.map(({ fileName }) => JSON.stringify(fileName)).join(', '))
        .replace('/* version */', version.digest('hex').slice(0, 12));
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
    },
  };
}

/** The files that were bundled. */
const bundled = new Set();

/**
 * Writes the licences of the bundled packages. Vite's own list leaves out those that only a worker contains.
 *
 * @param {boolean} emits whether this is the page's build, which comes after the worker's
 */
function thirdParty(emits) {
  return {
    name: 'third-party',
    apply: 'build',
    generateBundle(_, bundle) {
      for (const { moduleIds = [] } of Object.values(bundle)) for (const id of moduleIds) bundled.add(id);
      if (emits) this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY.txt', source: notices(bundled) });
    },
  };
}

/** On a slow machine Rolldown would warn about the time that it takes. */
const QUIET = { checks: { bundlerTimings: false } };

export default defineConfig({
  root: here('../src/page'),
  base: './',
  // A missing file must give a 404, not the page.
  appType: 'mpa',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [demoModel(), serviceWorker(), thirdParty(true)],
  worker: { format: 'es', plugins: () => [thirdParty(false)], rolldownOptions: QUIET },
  build: {
    rolldownOptions: QUIET,
    outDir: here('../dist/page'),
    emptyOutDir: true,
    target: 'es2022',
    // ONNX Runtime's WebAssembly is one large file; the page shows the progress of loading it.
    chunkSizeWarningLimit: 700,
  },
});

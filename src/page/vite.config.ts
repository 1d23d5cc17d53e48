import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { notices } from './notices.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const MODEL = here('../../artifacts/ml-latest-small');

/** Serves a trained model beside the page, as a site that publishes both would. */
function demoModel(): Plugin {
  const serve = ({ url = '' }: IncomingMessage, response: ServerResponse, next: () => void): void => {
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

/** Emits the service worker with the list of what was built, and a version that changes when any of it does. */
function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    generateBundle(_, bundle) {
      const built = Object.values(bundle).filter(({ fileName }) => fileName.startsWith('assets/'));
      const version = createHash('sha256');
      for (const file of Object.values(bundle)) version.update('code' in file ? file.code : file.source);
      const source = readFileSync(here('service-worker.js'), 'utf8')
        .replace('/* files */', built.map(({ fileName }) => JSON.stringify(fileName)).join(', '))
        .replace('/* version */', version.digest('hex').slice(0, 12));
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
    },
  };
}

export default defineConfig({
  root: here('.'),
  base: './',
  // A file that is not there must be a 404, not the page once more.
  appType: 'mpa',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [demoModel(), serviceWorker(), notices(true)],
  worker: { format: 'es', plugins: () => [notices(false)] },
  build: {
    outDir: here('../../dist/page'),
    emptyOutDir: true,
    target: 'es2022',
    // ONNX Runtime's WebAssembly is one large file; the page says how far its loading is.
    chunkSizeWarningLimit: 700,
  },
});

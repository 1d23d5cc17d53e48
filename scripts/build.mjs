// Bundles into dist/: the library and the command line for Node; the library for pages, once for bundlers and once
// whole, for pages without; the page itself; and the types. With --if-changed it builds only where dist/ was built from
// other sources than there are now.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { build as buildPage } from 'vite';
import { notices } from './notices.mjs';

/** Everything that dist/ is built from; packages by their versions. */
const SOURCES = [
  ...['src', 'graphs', 'scripts/build.mjs', 'scripts/notices.mjs', 'scripts/page.config.mjs'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
];
const STAMP = 'dist/.sources';

/** @returns a hash of the names and the contents of the sources */
function hashOfSources() {
  const paths = SOURCES.flatMap((source) =>
    statSync(source).isDirectory()
      ? readdirSync(source, { recursive: true }).map((name) => join(source, name))
      : [source],
  ).filter((path) => statSync(path).isFile());
  const hash = createHash('sha256');
  for (const path of paths.sort()) hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}

const sources = hashOfSources();
if (process.argv.includes('--if-changed') && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sources)
  process.exit();

const { dependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const external = Object.keys({ ...dependencies, ...peerDependencies }).flatMap((name) => [name, `${name}/*`]);
// Vite reads it; Vitest sets another value.
process.env.NODE_ENV = 'production';
rmSync('dist', { recursive: true, force: true });

const common = {
  bundle: true,
  metafile: true,
  splitting: true,
  // All in one folder, so that each file finds the files of threads and processes beside itself.
  chunkNames: '[name]-[hash]',
  format: 'esm',
};
const node = await build({
  ...common,
  entryPoints: {
    index: 'src/index.ts',
    onnx: 'src/onnx/index.ts',
    report: 'src/report/report.ts',
    serve: 'src/serve/serve.ts',
    cli: 'src/cli/main.ts',
    'trial-thread': 'src/experiment/trial-thread.ts',
    'worker-thread': 'src/run/worker-thread.ts',
    'read-thread': 'src/data/read/read-thread.ts',
    'trial-process': 'src/serve/trial-process.ts',
    'guard-thread': 'src/run/guard-thread.ts',
    'device-trial': 'src/run/device-trial.ts',
  },
  outdir: 'dist',
  platform: 'node',
  target: 'node20',
  // onnx-proto is inside: it asks for an old protobufjs, which an installed package could not override. It is CommonJS,
  // and requires protobufjs.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  external,
});

const web = {
  ...common,
  entryPoints: { web: 'src/web.ts', 'web-worker': 'src/web/worker.ts' },
  platform: 'browser',
  target: 'es2022',
  plugins: [
    {
      name: 'worker',
      setup: ({ onLoad }) =>
        onLoad({ filter: /web[\\/]train\.ts$/ }, ({ path }) => ({
          contents: readFileSync(path, 'utf8').replace('./worker.ts', './web-worker.js'),
          loader: 'ts',
        })),
    },
  ],
};
await build({ ...web, outdir: 'dist', external });
const standalone = await build({ ...web, outdir: 'dist/standalone', minify: true });

writeFileSync('dist/THIRD-PARTY', notices(Object.keys(node.metafile.inputs)));
writeFileSync('dist/standalone/THIRD-PARTY', notices(Object.keys(standalone.metafile.inputs)));
await buildPage({ configFile: 'scripts/page.config.mjs', logLevel: 'warn' });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
});
// Written last, so it marks a complete build.
writeFileSync(STAMP, sources);

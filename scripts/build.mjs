// Bundles the library and the command line into dist/, with onnx-proto inside: it asks for an old protobufjs, which
// an installed package could not override. All other dependencies stay outside.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: {
    index: 'src/index.ts',
    cli: 'src/cli/main.ts',
    'worker-thread': 'src/run/worker-thread.ts',
    'trial-process': 'src/serve/trial-process.ts',
  },
  outdir: 'dist',
  bundle: true,
  metafile: true,
  splitting: true,
  // In one folder, so that whichever file starts a thread or a process finds it beside itself.
  chunkNames: '[name]-[hash]',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // onnx-proto is CommonJS, and requires protobufjs.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  external: Object.keys(dependencies).flatMap((name) => [name, `${name}/*`]),
});

// Whose code is inside must be said there.
const bundled = Object.keys(metafile.inputs).map(
  (path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1],
);
const notices = [...new Set(bundled)]
  .filter(Boolean)
  .map((name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, 'utf8').trim()}\n`);
writeFileSync('dist/THIRD-PARTY', notices.join('\n'));

// Bundles the library and the command line into dist/, with onnx-proto inside: it asks for an old protobufjs, which
// an installed package could not override. All other dependencies stay outside.
import { readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: { index: 'src/index.ts', cli: 'src/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // onnx-proto is CommonJS, and requires protobufjs.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  external: Object.keys(dependencies).flatMap((name) => [name, `${name}/*`]),
});

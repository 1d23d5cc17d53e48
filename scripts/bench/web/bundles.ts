/** Bundles cofactor as a page loads it, and measures the sizes. */
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface Size {
  readonly name: string;
  readonly minified: number;
  readonly gzip: number;
}

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  logLevel: 'error',
} satisfies BuildOptions;

export const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length;

export const sizeOf = (name: string, ...files: readonly Uint8Array[]): Size => ({
  name,
  minified: files.reduce((sum, { length }) => sum + length, 0),
  gzip: files.reduce((sum, file) => sum + gzipped(file), 0),
});

/** Builds the library as `scripts/build.mjs` does for pages without a bundler, with ONNX Runtime beside it. */
export async function buildLibrary(folder: string): Promise<Size[]> {
  const worker: Plugin = {
    name: 'worker',
    setup: ({ onLoad }) =>
      onLoad({ filter: /web[\\/]train\.ts$/ }, async ({ path }) => ({
        contents: (await readFile(path, 'utf8')).replace('./worker.ts', './web-worker.js'),
        loader: 'ts',
      })),
  };
  const { metafile } = await build({
    ...common,
    entryPoints: { web: 'src/web.ts', 'web-worker': 'src/web/worker.ts' },
    splitting: true,
    metafile: true,
    outdir: folder,
    plugins: [worker],
  });
  const wasm = 'ort-wasm-simd-threaded.wasm';
  await copyFile(join(root, 'node_modules/onnxruntime-web/dist', wasm), join(folder, wasm));
  const web = needed(metafile, 'src/web.ts');
  const training = [...needed(metafile, 'src/web/worker.ts')].filter((path) => !web.has(path));
  const runtime = Object.keys(metafile.outputs).filter((path) =>
    metafile.outputs[path].entryPoint?.includes('onnxruntime-web'),
  );
  const read = (paths: Iterable<string>) => Promise.all([...paths].map((path) => readFile(join(root, path))));
  return [
    sizeOf('cofactor: to load a model and ask it', ...(await read(web))),
    sizeOf('cofactor: what training adds', ...(await read(training))),
    sizeOf('ONNX Runtime: JavaScript', ...(await read(runtime))),
    sizeOf('ONNX Runtime: .wasm', await readFile(join(folder, wasm))),
  ];
}

/** The file of an entry and the files that it imports statically. */
function needed({ outputs }: Metafile, entry: string): Set<string> {
  const found = new Set(Object.keys(outputs).filter((path) => outputs[path].entryPoint === entry));
  for (const path of found)
    for (const { path: other, kind } of outputs[path].imports)
      if (kind === 'import-statement' && outputs[other]) found.add(other);
  return found;
}

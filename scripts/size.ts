// What a page pays to use cofactor, in bytes after minification and gzip. `npm run size` prints it; a test holds our own
// code to its budget.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Bytes after gzip, of our own code alone, that each part may have. */
export const BUDGETS = {
  /** Paid by every page: to load a model, and to ask it. */
  'src/web.ts': 6 * 1024,
  /** Fetched when a page trains: graphs, gradients, the trainer, what writes the files, the table of choices with its texts. */
  'src/web/worker.ts': 38 * 1024,
};

export type Part = keyof typeof BUDGETS;

export interface Size {
  /** Our code alone. */
  readonly own: number;
  /** With the packages that it uses, but ONNX Runtime, and without what is fetched only where it is needed. */
  readonly whole: number;
}

export async function sizeOf(part: Part): Promise<Size> {
  const [own, whole] = await Promise.all([bundled(part, '*'), bundled(part, 'onnxruntime-web/*')]);
  return { own, whole };
}

async function bundled(entry: Part, external: string): Promise<number> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    splitting: true,
    minify: true,
    metafile: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    outdir: 'size',
    ...(external === '*' ? { packages: 'external' as const } : { external: [external] }),
  });
  // The entry and the chunks that it cannot start without.
  const outputs = Object.values(metafile.outputs);
  const needed = new Set(outputs.filter(({ entryPoint }) => entryPoint === entry));
  for (const { imports } of needed)
    for (const { path, kind } of imports)
      if (kind === 'import-statement' && metafile.outputs[path]) needed.add(metafile.outputs[path]);
  return outputFiles
    .filter((_, place) => needed.has(outputs[place]))
    .reduce((sum, { contents }) => sum + gzipped(contents), 0);
}

const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} kB`;
  const row = (...cells: string[]): void =>
    console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(44) : cell.padStart(12))).join(''));
  row('after gzip', 'our code', 'budget', 'with packages');
  for (const part of Object.keys(BUDGETS) as Part[]) {
    const { own, whole } = await sizeOf(part);
    row(part, kilobytes(own), kilobytes(BUDGETS[part]), kilobytes(whole));
  }
  for (const name of ['ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm']) {
    const bytes = await readFile(`${root}node_modules/onnxruntime-web/dist/${name}`);
    row(`onnxruntime-web: ${name}`, '', '', kilobytes(gzipped(bytes)));
  }
  const model = `${root}artifacts/ml-latest-small/`;
  const { files } = JSON.parse(await readFile(`${model}manifest.json`, 'utf8'));
  for (const name of Object.keys(files))
    row(`demo model: ${name}`, '', '', kilobytes(gzipped(await readFile(model + name))));
}

// Prints what a page downloads to use cofactor, in bytes after minification and gzip. A test holds our own code to its budget.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { BUDGETS, gzipped, type Part, sizeOf } from '../test/support/size.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
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

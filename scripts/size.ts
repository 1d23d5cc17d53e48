// Prints what a page downloads to use cofactor, in bytes after minification and gzip. A test holds our own code to its budget.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { BUDGETS, gzipped, type Part, sizeOf } from '../test/support/size.ts';
import { describeMachine } from './bench/machine.ts';
import { writeResult } from './bench/result.ts';
import { markdownTable } from './bench/table.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const PARTS: Readonly<Record<Part, string>> = {
  'src/web.ts': 'to load and ask a model',
  'src/web/worker.ts': 'the worker that reads and trains, fetched for the first file',
};
const kilobytes = (bytes: number): string => (bytes / 1024).toFixed(1);
const fileSize = async (file: string): Promise<number> => gzipped(await readFile(`${root}${file}`));

const rows: string[][] = [];
for (const [part, title] of Object.entries(PARTS) as [Part, string][]) {
  const { own, whole } = await sizeOf(part);
  rows.push([title, kilobytes(own), kilobytes(BUDGETS[part]), kilobytes(whole)]);
}
for (const name of ['ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm']) {
  const bytes = await fileSize(`node_modules/onnxruntime-web/dist/${name}`);
  rows.push([`onnxruntime-web: ${name}`, '', '', kilobytes(bytes)]);
}
const model = 'artifacts/ml-latest-small/';
// What the page of `cofactor page` fetches of it.
for (const name of ['fold-in.onnx', 'similar.onnx', 'factors.onnx', 'titles.json', 'items.json'])
  rows.push([`demo model (int8): ${name}`, '', '', kilobytes(await fileSize(model + name))]);

const columns = ['kB after gzip', 'our code', 'budget', 'with packages'];
console.log(markdownTable([columns, ...rows]));
if (process.argv.includes('--save'))
  await writeResult('page-size', { command: 'npm run size', machine: describeMachine(), columns, rows });

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The files of a page that is none, but has one of each kind. */
export const standInFiles: Readonly<Record<string, Buffer>> = {
  'index.html': Buffer.from(
    '<!doctype html><title>cofactor</title><script src="./assets/a-B4x_9fQz.js"></script>',
  ),
  'service-worker.js': Buffer.from('// keeps the page for visits without a network\n'.repeat(20)),
  'assets/a-B4x_9fQz.js': Buffer.from(`console.log(${JSON.stringify('Zoë'.repeat(500))});\n`),
  'assets/a-CxK0Wq1d.css': Buffer.from('body { margin: 0 }\n'.repeat(50)),
  'assets/ort-D1f2g3h4.wasm': Buffer.from(Uint8Array.from({ length: 5000 }, (_, index) => index % 7)),
  'assets/simd-threaded.wasm': Buffer.from(Uint8Array.from({ length: 500 }, (_, index) => index % 5)),
  'assets/mark-aB3dE5gH.svg': Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
  'THIRD-PARTY.md': Buffer.from('# Licences\n'),
};

/** Writes that page, with a model beside it that is not to be served; gives the folder back. */
export async function standInPage(folder: string): Promise<string> {
  const files = { ...standInFiles, 'model/manifest.json': Buffer.from('{}') };
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  return folder;
}

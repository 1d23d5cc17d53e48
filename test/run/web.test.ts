import { execFile } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { staticHost } from '../support/browser.ts';

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const host = staticHost(() => ({ '/model/': `${path('test/support/artifacts/format-2')}/` }));

test('a runtime whose .wasm files are not there is told from a broken model', async () => {
  // In a process of its own, because ONNX Runtime does not try again after it failed to start.
  const program = `
    import { load } from ${JSON.stringify(pathToFileURL(path('dist/web.js')).href)};
    await load('${host.url}model/', { wasmPaths: 'file:///nowhere/', heads: ['predict'] }).catch((error) =>
      console.log(error.name, error.code, error.message));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  expect(stdout).toMatch(
    /^UserError device ONNX Runtime cannot start: its ort-wasm-simd-threaded\.wasm cannot be fetched; .*`wasmPaths`/,
  );
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (name: string) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));

/**
 * onnxruntime-node contains its CPU libraries. Its install script would download CUDA's, some hundred megabytes, on Linux.
 * npm from 11.19 on reads `allowScripts`. Older ones run the script of a package only where the lock file has this mark,
 * which npm writes again when onnxruntime-node is updated: remove the line then.
 */
test('no version of npm runs the install script of onnxruntime-node', () => {
  const { packages } = read('package-lock.json');
  expect(packages['node_modules/onnxruntime-node'].version).toBeDefined();
  expect(packages['node_modules/onnxruntime-node']).not.toHaveProperty('hasInstallScript');
  expect(read('package.json').allowScripts['onnxruntime-node']).toBe(false);
});

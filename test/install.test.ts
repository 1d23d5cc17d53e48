import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** Dependencies that the sources do not import. */
const NEEDED_BY_OTHERS: Readonly<Record<string, string>> = {
  protobufjs: 'onnx-proto, which is bundled, requires it',
  'light-my-request':
    'belongs to fastify, but from 6.8 on it needs a cookie that Node 20 does not run: npm warns, and Yarn 1 refuses to install',
};

test('every dependency is used', () => {
  const files = ['src', 'graphs'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const text = files
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const unused = Object.keys(read('package.json').dependencies).filter(
    (name) =>
      !(name in NEEDED_BY_OTHERS) &&
      !new RegExp(`(?:from|import|import\\(|[rR]equire.*\\()\\s*'${name}[/']`).test(text),
  );
  expect(unused).toEqual([]);
});

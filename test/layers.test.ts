import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/** All that the public entry and the command line build on. */
const LIBRARY = [
  'errors',
  'version',
  'onnx',
  'run',
  'graphs',
  'data',
  'artifact',
  'recommend',
  'evaluate',
  'train',
  'plot',
  'experiment',
  'report',
  'serve',
];

/** What each layer may import beside itself and packages; only what stands before it. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  version: [],
  onnx: [],
  run: ['errors', 'onnx'],
  graphs: ['errors', 'onnx'],
  data: ['errors'],
  artifact: ['errors', 'version', 'onnx', 'run', 'graphs', 'data'],
  recommend: ['errors', 'run', 'artifact'],
  evaluate: ['errors', 'graphs', 'data', 'artifact', 'recommend'],
  train: ['errors', 'version', 'onnx', 'run', 'graphs', 'data', 'artifact', 'recommend', 'evaluate'],
  plot: [],
  experiment: ['errors', 'version', 'run', 'graphs', 'data', 'recommend', 'evaluate', 'train', 'plot'],
  report: ['errors', 'version', 'run', 'data', 'artifact', 'recommend', 'evaluate', 'train', 'plot'],
  serve: ['errors', 'version', 'run', 'data', 'artifact', 'recommend'],
  web: ['errors', 'onnx', 'run', 'graphs', 'data', 'artifact', 'recommend', 'evaluate', 'train'],
  page: ['errors', 'web'],
  index: LIBRARY,
  cli: LIBRARY,
};

const MOST_LINES = 400;

/** The TypeScript files under some folders, with their text. */
async function sources(...folders: string[]): Promise<{ path: string; text: string }[]> {
  const found = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(folder, { recursive: true })).map((name) => join(folder, name)),
    ),
  );
  const paths = found.flat().filter((path) => /\.tsx?$/.test(path) && !path.includes('node_modules'));
  return Promise.all(paths.map(async (path) => ({ path, text: await readFile(path, 'utf8') })));
}

/** The folder in `src`, or the file that lies there itself. */
const layerOf = (path: string): string => {
  const [top, second] = path.split(/[/\\]/);
  return top === 'src' ? second.replace(/\.tsx?$/, '') : top;
};

/** What a file imports or exports from, by relative paths. */
const imports = (text: string): string[] =>
  [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*(['"])(\.{1,2}\/[^'"]+)\1/g)].map(([, , path]) => path);

test('statements of every form are seen', () => {
  const statements = `import './a.ts'; import type { B } from "../b.ts"; export * from './c.ts';
    const d = await import('./d.ts'); import {
      e,
    } from '../e.ts'; import fs from 'node:fs';`;
  expect(imports(statements)).toEqual(['./a.ts', '../b.ts', './c.ts', './d.ts', '../e.ts']);
});

test('the table itself goes one way', () => {
  const order = Object.keys(LAYERS);
  for (const [place, layer] of order.entries())
    expect(order.slice(0, place)).toEqual(expect.arrayContaining([...LAYERS[layer]]));
});

test('imports point one way only', async () => {
  const files = await sources('src', 'graphs');
  expect([...new Set(files.map(({ path }) => layerOf(path)))].sort()).toEqual(Object.keys(LAYERS).sort());
  const wrong = files.flatMap(({ path, text }) => {
    const own = layerOf(path);
    return imports(text)
      .map((target) => normalize(join(dirname(path), target)))
      .filter((target) => target !== 'package.json' && ![own, ...LAYERS[own]].includes(layerOf(target)))
      .map((target) => `${path} imports ${target}`);
  });
  expect(wrong).toEqual([]);
});

test(`no source file is over ${MOST_LINES} lines`, async () => {
  const long = (await sources('src', 'graphs', 'scripts'))
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > MOST_LINES);
  expect(long).toEqual([]);
});

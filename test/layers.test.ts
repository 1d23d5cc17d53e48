import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/**
 * What each room may import beside itself and packages: only rooms that stand before it. ARCHITECTURE.md shows them. A
 * file belongs to the longest name that its path begins with.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  version: [],
  util: ['errors'],
  onnx: [],
  run: ['errors', 'util', 'onnx'],
  'graphs/models': ['errors', 'util', 'onnx'],
  'graphs/heads': ['util', 'onnx', 'graphs/models'],
  'data/dataset': ['errors', 'util', 'graphs/models', 'graphs/heads'],
  solve: ['errors', 'util', 'onnx', 'run', 'graphs/models', 'data/dataset'],
  'data/read': ['errors', 'util', 'graphs/models', 'graphs/heads', 'data/dataset'],
  data: ['errors', 'util', 'data/dataset', 'data/read'],
  artifact: ['errors', 'version', 'util', 'onnx', 'run', 'graphs/models', 'graphs/heads'],
  recommend: ['errors', 'util', 'run', 'artifact'],
  evaluate: ['errors', 'util', 'run', 'data/dataset', 'solve', 'artifact', 'recommend'],
  'train/step': ['util', 'onnx', 'graphs/models', 'data/dataset'],
  'train/parameters': [...['util', 'onnx', 'run', 'graphs/models', 'graphs/heads', 'data/dataset', 'solve']],
  'train/recipe': [
    ...['errors', 'util', 'onnx', 'run', 'graphs/models', 'data/dataset', 'artifact', 'train/step'],
  ],
  'train/engines': [
    ...['errors', 'util', 'onnx', 'run', 'graphs/models', 'graphs/heads', 'data/dataset', 'artifact'],
    ...['train/step', 'train/parameters', 'train/recipe'],
  ],
  train: [
    ...[
      'errors',
      'version',
      'util',
      'onnx',
      'run',
      'graphs/models',
      'graphs/heads',
      'data/dataset',
      'solve',
      'artifact',
    ],
    ...['recommend', 'evaluate', 'train/step', 'train/parameters', 'train/recipe', 'train/engines'],
  ],
  style: [],
  document: ['style'],
  experiment: ['errors', 'util', 'run', 'graphs/models', 'data/dataset', 'evaluate', 'train/recipe', 'train'],
  report: [
    ...['errors', 'util', 'graphs/models', 'data/dataset', 'artifact', 'recommend', 'evaluate', 'train/step'],
    ...['train/recipe', 'style', 'document'],
  ],
  serve: ['errors', 'version', 'util', 'run', 'data/read', 'artifact', 'recommend', 'document'],
  web: [
    ...[
      'errors',
      'run',
      'data/dataset',
      'data/read',
      'artifact',
      'recommend',
      'train/recipe',
      'train/engines',
    ],
    'train',
  ],
  page: ['errors', 'util', 'graphs/models', 'data/read', 'artifact', 'train/recipe', 'style', 'web'],
  index: ['*'],
  cli: ['*'],
};

/** What is for pages alone; all else may be used by the public entry and the command line. */
const PAGES = ['web', 'page'];

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

const NAMES = Object.keys(ROOMS);

function roomOf(path: string): string {
  const name = path
    .replace(/\\/g, '/')
    .replace(/^src\//, '')
    .replace(/\.tsx?$/, '');
  const rooms = NAMES.filter((room) => name === room || name.startsWith(`${room}/`));
  return rooms.sort((one, other) => other.length - one.length)[0] ?? name;
}

/** Whether a file of one room may import a file of another. */
const mayImport = (own: string, other: string): boolean =>
  own === other || (ROOMS[own].includes('*') ? !PAGES.includes(other) : ROOMS[own].includes(other));

/** What a file imports or exports from, by relative paths. */
const imports = (text: string): string[] =>
  [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*(['"])(\.{1,2}\/[^'"]+)\1/g)].map(([, , path]) => path);

const targets = (path: string, text: string): string[] =>
  imports(text).map((target) => normalize(join(dirname(path), target)));

/** Depth first: an import of a file that is still being visited closes a cycle. */
function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, above: readonly string[]): string[] => {
    if (above.includes(file)) return [[...above.slice(above.indexOf(file)), file].join(' → ')];
    if (done.has(file)) return [];
    const found = (graph.get(file) ?? []).flatMap((target) => visit(target, [...above, file]));
    done.add(file);
    return found;
  };
  return [...graph.keys()].flatMap((file) => visit(file, []));
}

test('statements of every form are seen', () => {
  const statements = `import './a.ts'; import type { B } from "../b.ts"; export * from './c.ts';
    const d = await import('./d.ts'); import {
      e,
    } from '../e.ts'; import fs from 'node:fs';`;
  expect(imports(statements)).toEqual(['./a.ts', '../b.ts', './c.ts', './d.ts', '../e.ts']);
});

test('the table itself goes one way', () => {
  for (const [place, room] of NAMES.entries())
    for (const other of ROOMS[room]) if (other !== '*') expect(NAMES.slice(0, place)).toContain(other);
});

test('rooms import one way only', async () => {
  const files = await sources('src', 'graphs');
  expect([...new Set(files.map(({ path }) => roomOf(path)))].sort()).toEqual(NAMES.toSorted());
  const wrong = files.flatMap(({ path, text }) =>
    targets(path, text)
      .filter((target) => target !== 'package.json' && !mayImport(roomOf(path), roomOf(target)))
      .map((target) => `${path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

test('no file imports itself by way of others, types included', async () => {
  const files = await sources('src', 'graphs', 'scripts', 'test');
  const graph = new Map(files.map(({ path, text }) => [normalize(path), targets(path, text)]));
  expect(
    cyclesIn(
      new Map([
        ['a', ['b']],
        ['b', ['c', 'a']],
        ['c', []],
      ]),
    ),
  ).toEqual(['a → b → a']);
  expect(cyclesIn(graph)).toEqual([]);
});

test('one file loads ONNX Runtime, so that none loads it with its telemetry', async () => {
  const loading = (await sources('src', 'graphs', 'scripts')).filter(({ text }) =>
    /\b(?:from|import)\s*\(?\s*'onnxruntime-node\b/.test(text),
  );
  expect(loading.map(({ path }) => path)).toEqual([join('src', 'run', 'onnxruntime.ts')]);
});

test('tests do not import from scripts', async () => {
  const wrong = (await sources('test')).flatMap(({ path, text }) =>
    targets(path, text).filter((target) => target.replaceAll('\\', '/').startsWith('scripts/')),
  );
  expect(wrong).toEqual([]);
});

test(`no source file is over ${MOST_LINES} lines`, async () => {
  const long = (await sources('src', 'graphs', 'scripts'))
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > MOST_LINES);
  expect(long).toEqual([]);
});

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openModelFolder, readArtifact, writeArtifact, writeInto } from '../../src/artifact/artifact.ts';
import { FORMAT } from '../../src/artifact/format.ts';
import type { Manifest } from '../../src/artifact/manifest.ts';
import { readVocabulary } from '../../src/artifact/vocabulary.ts';
import { train } from '../../src/train/train.ts';
import { sha256 } from '../../src/util/hash.ts';
import { temporaryFolder, userError } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';
import { expectSame, made } from '../support/made.ts';

const folder = temporaryFolder();
let folders = 0;
const newPath = () => join(folder.path, `artifact-${folders++}`);

async function saved(names?: string[]): Promise<string> {
  const path = newPath();
  await writeArtifact(path, made('saved', names));
  return path;
}

/** Saves an artifact, and then writes another manifest over its own. */
async function withManifest(change: (manifest: Manifest) => unknown): Promise<string> {
  const path = await saved();
  const { manifest } = await readArtifact(path);
  await writeFile(join(path, 'manifest.json'), JSON.stringify(change(manifest)));
  return path;
}

describe('an artifact', () => {
  test('comes back as it was written', async () => {
    const artifact = made('model', ['predict.onnx', 'similar.onnx']);
    const path = join(newPath(), 'deep', 'down');
    await writeArtifact(path, artifact);
    expectSame(await readArtifact(path), artifact);
    expect((await readdir(path)).sort()).toEqual([
      '.cofactor',
      'manifest.json',
      'predict.onnx',
      'similar.onnx',
    ]);
  });

  test('of a trained model has the sums of its files, and its ids', async () => {
    const ratings = lowRank();
    const model = await train(ratings, { factors: 2, epochs: 1 });
    const path = newPath();
    const { manifest: written } = await model.save(path);
    const heads = ['predict', 'recommend', 'similar', 'fold-in', 'fold-in-many', 'factors', 'seen'];
    const graphs = ['train.onnx', 'train-ranking.onnx'];
    const names = [...heads.map((head) => `${head}.onnx`), 'items.json', ...graphs];
    expect((await readdir(path)).sort()).toEqual([...names, '.cofactor', 'manifest.json'].sort());
    const manifest = JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8'));
    expect(manifest).toEqual(JSON.parse(JSON.stringify(written)));
    expect(Object.keys(manifest.files)).toEqual(names);
    for (const name of names) {
      const bytes = await readFile(join(path, name));
      expect(manifest.files[name]).toMatchObject({ bytes: bytes.length, sha256: await sha256(bytes) });
    }
    const { userIds, itemIds } = ratings;
    expect(readVocabulary(await readArtifact(path))).toEqual({ userIds, itemIds });
  });

  test('keeps titles and what users rated, or not, and says how its tables are kept', async () => {
    const ratings = lowRank();
    const path = newPath();
    const titles = new Map([['item 1', 'One']]);
    const model = await train(ratings, { factors: 2, epochs: 1 });
    const full = await model.save(path, { seen: true, titles, precision: 'int8' });
    expect(full.manifest.precision).toBe('int8');
    expect(await readFile(join(path, 'titles.json'), 'utf8')).toBe('{"item 1":"One"}\n');
    expectSame(await readArtifact(path), full);
    expect(Object.keys(full.manifest.files)).toEqual(expect.arrayContaining(['seen.onnx', 'titles.json']));

    const plain = await model.save(path);
    expect(plain.manifest).not.toHaveProperty('precision');
    expect((await readdir(path)).sort()).toEqual(
      [...Object.keys(plain.files), '.cofactor', 'manifest.json'].sort(),
    );
  });

  test('sha256 is that of the standard', async () => {
    expect(await sha256(Buffer.from('abc'))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  test('takes the place of another, and leaves the files of others', async () => {
    const path = await saved();
    await writeFile(join(path, 'notes.txt'), 'mine');
    const next = made('next');
    await writeArtifact(path, next);
    expectSame(await readArtifact(path), next);
    expect((await readdir(path)).sort()).toEqual(['.cofactor', 'manifest.json', 'notes.txt', 'predict.onnx']);
    expect(await readFile(join(path, 'notes.txt'), 'utf8')).toBe('mine');
  });
});

const COPY = "copy the model's whole folder again";
const HTML = 'is a page of HTML, which servers send for a missing file; is it in this folder?';

describe('a broken artifact names the file', () => {
  test('with any byte changed', async () => {
    const path = await saved(['predict.onnx', 'similar.onnx']);
    const file = join(path, 'similar.onnx');
    const bytes = await readFile(file);
    for (const at of [0, 500, 999]) {
      const changed = Buffer.from(bytes);
      changed[at] ^= 1;
      await writeFile(file, changed);
      expect(await userError(readArtifact(path))).toBe(
        `${file}: does not match manifest.json: it was changed; ${COPY}`,
      );
    }
    for (const [content, told] of [
      [bytes.subarray(0, 400), `has 400 of the 1000 bytes that manifest.json lists: it was cut off; ${COPY}`],
      ['', `has 0 of the 1000 bytes that manifest.json lists: it was cut off; ${COPY}`],
      [
        Buffer.concat([bytes, bytes]),
        `has more than the 1000 bytes that manifest.json lists: it was changed; ${COPY}`,
      ],
      ['\n<html lang="en">', HTML],
    ] as const) {
      await writeFile(file, content);
      expect(await userError(readArtifact(path))).toBe(`${file}: ${told}`);
    }
    await writeFile(file, bytes);
    await readArtifact(path);
  });

  test('without a file, or with a folder in its place', async () => {
    const path = await saved();
    const file = join(path, 'predict.onnx');
    await rm(file);
    expect(await userError(readArtifact(path))).toContain(
      `${file}: is missing, though manifest.json lists it; ${COPY}`,
    );
    await mkdir(file);
    expect(await userError(readArtifact(path))).toBe(
      `${file}: is a folder, not a file; put the file itself there`,
    );
  });

  test('an address where a folder is wanted', async () => {
    expect(await userError(readArtifact('https://example.org/model/'))).toBe(
      'https://example.org/model/: is an address; give the path of a folder',
    );
  });

  test('without a manifest: an empty folder, none, a file', async () => {
    const path = newPath();
    expect(await userError(readArtifact(path))).toContain(`${path}: is not a trained model`);
    await mkdir(path);
    expect(await userError(readArtifact(path))).toContain(`${path}: is not a trained model`);
    const file = await folder.write('a file', '');
    expect(await userError(readArtifact(file))).toContain(`${file}: is not a trained model`);
  });

  test.each([
    ['', `is cut off; ${COPY}`],
    ['{', `is cut off; ${COPY}`],
    ['{"format": 1', `is cut off; ${COPY}`],
    ['<!DOCTYPE html>', HTML],
    ['{"format" 1}', 'is not JSON; is this the folder of a trained model?'],
    ['PK\u0003\u0004', 'is not JSON; is this the folder of a trained model?'],
    ['\u0000', 'is not JSON; is this the folder of a trained model?'],
    ['{"name":"app"}', expect.stringMatching(/^format: .*; is this the folder of a trained model\?$/)],
  ])('whose manifest is %j', async (text, told) => {
    const path = await saved();
    const file = join(path, 'manifest.json');
    await writeFile(file, text);
    const message = await userError(readArtifact(path));
    expect(message.startsWith(`${file}: `)).toBe(true);
    expect(message.slice(file.length + 2)).toEqual(told);
  });

  test.each<[string, (manifest: Manifest) => unknown, RegExp]>([
    ['null', () => null, /format: /],
    ['a list', () => [], /: /],
    [
      'of another format',
      (manifest) => ({ ...manifest, format: FORMAT + 1 }),
      /reads formats up to \d+; install a newer version$/,
    ],
    ['of a format that there never was', (manifest) => ({ ...manifest, format: 0 }), /format: /],
    ['without files', ({ files, ...manifest }) => (files ? manifest : {}), /files: /],
    [
      'with a text for a number',
      (manifest) => ({ ...manifest, data: { ...manifest.data, users: '2' } }),
      /data\.users: /,
    ],
    [
      'with a number of ratings below 0',
      (manifest) => ({ ...manifest, data: { ...manifest.data, ratings: -1 } }),
      /data\.ratings: /,
    ],
    [
      'with a lowest rating above the highest',
      (manifest) => ({ ...manifest, data: { ...manifest.data, low: 5, high: 1 } }),
      /data: low is above high/,
    ],
    [
      'with a sum that is none',
      (manifest) => ({ ...manifest, files: { 'predict.onnx': { bytes: 1, sha256: 'abc' } } }),
      /files\.predict\.onnx\.sha256: /,
    ],
    [
      'with an error that is none',
      (manifest) => ({ ...manifest, metrics: { train: { rmse: null } } }),
      /metrics\.train\.rmse: /,
    ],
  ])('whose manifest is %s', async (_, change, message) => {
    const path = await withManifest(change);
    const told = await userError(readArtifact(path));
    expect(told).toMatch(message);
    expect(told).toContain(`${join(path, 'manifest.json')}: `);
  });

  test.each([
    '../secret.onnx',
    '..',
    '.',
    '',
    '/etc/passwd',
    'a/b.onnx',
    'a\\b.onnx',
    '.hidden',
    'C:evil.onnx',
    'two\nlines\u2028.onnx',
    'nul\u0000.onnx',
    '-flag/',
  ])('whose manifest leads to %j', async (name) => {
    await folder.write('secret.onnx', 'secret');
    const entry = { bytes: 6, sha256: await sha256(Buffer.from('secret')) };
    const path = await withManifest((manifest) => ({ ...manifest, files: { [name]: entry } }));
    expect(await userError(readArtifact(path))).toContain(path);
  });
});

/** A folder with these files by their paths. */
async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const path = newPath();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return path;
}

/** All files in a folder, by their paths. */
async function filesIn(path: string): Promise<Record<string, string>> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(
    files.map(async (file) => [relative(path, file), await readFile(file, 'latin1')]),
  );
  return Object.fromEntries(texts.sort());
}

describe('openModelFolder', () => {
  const taken = async (path: string) => (await openModelFolder(path)).close();

  test('takes a folder that is not there, an empty one, and one with an artifact', async () => {
    const path = newPath();
    await taken(path);
    expect(existsSync(path)).toBe(false);
    await mkdir(path);
    await taken(path);
    expect(await readdir(path)).toEqual([]);
    await writeArtifact(path, made('model'));
    await writeFile(join(path, 'notes.txt'), 'mine');
    await taken(path);
  });

  test('takes a folder that a killed writer left, and removes what is not finished', async () => {
    const path = await folderOf({
      '.cofactor/model': '',
      '.cofactor/lock': '123',
      '.cofactor/incoming/predict.onnx': 'half',
      '.cofactor/rows/rows': 'rows',
      '.cofactor/checkpoint': 'kept',
      '.cofactor/notes.txt': 'mine',
    });
    await taken(path);
    expect(Object.keys(await filesIn(path))).toEqual([
      '.cofactor/checkpoint',
      '.cofactor/model',
      '.cofactor/notes.txt',
    ]);
    await taken(await folderOf({ '.cofactor/lock': '' }));
  });

  test('refuses a file, a place in a file, and a link to nothing', async () => {
    const file = await folder.write('taken', '');
    expect(await userError(openModelFolder(file))).toBe(`${file}: is a file; give a folder`);
    expect(await userError(openModelFolder(join(file, 'in')))).toMatch(/in: cannot be \w+ \(ENOTDIR\)/);
    const path = newPath();
    await symlink(join(folder.path, 'nowhere'), path);
    expect(await userError(openModelFolder(path))).toBe(
      `${path}: is a link to nothing; remove it, or choose another path`,
    );
  });

  const manifest = JSON.stringify(made('old').manifest);
  test.each<[string, Record<string, string>, string]>([
    ['thesis.tex', { 'thesis.tex': '', 'notes.txt': '', '.pending/notes.txt': 'old' }, '.pending'],
    ['photos', { '.incoming-photos/x.jpg': '' }, '.incoming-photos'],
    ['the manifest of another program', { 'manifest.json': '{"name": "of a web app"}' }, 'manifest.json'],
    [
      'a manifest without its files as it lists them',
      { 'manifest.json': manifest, 'predict.onnx': 'x' },
      'predict.onnx',
    ],
    ['a hidden folder of others', { '.cofactor/notes.txt': '' }, '.cofactor/notes.txt'],
    ['the mark of a search', { '.cofactor/search': '' }, '.cofactor/search'],
    ['a file in the place of the hidden folder', { '.cofactor': '' }, ''],
  ])('refuses a folder with %s, and leaves it as it is', async (_, files, other) => {
    const path = await folderOf(files);
    expect(await userError(writeArtifact(path, made('model')))).toMatch(
      other === ''
        ? /\.cofactor: is no folder; remove it/
        : `has other files than those of a model, such as ${other}, and no .cofactor/model,`,
    );
    expect(await filesIn(path)).toEqual(files);
  });

  test('takes a folder without a mark if the manifest knows every file in it by name and content', async () => {
    const path = await saved();
    await rm(join(path, '.cofactor'), { recursive: true });
    await writeArtifact(path, made('next'));
    await rm(join(path, '.cofactor'), { recursive: true });
    await writeFile(join(path, 'report.html'), '');
    expect(await userError(openModelFolder(path))).toContain('such as report.html');
  });

  test('deletes no file that an old manifest lists, but that is none of a model’s', async () => {
    const path = await saved();
    const { manifest, files } = made('old', ['predict.onnx', 'data.csv', 'seen.onnx']);
    await writeFile(join(path, 'manifest.json'), JSON.stringify(manifest));
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(path, name), bytes);
    await writeArtifact(path, made('next'));
    expect((await readdir(path)).sort()).toEqual(['.cofactor', 'data.csv', 'manifest.json', 'predict.onnx']);
    expect(await readFile(join(path, 'data.csv'))).toEqual(Buffer.from(files['data.csv']));
  });

  test.each(['predict.onnx', 'titles.json'])(
    'refuses a %s that is not as the old model had it',
    async (name) => {
      const path = await saved(['predict.onnx', 'similar.onnx']);
      await writeFile(join(path, name), 'mine');
      const before = await filesIn(path);
      const next = made('next', ['predict.onnx', 'titles.json']);
      expect(await userError(writeArtifact(path, next))).toBe(
        `${join(path, name)}: is in the way of the new model, and is not as the old one had it; move it, or choose another folder`,
      );
      expect(await filesIn(path)).toEqual(before);
    },
  );

  test('refuses a file that came while it was open', async () => {
    const path = await saved();
    const held = await openModelFolder(path);
    await writeFile(join(path, 'similar.onnx'), 'mine');
    expect(await userError(writeInto(held, made('next', ['predict.onnx', 'similar.onnx'])))).toMatch(
      /in the way/,
    );
    held.close();
    expect((await readArtifact(path)).manifest.model.name).toBe('saved');
    expect(await readFile(join(path, 'similar.onnx'), 'utf8')).toBe('mine');
    expect(await readdir(join(path, '.cofactor'))).toEqual(['model']);
  });

  test.each(['notes.txt', 'seen.onnx', 'predict.onnx'])(
    'moves no %s of a stranger to its place',
    async (name) => {
      const path = await saved();
      const pending = join(path, '.cofactor', 'pending');
      await mkdir(pending);
      const next = made('next', ['predict.onnx', name]);
      await writeFile(join(pending, 'manifest.json'), JSON.stringify(next.manifest));
      for (const [file, bytes] of Object.entries(next.files)) await writeFile(join(pending, file), bytes);
      if (name !== 'notes.txt') {
        await rm(join(pending, name));
        await symlink(join(folder.path, 'elsewhere'), join(pending, name));
      }
      const before = await filesIn(path);
      expect(await userError(openModelFolder(path))).toMatch(
        new RegExp(`pending/${name}: is not what cofactor writes there; remove .*pending, or choose`),
      );
      expect(await filesIn(path)).toEqual(before);
    },
  );

  test('writes nothing in another folder that came in its place', async () => {
    const path = newPath();
    const held = await openModelFolder(path);
    await rename(path, `${path}-moved`);
    await mkdir(path);
    await writeFile(join(path, 'notes.txt'), 'mine');
    expect(await userError(writeInto(held, made('model')))).toBe(
      `${path}: was moved or replaced while cofactor wrote in it, so nothing more is written there; do it again`,
    );
    held.close();
    expect(await filesIn(path)).toEqual({ 'notes.txt': 'mine' });
    await taken(`${path}-moved`);
  });

  test('makes no mark through a link', async () => {
    const path = await folderOf({ '.cofactor/lock': '' });
    await symlink(join(folder.path, 'elsewhere'), join(path, '.cofactor', 'model'));
    expect(await userError(openModelFolder(path))).toMatch(/cannot be written \((ELOOP|EMLINK)\)/);
    expect(existsSync(join(folder.path, 'elsewhere'))).toBe(false);
  });

  test('lets one write at a time', async () => {
    const path = newPath();
    const first = await openModelFolder(path);
    const link = `${path}-link`;
    await symlink(path, link);
    for (const other of [path, link])
      expect(await userError(openModelFolder(other))).toBe(
        `${other}: another cofactor (process ${process.pid}) is writing there; wait for its end, or choose another place`,
      );
    first.close();
    await taken(path);
  });
});

describe('what cannot be written is a UserError', () => {
  test('a folder in the place of a file; the old artifact stays', async () => {
    const path = await saved(['predict.onnx', 'similar.onnx']);
    const old = await readArtifact(path);
    await mkdir(join(path, 'titles.json', 'full'), { recursive: true });
    expect(await userError(writeArtifact(path, made('next', ['titles.json'])))).toContain(
      'titles.json: is in the way',
    );
    expectSame(await readArtifact(path), old);
    expect(await readdir(join(path, 'titles.json'))).toEqual(['full']);
  });
});

import { execFileSync } from 'node:child_process';
import { link, mkdir, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { openModelFolder, readArtifact, writeArtifact } from '../../src/artifact/artifact.ts';
import { load } from '../../src/recommend/load.ts';
import { readCheckpoint } from '../../src/train/checkpoint.ts';
import { temporaryFolder, userError } from '../support/files.ts';
import { expectSame, made } from '../support/made.ts';

const folder = temporaryFolder();
const artifact = made('strange');
let directory: string;
let count = 0;
const socket = createServer();
afterAll(() => socket.close());

beforeEach(async () => {
  directory = join(folder.path, `model-${count++}`);
  await writeArtifact(directory, artifact);
});

/** What a stranger can put in the place of a file, and what is said of it. */
const instead: Readonly<Record<string, readonly [(path: string) => Promise<unknown>, RegExp]>> = {
  'a pipe': [async (path) => execFileSync('mkfifo', [path]), /: is a pipe or a device, not a file; put/],
  'a folder': [(path) => mkdir(path), /: is a folder, not a file; put the file itself there$/],
  'a socket': [
    (path) => new Promise<void>((resolve) => socket.listen(path, resolve)),
    /: is a socket or a device, not a file/,
  ],
  'a link to a device': [(path) => symlink('/dev/zero', path), /: is a link, not a file; .* or give `trust`/],
  'a link to nothing': [(path) => symlink('nothing', path), /: is a link, not a file/],
  'a link to itself': [(path) => symlink(path, path), /: is a link, not a file/],
  'a file with a hole of a terabyte': [
    async (path) => {
      const file = await open(path, 'w');
      await file.truncate(2 ** 40);
      await file.close();
    },
    /has more than the 1000 bytes that manifest.json lists|is larger than any manifest/,
  ],
};

test.each(
  Object.entries(instead).flatMap(([what, [put, message]]) =>
    ['predict.onnx', 'manifest.json'].map((name) => ({ what, name, put, message })),
  ),
)('$what in the place of $name is refused', async ({ name, put, message }) => {
  socket.close();
  const path = join(directory, name);
  await rm(path);
  await put(path);
  expect(await userError(readArtifact(directory))).toMatch(message);
  expect(await userError(load(directory))).toMatch(message);
  if (name === 'manifest.json') {
    await rm(join(directory, '.cofactor'), { recursive: true });
    expect(await userError(openModelFolder(directory))).toMatch(/has other files than those of a model/);
  }
});

test('links are files with trust, and a folder may be a link without', async () => {
  const linked = join(folder.path, `linked-${count}`);
  await symlink(directory, linked);
  expectSame(await readArtifact(linked), artifact);
  for (const name of ['predict.onnx', 'manifest.json']) {
    const elsewhere = join(folder.path, `${count}-${name}`);
    await rename(join(directory, name), elsewhere);
    await symlink(elsewhere, join(directory, name));
  }
  expect(await userError(readArtifact(directory))).toMatch(/manifest.json: is a link/);
  expectSame(await readArtifact(directory, { trust: true }), artifact);
  await rm(join(directory, 'predict.onnx'));
  execFileSync('mkfifo', [join(directory, 'predict.onnx')]);
  expect(await userError(readArtifact(directory, { trust: true }))).toMatch(/predict.onnx: is a pipe/);
});

test('a link in the place of the folder of a new artifact is not followed, neither to read nor to write', async () => {
  const other = join(folder.path, `other-${count}`);
  await writeArtifact(other, made('other'));
  await symlink(other, join(directory, '.cofactor', 'pending'));
  expectSame(await readArtifact(directory), artifact);
  const next = made('next');
  await writeArtifact(directory, next);
  expectSame(await readArtifact(directory), next);
  expect((await readArtifact(other)).manifest.model.name).toBe('other');
});

test('a file of its own size with holes, larger than the memory, is refused before it is read', async () => {
  const { files } = artifact.manifest;
  const holes = Object.fromEntries(
    Array.from({ length: 99 }, (_, index) => [
      `hole-${index}.onnx`,
      { bytes: 2 ** 31, sha256: files['predict.onnx'].sha256 },
    ]),
  );
  const hole = await open(join(directory, 'hole-0.onnx'), 'w');
  await hole.truncate(2 ** 31);
  await hole.close();
  for (let index = 1; index < 99; index++)
    await link(join(directory, 'hole-0.onnx'), join(directory, `hole-${index}.onnx`));
  await writeFile(
    join(directory, 'manifest.json'),
    JSON.stringify({ ...artifact.manifest, files: { ...holes, ...files } }),
  );
  expect(await userError(readArtifact(directory))).toMatch(
    /has files of \d+ bytes, more than the \d+ of the/,
  );
});

test('a checkpoint that is a pipe is refused', async () => {
  const path = join(directory, '.cofactor', 'checkpoint');
  execFileSync('mkfifo', [path]);
  expect(await userError(readCheckpoint(path, {}))).toMatch(/is a pipe or a device/);
});

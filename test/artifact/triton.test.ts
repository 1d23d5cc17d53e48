import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { writeTritonRepository } from '../../src/artifact/triton.ts';
import { buildModel, encodeModel, input, sigmoid } from '../../src/onnx/index.ts';
import { temporaryFolder, userError } from '../support/files.ts';

const folder = temporaryFolder();

/** An artifact with a head whose tensors have these names. */
function artifactOf(from: string, to: string): Artifact {
  const x = input(from, 'float', ['n']);
  const bytes = encodeModel(buildModel({ name: 'odd', inputs: [x], outputs: { [to]: sigmoid(x) } }));
  return { files: { 'predict.onnx': bytes } } as unknown as Artifact;
}

/** The strings of a text of protobuf, by its rules: an escape is a byte, and the bytes are UTF-8. */
function stringsIn(text: string): string[] {
  const literal = /name: "((?:[^"\\\n]|\\[0-7]{3})*)"(?= data_type|$)/gm;
  return Array.from(text.matchAll(literal), ([, inside]) => {
    const bytes = inside
      .split(/(\\[0-7]{3})/)
      .map((part) =>
        part.startsWith('\\') ? Buffer.of(Number.parseInt(part.slice(1), 8)) : Buffer.from(part),
      );
    return Buffer.concat(bytes).toString();
  });
}

test.each([
  ['plain', 'x', 'y'],
  ['quo"te \'', 'x" data_type: TYPE_BOOL }', 'y\\'],
  ['Zoë 日本', 'a\nb\tc\r\x00\x1b[31m', '\u202e\u{e0041}é\x7f\x9b'],
])('names are written as protobuf reads them: %j', async (name, from, to) => {
  const repository = join(folder.path, 'repository');
  await writeTritonRepository(repository, name, artifactOf(from, to));
  const text = await readFile(join(repository, `${name}.predict`, 'config.pbtxt'), 'utf8');
  expect(stringsIn(text)).toEqual([`${name}.predict`, from, to]);
  expect(text.trimEnd().split('\n')).toHaveLength(5);
  expect(text).not.toMatch(/[^\n\P{Cc}]|\u202e/u);
});

test.each(['', '.', '..', '../up', 'a/b', 'a\\b', '.hidden', ' a', 'a\nb', 'a\x1b', 'a\u202eb', 5])(
  'no model is called %j',
  async (name) => {
    const repository = join(folder.path, 'none');
    const asked = writeTritonRepository(repository, name as string, artifactOf('x', 'y'));
    expect(await userError(asked)).toMatch(/^the name of the model is .*; give a name without slashes/);
    expect(await readdir(folder.path)).not.toContain('none');
  },
);

test('a configuration may have more in it, and each version has all heads; one export at a time', async () => {
  const repository = join(folder.path, 'shared');
  const heads = { 'predict.onnx': artifactOf('x', 'y').files['predict.onnx'] };
  const artifact = { files: { ...heads, 'similar.onnx': heads['predict.onnx'] } } as unknown as Artifact;
  await writeTritonRepository(repository, 'm', artifact);
  const path = join(repository, 'm.predict', 'config.pbtxt');
  const more = `${await readFile(path, 'utf8')}instance_group [ { count: 2 } ]\n`;
  await writeFile(path, more);
  const results = await Promise.allSettled(
    [1, 2, 3].map(() => writeTritonRepository(repository, 'm', artifact)),
  );
  const done = results.filter(({ status }) => status === 'fulfilled').length;
  expect(done).toBeGreaterThan(0);
  for (const result of results)
    if (result.status === 'rejected')
      expect(String(result.reason)).toMatch(/another cofactor .* is writing there/);
  expect(await readFile(path, 'utf8')).toBe(more);
  const versions = Array.from({ length: done + 1 }, (_, index) => `${index + 1}`);
  // As after a kill between two heads.
  await mkdir(join(repository, 'm.predict', `${done + 2}`));
  expect((await writeTritonRepository(repository, 'm', artifact)).map(({ version }) => version)).toEqual([
    done + 3,
    done + 3,
  ]);
  await rm(join(repository, 'm.predict', `${done + 2}`), { recursive: true });
  versions.push(`${done + 3}`);
  for (const head of ['predict', 'similar'])
    expect((await readdir(join(repository, `m.${head}`))).sort()).toEqual([
      '.cofactor',
      ...versions,
      'config.pbtxt',
    ]);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { readArtifact, writeArtifact } from '../../src/artifact/artifact.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { generator, uniforms } from '../../src/util/random.ts';
import { temporaryFolder } from '../support/files.ts';
import { expectSame, made } from '../support/made.ts';
import { runs } from '../support/soak.ts';

const folder = temporaryFolder();
const names = ['predict.onnx', 'similar.onnx'];
// One has files that the other lacks, and that go with it.
const artifacts = [
  made('one', [...names, 'seen.onnx', 'titles.json'], 100_000),
  made('other', names, 100_000),
];
let script: string;

beforeAll(async () => {
  script = join(folder.path, 'writer.mjs');
  await symlink(resolve('node_modules'), join(folder.path, 'node_modules'));
  await build({
    stdin: {
      contents: `
        import { readArtifact, writeArtifact } from './src/artifact/artifact.ts';
        const [target, ...sources] = process.argv.slice(2);
        const artifacts = await Promise.all(sources.map(readArtifact));
        process.stdout.write('ready');
        for (let turn = 0; ; turn++) {
          const { files, manifest } = artifacts[turn % 2];
          await writeArtifact(target, { files, manifest: { ...manifest, training: { objective: 'rating', turn } } });
        }
      `,
      resolveDir: '.',
    },
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  for (const artifact of artifacts) {
    await writeArtifact(join(folder.path, artifact.manifest.model.name), artifact);
  }
});

/** Kills, at the end of `during`, another process that writes one artifact over the other, again and again. */
async function whileWriting(target: string, during: () => Promise<void>): Promise<void> {
  const sources = artifacts.map(({ manifest }) => join(folder.path, manifest.model.name));
  const child = spawn(process.execPath, [script, target, ...sources], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  try {
    await once(child.stdout, 'data');
    await during();
  } finally {
    child.kill('SIGKILL');
    expect((await exit)[1]).toBe('SIGKILL');
  }
}

async function expectWhole(target: string): Promise<string> {
  const { files, manifest } = await readArtifact(target);
  const expected = artifacts.find(
    (artifact) => artifact.manifest.model.name === manifest.model.name,
  ) as Artifact;
  // Each turn of the writer has a number of its own.
  expectSame({ files, manifest: { ...manifest, training: expected.manifest.training } }, expected);
  return manifest.model.name;
}

describe('a process that overwrites an artifact in a loop', () => {
  test('and is killed at random moments leaves one of the two, complete', async () => {
    const times = runs(4, 40);
    const seen: string[] = [];
    // Side by side, because most of the time goes into starting processes.
    const killed = [11, 12].map(async (seed) => {
      const target = join(folder.path, `killed-${seed}`);
      await writeArtifact(target, artifacts[0]);
      const random = generator(seed);
      // Which of the two is left is chance, so more kills may be needed to see both.
      for (let time = 0; time < times || new Set(seen).size < 2; time++) {
        await whileWriting(target, () => setTimeout(uniforms(1, random)[0] * 200));
        seen.push(await expectWhole(target));
      }
      await writeArtifact(target, artifacts[1]);
      expect(await expectWhole(target)).toBe('other');
      expect(await readdir(join(target, '.cofactor'))).toEqual(['model']);
      expect((await readdir(target)).sort()).toEqual(['.cofactor', 'manifest.json', ...names]);
    });
    await Promise.all(killed);
    expect(seen.length).toBeGreaterThanOrEqual(2 * times);
    expect([...new Set(seen)].sort()).toEqual(['one', 'other']);
  });

  test('never shows a reader a mixture of the two', async () => {
    const target = join(folder.path, 'read');
    await writeArtifact(target, artifacts[0]);
    const seen = new Set<string>();
    await whileWriting(target, async () => {
      for (let time = 0; time < runs(30, 150) || seen.size < 2; time++) seen.add(await expectWhole(target));
    });
    expect([...seen].sort()).toEqual(['one', 'other']);
  });
});

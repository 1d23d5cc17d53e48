import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { readArtifact, writeArtifact } from '../../src/artifact/artifact.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { readCheckpoint, writeCheckpoint } from '../../src/train/checkpoint.ts';
import type { Checkpoint } from '../../src/train/progress.ts';
import { temporaryFolder, userError } from '../support/files.ts';
import { expectSame, made } from '../support/made.ts';
import { runs } from '../support/soak.ts';

/** The process dies when it has no steps left: each change of the disk is one, and nothing works after the last. */
const life = vi.hoisted(() => ({
  left: Number.POSITIVE_INFINITY,
  log: [] as string[],
  step(what: string) {
    if (life.left <= 0) throw new Error('killed');
    life.left--;
    life.log.push(what);
  },
}));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const remove = async (path: string, options: object): Promise<void> => {
    const children = await real.readdir(path).catch(() => []);
    for (const child of children) await remove(join(path, child), options);
    life.step(`remove ${basename(path)}`);
    await real.rm(path, options);
  };
  const open = async (path: string, flags: string | number) => {
    const name = basename(path);
    // Flags for reading are numbers.
    if (typeof flags === 'number') return real.open(path, flags);
    if (flags !== 'r') life.step(`create ${name}`);
    const file = await real.open(path, flags);
    return {
      async writeFile(bytes: Uint8Array) {
        for (const part of [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)]) {
          life.step(`write ${name}`);
          await file.writeFile(part);
        }
      },
      // Only the process dies here, and what it has written stays.
      async sync() {
        life.step(`sync ${name}`);
      },
      stat: () => file.stat(),
      chmod: (mode: number) => file.chmod(mode),
      close: () => file.close(),
    };
  };
  return {
    ...real,
    open,
    rm: remove,
    async mkdir(path: string, options: object) {
      life.step(`make ${basename(path)}`);
      return real.mkdir(path, options);
    },
    async rename(from: string, to: string) {
      life.step(`move ${basename(dirname(from))}/${basename(from)} to ${basename(to)}`);
      await real.rename(from, to);
    },
  };
});

/** Runs until it is killed after so many steps; says whether it came to its end. */
async function killedAfter(steps: number, run: () => Promise<void>): Promise<boolean> {
  life.left = steps;
  const ended = await run().then(
    () => true,
    () => false,
  );
  life.left = Number.POSITIVE_INFINITY;
  return ended;
}

const folder = temporaryFolder();
let folders = 0;
function newPath(): string {
  const path = join(folder.path, `${folders++}`);
  mkdirSync(path);
  return path;
}

afterEach(() => {
  life.left = Number.POSITIVE_INFINITY;
  life.log.length = 0;
});

const names = ['predict.onnx', 'similar.onnx'];
const [next, last] = ['next', 'last'].map((label) => made(label, names));
// The others lack one of its files, which goes with it.
const old = made('old', [...names, 'seen.onnx']);

/** Which of these, wholly, is read. */
async function readOf(path: string, candidates: readonly Artifact[]): Promise<string> {
  const found = await readArtifact(path);
  const match = candidates.find(({ manifest }) => manifest.model.name === found.manifest.model.name);
  expectSame(found, match as Artifact);
  return found.manifest.model.name;
}

/** Once there is something new to read it stays. */
function expectOneChange(seen: readonly string[], from: string, to: string) {
  const turn = seen.indexOf(to);
  expect(turn).toBeGreaterThan(0);
  expect(seen).toEqual(seen.map((_, at) => (at < turn ? from : to)));
}

describe('writeArtifact, killed after each step', () => {
  async function begun(): Promise<string> {
    const path = newPath();
    await writeArtifact(path, old);
    writeFileSync(join(path, 'notes.txt'), 'mine');
    return path;
  }

  async function expectHealed(path: string, others: readonly string[]) {
    await writeArtifact(path, last);
    expect(await readOf(path, [last])).toBe('last');
    expect(readdirSync(path).sort()).toEqual(['.cofactor', 'manifest.json', ...others, ...names]);
  }

  test('leaves the old artifact or the new one; the next writer leaves nothing else', async () => {
    const seen: string[] = [];
    for (let ended = false; !ended; ) {
      const path = await begun();
      ended = await killedAfter(seen.length, () => writeArtifact(path, next));
      seen.push(await readOf(path, [old, next]));
      await expectHealed(path, ['notes.txt']);
    }
    expect(seen.length).toBeGreaterThan(15);
    expectOneChange(seen, 'old', 'next');
  });

  test('and so does the next writer when it is killed, too', async () => {
    let pairs = 0;
    // Not after each step in `npm test`: all pairs are many.
    for (let first = 0, firstEnded = false; !firstEnded; first += runs(5, 1)) {
      const seen: string[] = [];
      let before = '';
      for (let ended = false; !ended; pairs++) {
        const path = await begun();
        firstEnded = await killedAfter(first, () => writeArtifact(path, next));
        before = await readOf(path, [old, next]);
        ended = await killedAfter(seen.length, () => writeArtifact(path, last));
        seen.push(await readOf(path, [old, next, last]));
        await expectHealed(path, ['notes.txt']);
      }
      expectOneChange(seen, before, 'last');
    }
    expect(pairs).toBeGreaterThan(runs(60, 300));
  });

  test('in a new folder leaves no model or the new one', async () => {
    const seen: string[] = [];
    for (let ended = false; !ended; ) {
      const path = join(newPath(), 'new');
      ended = await killedAfter(seen.length, () => writeArtifact(path, next));
      const found = await readOf(path, [next]).catch(async () => {
        expect(await userError(readArtifact(path))).toContain('is not a trained model');
        return 'none';
      });
      seen.push(found);
      await expectHealed(path, []);
    }
    expectOneChange(seen, 'none', 'next');
  });

  test('syncs all files before the switch, and moves the manifest last', async () => {
    const path = await begun();
    life.log.length = 0;
    await writeArtifact(path, next);
    const turn = life.log.findIndex((step) => step.endsWith('to pending'));
    const [before, after] = [life.log.slice(0, turn), life.log.slice(turn + 1)];
    for (const name of [...names, 'manifest.json']) {
      expect(before.lastIndexOf(`write ${name}`)).toBeLessThan(before.indexOf(`sync ${name}`));
    }
    expect(before.at(-1)).toBe('sync incoming');
    expect(after[0]).toBe('sync .cofactor');
    expect(after.filter((step) => step.startsWith('move')).at(-1)).toBe(
      'move pending/manifest.json to manifest.json',
    );
  });
});

test('writeCheckpoint, killed after each step, leaves the old one or the new one', async () => {
  const settings = { training: { epochs: 2 } };
  const [before, after, final] = [1, 2, 3].map(
    (value): Checkpoint => ({
      settings,
      parts: {
        rating: {
          history: [{ loss: value }],
          carried: { user_bias: { dims: [100], data: new Float32Array(100).fill(value) } },
        },
      },
    }),
  );
  const seen: string[] = [];
  for (let ended = false; !ended; ) {
    const path = join(newPath(), 'checkpoint');
    await writeCheckpoint(path, before);
    ended = await killedAfter(seen.length, () => writeCheckpoint(path, after));
    const found = await readCheckpoint(path, settings);
    expect([before, after]).toContainEqual(found);
    seen.push(String(found.parts.rating?.history[0].loss));
    await writeCheckpoint(path, final);
    expect(await readCheckpoint(path, settings)).toEqual(final);
    expect(readdirSync(dirname(path))).toEqual(['checkpoint']);
  }
  expectOneChange(seen, '1', '2');
});

import { spawnSync } from 'node:child_process';
import { mkdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { generator, shuffled, uniform } from '../../src/util/random.ts';
import { temporaryFolder } from '../support/files.ts';
import { failAt, type Moment, onlyAbout, whyNoMoments } from '../support/moments.ts';
import { differences, type Reference, referenceOf, treeFor } from '../support/undisturbed.ts';
import { type End, Workplace, WRITING, type Writing } from '../support/writing.ts';

// The file system fails at random moments. COUNT says how often, over all commands.

const FAULTS = Number(process.env.COUNT ?? 10);
const why = whyNoMoments();
const folder = temporaryFolder();
const random = generator(inject('soak') ?? 1);
const one = <T>(all: readonly T[]): T => all[Math.floor(uniform(random) * all.length)];
const tally = { failed: 0, harmless: 0 };

let inputs: Workplace;
beforeAll(async () => {
  inputs = new Workplace(join(folder.path, 'inputs'));
  await inputs.makeInputs();
});
afterAll(() => console.info(`Faults: ${JSON.stringify(tally)}`));

/** How each call can fail. */
const ERRORS: Readonly<Record<Moment['call'], readonly string[]>> = {
  openat: ['EACCES', 'EROFS', 'ENOSPC', 'EDQUOT', 'EIO'],
  mkdir: ['EACCES', 'EROFS', 'ENOSPC', 'EDQUOT'],
  write: ['ENOSPC', 'EDQUOT', 'EIO'],
  pwrite64: ['ENOSPC', 'EDQUOT', 'EIO'],
  ftruncate: ['EIO'],
  fsync: ['EIO', 'ENOSPC', 'EDQUOT'],
  rename: ['EACCES', 'EROFS', 'ENOSPC', 'EIO'],
  unlink: ['EACCES', 'EROFS', 'EIO'],
  rmdir: ['EACCES', 'EROFS', 'EIO'],
};

/** Calls that a program itself does not need, so that they may fail wherever they are made. */
const OURS: readonly string[] = ['mkdir', 'rename', 'fsync'];

interface Fault {
  readonly name: string;
  readonly before: readonly string[];
}

function faultOf({ moments }: Reference, place: Workplace): Fault {
  const call = one([...new Set(moments.map((moment) => moment.call))]);
  const moment = one(moments.filter((moment) => moment.call === call));
  const [error, endless] = [one(ERRORS[call]), uniform(random) < 0.5 ? '+' : ''];
  // By its order where the name is not known before.
  const byOrder = OURS.includes(call) && uniform(random) < 0.5;
  const when = `${byOrder ? moment.when : one([1, 1, 1, 2, 4])}${endless}`;
  const name = `${error} at ${call} ${when} of ${byOrder ? 'all' : moment.paths.at(-1)}`;
  const [program, ...flags] = failAt(call, when, error);
  return { name, before: [program, ...(byOrder ? [] : onlyAbout(moment, place)), ...flags] };
}

/** The last line says what is wrong; notes may come before it. */
function expectFault({ code, signal, stderr }: End): void {
  expect(code ?? signal, stderr).toBe(1);
  const lines = stderr.trimEnd().split('\n');
  expect(
    lines.filter((line) => line.startsWith('cofactor: ')),
    stderr,
  ).toEqual([lines.at(-1)]);
  expect(stderr).not.toMatch(/this is a bug|^\s+at |Unknown system error|undefined|\[object/m);
}

async function expectIntact(place: Workplace, writing: Writing, reference: Reference, before: object) {
  const { older, newer } = reference;
  for (const [path, state] of Object.entries(await place.results(writing)))
    expect([older[path], newer[path]], path).toContain(state);
  expect(await place.inputs(writing)).toEqual(before);
}

async function expectGoesOn(place: Workplace, writing: Writing, { tree }: Reference) {
  await place.finish(writing.args);
  expect(differences(treeFor(writing, await place.tree()), tree).join('; ')).toBe('');
}

/** @returns whether there was a fault that the command could not do without, and what went wrong */
async function tryInjected(writing: Writing, reference: Reference) {
  const path = join(folder.path, 'tried');
  await rm(path, { recursive: true, force: true });
  const place = await Workplace.copyOf(reference.before, path);
  const before = await place.inputs(writing);
  const fault = faultOf(reference, place);
  const end = await place.start(writing.args, fault.before).ended;
  const failed = end.code !== 0;
  try {
    if (failed) expectFault(end);
    await expectIntact(place, writing, reference, before);
    await expectGoesOn(place, writing, reference);
  } catch (error) {
    return { failed, failure: `${writing.name}, ${fault.name}: ${(error as Error).message}` };
  }
  return { failed };
}

/** A run on a file system of its own, which is full but for some bytes, or cannot be written. */
async function tryMounted(writing: Writing, reference: Reference) {
  const place = new Workplace(join(folder.path, 'mounted'));
  await mkdir(place.work, { recursive: true });
  mount('-t', 'tmpfs', '-o', 'size=1g', 'tmpfs', place.work);
  let name = 'read-only';
  try {
    await Workplace.copyOf(reference.before, place.path);
    const before = await place.inputs(writing);
    if (uniform(random) < 0.3) mount('-o', 'remount,ro', place.work);
    else {
      const { blocks, bfree, bsize } = await statfs(place.work);
      const room = Math.floor(uniform(random) ** 3 * reference.bytes * 1.5);
      name = `full but for ${room} bytes`;
      mount('-o', `remount,size=${(blocks - bfree) * bsize + room}`, place.work);
    }
    const end = await place.start(writing.args).ended;
    const failed = end.code !== 0;
    if (failed) expectFault(end);
    await expectIntact(place, writing, reference, before);
    mount('-o', 'remount,rw,size=1g', place.work);
    await expectGoesOn(place, writing, reference);
    return { failed };
  } catch (error) {
    return { failed: true, failure: `${writing.name}, ${name}: ${(error as Error).message}` };
  } finally {
    spawnSync('umount', ['-l', place.work]);
    await rm(place.path, { recursive: true, force: true });
  }
}

function mount(...args: string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`);
}

/** Tries commands in turn, until so many have failed. */
async function failing(
  count: number,
  tryOnce: (writing: Writing, reference: Reference) => Promise<{ failed: boolean; failure?: string }>,
): Promise<string[]> {
  const failures: string[] = [];
  const order = shuffled(WRITING.length, random);
  for (let tries = 0, failed = 0; failed < count; tries++) {
    expect(tries, 'most runs come to their end').toBeLessThan(10 * (count + 1));
    const writing = WRITING[order[tries % order.length]];
    const found = await tryOnce(writing, await referenceFor(writing));
    if (found.failed) {
      failed++;
      tally.failed++;
    } else tally.harmless++;
    if (found.failure) failures.push(found.failure);
  }
  return failures;
}

const references = new Map<Writing, Promise<Reference>>();

function referenceFor(writing: Writing): Promise<Reference> {
  const path = join(folder.path, 'references', writing.name);
  const reference =
    references.get(writing) ?? referenceOf(writing, inputs, { path, older: uniform(random) < 0.6 });
  references.set(writing, reference);
  return reference;
}

describe.skipIf(why !== undefined)(`calls that fail${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  const count = Math.ceil(FAULTS / 2);
  test(`${count} times end in one line; nothing is lost, and nothing else is left`, async () => {
    expect(await failing(count, tryInjected)).toEqual([]);
  });
});

const whyNoMount =
  process.platform !== 'linux' || spawnSync('unshare', ['-m', 'true']).status !== 0
    ? 'nothing can be mounted here'
    : undefined;
describe.skipIf(whyNoMount)(`disks${whyNoMount ? ` (skipped: ${whyNoMount})` : ''}`, () => {
  const count = Math.floor(FAULTS / 2);
  test(`that are full or read-only ${count} times end a command in one line; nothing is lost`, async () => {
    expect(await failing(count, tryMounted)).toEqual([]);
  });
});

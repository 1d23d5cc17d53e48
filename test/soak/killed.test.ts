import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { generator, type RandomGenerator, uniform } from '../../src/util/random.ts';
import { temporaryFolder } from '../support/files.ts';
import { type Moment, signalAt } from '../support/moments.ts';
import { differences, type Reference, referenceOf, treeFor } from '../support/undisturbed.ts';
import { type End, Workplace, WRITING, type Writing } from '../support/writing.ts';

// Commands are killed at random moments. COUNT says how often, over all of them.

const KILLS = Math.ceil(Number(process.env.COUNT ?? 30) / WRITING.length);
const folder = temporaryFolder();
const seed = inject('soak') ?? 1;
const tally = { killed: 0, asked: 0, over: 0, resumed: 0, none: 0, older: 0, newer: 0, shorter: 0 };

let inputs: Workplace;
beforeAll(async () => {
  inputs = new Workplace(join(folder.path, 'inputs'));
  await inputs.makeInputs();
});
afterAll(() => console.info(`Kills: ${JSON.stringify(tally)}`));

interface Disturbance {
  readonly name: string;
  readonly signal: 'KILL' | 'TERM' | 'INT';
  /** A call, or a part of the time of a run. */
  readonly moment: Moment | number;
}

function disturbance({ moments }: Reference, random: RandomGenerator): Disturbance {
  const one = <T>(all: readonly T[]): T => all[Math.floor(uniform(random) * all.length)];
  const signal = one(['KILL', 'KILL', 'KILL', 'KILL', 'TERM', 'INT'] as const);
  if (moments.length === 0 || uniform(random) < 0.4) {
    const moment = uniform(random);
    return { name: `${signal} after ${moment.toFixed(3)} of the time`, signal, moment };
  }
  // By kind first, because most calls are writes.
  const call = one([...new Set(moments.map((moment) => moment.call))]);
  const moment = one(moments.filter((moment) => moment.call === call));
  return { name: `${signal} at ${call} ${moment.when}, ${moment.paths.at(-1)}`, signal, moment };
}

async function disturbed(
  place: Workplace,
  args: readonly string[],
  { signal, moment }: Disturbance,
  took: number,
) {
  if (typeof moment !== 'number') return place.start(args, signalAt(moment, signal)).ended;
  const { child, ended } = place.start(args);
  await Promise.race([setTimeout(moment * 0.9 * took), ended]);
  child.kill(`SIG${signal}`);
  return ended;
}

function expectEnd({ code, signal, stderr }: End, sent: Disturbance['signal']): void {
  expect(stderr).not.toMatch(/this is a bug|^\s+at /m);
  const stopped =
    /training was stopped before the end of its first epoch|stopped before the end, so .* keeps the model/.test(
      stderr,
    )
      ? [1]
      : [];
  const asked = sent === 'KILL' ? [] : [130, 143, `SIG${sent}`, ...stopped];
  expect([0, 'SIGKILL', ...asked], stderr).toContain(code ?? signal);
}

/** A training that was asked to stop keeps a model of fewer epochs, and what was made of it. */
function expectResults(
  found: Record<string, string>,
  { older, newer }: Reference,
  { outputs, canBeShorter }: Pick<Writing, 'outputs'> & { readonly canBeShorter: boolean },
): void {
  for (const [path, state] of Object.entries(found)) {
    const which = [older[path], newer[path]].indexOf(state);
    if (which < 0 && canBeShorter) tally.shorter++;
    else {
      // Without a checkpoint, no mixture of training files is used.
      const allowed = [older[path], newer[path], ...(outputs[path] === 'training' ? ['none'] : [])];
      expect(allowed, path).toContain(state);
      tally[state === 'none' ? 'none' : which === 0 ? 'older' : 'newer']++;
    }
  }
}

/** Disturbs a run, and runs the command again. @returns whether it ended early, and what went wrong */
async function tryOnce(writing: Writing, reference: Reference, random: RandomGenerator) {
  const path = join(folder.path, 'tried');
  await rm(path, { recursive: true, force: true });
  const place = await Workplace.copyOf(reference.before, path);
  const before = await place.inputs(writing);
  const how = disturbance(reference, random);
  const end = await disturbed(place, writing.args, how, reference.took);
  if (end.code === 0) tally.over++;
  else if (how.signal === 'KILL') tally.killed++;
  else tally.asked++;
  try {
    expectEnd(end, how.signal);
    const canBeShorter = writing.resumes === true && how.signal !== 'KILL';
    expectResults(await place.results(writing), reference, { outputs: writing.outputs, canBeShorter });
    expect(await place.inputs(writing)).toEqual(before);
    // A run that came to its end is looked at as it is.
    if (end.code !== 0 || how.signal !== 'KILL') await goOn(place, writing, random);
    expect(differences(treeFor(writing, await place.tree()), reference.tree).join('; ')).toBe('');
  } catch (error) {
    return { early: end.code !== 0, failure: `${how.name}: ${(error as Error).message}` };
  }
  return { early: end.code !== 0 };
}

/** Resumes a training from its checkpoint, if there is one; else runs the command anew. */
async function goOn(place: Workplace, { args, resumes }: Writing, random: RandomGenerator): Promise<void> {
  if (resumes && uniform(random) < 0.6) {
    const { code, stderr } = await place.start([...args, '--resume']).ended;
    if (code === 0) {
      tally.resumed++;
      return;
    }
    expect(stderr).toContain('there is no checkpoint to resume from');
  }
  const { code, stderr } = await place.start(args).ended;
  // A search on a busy machine.
  if (stderr.includes('were too short to try')) await place.finish([...args, '--budget', '0.5']);
  else expect(code, stderr).toBe(0);
}

test.each(WRITING.map((writing, number) => ({ name: writing.name, writing, number })))(
  `$name, killed ${KILLS} times: the old result or the new one, and nothing else is left`,
  async ({ writing, number }) => {
    const random = generator(seed, number);
    const path = join(folder.path, writing.name);
    const references = [
      await referenceOf(writing, inputs, { path: join(path, 'first'), older: false }),
      await referenceOf(writing, inputs, { path: join(path, 'second'), older: true }),
    ];
    const failures: string[] = [];
    for (let kills = 0, tries = 0; kills < KILLS; tries++) {
      expect(tries, 'most runs come to their end').toBeLessThan(10 * (KILLS + 1));
      const { early, failure } = await tryOnce(writing, references[tries % 2], random);
      if (early) kills++;
      if (failure) failures.push(failure);
    }
    await rm(path, { recursive: true, force: true });
    expect(failures).toEqual([]);
  },
);

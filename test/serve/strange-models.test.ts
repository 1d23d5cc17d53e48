import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { headOf } from '../../src/artifact/manifest.ts';
import { checkModel } from '../../src/onnx/check-model.ts';
import { GraphError } from '../../src/onnx/index.ts';
import { reasonIn } from '../../src/run/guard.ts';
import { trialLimits } from '../../src/serve/trial-limits.ts';
import { built } from '../../src/util/built.ts';
import { temporaryFolder } from '../support/files.ts';
import { runs } from '../support/soak.ts';
import { attacked, damaged, diceOf, edited, withTableIn } from './hostile-models.ts';

const MODELS = Number(process.env.COUNT ?? runs(150, 1000));
const ARTIFACTS = join(import.meta.dirname, '../support/artifacts');

const folder = temporaryFolder();
const heads: Uint8Array[] = [];
let canary: string;
let child: ChildProcess | undefined;
/** The end of the process's standard error. */
let log = '';
beforeAll(async () => {
  for (const artifact of ['format-4', 'format-4-interactions', 'format-1'])
    for (const name of await readdir(join(ARTIFACTS, artifact)))
      if (headOf(name) !== undefined) heads.push(await readFile(join(ARTIFACTS, artifact, name)));
  canary = await folder.write('canary.bin', 'CANARY!!'.repeat(100));
});
afterAll(() => child?.kill('SIGKILL'));

async function started(): Promise<ChildProcess> {
  const process = fork(
    join(import.meta.dirname, '../support/open-heads.mjs'),
    [built('guard-thread.js').href],
    {
      cwd: folder.path,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    },
  );
  process.stderr?.on('data', (text) => {
    log = (log + text).slice(-10_000);
  });
  await once(process, 'message');
  return process;
}

interface Outcome {
  /** `answered`, `leaked`, `refused: …`, or `died: …`. */
  readonly result: string;
  /** Time of processors. */
  readonly seconds: number;
}

/** Loads and runs a file in the process, and starts another process if it dies of that. */
async function opened(bytes: Uint8Array): Promise<Outcome> {
  child ??= await started();
  const running = child;
  log = '';
  return new Promise((resolve) => {
    const ended = (code: number | null, signal: string | null): void => {
      child = undefined;
      resolve({ result: `died: ${reasonIn(log) ?? signal ?? code}`, seconds: 0 });
    };
    running.once('close', ended);
    running.once('message', (outcome: Outcome) => {
      running.off('close', ended);
      running.removeAllListeners('message');
      resolve(outcome);
    });
    running.send({ bytes, limits: trialLimits(bytes.length, 'cpu') });
  });
}

function checked(bytes: Uint8Array): string | undefined {
  try {
    checkModel(bytes);
    return undefined;
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    expect(error.message).toMatch(/^[^\n]{5,400}$/);
    return error.message;
  }
}

const makers = { attacked, edited, damaged };

const models = fc.record({
  kind: fc.constantFrom('attacked' as const, 'edited' as const, 'damaged' as const),
  numbers: fc.array(fc.nat(2 ** 31 - 1), { minLength: 24, maxLength: 24 }),
});

/** Long ago, so that a reader changes it on every file system that keeps the time of reading. */
const NEVER = new Date('2001-01-01');

test('without the check a model reads another file, and this is noticed', async () => {
  // Of an unknown item it answers with the last row of the table, as it is.
  const head = await readFile(join(ARTIFACTS, 'format-4/factors.onnx'));
  const bytes = withTableIn(head, 'canary.bin');
  expect(await opened(bytes)).toMatchObject({ result: 'leaked' });
  expect(checked(bytes)).toMatch(/its numbers in another file/);
});

test(`of ${MODELS} strange models each is refused or answers, and none reads another file`, async () => {
  await utimes(canary, NEVER, new Date());
  const counts: Record<string, number> = {};
  const most = { 'ms of the check': 0, 's of a run': 0 };
  for (const { kind, numbers } of fc.sample(models, MODELS)) {
    const dice = diceOf(numbers);
    const bytes = makers[kind](dice.one(heads), dice, canary);
    const start = performance.now();
    const refusal = checked(bytes);
    most['ms of the check'] = Math.max(most['ms of the check'], performance.now() - start);
    const { result, seconds } =
      refusal === undefined ? await opened(bytes) : { result: 'refused by the check', seconds: 0 };
    most['s of a run'] = Math.max(most['s of a run'], seconds);
    expect(result).not.toBe('leaked');
    const outcome = `${kind}: ${result.replace(/^refused: .*/s, 'refused by ONNX Runtime')}`;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  console.info(counts, most);
  expect((await stat(canary)).atime).toEqual(NEVER);
  expect(most['s of a run']).toBeLessThan(5);
  const count = (result: string): number =>
    Object.entries(counts).reduce((sum, [name, times]) => (name.includes(result) ? sum + times : sum), 0);
  expect(count('refused by the check')).toBeGreaterThan(MODELS / 3);
  expect(count('answered')).toBeGreaterThan(MODELS / 30);
  expect(count('died')).toBeLessThan(MODELS / 50);
});

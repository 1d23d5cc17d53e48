import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { program, ratingsCsv, workplace } from '../support/cli.ts';

const { write, at, text, json, contents, manifest } = workplace();

const EPOCHS = 100;
/** A training that is long enough to be cut off, and short enough to be done again. */
const training = (out: string) => [
  ...['train', 'many.csv', '--out', out, '--objective', 'rating'],
  ...['--factors', '4', '--epochs', `${EPOCHS}`, '--no-valid'],
];

/** What the same training comes to that is never cut off. */
let whole: string[];
beforeAll(async () => {
  await write('many.csv', ratingsCsv({ users: 400, items: 40 }));
  await text(...training('whole'));
  whole = Object.values(await contents('whole'));
});

/** Starts a training, and waits until it has written a checkpoint. */
async function begin(out: string, args: string[], checkpoint = 'checkpoint') {
  const written = () => statSync(at(`${out}/.cofactor/${checkpoint}`), { throwIfNoEntry: false })?.mtimeMs;
  const before = written();
  const child = spawn(process.execPath, [program, ...args], { cwd: at() });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk) => {
      printed[name] += chunk;
    });
  const ended = new Promise<{ code: number | null; signal: string | null } & typeof printed>((done) =>
    child.on('close', (code, signal) => done({ code, signal, ...printed })),
  );
  while (written() === before) {
    expect(child.exitCode, printed.stderr).toBe(null);
    await setTimeout(5);
  }
  return { child, ended };
}

test('the first Ctrl-C ends training after the running epoch and keeps the model; --resume goes on', async () => {
  const { child, ended } = await begin('kept', [...training('kept'), '--json']);
  child.kill('SIGINT');
  const { code, stdout, stderr } = await ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/Stopping after this epoch/) });
  const { epochs } = JSON.parse(stdout);
  expect(epochs).toBeLessThan(EPOCHS);
  expect((await manifest('kept')).history).toHaveLength(epochs);
  expect(await json('predict', 'kept', '--user', 'u1', '--item', 'i1')).toHaveLength(1);

  expect(await json(...training('kept'), '--resume')).toMatchObject({ epochs: EPOCHS });
  expect(Object.values(await contents('kept'))).toEqual(whole);
  expect(existsSync(at('kept/.cofactor/checkpoint'))).toBe(false);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s while it reads leaves nothing', async (signal) => {
  const scratch = at('scratch');
  await mkdir(scratch, { recursive: true });
  const child = spawn(process.execPath, [program, 'train', '-', '--out', 'reading'], {
    cwd: at(),
    env: { ...process.env, TMPDIR: scratch },
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  await expect.poll(() => readdir(scratch), { interval: 10, timeout: 60_000 }).toHaveLength(1);
  child.kill(signal);
  expect(await once(child, 'close')).toEqual([null, signal]);
  expect(stderr).toBe('');
  expect([await readdir(scratch), existsSync(at('reading'))]).toEqual([[], false]);
});

test('a folder that has a model keeps it, and --resume goes on', async () => {
  await text(
    'train',
    'ratings.csv',
    '--out',
    'served',
    '--factors',
    '2',
    '--epochs',
    '1',
    '--objective',
    'rating',
  );
  const before = await contents('served');
  const { child, ended } = await begin('served', training('served'));
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /\ncofactor: stopped before the end, so served keeps the model that it had; with the same settings, --resume resumes from served\/\.cofactor\/checkpoint\n$/,
    ),
  });
  expect(await contents('served')).toMatchObject(before);
  await text(...training('served'), '--resume');
  expect(Object.values(await contents('served'))).toEqual(whole);
});

test('of both parts, the first is kept alone, and --resume trains the other, too', async () => {
  const both = (out: string) => [
    ...training(out).filter((word) => !['--objective', 'rating'].includes(word)),
    '--ranking-epochs',
    '2',
  ];
  await text(...both('all'));
  const { child, ended } = await begin('parts', [...both('parts'), '--json']);
  child.kill('SIGINT');
  const { code, stdout, stderr } = await ended;
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ objective: 'rating' });
  expect(stderr).toContain('--resume resumes from parts/.cofactor/checkpoint');
  expect(await json(...both('parts'), '--resume')).toMatchObject({ objective: 'both', epochs: EPOCHS });
  expect(Object.values(await contents('parts'))).toEqual(Object.values(await contents('all')));
  expect(existsSync(at('parts/.cofactor/checkpoint'))).toBe(false);
});

describe('while the recipe is judged', () => {
  const judged = (out: string) => training(out).map((word) => (word === '--no-valid' ? '--valid=0.1' : word));
  const patient = ['--patience', `${EPOCHS}`];

  test('Ctrl-C keeps what was judged, and says that it lacks what is held out', async () => {
    const { child, ended } = await begin('judging', [...judged('judging'), ...patient], 'trial-checkpoint');
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^Stopped early, while the recipe was judged: the model is trained without what is held out; .* resumes from judging\/\.cofactor\/trial-checkpoint$/m,
    );
    expect((await manifest('judging')).judged).toMatchObject({ isSaved: true, by: 'random' });
  });

  test('after kill -9, --resume comes to the bytes of a training that was never cut off', async () => {
    await text(...judged('never'), ...patient);
    const { child, ended } = await begin('cut', [...judged('cut'), ...patient], 'trial-checkpoint');
    child.kill('SIGKILL');
    await ended;
    await text(...judged('cut'), ...patient, '--resume');
    expect(Object.values(await contents('cut'))).toEqual(Object.values(await contents('never')));
    expect(existsSync(at('cut/.cofactor'))).toBe(existsSync(at('never/.cofactor')));
  });
});

test('without --json it says how to resume', async () => {
  const { child, ended } = await begin('told', training('told'));
  child.kill('SIGTERM');
  const { code, stdout, stderr } = await ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Wrote told /m);
  expect(stderr).toMatch(
    /^Stopped early; with the same settings, --resume resumes from told\/\.cofactor\/checkpoint$/m,
  );
});

test('after kill -9, twice, --resume comes to the bytes of a training that was never cut off', async () => {
  for (const more of [[], ['--resume']]) {
    const { child, ended } = await begin('killed', [...training('killed'), ...more]);
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    expect(Object.keys(unlocked(await contents('killed')))).toEqual([
      expect.stringMatching(/\.cofactor\/checkpoint$/),
    ]);
  }
  await text(...training('killed'), '--resume');
  expect(Object.values(await contents('killed'))).toEqual(whole);
  expect(existsSync(at('killed/.cofactor/checkpoint'))).toBe(false);
});

test('--resume of a training with other settings is refused, and the checkpoint stays', async () => {
  const { child, ended } = await begin('other', training('other'));
  child.kill('SIGKILL');
  await ended;
  const before = unlocked(await contents());
  const { code, stderr } = spawnResult([...training('other'), '--resume', '--seed', '2']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^cofactor: other\/\.cofactor\/checkpoint: .*seed was 1, is 2.*\n$/);
  expect(await contents()).toEqual(before);
});

/** Without locks and what is not finished, which a killed process leaves and the next one removes. */
const unlocked = (files: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).filter(([name]) => !/(lock|incoming)$/.test(name)));

function spawnResult(args: string[]) {
  const { status, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: at(), encoding: 'utf8' });
  return { code: status, stderr };
}

test('the second Ctrl-C ends the program and leaves the old model', async () => {
  await text(
    'train',
    'ratings.csv',
    '--out',
    'old',
    '--objective',
    'rating',
    '--factors',
    '2',
    '--epochs',
    '1',
  );
  const before = await contents('old');
  // An epoch of single steps lasts long enough for both to fall into it.
  const slow = ['--model', 'mlp', '--hidden', '200,200', '--batch-size', '1', '--epochs', '50', '--no-valid'];
  const { child, ended } = await begin('old', ['train', 'many.csv', '--out', 'old', ...slow]);
  child.kill('SIGINT');
  await once(child.stderr, 'data');
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ signal: 'SIGINT' });
  expect(await contents('old')).toMatchObject(before);
});

test('the second Ctrl-C ends threads in the middle of a step, without an abort', async () => {
  const slow = [
    '--model',
    'mlp',
    '--hidden',
    '400,400',
    '--batch-size',
    '64',
    '--epochs',
    '50',
    '--no-valid',
  ];
  const args = ['train', 'many.csv', '--out', 'aborted', '--blocks', '4,4', '--workers', '3', ...slow];
  for (let tried = 0; tried < 10; tried++) {
    await rm(at('aborted'), { recursive: true, force: true });
    const { child, ended } = await begin('aborted', args);
    child.kill('SIGINT');
    await once(child.stderr, 'data');
    child.kill('SIGINT');
    const { code, signal, stderr } = await ended;
    // A run may be over before.
    if (code !== 0)
      expect({ signal, stderr }).toEqual({
        signal: 'SIGINT',
        stderr: expect.stringMatching(/^\nStopping .*\n$/),
      });
  }
});

test('a reader that closes early does not end a training', async () => {
  const { stderr, ...shell } = spawnSync(
    'sh',
    [
      '-c',
      `(${[process.execPath, program, ...training('unread')].map((word) => `'${word}'`).join(' ')}; echo $? >&3) 2>&1 | true`,
    ],
    { cwd: at(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  );
  expect({ stderr, code: shell.output[3] }).toEqual({ stderr: '', code: '0\n' });
  expect(Object.values(await contents('unread'))).toEqual(whole);
});

// `script` of util-linux runs a command on a terminal of its own; that of macOS has other flags.
const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null'], { input: '' }).status === 0;
const why = hasScript ? '' : ' (skipped: no script of util-linux)';
describe.skipIf(!hasScript)(`on a terminal${why}`, () => {
  const onTerminal = (...args: string[]) => {
    const command = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ');
    const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
      cwd: at(),
      encoding: 'utf8',
      input: '',
    });
    expect(status, stdout).toBe(0);
    return stdout;
  };

  test('a bar shows the epoch, the time left, ratings a second and the loss', () => {
    const printed = onTerminal('train', 'many.csv', '--out', 'bar', '--factors', '4', '--valid', '0.1');
    expect(printed).not.toMatch(/-\d+ s left|-[\d,]+ ratings|Infinity|NaN/);
    expect(printed).toMatch(/epoch 1\/6 [█░]+ · \d+ s left · [\d,]+ ratings\/s · loss \d\.\d{4}/);
    expect(printed).toMatch(/epoch 6\/6 █+ · 0 s left · [\d,]+ ratings\/s · loss \d\.\d{4} · RMSE \d\.\d{4}/);
    // The part that ranks has a bar of its own, and so has what is trained on everything.
    expect(printed).toMatch(/epoch 1\/12 [█░]+ · \d+ s left · [\d,]+ positives\/s · loss \d\.\d{4}/);
    expect(printed).toMatch(
      /epoch 12\/12 █+ · 0 s left · [\d,]+ positives\/s · loss \d\.\d{4} · NDCG 0\.\d{4}/,
    );
    expect(printed.indexOf('epoch 1/12')).toBeGreaterThan(printed.indexOf('epoch 6/6'));
    expect(printed).toMatch(/judging epoch 1\/6 [\s\S]*(?<!judging )epoch 1\/6 /);
  });
});

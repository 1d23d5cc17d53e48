import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { program, workplace } from '../support/cli.ts';

const { at, cofactor, json, failure, contents } = workplace();
const some = expect.any(Number);
const tune = ['tune', 'ratings.csv', '--folds', '3'];
const lines = async (out: string) =>
  (await readFile(at(out, 'trials.jsonl'), 'utf8')).trimEnd().split('\n').slice(1);

/** Starts a search, and waits until so many trials are done. */
async function begin(args: string[], trials: number) {
  const out = args[args.indexOf('--out') + 1];
  const child = spawn(process.execPath, [program, ...args], { cwd: at(), stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout.resume();
  const ended = new Promise<{ code: number | null; signal: string | null; stderr: string }>((done) =>
    child.on('close', (code, signal) => done({ code, signal, stderr })),
  );
  while (!existsSync(at(out, 'trials.jsonl')) || (await lines(out)).length < trials) {
    expect(child.exitCode, stderr).toBe(null);
    await setTimeout(20);
  }
  return { child, ended };
}

test('ends within its budget with a recipe that trains, a table and a page; started again, it is as good as done', async () => {
  const started = performance.now();
  const result = await json(...tune, '--budget', '0.2');
  expect((performance.now() - started) / 1000).toBeLessThan(15);
  expect(result).toEqual({
    ...{ out: 'tune/ratings-dot-bias', recipes: some, trials: some, seconds: some },
    ...{ best: expect.objectContaining({ model: 'dot-bias', seed: 1 }), rmse: some, default: some },
  });
  expect(result.recipes).toBeGreaterThan(5);
  expect(result.rmse).toBeLessThanOrEqual(result.default);
  expect(Object.keys(await contents('tune')).sort()).toEqual(
    ['best.json', 'trials.jsonl', 'tune.html'].map((name) => at('tune', 'ratings-dot-bias', name)),
  );
  const config = 'tune/ratings-dot-bias/best.json';
  expect(JSON.parse(await readFile(at(config), 'utf8'))).toEqual(result.best);
  const page = await readFile(at('tune/ratings-dot-bias/tune.html'), 'utf8');
  expect(page.match(/<svg/g)?.length).toBe(5);
  expect(page).toMatch(/<b>learning rate<\/b> \d+/);
  expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);

  const { code, stdout, stderr } = await cofactor(...tune, '--budget', '0.2');
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^Going on from \d+ trials in/),
  });
  expect(stdout).toMatch(/^Tried \d+ recipes of dot-bias in \d+ trainings on 3 folds of ratings.csv/);
  expect(stdout).toMatch(/^recipe +factors .* above default +RMSE$/m);
  expect(stdout).toMatch(/^ {2}cofactor train ratings.csv --config tune\/ratings-dot-bias\/best.json$/m);
  // Reading may have been faster, which leaves a moment more.
  expect((await lines('tune/ratings-dot-bias')).length).toBeLessThan(result.trials + 30);
  const trained = await cofactor('train', 'ratings.csv', '--config', config, '--out', 'model', '--json');
  expect(trained.code, trained.stderr).toBe(0);
});

test('after kill -9 and a line cut off it goes on; nothing that was done is done again', async () => {
  const args = [...tune, '--budget', '0.3', '--out', 'killed'];
  const { child, ended } = await begin(args, 8);
  child.kill('SIGKILL');
  expect((await ended).signal).toBe('SIGKILL');
  const before = await lines('killed');
  await appendFile(at('killed', 'trials.jsonl'), '{"number":9');
  const { code, stdout } = await cofactor(...args, '--json');
  expect(code).toBe(0);
  const after = await lines('killed');
  expect(after.slice(0, before.length)).toEqual(before);
  expect(JSON.parse(stdout).trials).toBe(after.length);
  const pairs = after.map((line) => JSON.parse(line)).map(({ number, fold }) => `${number} on ${fold}`);
  expect(new Set(pairs).size).toBe(pairs.length);
});

test('Ctrl-C ends it soon, with the best so far', async () => {
  const { child, ended } = await begin([...tune, '--budget', '5', '--out', 'stopped'], 6);
  const asked = performance.now();
  child.kill('SIGINT');
  const { signal, stderr } = await ended;
  expect({ signal, stderr }).toEqual({ signal: 'SIGINT', stderr: '\nStopped; the same command goes on\n' });
  expect(performance.now() - asked).toBeLessThan(5000);
  expect(
    Object.keys(await contents('stopped'))
      .map((path) => path.split(/[/\\]/).at(-1))
      .sort(),
  ).toEqual([...['best.json', 'trials.jsonl', 'tune.html']]);
});

test('--valid holds out one part; what is given is kept', async () => {
  const flags = ['--model', 'mlp', '--valid', '0.2', '--factors', '3', '--epochs', '1', '--budget', '0.1'];
  const { best, trials, recipes } = await json('tune', 'ratings.csv', '--out', 'mlp', ...flags);
  expect(best).toMatchObject({ model: 'mlp', factors: 3, epochs: 1 });
  expect(trials).toBe(recipes);
});

test.each([
  [['missing.csv'], /missing.csv: no such file/],
  [['ratings.csv', '--folds', '3', '--valid', '0.2'], /--valid and --folds exclude one another/],
  [['ratings.csv', '--budget', '0'], /--budget.*above 0/],
  [['ratings.csv', '--optimizer', 'sgd'], /no search is known for the optimizer sgd/],
  [['ratings.csv', '--hidden', '3'], /hidden is for the model mlp, not for dot-bias; leave it out/],
  [['ratings.csv', '--learning-rate', '1e30', '--out', 'new'], /the default recipe: training diverged/],
  [['ratings.csv', '--folds', '4', '--out', 'killed'], /is of another search: folds was 3, is 4/],
  [['ratings.csv', '--out', 'ratings.csv'], /ratings.csv.*(cannot be read|cannot be made)/],
])('%j is one line', async (args, message) => {
  expect(await failure('tune', ...args)).toMatch(message);
});

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { program, workplace } from '../support/cli.ts';

const { at, here, cofactor, failure, contents } = workplace();
const some = expect.any(Number);
const tune = ['tune', 'ratings.csv', '--folds', '3', '--objective', 'rating'];
const lines = async (out: string, log = 'trials.jsonl') =>
  (await readFile(at(out, log), 'utf8')).trimEnd().split('\n').slice(1);

/** Starts a search, and waits until so many trials are done. */
async function begin(args: string[], trials: number, out: string, log?: string) {
  const child = spawn(process.execPath, [program, ...args], { cwd: at(), stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout.resume();
  const ended = new Promise<{ code: number | null; signal: string | null; stderr: string }>((done) =>
    child.on('close', (code, signal) => done({ code, signal, stderr })),
  );
  // A line is whole once another follows it.
  while (
    !existsSync(at(out, log ?? 'trials.jsonl')) ||
    (trials > 0 && (await lines(out, log)).length <= trials)
  ) {
    expect(child.exitCode, stderr).toBe(null);
    await setTimeout(20);
  }
  return { child, ended };
}

test('Ctrl-C ends it with the best so far, and the same command goes on', async () => {
  const out = 'tune/ratings-dot-bias';
  const { child, ended } = await begin([...tune, '--budget', '60'], 8, out);
  child.kill('SIGINT');
  const { signal, stderr } = await ended;
  expect({ signal, stderr }).toEqual({
    signal: 'SIGINT',
    stderr: expect.stringMatching(/^\nStopped; the same command resumes the search\n/),
  });
  expect(Object.keys(await contents('tune')).sort()).toEqual(
    ['best.json', 'files.json', 'trials.jsonl', 'tune.html'].map((name) => at(out, name)),
  );
  const page = await readFile(at(out, 'tune.html'), 'utf8');
  expect(page.match(/<svg/g)?.length).toBe(5);
  expect(page).toMatch(/<b>Learning rate<\/b> importance \d+/);
  expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
  const before = await lines(out);

  // Its budget is spent, so it tells what it has.
  const { code, stdout, stderr: notes } = await cofactor(...tune, '--budget', '0.01');
  expect({ code, notes }).toEqual({
    code: 0,
    notes: expect.stringMatching(/^Resuming from \d+ trials in/),
  });
  expect(stdout).toMatch(/^Tried \d+ recipes of dot-bias in \d+ trainings on 3 folds of ratings.csv/);
  expect(stdout).toMatch(/^recipe +factors .* above default +RMSE$/m);
  expect(stdout).toMatch(/^ {2}npx cofactor train ratings.csv --config tune\/ratings-dot-bias\/best.json$/m);
  expect(await lines(out)).toEqual(before);

  const result = JSON.parse((await cofactor(...tune, '--budget', '0.01', '--json')).stdout);
  expect(result).toEqual({
    ...{ out, folds: 3, recipes: some, compared: some, trials: before.length, seconds: some },
    ...{ best: expect.objectContaining({ model: 'dot-bias', seed: 1 }), rmse: some, default: some },
  });
  expect(result.rmse).toBeLessThanOrEqual(result.default);
  expect(JSON.parse(await readFile(at(out, 'best.json'), 'utf8'))).toEqual(result.best);
  const trained = await here(
    'train',
    'ratings.csv',
    '--config',
    `${out}/best.json`,
    '--out',
    'model',
    '--json',
  );
  expect(trained.code, trained.stderr).toBe(0);
});

test('both parts are searched, each by its own measure, and one recipe has the best of both', async () => {
  const out = 'both';
  const args = ['tune', 'ratings.csv', '--folds', '2', '--positive', '3', '--out', out];
  // Stopped while it searches the second part.
  const budget = ['--budget', '0.4'];
  const { child, ended } = await begin([...args, ...budget], 6, out, 'trials-ranking.jsonl');
  child.kill('SIGINT');
  expect((await ended).signal).toBe('SIGINT');
  const trials = async (log: string) => (await lines(out, log)).map((line) => JSON.parse(line));
  const [rating, ranking] = [await trials('trials.jsonl'), await trials('trials-ranking.jsonl')];
  // On a busy machine a trial may take too long.
  for (const { tried, rmse, ndcg, slow } of rating) {
    expect(tried).toMatchObject({ objective: 'rating', model: 'dot-bias', seed: 1 });
    expect(tried).not.toHaveProperty('initialStd');
    if (!slow) expect([rmse, ndcg]).toEqual([some, undefined]);
  }
  for (const { tried, rmse, ndcg, slow } of ranking) {
    expect(tried).toMatchObject({ objective: 'ranking', positive: 3 });
    if (!slow) expect([rmse, ndcg]).toEqual([undefined, some]);
  }
  const { code, stdout } = await cofactor(...args, '--budget', '0.01');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Predicting ratings, by RMSE\nTried \d+ recipes of dot-bias in /);
  expect(stdout).toMatch(/^recipe +factors +epochs .* above default +RMSE$/m);
  expect(stdout).toMatch(/^Ranking, by NDCG@10\nTried \d+ recipes? of dot-bias in /m);
  expect(stdout).toMatch(/^recipe +ranking factors +ranking epochs .* above default +NDCG@10$/m);
  expect(stdout).not.toMatch(/NaN|undefined/);
  const result = JSON.parse((await cofactor(...args, '--budget', '0.01', '--json')).stdout);
  const numbers = { folds: 2, recipes: some, compared: some, seconds: some };
  expect(result).toEqual({
    ...{ out, best: expect.any(Object) },
    rating: { ...numbers, trials: rating.length, rmse: some, default: some },
    ranking: { ...numbers, trials: ranking.length, ndcg: some, default: some },
  });
  expect(result.ranking.ndcg).toBeGreaterThanOrEqual(result.ranking.default);
  const names = ['factors', 'epochs', 'learningRate', 'weightDecay'];
  const ofRanking = ['rankingFactors', 'rankingEpochs', 'rankingLearningRate'];
  expect(Object.keys(result.best).sort()).toEqual(
    ['model', 'seed', 'positive', ...names, ...ofRanking].sort(),
  );
  const page = await readFile(at(out, 'tune.html'), 'utf8');
  expect(page.match(/<svg/g)?.length).toBe(7);
  expect(page).toContain('NDCG@10');
  expect(page).not.toMatch(/NaN|undefined/);

  // One training with this recipe is as good as the trials of its parts.
  const flags = ['--folds', '2', '--config', `${out}/best.json`, '--json'];
  const judged = JSON.parse((await here('cross-validate', 'ratings.csv', ...flags)).stdout);
  expect(judged.rmse.mean).toBeCloseTo(result.rating.rmse, 12);
  expect(judged.ndcg.mean).toBeCloseTo(result.ranking.ndcg, 12);
});

test('resumes after kill -9 and an incomplete line, and repeats no trial', async () => {
  const args = [...tune, '--budget', '60', '--out', 'killed'];
  const first = await begin(args, 8, 'killed');
  first.child.kill('SIGKILL');
  expect((await first.ended).signal).toBe('SIGKILL');
  const before = await lines('killed');
  await appendFile(at('killed', 'trials.jsonl'), '{"number":9');
  const second = await begin(args, before.length + 4, 'killed');
  second.child.kill('SIGINT');
  expect((await second.ended).signal).toBe('SIGINT');
  const after = await lines('killed');
  expect(after.slice(0, before.length)).toEqual(before);
  const pairs = after.map((line) => JSON.parse(line)).map(({ number, fold }) => `${number} on ${fold}`);
  expect(new Set(pairs).size).toBe(pairs.length);
});

test('ends when its budget is spent; --valid holds out one part; given choices are kept', async () => {
  const flags = [
    '--model',
    'mlp',
    '--objective',
    'rating',
    '--valid',
    '0.2',
    '--factors',
    '3',
    '--epochs',
    '1',
  ];
  const search = (budget: number) =>
    cofactor('tune', 'ratings.csv', '--out', 'mlp', '--json', ...flags, '--budget', String(budget));
  // A busy machine may need more for a single training.
  let budget = 0.04;
  let run = await search(budget);
  while (JSON.parse(run.stdout).compared === 0) {
    budget *= 2;
    run = await search(budget);
  }
  const { best, trials, recipes } = JSON.parse(run.stdout);
  expect(best).toMatchObject({ model: 'mlp', factors: 3, epochs: 1 });
  expect(trials).toBe(recipes);
});

test('a budget that is too small for anything leaves the default recipe, and says so', async () => {
  const out = 'nothing';
  for (const folds of [[], ['--folds', '3', '--out', `${out}-folds`]]) {
    const args = ['tune', 'ratings.csv', '--budget', '0.001', '--out', out, '--factors', '3', ...folds];
    const { code, stdout, stderr } = await cofactor(...args);
    const where = folds.length > 0 ? '3 folds' : 'one held-out part';
    const told = `Nothing could be compared, because the budget ended before the default recipe was tried on ${where}; best.json has the default.`;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(`Ranking: ${told}`) });
    expect(stderr).toContain(`Predicting ratings: ${told}`);
    expect(stdout).toMatch(
      /^Wrote nothing(-folds)?\/best.json\n {2}npx cofactor train ratings.csv --config /,
    );
    const { best, rating, ranking } = JSON.parse((await cofactor(...args, '--json')).stdout);
    expect(best).toEqual({ model: 'dot-bias', seed: 1, factors: 3 });
    for (const one of [rating, ranking])
      expect(one).toEqual({
        ...{ folds: folds.length > 0 ? 3 : 1, recipes: 0, compared: 0, trials: 0, seconds: 0 },
      });
  }
  const trained = await here('train', 'ratings.csv', '--config', `${out}/best.json`, '--dry-run');
  expect(trained.code, trained.stderr).toBe(0);
});

test('a small budget compares on one held-out part, and says so', async () => {
  const args = ['tune', 'ratings.csv', '--out', 'part', '--objective', 'rating', '--epochs', '100', '--json'];
  const search = async (budget: number, ...flags: string[]) => {
    const { stdout, stderr } = await cofactor(
      ...args,
      '--workers',
      '1',
      '--budget',
      String(budget),
      ...flags,
    );
    return { ...JSON.parse(stdout), stderr };
  };
  let budget = 0.02;
  let found = await search(budget);
  for (; found.compared < 2; found = await search(budget)) budget *= 2;
  expect(found.stderr).toMatch(
    /on one held-out part, a random fifth, because there is no time for 5 recipes on 5 folds/,
  );
  expect(found).toMatchObject({ folds: 1, rmse: some, default: some });
  const { stderr, ...again } = await search(0.001);
  expect(again).toMatchObject({ folds: 1, trials: found.trials, rmse: found.rmse, best: found.best });
  expect(stderr).toMatch(/^Resuming from \d+ trials/);
  // The part is the first fold.
  expect(await search(0.001, '--folds', '5')).toMatchObject({ folds: 5, compared: 0, trials: found.trials });
});

test('Ctrl-C before anything was tried leaves the default recipe, too', async () => {
  const args = ['tune', 'ratings.csv', '--objective', 'rating', '--epochs', '100000', '--out', 'early'];
  const { child, ended } = await begin(args, 0, 'early');
  child.kill('SIGINT');
  const { signal, stderr } = await ended;
  expect({ signal, stderr }).toEqual({
    signal: 'SIGINT',
    stderr: expect.stringMatching(/\nNothing could be compared, because the search was stopped before /),
  });
  expect(JSON.parse(await readFile(at('early', 'best.json'), 'utf8'))).toEqual({
    ...{ model: 'dot-bias', seed: 1, objective: 'rating', epochs: 100000 },
  });
});

test('where only the first part was searched, the recipe still has both, with the defaults of ranking', async () => {
  const args = ['tune', 'ratings.csv', '--folds', '2', '--budget', '60', '--out', 'first'];
  const { child, ended } = await begin(args, 3, 'first');
  child.kill('SIGINT');
  expect((await ended).stderr).toMatch(
    /\nRanking: Nothing could be compared, because the search was stopped before the default recipe was tried/,
  );
  const { learningRate, ...best } = JSON.parse(await readFile(at('first', 'best.json'), 'utf8'));
  expect(learningRate).toBeGreaterThan(0);
  expect(best).toMatchObject({ model: 'dot-bias', rankingFactors: 256, rankingEpochs: 12 });
  expect(best).not.toHaveProperty('objective');
});

test.each([
  [['missing.csv'], /missing.csv: no such file/],
  [['ratings.csv', '--folds', '3', '--valid', '0.2'], /--valid and --folds cannot be combined/],
  [['ratings.csv', '--budget', '0'], /--budget.*above 0/],
  [
    ['ratings.csv', '--optimizer', 'sgd'],
    /the optimizer sgd has no search space; give row-adagrad, or leave out --optimizer$/,
  ],
  [['ratings.csv', '--hidden', '3'], /hidden is for the model mlp, not for dot-bias; leave it out/],
  [['ratings.csv', '--learning-rate', '1e30', '--out', 'new'], /the default recipe: training diverged/],
  [
    ['ratings.csv', '--objective', 'rating', '--folds', '4', '--out', 'killed'],
    /belongs to another search: folds was 3, is 4/,
  ],
  [
    ['ratings.csv', '--folds', '3', '--out', 'killed'],
    /belongs to another search: objective was "rating", is "auto"/,
  ],
  [['ratings.csv', '--objective', 'ranking', '--dropout', '0.1'], /dropout is for the (objective|model)/],
  [
    ['ratings.csv', '--factors', '8', '--epochs', '1', '--ranking-learning-rate', '0.1'],
    /all hyperparameters of the objective ranking are given, .* with --objective rating$/,
  ],
  [['ratings.csv', '--out', 'ratings.csv'], /ratings.csv: is a file; give a folder/],
])('%j is one line', async (args, message) => {
  expect(await failure('tune', ...args)).toMatch(message);
});

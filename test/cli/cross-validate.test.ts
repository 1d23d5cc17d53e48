import { spawn } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { folds } from '../../src/data/dataset/split.ts';
import { trialPool } from '../../src/experiment/pool.ts';
import { program, ratingsCsv, workplace } from '../support/cli.ts';
import { lowRank } from '../support/low-rank.ts';

const { write, at, text, json, failure, contents } = workplace();
const some = expect.any(Number);
const rated = ['--objective', 'rating'];
const small = [...rated, '--factors', '2', '--epochs', '1'];

/** Without what differs between runs. */
const timeless = ({ folds, ...rest }: { folds: object[] }) => ({
  ...rest,
  folds: folds.map((fold) => ({ ...fold, seconds: 0 })),
});

test('prints one JSON object with each fold and their summary', async () => {
  const before = await contents();
  const result = await json('cross-validate', 'ratings.csv', ...small);
  const ofFolds = { mean: some, deviation: some, interval: [some, some] };
  expect(result).toEqual({
    model: 'dot-bias',
    warnings: [],
    folds: [1, 2, 3, 4, 5].map((fold) => ({
      ...{ fold, train: 288, test: 72, rmse: some, mae: some, seconds: some },
    })),
    rmse: ofFolds,
    mae: ofFolds,
  });
  expect(await contents()).toEqual(before);
});

test('results do not depend on the number of workers, but on the seed', async () => {
  const run = async (...flags: string[]) =>
    timeless(await json('cross-validate', 'ratings.csv', '--folds', '4', ...small, ...flags));
  const one = await run('--workers', '1');
  expect(await run('--workers', '3')).toEqual(one);
  expect(await run('--seed', '2')).not.toEqual(one);
});

test('folds may be files, and a fold has the errors that train --test reports', async () => {
  await write('a.base', ratingsCsv({ users: 20 }));
  await write('a.test', 'user,item,rating\nu1,i1,5\nu2,i4,1\nnobody,i1,2\n');
  const { folds } = await json(
    'cross-validate',
    '--fold',
    'a.base:a.test',
    '--fold',
    'ratings.csv:a.test',
    ...small,
  );
  expect(folds).toMatchObject([
    { train: 240, test: 3 },
    { train: 360, test: 3 },
  ]);
  const trained = await json('train', 'a.base', '--test', 'a.test', '--out', 'a', ...small);
  expect(folds[0].rmse).toBeCloseTo(trained.valid.rmse, 12);
});

test('prints a table of the errors of each fold', async () => {
  const lines = (await text('cross-validate', 'ratings.csv', '--folds', '2', ...small)).split('\n');
  expect(lines).toEqual([
    expect.stringMatching(/^fold +trained on +tested on +RMSE +MAE +time$/),
    expect.stringMatching(/^1 +180 +180 +\d\.\d{4} +\d\.\d{4} +[\d.]+ s$/),
    expect.stringMatching(/^2 +180 +180 +\d\.\d{4} +\d\.\d{4} +[\d.]+ s$/),
    expect.stringMatching(/^RMSE \d\.\d{4} ± \d\.\d{4} over 2 folds; 95 % interval of the mean \S+ – \S+$/),
    expect.stringMatching(/^MAE \d\.\d{4} ± \d\.\d{4} over 2 folds; 95 % interval of the mean \S+ – \S+$/),
    '',
  ]);
});

test('judges both parts of a model, or that which ranks alone', async () => {
  const few = ['--folds', '2', '--factors', '2', '--epochs', '1', '--positive', '3'];
  const both = await json('cross-validate', 'ratings.csv', ...few);
  const ofFolds = { mean: some, deviation: some, interval: [some, some] };
  expect(both).toMatchObject({ rmse: ofFolds, mae: ofFolds, ndcg: ofFolds, precision: ofFolds });
  const ranking = await json('cross-validate', 'ratings.csv', ...few, '--objective', 'ranking');
  const { model, folds, ndcg, precision } = both;
  const onlyRanked = folds.map(({ rmse: _, mae: __, ...fold }: typeof both) => fold);
  expect(timeless(ranking)).toEqual({
    model,
    ndcg,
    precision,
    warnings: [],
    ...timeless({ folds: onlyRanked }),
  });
  const printed = await text('cross-validate', 'ratings.csv', ...few);
  expect(printed).toMatch(/^fold +trained on +tested on +RMSE +MAE +NDCG@10 +P@10 +time$/m);
  expect(printed).toMatch(/^NDCG@10 \d\.\d{4} ± \d\.\d{4} over 2 folds; 95 % interval/m);
  const alone = await text('cross-validate', 'ratings.csv', ...few, '--objective', 'ranking');
  expect(alone).toMatch(/^fold +trained on +tested on +NDCG@10 +P@10 +time$/m);
});

test('says that nothing can be ranked where nothing relevant is held out', async () => {
  await write('low.test', 'user,item,rating\nu0,i1,1\nu1,i2,1\n');
  const fold = ['--fold', 'ratings.csv:low.test', '--factors', '2', '--epochs', '1'];
  const printed = await text('cross-validate', ...fold);
  expect(printed).toMatch(/^fold .* RMSE +MAE +time$/m);
  expect(printed).toMatch(/^No ranking: in some fold, no user has a relevant item/m);
  expect(printed).not.toMatch(/NaN|undefined|NDCG/);
  expect(await failure('cross-validate', ...fold, '--objective', 'ranking')).toMatch(
    /fold 1: no user has a relevant item that is held out; .*--positive$/,
  );
});

test.each([
  [['missing.csv'], /missing.csv: no such file/],
  [[], /there are no ratings; name a file, or give folds with --fold/],
  [['ratings.csv', '--fold', 'a.base:a.test'], /leave out ratings.csv/],
  [['--fold', 'a.base:a.test', '--folds', '3'], /leave out --folds/],
  [['--fold', 'a.base'], /Give two files with a colon between them/],
  [['--fold', 'a.base:missing.test'], /missing.test: no such file/],
  [['ratings.csv', '--folds', '1'], /--folds.*Give a whole number from 2\.$/],
  [['ratings.csv', '--folds', '1000'], /number of folds is 1000; give a whole number from 2 to 360/],
  [['ratings.csv', ...rated, '--learning-rate', '1e30'], /fold \d: training diverged/],
  [['ratings.csv', '--hidden', '3'], /hidden is for the model mlp, not for dot-bias; leave it out/],
  [['ratings.csv', '--workers', '0'], /--workers.*Give a whole number from 1\.$/],
])('%j is one line', async (args, message) => {
  expect(await failure('cross-validate', ...args, '--factors', '2')).toMatch(message);
});

test('a thread that ends by a bug does not keep the program from ending', async () => {
  const pool = trialPool(folds(lowRank(), 2, 1), 2);
  const slow = pool.run({
    predictor: { model: 'dot-bias', objective: 'rating', factors: 2, epochs: 200 },
    fold: 0,
  });
  await expect(pool.run({ predictor: 'global-mean', fold: 99 })).rejects.toThrow();
  await pool.close();
  expect(await slow).toHaveProperty('rmse');
});

test('Ctrl-C ends it at once', async () => {
  // Hours of training.
  const slow = [...rated, '--model', 'mlp', '--hidden', '200,200', '--batch-size', '1', '--epochs', '100000'];
  const child = spawn(process.execPath, [program, 'cross-validate', 'ratings.csv', ...slow], { cwd: at() });
  const ended = new Promise((done) => child.on('close', (_, signal) => done(signal)));
  await setTimeout(1000);
  child.kill('SIGINT');
  expect(await ended).toBe('SIGINT');
});

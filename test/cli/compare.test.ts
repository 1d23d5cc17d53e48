import { expect, test } from 'vitest';
import { isSolved, modelNames } from '../../graphs/models/index.ts';
import { ratingsCsv, workplace } from '../support/cli.ts';

const { write, text, json, failure, contents } = workplace();
const some = expect.any(Number);
const rated = ['--objective', 'rating'];

test('prints one JSON object with each predictor on the same folds, and which differences are real', async () => {
  const before = await contents();
  const { folds, predictors, pairs } = await json('compare', 'ratings.csv', '--folds', '3', ...rated);
  expect(folds).toBe(3);
  const names = Object.keys(predictors);
  const rating = modelNames.filter((name) => !isSolved(name));
  expect(names.toSorted()).toEqual([...rating, 'global-mean', 'item-knn', 'user-item-means'].toSorted());
  const means = Object.values(predictors).map((one) => (one as { rmse: { mean: number } }).rmse.mean);
  expect(means).toEqual(means.toSorted((a, b) => a - b));
  expect(predictors['dot-bias']).toMatchObject({
    results: Array(3).fill({ rmse: some, mae: some, seconds: some, bytes: some }),
    rmse: { mean: some, deviation: some, interval: [some, some] },
    seconds: some,
    bytes: some,
  });
  expect(predictors['global-mean']).not.toHaveProperty('bytes');
  expect(pairs.slice(0, names.length - 1)).toEqual(
    names.slice(1).map((name) => ({
      ...{ measure: 'rmse', name, than: names[0], real: expect.any(Boolean) },
      difference: { mean: some, deviation: some, interval: [some, some], p: some },
    })),
  );
  const both = pairs.filter((pair: { name: string; than: string }) =>
    [pair.name, pair.than].every((name) => ['dot-bias', 'mlp'].includes(name)),
  );
  expect(both).toHaveLength(1);
  expect(await contents()).toEqual(before);
});

test('of both objectives it compares errors and rankings, with the baselines of each', async () => {
  await write('few.json', '{ "factors": 2, "epochs": 1, "rankingFactors": 4 }');
  await write('ranks.json', '{ "factors": 2, "epochs": 1, "objective": "ranking" }');
  const given = ['--config-dot-bias', 'few.json', '--config-mlp', 'ranks.json'];
  const flags = ['ratings.csv', '--folds', '2', ...given];
  const { predictors, pairs } = await json('compare', ...flags);
  const having = (key: string) => Object.keys(predictors).filter((name) => key in predictors[name]);
  const both = ['dot-bias', 'item-knn', 'most-popular', 'user-item-means'];
  expect(having('rmse').sort()).toEqual([...both, 'global-mean'].sort());
  expect(having('ndcg').sort()).toEqual([...both, 'implicit-als', 'item-item', 'mlp'].sort());
  const ranked = pairs.filter(({ measure }: { measure: string }) => measure === 'ndcg');
  for (const { name, than, difference } of ranked) {
    expect(difference.mean).toBeLessThanOrEqual(0);
    expect(predictors[name].ndcg.mean).toBeLessThanOrEqual(predictors[than].ndcg.mean);
  }
  const printed = await text('compare', ...flags);
  expect(printed).toMatch(/^ +RMSE +MAE +NDCG@10 +P@10 +training +files$/m);
  expect(printed).toMatch(/^item-item +– +– +\d\.\d{4} +\d\.\d{4} +[\d.]+ s +[\d.]+ kB$/m);
  const best = 'the best is \\S+, \\d\\.\\d{4} \\(95 % interval \\S+ to \\S+\\)';
  expect(printed).toMatch(
    new RegExp(`^RMSE, lower is better:\\n {2}${best}\\n {2}\\S+ is \\d\\.\\d{4} above `, 'm'),
  );
  expect(printed).toMatch(
    new RegExp(
      `^NDCG@10, higher is better:\\n {2}${best}\\n {2}\\S+ is \\d\\.\\d{4} below .* interval `,
      'm',
    ),
  );
  expect(printed).not.toMatch(/NaN|undefined/);
  // A recipe of both objectives gives its part.
  const alone = await json('compare', ...flags, '--objective', 'ranking', '--positive', '3');
  expect(Object.keys(alone.predictors)).not.toContain('global-mean');
  expect(Object.values(alone.predictors).some((one) => 'rmse' in (one as object))).toBe(false);
});

test('prints a table; choices may come from files', async () => {
  await write('shallow.json', '{ "model": "dot-bias", "factors": 2, "epochs": 1 }');
  await write('deep.json', '{ "factors": 2, "epochs": 1, "hidden": [4] }');
  const recipes = ['--config-dot-bias', 'shallow.json', '--config-mlp', 'deep.json'];
  const printed = await text(
    'compare',
    'ratings.csv',
    '--folds',
    '2',
    '--workers',
    '1',
    ...rated,
    ...recipes,
  );
  expect(printed).toMatch(/^ +RMSE +MAE +training +files$/m);
  expect(printed).toMatch(/^dot-bias +\d\.\d{4} +\d\.\d{4} +[\d.]+ s +[\d.]+ kB$/m);
  expect(printed).toMatch(/^item-knn +\d\.\d{4} +\d\.\d{4} +[\d.]+ s +–$/m);
  expect(printed).toMatch(/^Means over 2 folds; one training at a time$/m);
  expect(printed).toMatch(/ above .* \(95 % interval \S+ to \S+, p [=<] [\d.]+\): (not )?significant$/m);
});

test('--seed holds for all trainings and wins over the seed in a file', async () => {
  const rmse = async (file: string) => {
    const flags = ['--folds', '2', '--seed', '2', ...rated, '--config-dot-bias', file];
    const { predictors } = await json('compare', 'ratings.csv', ...flags);
    return predictors['dot-bias'].rmse;
  };
  await write('seeded.json', '{ "factors": 2, "epochs": 1, "seed": 7 }');
  await write('seedless.json', '{ "factors": 2, "epochs": 1 }');
  expect(await rmse('seeded.json')).toEqual(await rmse('seedless.json'));
});

test('one fold tells no differences from chance', async () => {
  await write('a.test', ratingsCsv({ users: 2 }));
  const printed = await text('compare', '--fold', 'ratings.csv:a.test', ...rated);
  expect(printed).toMatch(/; with one fold there is no test$/m);
  expect(printed).not.toMatch(/Nadeau/);
});

test('takes any engine from a file', async () => {
  await write('api.json', '{ "engine": "ort-training", "factors": 2, "epochs": 1 }');
  const compare = (...flags: string[]) => json('compare', 'ratings.csv', '--folds', '2', ...rated, ...flags);
  const api = (await compare('--config-dot-bias', 'api.json')).predictors['dot-bias'];
  await write('usual.json', '{ "factors": 2, "epochs": 1 }');
  const usual = (await compare('--config-dot-bias', 'usual.json')).predictors['dot-bias'];
  expect(api.rmse.mean).toBeGreaterThan(0);
  expect(api.rmse.mean).not.toBe(usual.rmse.mean);
});

test.each([
  [['missing.csv'], /missing.csv: no such file/],
  [
    ['ratings.csv', '--config-mlp', 'shallow.json'],
    /is for the model dot-bias; give it as --config-dot-bias/,
  ],
  [['ratings.csv', '--config-mlp', 'missing.json'], /missing.json: no such file/],
  [
    ['ratings.csv', '--config-dot-bias', 'deep.json'],
    /hidden is for the model mlp, not for dot-bias; leave it out/,
  ],
])('%j is one line', async (args, message) => {
  expect(await failure('compare', ...args)).toMatch(message);
});

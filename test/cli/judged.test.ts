import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ratingsCsv, workplace } from '../support/cli.ts';

const { write, at, text, json, failure, contents, manifest } = workplace();

const MANY = ['train', 'many.csv', '--factors', '4'];
const TITLES = ['RMSE', 'MAE', 'NDCG@10', 'precision@10'];

/** The files of a model without its manifest. */
const filesOf = async (folder: string) =>
  Object.fromEntries(
    Object.entries(await contents(folder))
      .map(([path, sum]) => [basename(path), sum])
      .filter(([name]) => name !== 'manifest.json'),
  );

test('without flags, a training judges itself beside baselines, and trains on everything', async () => {
  await write('many.csv', ratingsCsv({ users: 60, items: 30 }));
  const printed = await text(...MANY, '--out', 'judged');
  const { data, judged, history } = await manifest('judged');
  expect(judged).toMatchObject({ by: 'random', isSaved: false, heldOut: Math.round(data.ratings / 10) });
  expect(judged.heldOut + judged.trained).toBe(data.ratings);
  for (const name of [...TITLES, 'averages', 'the average of all ratings', 'the most popular items'])
    expect(printed).toContain(name);
  expect(printed).toMatch(/\n {2}Predictions are .*; recommendations are .*\nTrained dot-bias on all /);
  expect(history.every((epoch: object) => !('valid' in epoch))).toBe(true);
});

test('the model is byte for byte that of --no-valid with the same number of epochs', async () => {
  const { ranking, history } = await manifest('judged');
  const epochs = ['--epochs', `${history.length}`, '--ranking-epochs', `${ranking.history.length}`];
  const { warnings, judged } = await json(...MANY, '--no-valid', ...epochs, '--out', 'plain');
  expect([warnings, judged]).toEqual([[], undefined]);
  expect(await filesOf('plain')).toEqual(await filesOf('judged'));
});

test('--json has the judgement, the verdict and what is worse than a trivial guess', async () => {
  // The ratings are drawn at random.
  let state = 1;
  const drawn = () => {
    state = (state * 48271) % 2147483647;
    return state;
  };
  const lines = Array.from(
    { length: 4000 },
    (_, row) => `u${row % 80},i${Math.floor(row / 80)},${1 + (drawn() % 5)}`,
  );
  await write('drawn.csv', `user,item,rating\n${lines.join('\n')}\n`);
  const made = await json('train', 'drawn.csv', '--model', 'mlp', '--epochs', '8', '--objective', 'rating');
  expect(made.verdict).toMatch(/^Predictions are no better than the average/);
  expect(made.valid).toEqual(made.judged.rating.model);
  const { model, mean, dampedMeans } = made.judged.rating;
  const isWorse = model.rmse > mean.rmse || model.rmse > dampedMeans.rmse;
  expect(made.warnings).toHaveLength(isWorse ? 1 : 0);
});

test('too few ratings are not judged, and it is said', async () => {
  await write('few.csv', 'user,item,rating\na,x,1\nb,x,2\na,y,3\nb,y,5\n');
  expect(await text('train', 'few.csv', '--out', 'few')).toContain(
    'Not judged: 4 ratings are too few to hold some out',
  );
  expect(await json('train', 'few.csv', '--out', 'few')).toMatchObject({
    notJudged: expect.any(String),
    warnings: [],
  });
});

test.each([
  ['time', 'time'],
  ['leave-last-out', 'leave-last-out'],
])('--split %s', async (split, by) => {
  const { judged } = await json(...MANY, '--split', split, '--out', split);
  expect(judged.by).toBe(by);
});

describe('what excludes one another', () => {
  test.each([
    [['--no-valid', '--split', 'time'], /--split time .*--no-valid/],
    [['--test', 'many.csv', '--valid', '0.1'], /--test and --valid/],
    [['--test', 'many.csv', '--split', 'time'], /--test and --split/],
    [['--no-valid', '--patience', '2'], /--patience needs .*--no-valid/],
    [['--test', 'many.csv', '--patience', '2'], /--patience needs .*--test/],
  ])('%j', async (flags, message) => {
    expect(await failure(...MANY, ...flags)).toMatch(message);
  });
});

describe('test ratings that were trained on, or are off the scale', () => {
  test('train --test counts them', async () => {
    await write('test.csv', 'user,item,rating\nu1,i1,3\nu1,new,9\n');
    const { warnings } = await json(...MANY, '--test', 'test.csv', '--out', 'tested');
    const { data } = await manifest('tested');
    expect(warnings).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^1 of 2 test ratings are also in training/),
        `1 of 2 test ratings are off the model’s scale of ${data.low} to ${data.high}, which it cannot predict`,
      ]),
    );
  });

  test('evaluate counts them, and refuses a ranking of nothing new', async () => {
    const { overlap, noRanking, ranking } = await json('evaluate', 'judged', 'many.csv');
    const { ratings } = (await manifest('judged')).data;
    expect(overlap).toEqual({ trained: ratings, offScale: 0 });
    expect([noRanking, ranking]).toEqual(['nothing relevant', undefined]);
    expect(await text('evaluate', 'judged', 'many.csv')).toMatch(
      /No ranking: no known user has a relevant item/,
    );
  });

  test('cross-validate --fold counts them', async () => {
    const run = await json(
      'cross-validate',
      '--fold',
      `${at('many.csv')}:${at('test.csv')}`,
      '--epochs',
      '1',
    );
    expect(run.warnings).toEqual([
      expect.stringMatching(/^fold 1: 1 of 2 test ratings are also in training/),
      expect.stringMatching(/^fold 1: 1 of 2 test ratings are off/),
    ]);
  });
});

test('rated items are left out of recommendations; --no-seen keeps them out of the files', async () => {
  const [{ item }] = await json('recommend', 'judged', '--user', 'u1', '-k', '1');
  const seen = (await json('recommend', 'judged', '--user', 'u1', '-k', '30', '--include-seen')) as {
    item: string;
  }[];
  expect(seen.length).toBeGreaterThan((await json('recommend', 'judged', '--user', 'u1', '-k', '30')).length);
  expect(item).toMatch(/^i/);
  await json(...MANY, '--no-valid', '--no-seen', '--out', 'unseen');
  expect(Object.keys((await manifest('unseen')).files)).not.toContain('seen.onnx');
  // The flag of earlier versions still works.
  await json(...MANY, '--no-valid', '--keep-seen', '--out', 'kept');
  expect(Object.keys((await manifest('kept')).files)).toContain('seen.onnx');
});

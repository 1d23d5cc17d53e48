import { beforeAll, expect, test } from 'vitest';
import { workplace } from '../support/cli.ts';

const { write, text, json, failure, here } = workplace();
const flags = [
  '--out',
  'model',
  '--objective',
  'rating',
  '--factors',
  '2',
  '--epochs',
  '1',
  '--no-valid',
  '--no-seen',
];
beforeAll(() => text('train', 'ratings.csv', ...flags));

test('prints one JSON object, in which unknown ids are counted once each', async () => {
  await write('some.csv', 'user,item,rating\nu0,i0,3\nnew,i0,4\nnew,i1,4\nu0,x,1\nu1,y,1\nu2,z,1\n');
  const interval = [expect.any(Number), expect.any(Number)];
  expect(await json('evaluate', 'model', 'some.csv')).toEqual({
    ratings: 6,
    rmse: expect.any(Number),
    mae: expect.any(Number),
    intervals: { rmse: interval, mae: interval },
    groups: { rating: expect.any(Array) },
    unknownUsers: 1,
    unknownItems: 3,
    overlap: { offScale: 0 },
    noRanking: 'unknown training',
    warnings: expect.any(Array),
  });
});

test('gives the errors of what predict predicts', async () => {
  await write('two.csv', 'user,item,rating\nu0,i0,5\nu1,i1,1\n');
  const [one, other] = await json('predict', 'model', 'two.csv');
  const { rmse, mae } = await json('evaluate', 'model', 'two.csv');
  const errors = [one.rating - 5, other.rating - 1];
  expect(rmse).toBeCloseTo(Math.sqrt((errors[0] ** 2 + errors[1] ** 2) / 2), 5);
  expect(mae).toBeCloseTo((Math.abs(errors[0]) + Math.abs(errors[1])) / 2, 5);
});

test('on the training file it agrees with what train said', async () => {
  const { train } = await json('train', 'ratings.csv', ...flags);
  const result = await json('evaluate', 'model', 'ratings.csv');
  expect(result).toMatchObject({ ratings: 360, unknownUsers: 0, unknownItems: 0 });
  expect(result.rmse).toBeCloseTo(train.rmse, 5);
});

test('says the same for people, and takes columns by name', async () => {
  await write('named.csv', 'who,what,how\nu0,i0,3\nnew,i0,4\n');
  const columns = ['--user-column', 'who', '--item-column', 'what', '--rating-column', 'how'];
  const lines = (await text('evaluate', 'model', 'named.csv', ...columns)).split('\n');
  expect(lines.slice(0, 4)).toEqual([
    expect.stringMatching(/^RMSE \d\.\d{4}, MAE \d\.\d{4} on 2 ratings$/),
    expect.stringMatching(/^95 % intervals over users: RMSE \d\.\d{4}–\d\.\d{4}, MAE \d\.\d{4}–\d\.\d{4}$/),
    '1 user and 0 items were unknown to the model and treated as average',
    '',
  ]);
  expect(lines.filter((line) => line.startsWith('rated'))).toEqual([
    expect.stringMatching(/^rated 3 +1 +\d\.\d{4} +\d\.\d{4}$/),
    expect.stringMatching(/^rated 4 +1 +\d\.\d{4} +\d\.\d{4}$/),
  ]);
  expect(lines.filter((line) => !line.startsWith('Warning')).at(-2)).toMatch(
    /^No ranking: it is not known what the model was trained on, so /,
  );
});

test('evaluates the ranking and the baselines when the training ratings are known', async () => {
  // Every user has rated 12 items of 20; two of the others.
  const rows = Array.from({ length: 30 }, (_, user) =>
    [12, 15].map((turn, index) => `u${user},i${(user * 7 + turn * 3) % 20},${3 + 2 * index}`),
  );
  await write('held-out.csv', `user,item,rating\n${rows.flat().join('\n')}\n`);
  await text('train', 'ratings.csv', ...flags.with(1, 'keeping'), '--seen');
  const more = ['held-out.csv', '-k', '3,8', '--threshold', '5'];
  const given = await json('evaluate', 'model', ...more, '--train', 'ratings.csv', '--baselines');
  const { baselines, warnings: _, ...result } = given;
  const { warnings: __, ...kept } = await json('evaluate', 'keeping', ...more);
  expect(result).toEqual(kept);
  expect(result.ranking).toMatchObject({ users: 30, withoutRelevant: 0, threshold: 5 });
  const [at3, at8] = result.ranking.at;
  expect([at3.k, at8.k]).toEqual([3, 8]);
  // Eight items are all that a user has not rated.
  expect(at8).toMatchObject({ precision: 1 / 8, recall: 1, hitRate: 1, coverage: 1 });
  expect(result.groups.userActivity).toEqual([expect.objectContaining({ from: 12, to: 12, ratings: 60 })]);
  const predicting = ['global-mean', 'user-item-means', 'most-popular', 'item-knn'];
  expect(Object.keys(baselines)).toEqual([...predicting, 'ease', 'implicit-als']);
  expect(Object.keys(baselines.ease)).toEqual(['ranking']);
  for (const { rmse, intervals } of predicting.map((name) => baselines[name])) {
    expect(rmse).toBeGreaterThan(0);
    expect(intervals.rmse).toHaveLength(2);
  }

  const printed = await text('evaluate', 'model', ...more, '--train', 'ratings.csv', '--baselines');
  expect(printed).toMatch(/\nRanking of all items except those rated in training, for 30 users /);
  expect(printed).toMatch(/\nmodel, 3 items +0\.\d{4} /);
  expect(printed).toMatch(/\nitem-knn, 8 items +0\.1250 /);
  expect(printed).toMatch(/\nimplicit-als, 3 items +0\.\d{4} /);
  expect(printed).not.toMatch(/\nease +\d/);
  const all = [...more, '--train', 'ratings.csv', '--baselines', '--positive', 'all'];
  expect((await json('evaluate', 'model', ...all)).baselines.ease).not.toEqual(baselines.ease);
  const none = await text('evaluate', 'keeping', 'held-out.csv', '--threshold', '6');
  expect(none).toMatch(/\nNo ranking: no known user has a relevant item/);
});

test('of a model that only ranks there is the ranking alone, and it says so', async () => {
  const ranking = ['--objective', 'ranking', '--factors', '2', '--epochs', '2', '--positive', '3'];
  await text('train', 'ratings.csv', '--out', 'ranks', '--no-seen', ...ranking);
  const rows = Array.from({ length: 30 }, (_, user) => `u${user},i${(user * 7 + 36) % 20},5`);
  await write('liked.csv', `user,item,rating\n${rows.join('\n')}\nnew,i0,5\nu0,x,1\n`);
  const result = await json('evaluate', 'ranks', 'liked.csv', '--train', 'ratings.csv', '-k', '3');
  expect(result).toEqual({
    ...{ ratings: 32, unknownUsers: 1, unknownItems: 1, groups: {} },
    ...{ overlap: { trained: 0, offScale: 0 }, warnings: [] },
    ranking: expect.objectContaining({ users: 30, at: [expect.objectContaining({ k: 3 })] }),
  });
  const known = ['--train', 'ratings.csv', '--baselines'];
  const printed = await text('evaluate', 'ranks', 'liked.csv', ...known);
  expect(printed.split('\n').slice(0, 2)).toEqual([
    'The model ranks, and predicts no ratings: there are no errors',
    '1 user and 1 item were unknown to the model; unknown users are in no ranking, and unknown items count as missed',
  ]);
  // Baselines still have errors.
  expect(printed).toMatch(/^global-mean +\d\.\d{4} +\d\.\d{4}$/m);
  expect(printed).not.toMatch(/^model +\d\.\d{4} +\d\.\d{4}$/m);
  expect(printed).toMatch(/^model, 10 items +0\.\d{4} /m);
  const { code, stdout: alone, stderr } = await here('evaluate', 'ranks', 'liked.csv');
  expect(code).toBe(1);
  expect(stderr).toMatch(/there is nothing to judge by: it is not known what the model was trained on, so /);
  for (const one of [printed, alone]) expect(one).not.toMatch(/NaN|undefined/);
});

test('of a model of both objectives there are the errors and the ranking', async () => {
  const few = ['--factors', '2', '--epochs', '1', '--positive', '3', '--seen', '--out', 'both'];
  await text('train', 'ratings.csv', ...few);
  const result = await json('evaluate', 'both', 'liked.csv');
  expect(result).toMatchObject({ rmse: expect.any(Number), ranking: { users: 30 } });
  const printed = await text('evaluate', 'both', 'liked.csv');
  expect(printed).toMatch(/^RMSE \d\.\d{4}, MAE /);
  expect(printed).toMatch(/^model, 10 items +0\.\d{4} /m);
});

test('a missing model and missing ratings print one line', async () => {
  expect(await failure('evaluate', 'nowhere', 'ratings.csv')).toMatch(/nowhere: is not a trained model/);
  expect(await failure('evaluate', 'model', 'nothing.csv')).toMatch(/nothing.csv: no such file/);
  expect(await failure('evaluate', 'model')).toMatch(/file/);
  const evaluate = (...args: string[]) => failure('evaluate', 'model', 'ratings.csv', ...args);
  expect(await evaluate('--baselines')).toMatch(/--train FILE/);
  expect(await evaluate('--train', 'nothing.csv')).toMatch(/nothing.csv: no such file/);
  expect(await evaluate('-k', '10,0')).toMatch(/-k.* Give a whole number from 1 to 1,000,000,000\.$/);
  expect(await evaluate('--threshold', 'high')).toMatch(/--threshold.* number/);
  expect(await evaluate('--positive', '4')).toMatch(/give --baselines, too/);
  expect(await evaluate('--positive', 'some')).toMatch(/--positive.* rating, or all/);
  expect(await evaluate('--train', 'ratings.csv', '--baselines', '--positive', '6')).toMatch(
    /no training rating is 6 or higher; give a lower --positive/,
  );
});

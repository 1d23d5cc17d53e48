import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { workplace } from '../support/cli.ts';

const { write, here, text, json, failure, manifest } = workplace();
const small = ['--factors', '8', '--ranking-epochs', '3'];

beforeAll(async () => {
  for (const name of ['shop/orders', 'shop/articles', 'plays/plays'])
    await write(`${name.split('/')[1]}.csv`, gunzipSync(await readFile(`src/data/sample/${name}.csv.gz`)));
  await write(
    'events.csv',
    `user,item,type\n${Array.from({ length: 60 }, (_, at) => `u${at % 10},i${at % 7},${['view', 'cart', 'buy'][at % 3]}`).join('\n')}\n`,
  );
});

test('an orders file becomes recommendations, and nothing says rating', async () => {
  const trained = await text(
    'train',
    'orders.csv',
    '--titles',
    'articles.csv',
    '--seen',
    '--valid',
    '0.2',
    '--out',
    'shop',
    ...small,
  );
  expect(trained).toMatch(/Read [\d,]+ interactions of \d+ items by \d+ users from orders.csv/);
  expect(trained).toMatch(/[\d,]+ rows with the same user and item as an earlier one, added to it/);
  expect(trained).toContain('each row is an interaction that "quantity" counts');
  expect(trained).toContain('learns to recommend; to predict ratings, too, give --objective both');
  expect(trained).toMatch(/Trained dot-bias on all [\d,]+ interactions/);
  expect(trained).toMatch(
    /Judged on [\d,]+ held-out interactions[\s\S]*\n {2}the most popular items +0\.\d+ +0\.\d+\n/,
  );
  const said = [
    trained.replace(/to predict ratings, too, .*/, '').replace('no column of ratings', ''),
    await text('recommend', 'shop', '--user', 'C1220'),
    await text('similar', 'shop', '--item', 'A1813'),
    await text('inspect', 'shop'),
    await text('report', 'shop', '--out', 'report.html'),
  ];
  for (const one of said) expect(one).not.toMatch(/rating/i);
  expect((await manifest('shop')).data.kind).toBe('interactions');
});

test('predict gives a score, and says that it is no rating', async () => {
  const { stdout, stderr, code } = await here(
    'predict',
    'shop',
    '--user',
    'C1220',
    '--item',
    'A1813',
    '--json',
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual([
    { user: 'C1220', item: 'A1813', score: expect.any(Number), known: { user: true, item: true } },
  ]);
  expect(stderr).toContain('scores, not ratings');
});

test('somebody new gives a file of items, not of ratings', async () => {
  await write('own.csv', 'article\nA1813\nA1802\n');
  const list = await json('recommend', 'shop', '--items', 'own.csv', '-k', '3');
  expect(list).toHaveLength(3);
  expect(list[0]).toEqual({ item: expect.any(String), title: expect.any(String), score: expect.any(Number) });
  expect(await failure('recommend', 'shop', '--ratings', 'own.csv')).toContain(
    'give what the person has with --items',
  );
  expect(await failure('recommend', 'shop', '--items', 'own.csv', '--user', 'C1220')).toContain(
    'only one of them',
  );
  await text('train', 'ratings.csv', '--out', 'rated', ...small);
  expect(await failure('recommend', 'rated', '--items', 'own.csv')).toContain(
    'those of the person with --ratings',
  );
});

test('evaluate, compare and cross-validate judge rankings alone', async () => {
  const { stdout } = await here(
    'evaluate',
    'shop',
    'orders.csv',
    '--train',
    'plays.csv',
    '--weighted',
    '-k',
    '5,10',
  );
  expect(stdout).toMatch(/Judged on [\d,]+ interactions/);
  expect(stdout).toContain('weighted NDCG');
  expect(stdout).toMatch(/model, 5 items/);
  const { predictors } = await json('compare', 'plays.csv', '--folds', '2', '--workers', '1');
  expect(predictors['dot-bias'].ndcg.mean).toBeGreaterThan(predictors['most-popular'].ndcg.mean);
  for (const one of Object.values<object>(predictors)) expect(one).not.toHaveProperty('rmse');
  const folds = await text('cross-validate', 'plays.csv', '--folds', '2', '-k', '5', ...small);
  expect(folds).not.toContain('RMSE');
  expect(folds).toContain('NDCG@5');
});

describe('kinds of events', () => {
  const events = ['--event-column', 'type', '--event-weights', 'view=1,cart=3,buy=10'];

  test('have weights, and --leave-out stores what is left out', async () => {
    await text('train', 'events.csv', ...events, '--leave-out', 'buy', '--out', 'events', ...small);
    const { files, data } = await manifest('events');
    expect(files['seen.onnx']).toBeDefined();
    expect(data.high).toBeGreaterThanOrEqual(10);
  });

  test('are read in judging as in training, and it is said how', async () => {
    const { reading } = (await manifest('events')).data;
    const eventWeights = { view: 1, cart: 3, buy: 10 };
    expect(reading).toEqual({ eventColumn: 'type', eventWeights, leaveOut: ['buy'] });
    await write('new.csv', 'user,item,type\nu0,i5,view\nu0,i0,cart\nu1,i6,cart\nu2,i0,view\n');
    const judge = ['evaluate', 'events', 'new.csv', '--train', 'events.csv', '--weighted', '--json'];
    const stored = await here(...judge);
    expect(stored.stderr).toMatch(/^new\.csv: .*\nevents\.csv: /);
    const flags = await here(...judge, ...events, '--leave-out', 'buy');
    expect(JSON.parse(stored.stdout)).toEqual(JSON.parse(flags.stdout));
    const alike = await here(...judge, '--event-weights', 'view=5,cart=1,buy=1');
    expect(JSON.parse(alike.stdout)).not.toEqual(JSON.parse(stored.stdout));
    expect((await here('report', 'events', '--data', 'new.csv', '--out', 'events.html')).code).toBe(0);
    await write('bare.csv', 'user,item\nu0,i5\nu1,i6\n');
    const bare = await here('evaluate', 'events', 'bare.csv');
    expect(bare.stderr).toContain('Read without the columns of training: bare.csv: no column "type"');
    await write('more.csv', 'user,item,type\nu0,i5,gift\n');
    expect(await failure('evaluate', 'events', 'more.csv')).toContain('an event without a weight');
  });

  test.each([
    [
      ['--event-column', 'type', '--event-weights', 'view=1'],
      'events.csv, line 3: "cart" in column "type" is an event without a weight (--event-weights)',
    ],
    [['--event-column', 'type', '--leave-out', 'sold'], 'no row has the event "sold" (--leave-out)'],
    [['--leave-out', 'buy'], '--leave-out needs the column of events; name it with --event-column'],
    [
      [...events, '--objective', 'both'],
      '--event-column is for interactions, which have no ratings to predict',
    ],
    [['--objective', 'both'], 'no rating column found'],
    [['--epochs', '2', '--batch-size', '4'], '--batch-size is for the objective rating, not for ranking'],
  ])('are refused in one line: %j', async (flags, message) => {
    const { code, stderr } = await here('train', 'events.csv', ...flags, '--out', 'refused');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^cofactor: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });

  test.each(['view', 'view=', '=1', 'view=x'])('need weights that are numbers: %s', async (weights) => {
    const { code, stderr } = await here(
      'train',
      'events.csv',
      '--event-column',
      'type',
      '--event-weights',
      weights,
    );
    expect(code).toBe(1);
    expect(stderr).toContain('event-weights');
  });
});

test('ratings still train both parts, which is said', async () => {
  expect(await text('train', 'ratings.csv', '--out', 'both', ...small)).toContain(
    'Ratings from 1 to 5: the model learns to predict them and to recommend; --objective rating or ranking trains one part',
  );
});

test('counts that are trained as ratings come with a warning', async () => {
  const rows = Array.from(
    { length: 90 },
    (_, at) => `u${at % 10},i${at % 9},${at % 11 === 0 ? 400 + at : 1 + (at % 3)}`,
  );
  await write('value.csv', `user,item,value\n${rows.join('\n')}\n`);
  expect(await text('train', 'value.csv', '--out', 'value', ...small)).toContain(
    'as counts are, not ratings',
  );
  expect(await text('train', 'value.csv', '--objective', 'both', '--out', 'value', ...small)).toContain(
    'predictions of them will be poor',
  );
});

test('the first fold says what the values of all folds mean', async () => {
  const rows = (most: (at: number) => number): string =>
    `user,item,value\n${Array.from({ length: 60 }, (_, at) => `u${at % 10},i${at % 7},${most(at)}`).join('\n')}\n`;
  await write(
    'f1.csv',
    rows((at) => 1 + (at % 5)),
  );
  await write(
    'f2.csv',
    rows((at) => (at % 10 === 0 ? 40 * at : 1)),
  );
  const folds = ['--fold', 'f1.csv:f1.csv', '--fold', 'f2.csv:f2.csv'];
  const results = await text('cross-validate', ...folds, ...small, '--epochs', '2');
  expect(results).toContain('RMSE');
});

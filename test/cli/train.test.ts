import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ratingsCsv, workplace } from '../support/cli.ts';

const { write, at, names, text, json, failure, manifest, contents } = workplace();
const some = expect.any(Number);
const small = ['--factors', '2', '--epochs', '1'];
/** Where a test is about ratings. */
const rating = ['--objective', 'rating', ...small];

test('prints one JSON object, and leaves the model and nothing else', async () => {
  expect(await json('train', 'ratings.csv', '--out', 'model', '--no-valid')).toEqual({
    model: 'dot-bias',
    objective: 'both',
    out: 'model',
    users: 30,
    items: 20,
    ratings: 360,
    epochs: 6,
    seconds: { read: some, build: some, train: some, export: some },
    train: { rmse: some },
    warnings: [],
  });
  expect(Object.keys(await contents('model')).sort()).toEqual([
    at('model', 'factors.onnx'),
    at('model', 'fold-in-many.onnx'),
    at('model', 'fold-in.onnx'),
    at('model', 'items.json'),
    at('model', 'manifest.json'),
    at('model', 'predict.onnx'),
    at('model', 'recommend.onnx'),
    at('model', 'seen.onnx'),
    at('model', 'similar.onnx'),
    at('model', 'train-ranking.onnx'),
    at('model', 'train.onnx'),
  ]);
  expect((await names()).filter((name) => name.includes('checkpoint'))).toEqual([]);
});

test('the object has the error of a held-out part, which is then trained on', async () => {
  const result = await json('train', 'ratings.csv', '--out', 'valid', '--valid', '0.25', ...small);
  expect(result).toMatchObject({
    ratings: 360,
    judged: { heldOut: 90, trained: 270 },
    valid: { rmse: some, mae: some },
    ranking: { ndcg: some, precision: some },
  });
  expect(Object.keys(result)).toEqual([
    'model',
    'objective',
    'out',
    'users',
    'items',
    'ratings',
    'epochs',
    'seconds',
    'train',
    'valid',
    'ranking',
    'judged',
    'verdict',
    'warnings',
  ]);
});

test('a test file is evaluated, unknown ids included, and does not change training', async () => {
  await write('test.csv', 'user,item,rating\nu1,i1,5\nnobody,nothing,1\n');
  const alone = await json('train', 'ratings.csv', '--out', 'alone', '--no-valid', ...small);
  const tested = await json('train', 'ratings.csv', '--out', 'tested', '--test', 'test.csv', ...small);
  expect(tested).toEqual({
    ...alone,
    out: 'tested',
    seconds: tested.seconds,
    valid: { rmse: some, mae: some },
    ranking: { ndcg: some, precision: some, popular: { ndcg: some, precision: some } },
    judged: expect.objectContaining({ by: 'file', isSaved: true, heldOut: 2 }),
    verdict: expect.any(String),
    warnings: expect.any(Array),
  });
  const filesOf = async (out: string) =>
    Object.entries(await contents(out)).flatMap(([path, sum]) => (path.endsWith('.onnx') ? [sum] : []));
  expect(await filesOf('tested')).toEqual(await filesOf('alone'));
  const { rmse, mae } = await json('evaluate', 'tested', 'test.csv');
  expect(tested.valid.rmse).toBeCloseTo(rmse, 5);
  expect(tested.valid.mae).toBeCloseTo(mae, 5);
});

test('one objective leaves the files and the measures of that one', async () => {
  const valid = ['--valid', '0.25', ...small];
  const one = await json('train', 'ratings.csv', '--out', 'rates', '--objective', 'rating', ...valid);
  expect(one).toMatchObject({ objective: 'rating', train: { rmse: some }, valid: { rmse: some, mae: some } });
  expect(one).not.toHaveProperty('ranking');
  const other = await json('train', 'ratings.csv', '--out', 'ranks', '--objective', 'ranking', ...valid);
  expect(other).toMatchObject({ objective: 'ranking', ranking: { ndcg: some, precision: some } });
  for (const absent of ['train', 'valid']) expect(other).not.toHaveProperty(absent);
  expect(await manifest('ranks')).toMatchObject({ training: { objective: 'ranking', positive: 4 } });
  expect(Object.keys(await contents('rates'))).toHaveLength(9);
  expect(Object.keys(await contents('ranks'))).toHaveLength(10);
});

test.each([
  ['random', ['--valid', '0.1', '--split', 'random'], 36],
  ['time', ['--valid', '0.1', '--split', 'time'], 36],
  ['leave-last-out', ['--split', 'leave-last-out'], 30],
])('splits: %s', async (name, flags, heldOut) => {
  const result = await json('train', 'ratings.csv', '--out', `split-${name}`, ...flags, ...rating);
  expect(result).toMatchObject({ ratings: 360, judged: { heldOut }, valid: { rmse: some, mae: some } });
});

test('the default folder is named after the file and the model', async () => {
  expect((await json('train', 'ratings.csv', ...small)).out).toBe('artifacts/ratings-dot-bias');
  expect((await json('train', at('ratings.csv'), '--model', 'mlp', ...small)).out).toBe(
    'artifacts/ratings-mlp',
  );
  expect((await json('train', 'rating?.csv', ...small)).out).toBe('artifacts/rating-dot-bias');
  expect(Object.keys(await contents('artifacts'))).toHaveLength(33);
});

test('prints what was read, how well the model fits and where it is', async () => {
  await write('twice.csv', `${ratingsCsv()}u0,i0,5,9999999\n`);
  const told = await text('train', 'twice.csv', '--out', 'told', '--valid', '0.25', ...small);
  // Whether item-item is tried depends on the time that training took.
  const lines = told.split('\n').filter((line) => !/item-item ranks these better|^Warning/.test(line));
  expect(lines).toEqual([
    expect.stringMatching(/^Read 360 ratings of 20 items by 30 users from twice.csv in [\d.]+ s$/),
    '  1 rating replaced by a later one of the same user and item',
    '  Ratings from 1 to 5: the model learns to predict them and to recommend; --objective rating or ranking trains one part',
    expect.stringMatching(
      /^Judged on 90 held-out ratings of \d+ users, trained on the other 270 in [\d.]+ s$/,
    ),
    expect.stringMatching(/^ +RMSE +MAE +NDCG@10 +precision@10$/),
    expect.stringMatching(/^ {2}dot-bias( +\d\.\d{4}){4}$/),
    expect.stringMatching(/^ {2}users’ and items’ averages( +\d\.\d{4}){2} +$/),
    expect.stringMatching(/^ {2}the average of all ratings( +\d\.\d{4}){2} +$/),
    expect.stringMatching(/^ {2}the most popular items( +\d\.\d{4}){2}$/),
    expect.stringMatching(/^ {2}lists in random order( +\d\.\d{4}){2}$/),
    expect.stringMatching(
      /^ {2}Predictions are .*; recommendations are .*: 90 held-out ratings of \d+ users tell little$/,
    ),
    expect.stringMatching(/^Trained dot-bias on all 360 ratings in [\d.]+ s$/),
    expect.stringMatching(/^ {2}rating: 1 epoch, training RMSE \d\.\d{4}$/),
    expect.stringMatching(/^ {2}ranking: 1 epoch of ratings from 4 \(--positive\)$/),
    expect.stringMatching(
      /^Wrote told \([\d.]+ kB\): predict.onnx, recommend.onnx, similar.onnx, fold-in.onnx, fold-in-many.onnx, factors.onnx, seen.onnx, items.json, train.onnx, train-ranking.onnx, manifest.json$/,
    ),
    '  npx cofactor report told writes a page about what it has learned',
    '',
  ]);
});

test('--report writes a page beside the model, and says where', async () => {
  const flags = ['--out', 'shown', '--valid', '0.25', '--report', 'shown.html', ...small];
  expect(await text('train', 'ratings.csv', ...flags)).toMatch(
    /\nWrote shown\.html \([\d.]+ kB\): open it in a browser\n/,
  );
  expect(await readFile(at('shown.html'), 'utf8')).toMatch(/^<!doctype html>/i);
});

test('one seed gives the same bytes, another seed others', async () => {
  await Promise.all(
    Object.entries({ a: '7', b: '7', c: '8' }).map(([out, seed]) =>
      text('train', 'ratings.csv', '--out', out, '--seed', seed, ...small),
    ),
  );
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(async (out) => Object.values(await contents(out))));
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
});

test.each([
  ['sgd', 'one-cycle', 'mse'],
  ['sgd-momentum', 'cosine', 'l1'],
  ['adagrad', 'constant', 'huber'],
  ['adam', 'cosine', 'mse'],
  ['adamw', 'constant', 'l1'],
])('--optimizer %s --schedule %s --loss %s', async (optimizer, schedule, loss) => {
  const flags = ['--optimizer', optimizer, '--schedule', schedule, '--loss', loss];
  await json('train', 'ratings.csv', '--out', optimizer, ...flags, ...rating);
  expect((await manifest(optimizer)).training).toMatchObject({
    optimizer: { name: optimizer },
    schedule: { name: schedule, learningRate: some },
    loss,
  });
});

test('--learning-rate, --weight-decay, --batch-size', async () => {
  const flags = ['--learning-rate', '0.02', '--weight-decay', '0.01', '--batch-size', '100'];
  await json('train', 'ratings.csv', '--out', 'numbers', ...flags, ...rating);
  expect((await manifest('numbers')).training).toMatchObject({
    batchSize: 100,
    schedule: { learningRate: 0.02 },
    optimizer: { weightDecay: 0.01 },
  });
});

test.each([
  [['--sparse-updates'], { sparseUpdates: true }],
  [['--no-sparse-updates'], { sparseUpdates: false }],
  [[], { sparseUpdates: false }],
])('%j', async (flags, training) => {
  const out = `training${flags.join('')}`;
  await json('train', 'ratings.csv', '--out', out, ...flags, ...rating);
  expect((await manifest(out)).training).toMatchObject(training);
});

test.each<[string[], object]>([
  [[], { factors: 50, range: [0, 5.5], initialStd: 0.01 }],
  [['--range', '0,5.5'], { range: [0, 5.5] }],
  [['--range', '-2,-1.5', '--initial-std', '0.1'], { range: [-2, -1.5], initialStd: 0.1 }],
  [['--model', 'mlp'], { factors: [50, 50], hidden: [64], dropout: [0.1, 0.05] }],
  [['--model', 'mlp', '--factors', 'auto'], { factors: [11, 9] }],
  [['--model', 'mlp', '--factors', '6,4'], { factors: [6, 4] }],
  [
    ['--model', 'mlp', '--hidden', '8,4', '--dropout', '0.1,0.1,0'],
    { hidden: [8, 4], dropout: [0.1, 0.1, 0] },
  ],
])('the model of %j', async (flags, config) => {
  const out = `model${flags.join('')}`;
  await json('train', 'ratings.csv', '--out', out, '--objective', 'rating', '--epochs', '1', ...flags);
  expect((await manifest(out)).model).toMatchObject({
    name: flags.includes('mlp') ? 'mlp' : 'dot-bias',
    config,
  });
});

test('reads columns by name or number, without header, in another encoding', async () => {
  await write('odd.txt', Buffer.from('3;\u00e9t\u00e9;x;1\n4;hiver;y;2\n', 'latin1'));
  const reading = [
    '--user-column',
    '3',
    '--item-column',
    '2',
    '--rating-column',
    '1',
    '--time-column',
    '',
    '--delimiter',
    ';',
    '--no-header',
  ];
  const result = await json(
    'train',
    'odd.txt',
    '--out',
    'odd',
    '--encoding',
    'latin-1',
    ...reading,
    ...small,
  );
  expect(result).toMatchObject({ users: 2, items: 2, ratings: 2 });
  expect(await json('predict', 'odd', '--user', 'x', '--item', '\u00e9t\u00e9')).toHaveLength(1);
});

test('reads several files and patterns as one', async () => {
  await write('part-1.csv', 'user,item,rating\na,x,1\n');
  await write('part-2.csv', 'user,item,rating\nb,y,2\n');
  const result = await json('train', 'part-*.csv', 'ratings.csv', '--out', 'parts', ...small);
  expect(result).toMatchObject({ users: 32, items: 22, ratings: 362 });
});

test('a folder named by a dot keeps the checkpoint out of itself', async () => {
  await json('train', 'ratings.csv', '--out', 'dotted/.', ...small);
  expect(Object.keys(await contents('dotted'))).toHaveLength(11);
});

test.each([
  [['--model', 'svd'], /--model.*dot-bias, mlp/],
  [['--modl', 'mlp'], /--modl.*--model/],
  [['--epochs', '0'], /--epochs.*Give a whole number from 1\./],
  [['--epochs', '1.5'], /--epochs.*Give a whole number from 1\./],
  [['--batch-size', 'many'], /--batch-size.*Give a whole number from 1\./],
  [['--seed', '-1'], /--seed.*Give a whole number from 0\./],
  [['--learning-rate', '0'], /--learning-rate.*Give a number above 0\./],
  [['--learning-rate', '1e30', '--json'], /diverged.*1e\+30/],
  [['--valid', '1'], /--valid.*Give a fraction between 0 and 1\./],
  [['--valid', '0.2', '--test', 'ratings.csv'], /--test and --valid/],
  [['--valid', '0.2', '--split', 'leave-last-out'], /leave out --valid/],
  [['--split', 'leave-last-out', '--test', 'ratings.csv'], /--test and --split/],
  [['--split', 'time', '--time-column='], /a split by time needs times/],
  [['--split', 'backwards'], /--split/],
  [['--patience', '2', '--no-valid'], /--patience needs/],
  [['--positive', '6', '--json'], /--positive is 6, but the highest rating is 5; give a lower one, or all/],
  [['--positive', 'most'], /--positive.*Give a rating, or all\./],
  [['--negatives', '0'], /--negatives.*Give a whole number from 1, or all\./],
  [['--objective', 'stars'], /--objective.*both, rating, ranking/],
  [['--objective', 'ranking', '--no-clip'], /--no-clip is for the objective rating, not for ranking; leave/],
  [['--objective', 'ranking', '--loss', 'l1'], /--loss is for the objective rating, not for ranking; leave/],
  [['--objective', 'rating', '--positive', '4'], /--positive is for the objective ranking, not for rating/],
  [['--factors', '0'], /--factors/],
  [['--factors', 'auto'], /dot-bias: factors is "auto"; give a whole number from 1/],
  [['--hidden', '8'], /--hidden is for the model mlp, not for dot-bias; leave it out/],
  [['--dropout', '0.5'], /dropout is for the model mlp, not for dot-bias; leave it out/],
  [['--model', 'mlp', '--hidden', '8,'], /--hidden/],
  [['--model', 'mlp', '--dropout', '1'], /--dropout.*Give rates from 0 to below 1\./],
  [['--model', 'mlp', '--dropout', '0.1,0.1,0.1'], /dropout has 3 rates/],
  [['--spread', '1'], /unknown option '--spread'; it is called --initial-std now/],
  [['--no-lazy'], /unknown option '--no-lazy'; it is called --no-sparse-updates now/],
  [['--user', '2'], /unknown option '--user'; it is called --user-column now/],
  [['--time='], /unknown option '--time='; it is called --time-column now/],
  [['--out', ''], /--out.*Give a text\./],
  [['--range', '5,1'], /--range.*'5,1'.*Give two numbers, the lower first/],
  [['--range', '1'], /--range.*'1'.*Give two numbers, the lower first/],
  [['--range', '1,2,3'], /--range.*'1,2,3'.*Give two numbers, the lower first/],
  [['--optimizer', 'lion'], /--optimizer/],
  [['--schedule', 'linear'], /--schedule/],
  [['--loss', 'mape'], /--loss/],
  [['--rating-column', 'stars'], /"stars".*--rating-column.*"rating"/],
  [['--out', 'ratings.csv'], /is a file/],
  [['--out', '.'], /^cofactor: \.: has ratings.csv in it, which is read; give --out another folder/],
  [['--resume', '--json'], /no checkpoint/],
])('%j is one line, and nothing is written', async (flags, message) => {
  const before = await contents();
  const out = flags.includes('--out') ? [] : ['--out', 'refused'];
  expect(await failure('train', 'ratings.csv', ...out, ...flags)).toMatch(message);
  expect(await contents()).toEqual(before);
});

test('a missing file and an unknown command print one line', async () => {
  expect(await failure('train')).toMatch(/file/);
  expect(await failure('trian')).toMatch(/train/);
});

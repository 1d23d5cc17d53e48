import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { readPairs, readRatings } from '../../src/data/read/read.ts';
import { csvLine } from '../../src/data/write.ts';
import { workplace } from '../support/cli.ts';

const { write, at, names, here, text, json, failure } = workplace();

/** Ids that CSV must quote, and ids that a careless program would change. */
const users = ['Smith, "Jo"', '👩‍🚀 Zoë', '007', 'spaced out', 'two\nlines', "O'Hara"];
const items = ['1e3', 'true', '2001-01-01', 'nil', 'Ω;|\t.', '#1'];
const known = { user: true, item: true };
const pairs = users.map((user, row) => [user, items[row]] as const);
const csv = (rows: readonly (readonly (string | number)[])[]) => `${rows.map(csvLine).join('\n')}\n`;

beforeAll(async () => {
  const ratings = users.flatMap((user, row) =>
    items.map((item, index) => [user, item, 1 + ((row + index) % 5)]),
  );
  await write('odd.csv', csv([['user', 'item', 'rating'], ...ratings]));
  await write('pairs.csv', csv([['user', 'item'], ...pairs]));
  await text('train', 'odd.csv', '--out', 'odd', '--factors', '3', '--epochs', '30');
});

test('predicts one pair, as a number or as a list of one', async () => {
  const [user, item] = pairs[0];
  const printed = await text('predict', 'odd', '--user', user, '--item', item);
  expect(printed).toMatch(/^\d\.\d+\n$/);
  expect(await json('predict', 'odd', '--user', user, '--item', item)).toEqual([
    { user, item, rating: Number(printed), known },
  ]);
});

test('predicts a file of pairs in its order, the same in every form', async () => {
  const list: { user: string; item: string; rating: number }[] = await json('predict', 'odd', 'pairs.csv');
  expect(list.map(({ user, item }) => [user, item])).toEqual(pairs);
  for (const { user, item, rating } of list)
    expect(await json('predict', 'odd', '--user', user, '--item', item)).toEqual([
      { user, item, rating, known },
    ]);

  const rows = list.map(({ user, item, rating }) => [user, item, rating]);
  expect(await text('predict', 'odd', 'pairs.csv')).toBe(csv([['user', 'item', 'rating'], ...rows]));
  for (const out of ['out.csv', 'out.parquet']) {
    expect(await text('predict', 'odd', 'pairs.csv', '--out', out)).toBe(`Wrote 6 predictions to ${out}\n`);
    expect(await readPairs(at(out))).toEqual({ users, items });
    const { ratings } = (await readRatings(at(out))).ratings;
    for (const [row, { rating }] of list.entries()) expect(ratings[row]).toBeCloseTo(rating, 5);
  }
  expect((await readFile(at('out.csv'), 'utf8')).split('\n')[0]).toMatch(/^"?user"?,"?item"?,rating$/);
  expect((await names()).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('predicts each of several users with each of several items', async () => {
  const asked = ['--user', '007', '--user', 'new', '--item', '#1', '--item', 'nil'];
  const { stdout, stderr } = await here('predict', 'odd', ...asked, '--json');
  expect(JSON.parse(stdout)).toEqual(
    ['007', 'new'].flatMap((user) =>
      ['#1', 'nil'].map((item) => ({
        ...{ user, item, rating: expect.any(Number), known: { user: user !== 'new', item: true } },
      })),
    ),
  );
  expect(stderr).toBe('1 user unknown to the model, treated as average: "new"\n');
  expect((await here('predict', 'odd', ...asked)).stdout).toMatch(/^user,item,rating\n007,#1,.*\n007,nil,/);
});

test('an unknown id counts as average, with a note on stderr', async () => {
  await write('unknown.csv', 'user,item\nnew,#1\n007,new\n');
  const { code, stdout, stderr } = await here('predict', 'odd', 'unknown.csv', '--json');
  expect(code).toBe(0);
  const list = JSON.parse(stdout);
  expect(list).toHaveLength(2);
  for (const { rating } of list) expect(rating).toBeGreaterThan(0);
  expect(stderr).toBe(
    '1 user unknown to the model, treated as average: "new"\n1 item unknown to the model, treated as average: "new"\n',
  );
});

test('takes the columns of pairs by name or number', async () => {
  await write('columns.csv', 'what,who\n#1,007\n');
  const [expected] = await json('predict', 'odd', '--user', '007', '--item', '#1');
  for (const flags of [
    ['--user-column', 'who', '--item-column', 'what'],
    ['--user-column', '2', '--item-column', '1', '--header'],
  ])
    expect(await json('predict', 'odd', 'columns.csv', ...flags)).toEqual([expected]);
});

test.each([
  [['odd'], /a file of pairs, whose columns .*, or pairs by --user and --item/],
  [['odd', '--user', '007'], /--user and --item/],
  [['odd', 'pairs.csv', '--user', '007', '--item', '#1'], /either/],
  [['odd', 'pairs.csv', '--out', 'x.csv', '--json'], /--out and --json/],
  [['odd', 'pairs.csv', '--out', 'x.xlsx'], /\.csv or a \.parquet/],
  [['odd', 'pairs.csv', '--out', 'nowhere/x.csv'], /nowhere\/x.csv: cannot be written/],
  [
    ['odd', 'pairs.csv', '--out', './pairs.csv'],
    /pairs.csv: is pairs.csv, which is read, and would be lost; give --out another file/,
  ],
  [['odd', 'none.csv'], /none.csv: no such file/],
  [['odd', 'odd.csv', '--user-column', 'who'], /"who"/],
  [['nowhere', 'pairs.csv'], /nowhere: is not a trained model/],
])('%j is one line, and nothing is written', async (args, message) => {
  const before = await names();
  expect(await failure('predict', ...args)).toMatch(message);
  expect(await names()).toEqual(before);
});

import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { readPairs } from '../../src/data/read/read.ts';
import { Guard } from '../../src/data/spreadsheet.ts';
import { csvLine } from '../../src/data/write.ts';
import { workplace } from '../support/cli.ts';

const { write, at, here } = workplace();

const users = ['=1+1', '-5', 'plain', "'=quoted"];
const items = ['@SUM(A1)', '+1', 'a=b', '\uff1dx'];
const lines = users.flatMap((user, row) => items.map((item, at) => [user, item, 1 + ((row + at) % 5)]));
const csv = (rows: readonly (readonly (string | number)[])[]) => `${rows.map(csvLine).join('\n')}\n`;

beforeAll(async () => {
  await write('odd.csv', csv([['user', 'item', 'rating'], ...lines]));
  await here('train', 'odd.csv', '--out', 'odd', '--factors', '2');
});

const note = (count: number) =>
  `${count} cells that a spreadsheet would run as a formula have an apostrophe before the id; --raw writes ids as they are\n`;

const cellsOf = async (name: string) =>
  (await readFile(at(name), 'utf8'))
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));

test.each([
  ...[
    '=1',
    '+1',
    '-1',
    '@x',
    '\tx',
    '\rx',
    '\n=1',
    ' =1',
    '\ufeff=1',
    '\0=1',
    '\u200b-1',
    '＝1',
    '＋1',
    '－1',
    '＠x',
    '-',
  ],
])('%j is a formula', (text) => {
  const guard = new Guard(false);
  expect([guard.cell(text), guard.count]).toEqual([`'${text}`, 1]);
  expect(new Guard(true).cell(text)).toBe(text);
});

test.each(['', 'a=1', "'=1", '1-1', '007', '(−1)', 'é', '"=1"'])('%j is none', (text) => {
  expect(new Guard(false).cell(text)).toBe(text);
});

test('batch and predict keep a spreadsheet from running ids; numbers stay numbers', async () => {
  // 2 of 4 users and 3 of 4 items begin like formulas.
  const cells = 4 * 4 * (2 / 4 + 3 / 4);
  for (const args of [
    ['batch', 'odd', '--include-seen'],
    ['predict', 'odd', 'odd.csv'],
  ]) {
    expect(await here(...args, '--out', 'top.csv')).toMatchObject({ code: 0, stderr: note(cells) });
    const found = await cellsOf('top.csv');
    expect(found).toHaveLength(16);
    const texts = found.flatMap((row) => row.filter((cell) => Number.isNaN(Number(cell))));
    expect(texts.filter((cell) => /^[=+@\uff1d-]/.test(cell))).toEqual([]);
    expect(texts).toEqual(expect.arrayContaining(["'=1+1", "'-5", "'@SUM(A1)", "'+1", "'\uff1dx", 'a=b']));
    for (const row of found) expect(Number(row.at(-1))).not.toBeNaN();

    expect(await here(...args, '--out', 'raw.csv', '--raw')).toMatchObject({ code: 0, stderr: '' });
    const raw = await readPairs(at('raw.csv'));
    expect([new Set(raw.users), new Set(raw.items)]).toEqual([new Set(users), new Set(items)]);
    expect(await here(...args, '--out', 'top.parquet')).toMatchObject({ code: 0, stderr: '' });
    const parquet = await readPairs(at('top.parquet'));
    expect([new Set(parquet.users), new Set(parquet.items)]).toEqual([new Set(users), new Set(items)]);
  }
});

test('a negative score is a number, not a text', async () => {
  await write(
    'likes.csv',
    csv([['user', 'item'], ...lines.slice(0, -3).map(([user, item]) => [user, item])]),
  );
  await here('train', 'likes.csv', '--out', 'likes', '--factors', '2');
  await here('predict', 'likes', 'odd.csv', '--out', 'scores.csv');
  const scores = (await cellsOf('scores.csv')).map((row) => Number(row.at(-1)));
  expect(scores.some((score) => score < 0)).toBe(true);
});

test('predictions that are printed are guarded alike', async () => {
  const { stdout, stderr } = await here('predict', 'odd', 'odd.csv');
  expect(stdout).toContain("\n'=1+1,'@SUM(A1),");
  expect(stderr).toBe(note(20));
  const raw = await here('predict', 'odd', 'odd.csv', '--raw');
  expect(raw).toMatchObject({ stderr: '' });
  expect(raw.stdout).toContain('\n=1+1,@SUM(A1),');
});

test('what a spreadsheet may divide at ; has quotes', async () => {
  await write('divided.csv', 'user,item\nu1,a;=1\nu2,i1\n');
  const { stdout } = await here('predict', 'odd', 'divided.csv');
  expect(stdout).toMatch(/^u1,"a;=1",/m);
  await here('predict', 'odd', 'divided.csv', '--out', 'divided-scores.csv');
  expect(await readFile(at('divided-scores.csv'), 'utf8')).toMatch(/^"u1","a;=1",[\d.]+\r?\n"u2","i1",/m);
});

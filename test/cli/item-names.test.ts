import { beforeAll, expect, test } from 'vitest';
import { workplace } from '../support/cli.ts';

const { write, here, json, failure } = workplace();

const titles: Record<string, string> = {
  i0: 'Matrix, The (1999)',
  i1: 'Matrix Reloaded, The (2003)',
  i2: 'Amélie (Fabuleux destin d’Amélie Poulain, Le) (2001)',
  i3: 'Heat (1995)',
  i4: 'Heat (1986)',
  i5: 'Dead Heat (1988)',
  i6: 'i7',
  i7: '300 (2007)',
  i8: 'Love 300 times (2010)',
};

beforeAll(async () => {
  const rows = Object.entries(titles).map(([id, title]) => `${id},"${title}"`);
  await write('titles.csv', `id,title\n${rows.join('\n')}\n`);
  const flags = ['--factors', '2', '--epochs', '1', '--no-valid'];
  const { code } = await here('train', 'ratings.csv', '--out', 'model', '--titles', 'titles.csv', ...flags);
  expect(code).toBe(0);
});

test.each([
  ['The Matrix', 'i0'],
  ['matrix', 'i0'],
  ['Matrix, The', 'i0'],
  ['the matrix (1999)', 'i0'],
  ['reloaded', 'i1'],
  ['AMELIE', 'i2'],
  ['Heat (1986)', 'i4'],
  ['dead', 'i5'],
  ['300', 'i7'],
])('%s is the title of %s', async (text, item) => {
  const { stdout, stderr, code } = await here('similar', 'model', '--item', text, '--json');
  expect({ stderr: stderr.split('"')[0], code }).toEqual({ stderr: `By title: ${item} `, code: 0 });
  expect(JSON.parse(stdout)).toEqual(await json('similar', 'model', '--item', item));
});

test('an id wins over a title', async () => {
  expect(await json('similar', 'model', '--item', 'i7')).toHaveLength(10);
});

test('several titles that fit are listed, the best known first, and none is taken', async () => {
  for (const command of [['similar'], ['predict', '--user', 'u1']]) {
    const { stdout, stderr, code } = await here(command[0], 'model', '--item', 'heat', ...command.slice(1));
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    const lines = stderr.trimEnd().split('\n');
    expect(lines.slice(0, -1).sort()).toEqual(['  i3  Heat (1995)', '  i4  Heat (1986)']);
    expect(lines.at(-1)).toBe(
      'cofactor: "heat": 2 titles fit; give the id of one, or its whole title with the year',
    );
  }
});

test('a text that fits no title is named with titles like it; predict treats it as average', async () => {
  const { stdout, stderr, code } = await here('similar', 'model', '--item', 'Matrxi');
  expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  expect(stderr).toMatch(
    /^Titles like "Matrxi": i0 "Matrix, The \(1999\)".*\ncofactor: "Matrxi": the model does not know this item; give an id of the training data or a title\n$/,
  );
  const predicted = await here('predict', 'model', '--user', 'u1', '--item', 'Matrxi');
  expect(predicted.code).toBe(0);
  expect(predicted.stderr).toMatch(
    /^1 item unknown to the model, treated as average: "Matrxi"\nTitles like /,
  );
});

test('a number within a title is no title', async () => {
  expect(await failure('similar', 'model', '--item', '2010')).toContain('does not know this item');
});

import { mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { workplace } from '../support/cli.ts';

const { at, names, text, failure } = workplace();

test('a data set that is there already is not fetched again; its terms and the next step are printed', async () => {
  await mkdir(at('data/ml-1m'), { recursive: true });
  const lines = (await text('download', 'ml-1m', '--into', 'data')).split('\n');
  expect(lines).toEqual([
    'data/ml-1m is already there',
    expect.stringMatching(/GroupLens.*no commercial use/),
    'Train on it: npx cofactor train data/ml-1m/ratings.dat',
    '',
  ]);
});

// Where there is a network, this would fetch; `test/data/movielens.test.ts` has both sides by a server of its own.
test('a folder that cannot be written, and an unknown name, print one line', async () => {
  const before = await names();
  expect(await failure('download', 'ml-100k', '--into', 'ratings.csv')).toMatch(
    /ratings.csv: cannot be written/,
  );
  expect(await failure('download', 'ml-2b')).toMatch(/ml-100k, ml-1m/);
  expect(await names()).toEqual(before);
});

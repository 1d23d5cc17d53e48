import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { pythonEnvironment } from '../support/python.ts';
import { served } from '../support/served.ts';

const run = promisify(execFile);
const at = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url));

const movies = served();

let python: string | Error;
beforeAll(async () => {
  python = await pythonEnvironment('triton', at('requirements-triton.txt')).catch((error) => error);
}, 300_000);

test("Triton's client lists, checks and asks the models", async (context) => {
  if (typeof python !== 'string') return context.skip(python.message);
  const { stdout } = await run(python, [at('triton.py'), new URL(movies.url).host]);
  const { names, answers, refusal } = JSON.parse(stdout);
  expect(names).toEqual(
    ['predict', 'recommend', 'similar', 'fold-in', 'fold-in-many'].map((head) => `movies.${head}`),
  );
  const [users, items] = [
    ['u1', 'Zoë', 'nobody'],
    ['i1', 'i2', '☃'],
  ];
  const { recommender } = movies;
  const best = await recommender.recommend(users, { k: 2, includeSeen: true });
  const { recommended } = await recommender.foldIn(
    [5, 1, 3].map((rating, index) => ({ item: items[index], rating })),
    { k: 2 },
  );
  const expected = {
    rating: Array.from(await recommender.predict(users, items)),
    item: best.flat().map(({ item }) => item),
    top: recommended.map(({ item }) => item),
  };
  expect(answers).toEqual(Array(6).fill(expected));
  expect(refusal).toEqual({ status: '400', message: 'input "item" is missing' });
});

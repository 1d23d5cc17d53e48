import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { readItems } from '../../src/data/read/items.ts';
import { itemKnnScores } from '../../src/evaluate/item-knn.ts';
import { baselineRanker, itemsOfUsers } from '../../src/evaluate/rankers.ts';
import { countsOfItems, rankingMeans } from '../../src/evaluate/ranking.ts';
import { plays } from '../support/made-up/plays.ts';
import { shop } from '../support/made-up/shop.ts';

const file = (name: string): string => `src/data/sample/${name}.csv.gz`;
const fieldsOf = (text: string, separator: string): string[][] =>
  text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(separator));

test('`npm run sample-data` makes the sample data', async () => {
  const { orders, articles } = shop();
  const made = { 'shop/orders': orders, 'shop/articles': articles, 'plays/plays': plays() };
  let bytes = 0;
  for (const [name, text] of Object.entries(made)) {
    const stored = await readFile(file(name));
    expect(gunzipSync(stored).toString() === text, name).toBe(true);
    bytes += stored.length;
  }
  expect(bytes).toBeLessThan(150_000);
});

test('the shop has repeated purchases, returns, and a title for each article', async () => {
  const lines = fieldsOf(shop().orders, ';');
  expect(lines.length).toBeGreaterThan(4000);
  const pairs = new Map<string, number>();
  for (const [, customer, article, quantity] of lines)
    pairs.set(`${customer} ${article}`, (pairs.get(`${customer} ${article}`) ?? 0) + Number(quantity));
  expect(pairs.size).toBeLessThan(0.7 * lines.length);
  expect(lines.filter(([, , , quantity]) => Number(quantity) < 0).length).toBeGreaterThan(50);
  expect([...pairs.values()].filter((quantity) => quantity === 0).length).toBeGreaterThan(10);
  expect(Math.min(...pairs.values())).toBe(0);
  const { titles, genres } = await readItems(file('shop/articles'));
  expect(new Set(titles.values()).size).toBe(titles.size);
  for (const [, , article] of lines) expect(titles.has(article), article).toBe(true);
  expect(titles.get('A1000')).toBe('Darjeeling tea 100 g');
  expect(genres.get('A1000')).toEqual(['Tea']);
});

test('a few artists have most plays', () => {
  const counts = fieldsOf(plays(), ',').map(([, , count]) => Number(count));
  expect(counts.length).toBeGreaterThan(8000);
  expect(Math.min(...counts)).toBe(1);
  counts.sort((a, b) => b - a);
  const sum = (some: readonly number[]): number => some.reduce((total, count) => total + count, 0);
  expect(sum(counts.slice(0, counts.length / 10))).toBeGreaterThan(0.5 * sum(counts));
});

test.each([
  ['shop', fieldsOf(shop().orders, ';').map(([, customer, article]) => [customer, article])],
  ['plays', fieldsOf(plays(), ',')],
])('in %s there are tastes to learn: neighbours recommend better than popularity', async (_, rows) => {
  const pairs = [...new Set(rows.map(([user, item]) => `${user}\t${item}`))].map((pair) => pair.split('\t'));
  const userIds = [...new Set(pairs.map(([user]) => user))];
  const itemIds = [...new Set(pairs.map(([, item]) => item))];
  const all = new Ratings({
    userIds,
    itemIds,
    users: Int32Array.from(pairs, ([user]) => userIds.indexOf(user)),
    items: Int32Array.from(pairs, ([, item]) => itemIds.indexOf(item)),
    ratings: new Float32Array(pairs.length).fill(1),
  });
  const { train, valid } = randomSplit(all, 0.2, 1);
  const rated = itemsOfUsers(train);
  const ndcg = async (scores: (user: number) => Float32Array): Promise<number> => {
    const ranker = baselineRanker({ scores }, rated);
    return Number((await rankingMeans(ranker, rated, valid, { k: [10], threshold: 1 }))?.at[0].ndcg);
  };
  const popularity = countsOfItems(rated, itemIds.length).subarray(0, -1);
  const byNeighbours = await ndcg(itemKnnScores(train).scores);
  expect(byNeighbours).toBeGreaterThan(0.18);
  expect(byNeighbours).toBeGreaterThan(2 * (await ndcg(() => popularity)));
});

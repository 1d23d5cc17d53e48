import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { isSolved, modelNames } from '../../graphs/models/index.ts';
import type { Ratings } from '../../src/data/dataset/ratings.ts';
import { leaveLastOut, randomSplit, timeSplit } from '../../src/data/dataset/split.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { evaluate } from '../../src/evaluate/evaluate.ts';
import { evaluateBaselines } from '../../src/evaluate/evaluate-baselines.ts';
import { decodeModel } from '../../src/onnx/index.ts';
import type { Recommender } from '../../src/recommend/recommender.ts';
import { type Fitted, train } from '../../src/train/train.ts';
import { argumentError, temporaryFolder, userError } from '../support/files.ts';

const folder = temporaryFolder();
const recipe = { factors: 16 } as const;

let orders: Ratings;
let plays: Ratings;
let fitted: Fitted;
let shop: Recommender;

beforeAll(async () => {
  const read = async (name: string): Promise<Ratings> => {
    const packed = await readFile(`src/data/sample/${name}.csv.gz`);
    return (await readRatings(await folder.write(`${name.replace('/', '-')}.csv`, gunzipSync(packed))))
      .ratings;
  };
  [orders, plays] = [await read('shop/orders'), await read('plays/plays')];
  fitted = await train(orders, recipe);
  shop = await fitted.recommender({ seen: true });
});

const userOf = (data: Ratings, at = 0): string => data.userIds[data.users[at]];

describe('a model of interactions', () => {
  test('ranks, says what it was trained on, and has only what makes sense', async () => {
    const { manifest, files } = shop.artifact;
    expect([shop.kind, shop.objective]).toEqual(['interactions', 'ranking']);
    expect(manifest.data).toMatchObject({ kind: 'interactions', ratings: orders.ratings.length });
    expect(manifest.training).toMatchObject({ objective: 'ranking', positive: 'all', weights: 'log' });
    expect(manifest.model.config).not.toHaveProperty('range');
    expect(manifest.ranking).toBeUndefined();
    const inputs = (name: string) => decodeModel(files[name]).graph.inputs.map((input) => input.name);
    expect(inputs('fold-in.onnx')).toEqual(['item', 'k']);
    expect(inputs('fold-in-many.onnx')).toEqual(['item', 'k']);
    expect(decodeModel(files['predict.onnx']).graph.outputs.map(({ name }) => name)).toEqual(['score']);
    expect(shop.items[0]).not.toHaveProperty('average');
    expect(shop.items.map(({ count }) => count)).toEqual(Array.from(orders.itemCounts));
  });

  test('recommends what a customer does not have, with scores that predict gives', async () => {
    const user = userOf(orders);
    const own = new Set(
      Array.from(orders.items).flatMap((row, at) =>
        userOf(orders, at) === user ? [orders.itemIds[row]] : [],
      ),
    );
    const best = await shop.recommend(user, { k: 20 });
    expect(best).toHaveLength(20);
    for (const { item, score, rating } of best) {
      expect(own.has(item)).toBe(false);
      expect(rating).toBeUndefined();
      expect(await shop.score(user, item)).toBeCloseTo(score, 4);
    }
    expect(await userError(shop.predict(user, best[0].item))).toContain('predicts no ratings');
  });

  test('folds in people by what they have, one or many', async () => {
    const [one, other] = [orders.itemIds.slice(0, 3), orders.itemIds.slice(7, 8)];
    const alone = await shop.foldIn(one, { k: 5 });
    const many = await shop.foldIn([one, other, []], { k: 5 });
    expect(many[0].recommended.map(({ item }) => item)).toEqual(alone.recommended.map(({ item }) => item));
    for (const { item } of alone.recommended) expect(one).not.toContain(item);
    expect(many).toHaveLength(3);
    const counts = new Map(shop.items.map(({ item, count }) => [item, count]));
    const popular = Math.max(...counts.values());
    expect(counts.get(many[2].recommended[0].item)).toBe(popular);
    expect(await argumentError(shop.foldIn([{ item: one[0], rating: 5 }]))).toContain('without ratings');
    expect(await argumentError(shop.foldIn([7 as unknown as string]))).toContain('ids are strings');
    const rated = await train(await ratings(), { factors: 2, epochs: 1 });
    expect(await argumentError((await rated.recommender()).foldIn(['tea']))).toContain('trained on ratings');
  });

  test('lists a customer’s own list as it does the customer', async () => {
    const user = userOf(orders);
    const own = Array.from(orders.items).flatMap((row, at) =>
      userOf(orders, at) === user && orders.ratings[at] > 0 ? [orders.itemIds[row]] : [],
    );
    const known = (await shop.recommend(user, { k: 20 })).map(({ item }) => item);
    const folded = (await shop.foldIn(own, { k: 20 })).recommended.map(({ item }) => item);
    expect(folded.filter((item) => known.includes(item)).length).toBeGreaterThanOrEqual(12);
  });

  test.each(modelNames)('of every kind beats what is popular: %s', async (model) => {
    for (const split of [randomSplit(plays, 0.2, 1), leaveLastOut(plays), timeSplit(orders, 0.2)]) {
      const { train: known, valid } = split;
      const ranked = await (await train(known, { model, ...(!isSolved(model) && recipe) })).rankingOn(valid);
      expect(ranked?.ndcg).toBeGreaterThan(1.2 * (ranked?.popular.ndcg ?? 1));
    }
  });
});

/** A few ratings on a scale. */
async function ratings(): Promise<Ratings> {
  const rows = Array.from({ length: 30 }, (_, at) => `u${at % 6},i${at % 5},${1 + ((at * 7) % 5)}`);
  return (await readRatings(await folder.write('stars.csv', `user,item,stars\n${rows.join('\n')}\n`)))
    .ratings;
}

describe('what does not fit', () => {
  test.each([
    [{ objective: 'both' }, "interactions have no ratings to predict; leave out `objective: 'both'`"],
    [{ objective: 'rating' }, 'no ratings to predict'],
    [{ batchSize: 4 }, '`batchSize` is for the objective rating'],
    [{ range: [0, 5] }, '`range` is for the objective rating'],
    [{ positive: 1e6 }, 'the highest strength of an interaction is'],
    [{ positive: -5 }, 'an interaction counts from above 0'],
  ] as const)('is refused: %j', async (wrong, message) => {
    expect(await argumentError(train(orders, wrong))).toContain(message);
  });

  test('weights of ratings', async () => {
    expect(await argumentError(train(await ratings(), { weights: 'log' }))).toContain(
      '`weights` are for interactions',
    );
  });

  test('nobody with anything', async () => {
    const path = await folder.write('none.csv', 'user,item,count\na,x,0\nb,y,0\n');
    const { ratings } = await readRatings(path);
    expect(await userError(train(ratings))).toContain('nobody has anything');
  });
});

test('only some events are left out of recommendations, in the model and in judging', async () => {
  const rows = Array.from({ length: 60 }, (_, at) => {
    const user = at % 10;
    return `u${user},i${(user % 2) * 6 + (at % 6)},${at % 3 === 0 ? 'buy' : 'view'}`;
  });
  const path = await folder.write('events.csv', `user,item,event\n${rows.join('\n')}\n`);
  const { ratings } = await readRatings(path, { eventColumn: 'event', leaveOut: ['buy'] });
  const model = await (await train(ratings, { factors: 4 })).recommender();
  const bought = new Set(
    rows.filter((row) => row.startsWith('u0,') && row.endsWith('buy')).map((row) => row.split(',')[1]),
  );
  const seen = new Set(rows.filter((row) => row.startsWith('u0,')).map((row) => row.split(',')[1]));
  const listed = (await model.recommend('u0', { k: 100 })).map(({ item }) => item);
  expect(bought.size).toBeGreaterThan(0);
  expect(seen.size).toBeGreaterThan(bought.size);
  for (const item of seen) expect(listed.includes(item)).toBe(!bought.has(item));
});

describe('judging', () => {
  test('takes every held-out interaction as relevant, also for baselines', async () => {
    const { train: known, valid } = randomSplit(plays, 0.2, 1);
    const model = await (await train(known, recipe)).recommender();
    const { ranking, rmse, groups } = await evaluate(model, valid, { train: known });
    expect(rmse).toBeUndefined();
    expect(groups).toEqual({});
    const users = new Set(Array.from(valid.users).filter((row) => row < valid.userIds.length));
    expect(ranking?.users).toBe(users.size);
    const baselines = await evaluateBaselines(known, valid);
    expect(baselines['item-knn'].rmse).toBeUndefined();
    expect(baselines['most-popular'].ranking?.users).toBe(users.size);
    expect(baselines.ease.ranking?.at[0].ndcg).toBeGreaterThan(
      baselines['most-popular'].ranking?.at[0].ndcg ?? 1,
    );
  });

  test('weighs by strengths if asked', async () => {
    const { train: known, valid } = randomSplit(plays, 0.2, 1);
    const model = await (await train(known, recipe)).recommender();
    const [plain, weighted] = await Promise.all(
      [false, true].map(
        async (weighted) => (await evaluate(model, valid, { train: known, weighted })).ranking,
      ),
    );
    expect(weighted?.at[0].ndcg).not.toBe(plain?.at[0].ndcg);
    expect(weighted?.at[0].precision).toBe(plain?.at[0].precision);
  });
});

import { beforeAll, describe, expect, test } from 'vitest';
import { metrics } from '../../src/evaluate/metrics.ts';
import { Recommender } from '../../src/recommend/recommender.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { type Fitted, train } from '../../src/train/train.ts';
import { userError } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';

const ratings = lowRank();
const users = Array.from(ratings.users, (row) => ratings.userIds[row]);
const items = Array.from(ratings.items, (row) => ratings.itemIds[row]);

describe.each<[string, Recipe]>([
  ['dot-bias', { factors: 3 }],
  ['mlp', { model: 'mlp', factors: 3, dropout: 0.5 }],
])('a recommender of %s', (_, recipe) => {
  let model: Fitted;
  let recommender: Recommender;
  beforeAll(async () => {
    model = await train(ratings, recipe);
    recommender = await model.recommender();
  });

  test('predicts what the trained model does', async () => {
    const { rmse, mae } = metrics(await recommender.predict(users, items), ratings.ratings);
    const expected = await model.errors(ratings);
    expect(Math.abs(rmse - expected.rmse)).toBeLessThan(1e-6);
    expect(Math.abs(mae - expected.mae)).toBeLessThan(1e-6);
    expect(Math.abs(rmse - Number(model.metrics.train?.rmse))).toBeLessThan(1e-6);
  });

  test.each([1, 8191, 8192, 8193, 20_000])('predicts %i pairs as it does each alone', async (length) => {
    const indices = Array.from({ length }, (_, at) => (at * 7) % users.length);
    const once = await recommender.predict(users, items);
    const many = await recommender.predict(
      indices.map((index) => users[index]),
      indices.map((index) => items[index]),
    );
    expect(many).toHaveLength(length);
    const worst = indices.reduce((most, index, at) => Math.max(most, Math.abs(many[at] - once[index])), 0);
    expect(worst).toBeLessThan(1e-6);
  });

  test('answers about one as about a list of one', async () => {
    expect([await recommender.predict('user 1', 'item 2')]).toEqual([
      ...(await recommender.predict(['user 1'], ['item 2'])),
    ]);
    expect([await recommender.recommend('user 1', { k: 3 })]).toEqual(
      await recommender.recommend(['user 1'], { k: 3 }),
    );
    expect([await recommender.similar('item 1', { k: 3 })]).toEqual(
      await recommender.similar(['item 1'], { k: 3 }),
    );
    const { item_factors: one } = await recommender.factors('item 1');
    const { item_factors: many } = await recommender.factors(['item 1']);
    expect(many).toEqual({ dims: [1, 3], data: one });
  });

  test('leaves excluded items out of every list', async () => {
    const [first, ...others] = await recommender.similar('item 1', { k: 6 });
    expect(await recommender.similar('item 1', { k: 5, exclude: [first.item, 'nothing'] })).toEqual(others);
    const rated = [{ item: 'item 1', rating: 4 }];
    const [best, ...rest] = (await recommender.foldIn(rated, { k: 6 })).recommended;
    expect((await recommender.foldIn(rated, { k: 5, exclude: [best.item] })).recommended).toEqual(rest);
  });

  test('of nothing predicts nothing', async () => {
    expect(await recommender.predict([], [])).toEqual(new Float32Array());
  });

  test('refuses more of one than of the other', async () => {
    expect(await userError(recommender.predict(['user 1'], []))).toBe(
      '1 users but 0 items; give as many of one as of the other',
    );
  });

  test('refuses ids that are no strings, or hold what the runtime cuts off', async () => {
    const numbers = [1] as unknown as string[];
    expect(await userError(recommender.predict(numbers, ['item 2']))).toBe("1: ids are strings; give '1'");
    const number = 1 as unknown as string;
    expect(await userError(recommender.recommend(number))).toBe("1: ids are strings; give '1'");
    expect(await userError(recommender.predict('user 1', ['item 2'] as unknown as string))).toBe(
      'predict takes a user and an item, or a list of each',
    );
    expect(await userError(recommender.predict(['user 1\0x'], ['item 2']))).toBe(
      '"user 1\\u0000x": an id must not contain a NUL character',
    );
  });

  test('counts any unknown id as the average', async () => {
    const unknown = ['nobody', '', 'user 01', 'User 1', 'user 1 ', '\u{1F600}'];
    const predicted = await recommender.predict(
      unknown,
      unknown.map(() => 'item 2'),
    );
    expect(new Set(predicted).size).toBe(1);
    const { low, high } = ratings.facts;
    const [both] = await recommender.predict(['nobody'], ['nothing']);
    expect(both).toBeGreaterThan(low);
    expect(both).toBeLessThan(high);
    expect(await recommender.predict(['user 1'], ['item 2'])).not.toContain(predicted[0]);
  });

  test('answers several questions at once', async () => {
    const [one, two] = await Promise.all([
      recommender.predict(users, items),
      recommender.predict(users.toReversed(), items.toReversed()),
    ]);
    expect(two.toReversed()).toEqual(one);
  });
});

describe('files that no runtime takes', () => {
  test('are a UserError', async () => {
    const { manifest } = await (await train(ratings, { factors: 2, epochs: 1 })).artifact();
    const runtime = await nodeRuntime();
    const garbage = { 'predict.onnx': new TextEncoder().encode('not a model\nat all') };
    expect(await userError(Recommender.create({ manifest, files: garbage }, runtime, ['predict']))).toMatch(
      /^predict\.onnx: onnxruntime-node refuses it: .*; train the model again$/,
    );
    expect(await userError(Recommender.create({ manifest, files: {} }, runtime, ['predict']))).toContain(
      'predict.onnx is about users and was not loaded',
    );
  });

  test('for lack of memory are not called broken', async () => {
    const artifact = await (await train(ratings, { factors: 2, epochs: 1 })).artifact();
    const runtime = {
      ...(await nodeRuntime()),
      createSession: () => Promise.reject(new Error('Exception during initialization: std::bad_alloc')),
    };
    const opened = Recommender.create(artifact, runtime, ['predict']);
    await expect(opened).rejects.toMatchObject({ code: 'device' });
    expect(await userError(opened)).toMatch(/^predict\.onnx: .*std::bad_alloc; free some memory$/);
  });
});

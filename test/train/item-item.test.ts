import { beforeAll, describe, expect, test } from 'vitest';
import type { WeightsRanking } from '../../graphs/heads/serving.ts';
import { CHUNK, type ItemWeights } from '../../graphs/models/item-item.ts';
import { positivesOf } from '../../src/data/dataset/positives.ts';
import { Ratings, selectRows } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { evaluate } from '../../src/evaluate/evaluate.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { addWeights } from '../../src/solve/kept.ts';
import { nodeEngines } from '../../src/train/engines/node.ts';
import { trainingFiles } from '../../src/train/engines/ort-training/export.ts';
import { findLearningRate } from '../../src/train/find-learning-rate.ts';
import { fitModel } from '../../src/train/fit.ts';
import type { FittedRanking } from '../../src/train/fitted-ranking.ts';
import type { Progress } from '../../src/train/progress.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { type Fitted, type TrainOptions, train } from '../../src/train/train.ts';
import { solve } from '../../src/util/linear-algebra.ts';
import { argumentError, sample, userError } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';

const ratings = lowRank();
const MODEL = { model: 'item-item' } as const;

let plays: Ratings;
let movies: Ratings;
let fitted: Fitted;

beforeAll(async () => {
  plays = (await readRatings('src/data/sample/plays/plays.csv.gz')).ratings;
  movies = (await readRatings(`${sample}/ratings.csv.gz`)).ratings;
  fitted = await train(movies, MODEL);
});

async function weightsOf(data: Ratings, recipe: Recipe = {}): Promise<ItemWeights> {
  const { ranking } = await fitModel(
    data,
    { ...MODEL, ...recipe },
    {
      runtime: await nodeRuntime(),
      engines: nodeEngines,
    },
  );
  return ((ranking as FittedRanking).serving as WeightsRanking).weights;
}

/** The weights that an item has, by the row of the other item. */
function rowOf(weights: ItemWeights, item: number): Float32Array {
  const scores = new Float32Array(weights.items + 1);
  addWeights(weights, item, scores);
  return scores.subarray(0, weights.items);
}

/** The weights of EASE in double precision: −P_ij / P_jj with P = (XᵀX + λI)⁻¹. */
function plainWeights(
  data: Ratings,
  lambda: number,
  least: number | 'all',
  values?: Float32Array,
): Float64Array {
  const { starts, items } = positivesOf(data, data.facts, least);
  const n = data.itemIds.length;
  const gram = new Float64Array(n * n);
  for (let user = 0; user + 1 < starts.length; user++)
    for (let one = starts[user]; one < starts[user + 1]; one++)
      for (let other = starts[user]; other < starts[user + 1]; other++)
        gram[items[one] * n + items[other]] += Math.sqrt((values?.[one] ?? 1) * (values?.[other] ?? 1));
  const p = new Float64Array(n * n);
  for (let item = 0; item < n; item++) {
    gram[item * n + item] += lambda;
    p[item * n + item] = 1;
  }
  solve(gram, n, p);
  return p.map((value, at) => (at % n === Math.floor(at / n) ? 0 : -value / p[(at % n) * (n + 1)]));
}

describe('the weights', () => {
  test.each([
    ['all', 3],
    [4, 0.5],
  ] as const)('are the closed form, of positives from %s with λ of %d', async (positive, regularization) => {
    const weights = await weightsOf(ratings, { positive, regularization });
    const expected = plainWeights(ratings, regularization, positive);
    const n = ratings.itemIds.length;
    for (let item = 0; item < n; item++)
      for (const [other, weight] of rowOf(weights, item).entries())
        expect(weight).toBeCloseTo(expected[item * n + other], 4);
  });

  test('count an interaction by its weight', async () => {
    const weights = await weightsOf(plays, { regularization: 20, weights: 'log' });
    const { weights: values } = positivesOf(plays, plays.facts, 'all', 'log');
    const expected = plainWeights(plays, 20, 'all', values);
    const n = plays.itemIds.length;
    for (let item = 0; item < n; item += 7)
      for (const [other, weight] of rowOf(weights, item).entries())
        expect(weight).toBeCloseTo(expected[item * n + other], 4);
  });

  test('that are kept are the largest of all, about as many as asked for', async () => {
    const n = movies.itemIds.length;
    const [some, more] = [
      await weightsOf(movies, { neighbors: 20 }),
      await weightsOf(movies, { neighbors: 60 }),
    ];
    const sizes = ({ values }: ItemWeights) =>
      values
        .filter((value) => value !== 0)
        .map(Math.abs)
        .sort();
    const [few, many] = [sizes(some), sizes(more)];
    expect(few.length).toBeGreaterThan(0.8 * 20 * n);
    expect(few.length).toBeLessThan(1.2 * 20 * n);
    // What fewer keep are the largest of what more keep.
    // Up to a hundredth, within which sizes are not told apart.
    expect(few[0]).toBeGreaterThan(0.98 * many[many.length - few.length]);
    expect(some.chunks?.neighbors.length).toBe(some.values.length);
    expect(some.values.length % CHUNK).toBe(0);
  });

  test('rank as well with 100 for each item as with more', async () => {
    const { train: part, valid } = randomSplit(movies, 0.2, 1);
    const ndcg = async (recipe: Recipe) =>
      (await (await train(part, { ...MODEL, ...recipe })).rankingOn(valid))?.ndcg;
    const [usual, five] = [await ndcg({}), await ndcg({ neighbors: 5 })];
    const all = await ndcg({ neighbors: 600 });
    expect(usual).toBeGreaterThan(0.985 * (all as number));
    expect(five).toBeLessThan(usual as number);
  });
});

describe('a model', () => {
  test('is the same bytes again, whatever the seed', async () => {
    const sums = async (seed: number) =>
      (await (await train(plays, { ...MODEL, seed })).artifact()).manifest.files;
    expect(await sums(2)).toEqual(await sums(1));
  });

  test('has a manifest that says how it was made, and no training graph', async () => {
    const { manifest, files } = await fitted.artifact();
    expect(manifest.model).toMatchObject({ name: 'item-item', config: { neighbors: 100 } });
    expect(manifest.model.config.regularization).toBeGreaterThan(0);
    expect(manifest.training).toEqual({ objective: 'ranking', positive: 3.875 });
    expect(manifest.history).toHaveLength(1);
    expect(Object.keys(files).filter((name) => /train|factors/.test(name))).toEqual([]);
    expect(await userError((async () => trainingFiles({ manifest, files }))())).toMatch(
      /^item-item is computed in closed form, and has no training graph/,
    );
  });

  test('gives known users’ own lists their recommendations exactly', async () => {
    const recommender = await fitted.recommender({ seen: true });
    const { starts, items } = positivesOf(movies, movies.facts, 3.875);
    for (const user of [0, 17, 100, 413]) {
      const id = movies.userIds[user];
      const own = Array.from(items.subarray(starts[user], starts[user + 1]), (row) => movies.itemIds[row]);
      const rated = Array.from(movies.users.keys())
        .filter((at) => movies.users[at] === user)
        .map((at) => movies.itemIds[movies.items[at]]);
      const known = await recommender.recommend(id, { k: 50 });
      const list = own.map((item) => ({ item, rating: 5 }));
      const folded = await recommender.foldIn(list.reverse(), { k: 50, exclude: rated });
      expect(folded.recommended).toEqual(known);
      expect(folded.parameters).toEqual({});
      expect((await recommender.foldIn([list, []], { k: 50, exclude: rated }))[0].recommended).toEqual(known);
      const [first, last] = [known[0], known[49]];
      const scores = await recommender.score([id, id], [first.item, last.item]);
      expect([...scores]).toEqual([first.score, last.score]);
    }
    await recommender.release();
  });

  test('ranks what is held out in training as its files do', async () => {
    const { train: part, valid } = randomSplit(plays, 0.2, 4);
    const records: Progress[] = [];
    const made = await train(part, MODEL, { valid, onProgress: (progress) => records.push(progress) });
    const { ranking } = await evaluate(await made.recommender(), valid, { train: part });
    expect(made.metrics.valid?.ndcg).toBeCloseTo(ranking?.at[0].ndcg as number, 10);
    expect((await made.rankingOn(valid))?.ndcg).toBe(made.metrics.valid?.ndcg);
    expect(records.at(-1)).toMatchObject({
      objective: 'ranking',
      epoch: 0,
      epochs: 1,
      loss: made.history[0].loss,
    });
    expect(made.history[0].loss).toBeGreaterThan(0);
    expect(made.history[0].loss).toBeLessThan(1);
  });

  test('answers who has nothing that it knows with what is popular', async () => {
    const recommender = await fitted.recommender();
    const popular = await recommender.recommend('nobody', { k: 5 });
    expect((await recommender.foldIn([], { k: 5 })).recommended).toEqual(popular);
    expect((await recommender.foldIn([{ item: 'no such item', rating: 5 }], { k: 5 })).recommended).toEqual(
      popular,
    );
    await recommender.release();
  });

  test('puts popular items first where no weight says anything', async () => {
    // The last item has no user in common with others.
    const [users, items]: number[][] = [[], []];
    for (let user = 0; user < 30; user++)
      for (let item = 0; item < 6; item++)
        if ((user + item) % (item + 1) === 0) {
          users.push(user);
          items.push(item);
        }
    users.push(30);
    items.push(6);
    const data = new Ratings({
      kind: 'interactions',
      userIds: Array.from({ length: 31 }, (_, row) => `u${row}`),
      itemIds: Array.from({ length: 7 }, (_, row) => `i${row}`),
      users: Int32Array.from(users),
      items: Int32Array.from(items),
      ratings: new Float32Array(users.length).fill(1),
    });
    const recommender = await (await train(data, MODEL)).recommender();
    const { recommended } = await recommender.foldIn(['i6'], { k: 7 });
    const counts = recommended.map(({ item }) => recommender.items.find((one) => one.item === item)?.count);
    expect(counts).toEqual(counts.toSorted((a, b) => Number(b) - Number(a)));
    expect(recommended.every(({ score }) => score < 1e-6)).toBe(true);
    await recommender.release();
  });
});

describe('item-item beside another model', () => {
  test('is said to be ahead where it clearly is, and the time allows it', async () => {
    const { train: part, valid } = randomSplit(plays, 0.2, 1);
    const poor = await train(part, { factors: 1, epochs: 1 });
    const ahead = await poor.itemItemAhead(valid, 10);
    const own = await poor.rankingOn(valid);
    expect(ahead?.ndcg).toBe((await (await train(part, MODEL)).rankingOn(valid))?.ndcg);
    expect(ahead?.difference[0]).toBeGreaterThan(0);
    expect(ahead?.difference[1]).toBeGreaterThan(Number(ahead?.ndcg) - Number(own?.ndcg));
    expect(await poor.itemItemAhead(valid, 1e-9)).toBeUndefined();
    expect(await (await train(part, MODEL)).itemItemAhead(valid, 10)).toBeUndefined();
    const good = await train(part, { factors: 16 });
    expect(await good.itemItemAhead(valid, 10)).toBeUndefined();
  });
});

describe('what does not fit', () => {
  test.each<[Recipe, string]>([
    [{ objective: 'both' }, 'item-item ranks, and predicts no ratings'],
    [{ objective: 'rating' }, 'item-item ranks, and predicts no ratings'],
    [{ factors: 8 }, '`factors` is for the model dot-bias, mlp, not for item-item'],
    [{ epochs: 3 }, '`epochs` is for the model dot-bias, mlp, not for item-item'],
    [{ rankingLearningRate: 0.1 }, '`rankingLearningRate` is for the model dot-bias, mlp'],
    [{ patience: 2 }, '`patience` is for the model dot-bias, mlp'],
    [{ regularization: 0 }, 'regularization is 0; give a number above 0, up to 100,000'],
    [{ regularization: 1e6 }, 'regularization is 1000000; give a number above 0, up to 100,000'],
    [{ neighbors: 0 }, 'neighbors is 0; give a whole number from 1, or all'],
    [{ weights: 'log' }, '`weights` are for interactions'],
    [{ positive: 9 }, '`positive` is 9, but the highest rating is 5'],
  ])('is refused: %j', async (wrong, message) => {
    expect(await argumentError(train(ratings, { ...MODEL, ...wrong }))).toContain(message);
  });

  test('its choices for other models', async () => {
    expect(await argumentError(train(ratings, { regularization: 3 }))).toContain(
      '`regularization` is for the model item-item, not for dot-bias',
    );
  });

  test('a range test of learning rates', async () => {
    const test = findLearningRate(ratings, MODEL, { runtime: await nodeRuntime() });
    expect(await argumentError(test)).toMatch(/^item-item is computed in closed form, and has no steps/);
  });

  test('a penalty too small for 32-bit floats', async () => {
    const twice = new Ratings({
      kind: 'interactions',
      userIds: ['a', 'b', 'c'],
      itemIds: ['x', 'y', 'z'],
      users: Int32Array.of(0, 0, 1, 1, 2),
      items: Int32Array.of(0, 1, 0, 1, 2),
      ratings: new Float32Array(5).fill(1),
    });
    expect(await userError(train(twice, { ...MODEL, regularization: 1e-12 }))).toContain('regularization');
  });

  test('too little memory, with what would fit', async () => {
    const message = await argumentError(train(movies, MODEL, { memory: 200e6 } as TrainOptions));
    expect(message).toMatch(
      /^weights between 9,724 items take [\d.]+ MB of memory while they are computed; `memory` allows 200.0 MB, enough for [\d,]+ items: /,
    );
    expect(message).toContain("`model: 'dot-bias'`");
  });

  test('a stop before there is a model', async () => {
    const controller = new AbortController();
    controller.abort();
    expect(await userError(train(plays, MODEL, { signal: controller.signal }))).toMatch(
      /^training was stopped/,
    );
  });
});

describe('data that are difficult', () => {
  const made = (lists: readonly (readonly number[])[], items: number): Ratings =>
    new Ratings({
      kind: 'interactions',
      userIds: lists.map((_, user) => `u${user}`),
      itemIds: Array.from({ length: items }, (_, item) => `i${item}`),
      users: Int32Array.from(lists.flatMap((list, user) => list.map(() => user))),
      items: Int32Array.from(lists.flat()),
      ratings: new Float32Array(lists.flat().length).fill(1),
    });

  test('one user who has everything: of weights that are alike, no more are kept than asked for', async () => {
    const items = 2500;
    const some = Array.from({ length: 20 }, (_, user) => [user, user + 1, user + 2]);
    const { values } = await weightsOf(made([...some, [...Array(items).keys()]], items), { neighbors: 20 });
    const kept = values.filter((value) => value !== 0).length;
    expect(kept).toBeGreaterThan(0.7 * 20 * items);
    expect(kept).toBeLessThan(1.3 * 20 * items);
  });

  test('users who all have the same, with too small a penalty, are refused', async () => {
    const all = [...Array(130).keys()];
    const alike = made(
      Array.from({ length: 300 }, () => all),
      130,
    );
    expect(await userError(train(alike, { ...MODEL, regularization: 1 }))).toMatch(
      /^the penalty of weights is too small for 32-bit floats; give a higher `regularization`$/,
    );
    const weights = await weightsOf(alike, { regularization: 1000 });
    const expected = plainWeights(alike, 1000, 'all');
    for (const [other, weight] of rowOf(weights, 3).entries())
      expect(weight).toBeCloseTo(expected[3 * 130 + other], 5);
  });

  test('an interval over few users is none', async () => {
    const { train: part, valid } = randomSplit(plays, 0.2, 1);
    const poor = await train(part, { factors: 1, epochs: 1 });
    const [first] = valid.users;
    const one = selectRows(
      valid,
      Int32Array.from(valid.users.keys()).filter((at) => valid.users[at] === first),
    );
    expect(await poor.itemItemAhead(one, 10)).toBeUndefined();
  });
});

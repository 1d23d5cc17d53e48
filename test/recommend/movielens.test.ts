import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Tensors } from '../../graphs/heads/serving.ts';
import type { ModelName } from '../../graphs/models/index.ts';
import type { Model } from '../../graphs/models/model.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { metrics } from '../../src/evaluate/metrics.ts';
import type { Precision } from '../../src/onnx/compress.ts';
import { decodeModel } from '../../src/onnx/index.ts';
import type { Recommender } from '../../src/recommend/recommender.ts';
import { resolve } from '../../src/train/recipe/resolve.ts';
import { train } from '../../src/train/train.ts';
import { sample } from '../support/files.ts';
import { count, floats, headsOf, padded, rowsOf, strings } from '../support/heads.ts';

const { ratings: all } = await readRatings(join(sample, 'ratings.csv.gz'));
const split = randomSplit(all, 0.1, 1);
const { userIds, itemIds } = split.train;

/** The ratings of each user, by ids; of the held-out ones those of items that training has seen. */
function byUser({ users, items, ratings } = split.train) {
  const lists = userIds.map((): { item: string; rating: number }[] => []);
  for (const [index, user] of users.entries())
    if (user < userIds.length && items[index] < itemIds.length)
      lists[user].push({ item: itemIds[items[index]], rating: ratings[index] });
  return lists;
}
const [rated, heldOut] = [byUser(split.train), byUser(split.valid)];
const some = [...userIds.keys()].filter((user) => user % 8 === 0);
const rms = (numbers: readonly number[]): number =>
  Math.sqrt(numbers.reduce((sum, one) => sum + one * one, 0) / numbers.length);

interface Case {
  /** Elements of all tables that a head keeps. */
  readonly elements: Readonly<Record<string, number>>;
  /** How far the ratings by fold-in are from those of training, and which part of the first ten are the same. */
  readonly folded: { readonly difference: number; readonly overlap: number };
}

const [users, items] = [userIds.length + 1, itemIds.length + 1];
const cases: [ModelName, Case][] = [
  [
    'dot-bias',
    {
      elements: {
        predict: 50 * users + 50 * items,
        recommend: 50 * users + 50 * items,
        similar: 50 * items,
        factors: 50 * items,
      },
      folded: { difference: 0.2, overlap: 0.65 },
    },
  ],
  [
    'mlp',
    {
      // What the first layer makes of an item stands for its factors.
      elements: {
        predict: 50 * users + 50 * items,
        recommend: 50 * users + 64 * items,
        similar: 50 * items,
        factors: 50 * items,
      },
      folded: { difference: 0.15, overlap: 0.8 },
    },
  ],
];

describe.each(cases)('%s on MovieLens', (name, { elements, folded }) => {
  let artifact: Artifact;
  let recommender: Recommender;
  let model: Model;
  let parameters: Tensors;
  let whole: Awaited<ReturnType<typeof headsOf>>;
  beforeAll(async () => {
    const trained = await train(split.train, { model: name, objective: 'rating' }, { valid: split.valid });
    recommender = await trained.recommender({ seen: true });
    ({ artifact } = recommender);
    ({ model } = resolve({ model: name, objective: 'rating' }, split.train.facts));
    const { initializers } = decodeModel(artifact.files['predict.onnx']).graph;
    parameters = Object.fromEntries(
      Object.entries(model.parameters).map(([name, { dims }]) => {
        const table: unknown = initializers.find((one) => one.name === name);
        const size = dims.reduce((product, dim) => product * dim, 1);
        return [name, { dims, data: (table as { data: Float32Array }).data.slice(0, size) }];
      }),
    );
    whole = await headsOf(model, parameters, { userIds, itemIds });
  });

  test('recommends what it predicts highest, of what is not rated in training', async () => {
    const asked = some.slice(0, 20).map((user) => userIds[user]);
    const found = await recommender.recommend(asked, { k: 50 });
    for (const [at, list] of found.entries()) {
      const out = new Set(rated[some[at]].map(({ item }) => item));
      expect(list.every(({ item }) => !out.has(item))).toBe(true);
      const predicted = await recommender.predict(
        itemIds.map(() => asked[at]),
        itemIds,
      );
      const open = [...predicted].filter((_, row) => !out.has(itemIds[row])).sort((a, b) => b - a);
      for (const [index, { item, rating = Number.NaN }] of list.entries()) {
        expect(Math.abs(rating - open[index])).toBeLessThan(1e-5);
        expect(Math.abs(rating - predicted[itemIds.indexOf(item)])).toBeLessThan(1e-5);
      }
    }
  });

  test('finds a person again by their ratings alone', async () => {
    const few = some.filter((_, at) => at % 3 === 0);
    const top = await recommender.recommend(few.map((user) => userIds[user]));
    const nobody = await recommender.predict(
      itemIds.map(() => 'nobody'),
      itemIds,
    );
    const differences: number[] = [];
    const ofNobody: number[] = [];
    const held = { folded: [] as number[], trained: [] as number[], actual: [] as number[] };
    let same = 0;
    for (const [at, user] of few.entries()) {
      const { recommended } = await recommender.foldIn(rated[user], { k: itemIds.length });
      const found = new Map(recommended.map(({ item, rating }) => [item, rating]));
      expect(found.size).toBe(itemIds.length - rated[user].length);
      const predicted = await recommender.predict(
        itemIds.map(() => userIds[user]),
        itemIds,
      );
      for (const [row, rating] of predicted.entries()) {
        const other = found.get(itemIds[row]);
        if (other === undefined) continue;
        differences.push(other - rating);
        ofNobody.push(nobody[row] - rating);
      }
      for (const { item, rating } of heldOut[user]) {
        held.folded.push(found.get(item) as number);
        held.trained.push(predicted[itemIds.indexOf(item)]);
        held.actual.push(rating);
      }
      const first = new Set(recommended.slice(0, 10).map(({ item }) => item));
      same += top[at].filter(({ item }) => first.has(item)).length / 10;
    }
    expect(rms(differences)).toBeLessThan(folded.difference);
    // What would be without any ratings.
    expect(rms(differences)).toBeLessThan(rms(ofNobody) / 2);
    expect(same / few.length).toBeGreaterThan(folded.overlap);
    const [error, own] = [held.folded, held.trained].map((predicted) => {
      return metrics(Float32Array.from(predicted), Float32Array.from(held.actual)).rmse;
    });
    expect(error).toBeLessThan(1.02 * own);
  });

  test('its files are of opset 13, with nothing to compute that no request changes', () => {
    for (const head of recommender.heads) {
      const { opsets, irVersion, metadata, graph } = decodeModel(artifact.files[`${head}.onnx`]);
      expect({ opsets, irVersion }).toEqual({ opsets: { '': 13, 'ai.onnx.ml': 2 }, irVersion: 7 });
      expect(metadata).toMatchObject({ model: model.name });
      const kept = new Set(graph.initializers.map((one) => one.name));
      const fixed = graph.nodes.filter(({ inputs }) => inputs.every((one) => kept.has(one)));
      const views = ['Reshape', 'Squeeze', 'Unsqueeze', 'Transpose', 'Split'];
      for (const { operator } of fixed) expect(views, head).toContain(operator);
      const floats = graph.initializers.filter(({ dtype, dims }) => dtype === 'float' && dims.length > 1);
      const total = floats.reduce((sum, { data }) => sum + data.length, 0);
      const expected = elements[head];
      // Beside the tables a layer or two.
      if (expected) expect(Math.abs(total - expected), head).toBeLessThan(7000);
    }
  });

  describe.each<[Precision, { bytes: number; rating: number; error: number; overlap: number }]>([
    // A number is off by 2⁻¹¹ of itself at most.
    ['float16', { bytes: 2, rating: 0.001, error: 0.00005, overlap: 0.98 }],
    // A number is off by 1/254 of the largest in its row at most. Ratings that are as near come in another order.
    ['int8', { bytes: 1, rating: 0.03, error: 0.0005, overlap: 0.88 }],
  ])('as %s', (precision, bounds) => {
    let small: typeof whole;
    beforeAll(async () => {
      small = await headsOf(model, parameters, { userIds, itemIds }, { precision });
    });
    const both = (...asked: Parameters<typeof whole.run>) =>
      Promise.all([whole, small].map(({ run }) => run(...asked)));
    const farthest = ([exact, near]: readonly { data: unknown }[]): number => {
      const others = near.data as Float32Array;
      return (exact.data as Float32Array).reduce(
        (most, one, at) => Math.max(most, Math.abs(one - others[at])),
        0,
      );
    };

    test('its files are smaller by what their tables take', () => {
      expect(Object.keys(small.files)).toEqual(Object.keys(whole.files));
      for (const [name, { bytes }] of Object.entries(small.files)) {
        const { irVersion, opsets } = decodeModel(bytes);
        expect({ irVersion, opset: opsets[''] }).toEqual({ irVersion: 7, opset: 13 });
        const large = decodeModel(whole.files[name].bytes).graph.initializers.filter(
          ({ dtype, dims, data }) => dtype === 'float' && dims.length > 1 && data.length >= 4096,
        );
        const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
        const elements = sum(large.map(({ data }) => data.length));
        const scales = precision === 'int8' ? 4 * sum(large.map(({ dims }) => Math.max(...dims))) : 0;
        const saved = whole.files[name].bytes.length - bytes.length;
        expect(Math.abs(saved - (4 - bounds.bytes) * elements + scales), name).toBeLessThan(1500);
      }
    });

    test('its predictions are nearly the same', async () => {
      const { users, items, ratings } = split.valid;
      const ids = (rows: Int32Array, names: readonly string[]) =>
        Array.from(rows, (row) => names[row] ?? 'unknown');
      const user = strings(ids(users, userIds));
      const found = (await both('predict', { user, item: strings(ids(items, itemIds)) })).map(
        ({ rating }) => rating,
      );
      expect(farthest(found)).toBeLessThan(bounds.rating);
      const [error, other] = found.map(({ data }) => metrics(data as Float32Array, ratings).rmse);
      expect(Math.abs(error - other)).toBeLessThan(bounds.error);
    });

    test('it recommends, finds similar items, and folds in nearly the same', async () => {
      const users = some.slice(0, 20).map((user) => userIds[user]);
      const exclude = padded(users.map(() => []));
      const recommended = await both('recommend', { user: strings(users), exclude, k: count(10) });
      const similar = await both('similar', { item: strings(itemIds.slice(0, 50)), k: count(10) });
      const folded = await Promise.all(
        some.slice(0, 21).map((user) =>
          both('fold-in', {
            item: strings(rated[user].map(({ item }) => item)),
            rating: floats(rated[user].map(({ rating }) => rating)),
            k: count(10),
          }),
        ),
      );
      for (const [exact, near] of [
        recommended.map(({ item }) => rowsOf<string>(item)),
        similar.map((found) => rowsOf<string>(found.similar)),
        [0, 1].map((head) => folded.map((found) => found[head].top_item.data as string[])),
      ]) {
        const shared = exact.flatMap((list, row) => list.filter((id) => near[row].includes(id)));
        expect(shared.length / exact.flat().length).toBeGreaterThan(bounds.overlap);
      }
      expect(farthest(recommended.map(({ rating }) => rating))).toBeLessThan(bounds.rating);
      expect(farthest(similar.map(({ similarity }) => similarity))).toBeLessThan(bounds.rating);
      const off = folded
        .map((found) => farthest(found.map(({ top_rating }) => top_rating)))
        .sort((a, b) => a - b);
      expect(off[10]).toBeLessThan(bounds.rating);
      // The posterior of a person's row has kinks where there is ReLU: for some people, a small change moves its maximum far.
      expect(off[20]).toBeLessThan(name === 'mlp' ? Math.max(0.01, bounds.rating) : bounds.rating);
    });

    test('a rating of dot-bias is off by no more than its factors can be', async () => {
      if (model.name !== 'dot-bias') return;
      const { user_factors, item_factors } = parameters;
      const row = (data: Float32Array, at: number) => [...data.subarray(50 * at, 50 * at + 50)];
      const off = (numbers: readonly number[]) => {
        const largest = Math.max(...numbers.map(Math.abs));
        return numbers.map((one) => (precision === 'int8' ? largest / 254 : Math.abs(one) * 2 ** -11));
      };
      const pairs = some.map((user, at) => [user, (97 * at) % itemIds.length]);
      const [exact, near] = await both('predict', {
        user: strings(pairs.map(([user]) => userIds[user])),
        item: strings(pairs.map(([, item]) => itemIds[item])),
      });
      const [low, high] = (model.config as { range: [number, number] }).range;
      for (const [at, [user, item]] of pairs.entries()) {
        const [a, b] = [row(user_factors.data, user), row(item_factors.data, item)];
        const [offA, offB] = [off(a), off(b)];
        const score = a.reduce(
          (sum, one, f) => sum + Math.abs(one) * offB[f] + (Math.abs(b[f]) + offB[f]) * offA[f],
          0,
        );
        const difference = Math.abs(Number(exact.rating.data[at]) - Number(near.rating.data[at]));
        // The slope of a sigmoid is a quarter at most; floats are off too.
        expect(difference).toBeLessThan((score * (high - low)) / 4 + 2e-6);
      }
    });
  });
});

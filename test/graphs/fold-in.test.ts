import fc from 'fast-check';
import { expect, describe as group, test } from 'vitest';
import type { Tensors } from '../../graphs/heads/serving.ts';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import type { Model, ModelDefinition } from '../../graphs/models/model.ts';
import { add, gather } from '../../src/onnx/index.ts';
import { generator, normals } from '../../src/util/random.ts';
import { neuralFactorization } from '../support/factorization.ts';
import { allRatings, best, count, floats, headsOf, strings } from '../support/heads.ts';
import { attention, distance, itemsAlone } from '../support/own.ts';
import { dot, rowOf, scaled } from './models.ts';

type Rating = readonly [item: number, rating: number];

/** A model whose parameters are drawn, as if trained on this many users and items, and its fold-in. */
async function folding(
  definition: ModelDefinition,
  { users = 40, items = 30, spread = 0.7, error = 0.8 } = {},
) {
  const model = definition({ users, items, ratings: 500, low: 1, high: 5, mean: 3 });
  const random = generator(11);
  const trained: Tensors = Object.fromEntries(
    Object.entries(model.parameters).map(([name, { dims }]) => {
      const size = dims.reduce((product, dim) => product * dim, 1);
      return [name, { dims, data: normals(size, spread, random) }];
    }),
  );
  const ids = (kind: string, length: number) => Array.from({ length }, (_, row) => `${kind} ${row}`);
  const vocabulary = { userIds: ids('user', users), itemIds: ids('item', items) };
  const { run } = await headsOf(model, trained, vocabulary, { error });
  const foldIn = async (ratings: readonly Rating[], k = 5) => {
    const { top_item, top_score, top_rating, ...rows } = await run('fold-in', {
      item: strings(ratings.map(([item]) => `item ${item}`)),
      rating: floats(ratings.map(([, rating]) => rating)),
      k: count(k),
    });
    const parameters = Object.entries(rows).map(([name, { data }]) => [name, [...(data as Float32Array)]]);
    return {
      parameters: Object.fromEntries(parameters) as Record<string, number[]>,
      top: [...(top_item.data as string[])],
      given: [...(top_rating.data as Float32Array)],
      scores: [...(top_score.data as Float32Array)],
    };
  };
  return { model, trained, run, foldIn };
}

/** The rows of all users, each with all of a user's parameters side by side, and their mean. */
function userRows(model: Model, trained: Tensors) {
  const names = Object.keys(model.parameters).filter((name) => model.parameters[name].rowsOf === 'user');
  const [users] = trained[names[0]].dims;
  const widths = names.map((name) => trained[name].data.length / users);
  const rows = Array.from({ length: users }, (_, user) =>
    names.flatMap((name, at) => rowOf(trained[name].data, widths[at], user)),
  );
  const mean = rows[0].map((_, column) => rows.reduce((sum, row) => sum + row[column], 0) / users);
  return { names, widths, rows, mean };
}

/**
 * The most probable factors and bias, by conjugate gradients (Polak and Ribière) in double precision, without a
 * covariance matrix: mean + Σ wᵤ (row of user u − mean) / √users, where each w is normal.
 */
function mostProbable(model: Model, trained: Tensors, ratings: readonly Rating[], spread: number) {
  const { rows, mean } = userRows(model, trained);
  const away = rows.map((row) => row.map((one, column) => (one - mean[column]) / Math.sqrt(rows.length)));
  const { range } = model.config as { range: [number, number] };
  const asked = ratings.map(([item, rating]) => {
    const factors = [...rowOf(trained.item_factors.data, mean.length - 1, item), 1];
    const effects = away.map((direction) => dot(direction, factors));
    return { effects, score: dot(mean, factors) + trained.item_bias.data[item], rating };
  });
  const errorsOf = (w: readonly number[]) =>
    asked.map(({ effects, score, rating }) => scaled(score + dot(effects, w), range) - rating);
  const costOf = (w: readonly number[]) => {
    const errors = errorsOf(w);
    return (dot(errors, errors) / spread ** 2 + dot(w, w)) / 2;
  };
  const gradientOf = (w: readonly number[]) => {
    const gradient = [...w];
    for (const [at, error] of errorsOf(w).entries()) {
      const part = (error + asked[at].rating - range[0]) / (range[1] - range[0]);
      const pull = (error * (range[1] - range[0]) * part * (1 - part)) / spread ** 2;
      for (const [user, effect] of asked[at].effects.entries()) gradient[user] += pull * effect;
    }
    return gradient;
  };
  let w = rows.map(() => 0);
  let gradient = gradientOf(w);
  let direction = gradient.map((one) => -one);
  let length = 1;
  for (let step = 0; step < 5000 && length > 1e-15 && dot(gradient, gradient) > 1e-14; step++) {
    if (dot(direction, gradient) >= 0) direction = gradient.map((one) => -one);
    const cost = costOf(w);
    const slope = dot(direction, gradient);
    const at = (way: number) => w.map((one, user) => one + way * direction[user]);
    for (length *= 4; length > 1e-15 && costOf(at(length)) > cost + 1e-4 * length * slope; length /= 2);
    w = at(length);
    const next = gradientOf(w);
    const change = next.map((one, user) => one - gradient[user]);
    const turn = Math.max(0, dot(next, change) / dot(gradient, gradient));
    direction = next.map((one, user) => turn * direction[user] - one);
    gradient = next;
  }
  return mean.map((one, column) => one + away.reduce((sum, row, user) => sum + w[user] * row[column], 0));
}

const farthest = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, one, index) => Math.max(most, Math.abs(one - b[index])), 0);

group('what is found for dot-bias is the most probable', () => {
  test('for any ratings, one or many, of one item or several', async () => {
    const { model, trained, foldIn } = await folding(dotBias({ factors: 3 }));
    const rating = fc.tuple(
      fc.nat(29),
      fc.integer({ min: 2, max: 10 }).map((half) => half / 2),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(rating, { minLength: 1, maxLength: 20 }), async (ratings) => {
        const { user_factors, user_bias } = (await foldIn(ratings)).parameters;
        const expected = mostProbable(model, trained, ratings, 0.8);
        expect(farthest([...user_factors, ...user_bias], expected)).toBeLessThan(1e-4);
      }),
      { numRuns: 15 },
    );
  });

  test.each<[string, Parameters<typeof folding>[1] & object, number, number]>([
    ['of hundreds of ratings', { users: 12, items: 300 }, 3, 300],
    ['of ratings that are rarely wrong', { error: 0.1 }, 3, 25],
    ['of many factors', { users: 60, items: 300, spread: 0.3 }, 40, 60],
    ['of fewer users than factors', { users: 3 }, 8, 10],
    ['of two users', { users: 2, error: 0.1 }, 3, 10],
  ])('%s', async (_, setting, factors, length) => {
    const { model, trained, foldIn } = await folding(dotBias({ factors }), setting);
    const ratings = Array.from({ length }, (_, at): Rating => [at % 300, 1 + ((7 * at) % 5)]);
    const { user_factors, user_bias } = (await foldIn(ratings)).parameters;
    const expected = mostProbable(model, trained, ratings, setting.error ?? 0.8);
    expect(farthest([...user_factors, ...user_bias], expected)).toBeLessThan(1e-4);
  });
});

/** Twice the cost of rows for a person: squared errors and squared distance from the users, each in units of its own. */
async function costsOf(
  model: Model,
  trained: Tensors,
  candidates: number[][],
  ratings: readonly Rating[],
  error: number,
) {
  const { names, widths, rows, mean } = userRows(model, trained);
  let from = 0;
  const tables = names.map((name, at) => {
    const start = from;
    from += widths[at];
    const data = Float32Array.from(candidates.flatMap((row) => row.slice(start, start + widths[at])));
    return [name, { dims: [candidates.length, ...trained[name].dims.slice(1)], data }] as const;
  });
  const asPeople = {
    ...model,
    parameters: Object.fromEntries(
      Object.entries(model.parameters).map(([name, parameter]) => [
        name,
        {
          ...parameter,
          dims: names.includes(name) ? [candidates.length, ...parameter.dims.slice(1)] : parameter.dims,
        },
      ]),
    ),
  };
  const predicted = await allRatings(asPeople, { ...trained, ...Object.fromEntries(tables) });
  const covariance = mean.map((_, i) =>
    mean.map(
      (_, j) => rows.reduce((sum, row) => sum + (row[i] - mean[i]) * (row[j] - mean[j]), 0) / rows.length,
    ),
  );
  return candidates.map((candidate, person) => {
    const away = candidate.map((one, column) => one - mean[column]);
    const errors = ratings.map(([item, rating]) => (predicted[person][item] - rating) / error);
    return dot(errors, errors) + dot(away, solved(covariance, away));
  });
}

/** x of matrix · x = right, by Gauss and Jordan, for a matrix that is symmetric and positive. */
function solved(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, at) => [...row, right[at]]);
  for (const [pivot, row] of rows.entries())
    for (const [other, changed] of rows.entries()) {
      if (other === pivot) continue;
      const factor = changed[pivot] / row[pivot];
      for (let column = 0; column <= rows.length; column++) changed[column] -= factor * row[column];
    }
  return rows.map((row, at) => row[rows.length] / row[at]);
}

test.each([
  mlp({ factors: [4, 3], hidden: [6] }),
  mlp({ factors: 2, hidden: [5, 4] }),
  neuralFactorization({ factors: 3, hidden: 4 }),
  dotBias({ factors: 3 }),
  distance,
  attention,
])('nothing near what is found is more probable (%#)', async (definition) => {
  const error = 0.3;
  const { model, trained, foldIn } = await folding(definition, { spread: 0.5, error });
  // What the user who is least like the average would rate, to the next half.
  const all = await allRatings(model, trained);
  const average = all.pop() as number[];
  const away = (one: readonly number[]) => dot(one, one) - 2 * dot(one, average);
  const [someone] = all.sort((one, other) => away(other) - away(one));
  const ratings = Array.from({ length: 15 }, (_, at): Rating => [at, Math.round(2 * someone[at]) / 2]);
  const { parameters } = await foldIn(ratings);
  const { names, mean } = userRows(model, trained);
  const found = names.flatMap((name) => parameters[name]);
  const steps = Array.from({ length: 100 }, (_, seed) => [...normals(found.length, 0.03, generator(seed))]);
  const near = steps.map((step) => found.map((one, column) => one + step[column]));
  const [cost, ofMean, ...others] = await costsOf(model, trained, [found, mean, ...near], ratings, error);
  expect(ofMean).toBeGreaterThan(1.3 * cost);
  for (const other of others) expect(other).toBeGreaterThan(cost);
});

group('a person', () => {
  const settings = folding(dotBias({ factors: 3 }));

  test('who has rated nothing that is known is the average user', async () => {
    const { model, trained, foldIn, run } = await settings;
    const { mean } = userRows(model, trained);
    const nobody = await foldIn([]);
    const { user_factors, user_bias } = nobody.parameters;
    expect(farthest([...user_factors, ...user_bias], mean)).toBeLessThan(1e-6);
    const feeds = { user: strings(['nobody']), exclude: strings([], [1, 0]), k: count(5) };
    const { item, rating } = await run('recommend', feeds);
    expect(nobody.top).toEqual(item.data);
    expect(farthest(nobody.given, [...(rating.data as Float32Array)])).toBeLessThan(1e-5);
    expect(
      await foldIn([
        [99, 5],
        [-1, 1],
        [99, 2],
      ]),
    ).toEqual(nobody);
    expect(
      await foldIn([
        [4, 5],
        [99, 1],
      ]),
    ).toEqual(await foldIn([[4, 5]]));
  });

  test.each([dotBias({ factors: 3 }), mlp({ factors: 3, hidden: [4, 3] }), distance, attention])(
    'gets the best items, by the row that was found, of those that are not rated (%#)',
    async (definition) => {
      const { model, trained, foldIn } = await folding(definition);
      const ratings: Rating[] = [
        [3, 5],
        [8, 1],
        [3, 4],
        [20, 2],
      ];
      for (const k of [1, 5, 30]) {
        const { parameters, top, given, scores } = await foldIn(ratings, k);
        const withPerson = { ...trained };
        for (const [name, row] of Object.entries(parameters)) {
          const data = trained[name].data.slice();
          data.set(row);
          withPerson[name] = { ...trained[name], data };
        }
        const [ofPerson] = await allRatings(model, withPerson);
        const expected = best(ofPerson, new Set([3, 8, 20, 30]), k);
        const ids = expected.map(([row]) => `item ${row}`);
        expect(top).toEqual([...ids, ...Array<string>(k - ids.length).fill('')]);
        for (const [index, number] of given.entries())
          expect(Math.abs(number - (expected[index]?.[1] ?? 0))).toBeLessThan(1e-4);
        for (const [index, score] of scores.entries()) {
          const rating = model.range ? scaled(score, model.range) : score;
          expect(given[index]).toBeCloseTo(index < ids.length ? rating : 0, 5);
        }
      }
    },
  );

  test('who has rated everything gets nothing', async () => {
    const { foldIn } = await settings;
    const { top, given } = await foldIn(
      Array.from({ length: 30 }, (_, item) => [item, 3]),
      2,
    );
    expect({ top, given }).toEqual({ top: ['', ''], given: [0, 0] });
  });

  test('of a model that is never wrong is found as far as steps go, and fits', async () => {
    const { model, trained, foldIn } = await folding(dotBias({ factors: 3 }), { error: 0 });
    const own = await allRatings(model, trained);
    const ratings = own[5].slice(0, 20).map((rating, item): Rating => [item, rating]);
    const { parameters, given } = await foldIn(ratings);
    const { rows } = userRows(model, trained);
    expect(farthest(Object.values(parameters).flat(), rows[5])).toBeLessThan(0.01);
    expect(given.every(Number.isFinite)).toBe(true);
  });

  test('whose ratings are far from what a model can give is found all the same', async () => {
    const { foldIn } = await settings;
    for (const rating of [50, -1e6, 1e20]) {
      const { parameters, given } = await foldIn([
        [0, rating],
        [1, 3],
      ]);
      expect([...Object.values(parameters).flat(), ...given].every(Number.isFinite)).toBe(true);
    }
  });

  test('of a model without factors of users is their bias; without anything of users, nobody', async () => {
    const ofBiases: ModelDefinition = (facts) => {
      const { name, config, parameters } = itemsAlone(facts);
      const user_bias = { dims: [facts.users], initial: { normal: 1 }, rowsOf: 'user' } as const;
      return {
        name,
        config,
        parameters: { ...parameters, user_bias },
        score: (tables, user, item) => add(gather(tables.user_bias, user), gather(tables.item_bias, item)),
      };
    };
    const biases = await folding(ofBiases, { error: 0.5 });
    const { item_bias, user_bias } = biases.trained;
    const ratings: Rating[] = [
      [2, 4],
      [7, 5],
      [11, 2],
    ];
    // Of normal numbers the most probable mean is known.
    const { mean } = userRows(biases.model, biases.trained);
    const variance =
      user_bias.data.reduce((sum, one) => sum + (one - mean[0]) ** 2, 0) / user_bias.data.length;
    const left = ratings.map(([item, rating]) => rating - item_bias.data[item] - mean[0]);
    const pull = left.reduce((sum, one) => sum + one, 0) / 0.25 / (3 / 0.25 + 1 / variance);
    const { parameters } = await biases.foldIn(ratings);
    expect(farthest(parameters.user_bias, [mean[0] + pull])).toBeLessThan(1e-4);

    const alone = await folding(itemsAlone);
    const found = await alone.foldIn(ratings);
    const [row] = await allRatings(alone.model, alone.trained);
    expect(found.parameters).toEqual({});
    expect(found.top).toEqual(best(row, new Set([2, 7, 11, 30]), 5).map(([item]) => `item ${item}`));
  });
});

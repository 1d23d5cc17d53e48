import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LearnedRanking } from '../../graphs/heads/serving.ts';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import { mlp } from '../../graphs/models/mlp.ts';
import type { ModelDefinition } from '../../graphs/models/model.ts';
import { lastQuarter, type Positives, positivesOf } from '../../src/data/dataset/positives.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { readRatings } from '../../src/data/read/read.ts';
import { baselines } from '../../src/evaluate/baselines.ts';
import { ratingsFrom } from '../../src/evaluate/evaluate-baselines.ts';
import { baselineRanker, itemsOfUsers } from '../../src/evaluate/rankers.ts';
import { rankingMeans } from '../../src/evaluate/ranking.ts';
import { add, decodeModel, gather, mul, reduceSum } from '../../src/onnx/index.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import type { Runtime } from '../../src/run/runtime.ts';
import { prepareLists } from '../../src/train/engines/lists/engine.ts';
import {
  activeUsers,
  type ListSteps,
  listEpoch,
  updatesOfItems,
} from '../../src/train/engines/lists/lists.ts';
import { nodeEngines } from '../../src/train/engines/node.ts';
import { type FitOptions, fitModel } from '../../src/train/fit.ts';
import type { FittedRanking } from '../../src/train/fitted-ranking.ts';
import { initialParameters } from '../../src/train/parameters/initial.ts';
import type { Progress } from '../../src/train/progress.ts';
import type { RankingPlan, Resolved } from '../../src/train/recipe/plan.ts';
import { checkRecipe, type ProgramRecipe, type Recipe } from '../../src/train/recipe/recipe.ts';
import { factorsOf, resolveRanking } from '../../src/train/recipe/resolve-ranking.ts';
import { type Fitted, type TrainOptions, train } from '../../src/train/train.ts';
import { sample, temporaryFolder, userError } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';
import { sha256 } from '../support/sha256.ts';

const folder = temporaryFolder();
const ratings = lowRank();
const { train: part, valid } = randomSplit(lowRank({ noise: 0.7 }), 0.2, 3);
const liked = (data: Ratings, least: number | 'all' = 4): Positives => positivesOf(data, data.facts, least);
const small: Recipe = { objective: 'ranking', factors: 3, epochs: 3, usersPerStep: 8 };
const both: Recipe = { factors: 3, epochs: 3, usersPerStep: 8, batchSize: 64 };

async function fitted(recipe: ProgramRecipe, options: Partial<FitOptions> = {}, data = ratings) {
  const runtime = options.runtime ?? (await nodeRuntime());
  return fitModel(data, recipe, { runtime, engines: nodeEngines, ...options });
}

/** The parameters of a part that ranks. */
const trainedOf = (ranking: FittedRanking | undefined) =>
  (ranking?.serving as LearnedRanking | undefined)?.trained;

async function ranked(recipe: ProgramRecipe, options?: Partial<FitOptions>, data?: Ratings) {
  const { ranking } = await fitted(recipe, options, data);
  return ranking as NonNullable<typeof ranking>;
}

async function sumsOf(model: Fitted) {
  const { manifest, files } = await model.artifact({ seen: true });
  return [JSON.stringify(manifest), ...Object.entries(files).map(([name, file]) => [name, sha256(file)])];
}

/** Numbers by parameter, in rows. */
type Numbers = Record<string, number[]>;
type Score = (parameters: Numbers, user: number, item: number) => number;

const row = (table: readonly number[], at: number, width: number): readonly number[] =>
  table.slice(at * width, (at + 1) * width);
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, one, index) => sum + one * b[index], 0);

const affinity: Score = ({ user_factors, item_factors, item_bias }, user, item) =>
  dot(row(user_factors, user, 3), row(item_factors, item, 3)) + item_bias[item];

const perceptron: Score = (parameters, user, item) => {
  const { user_factors, item_factors, item_bias } = parameters;
  const input = [...row(user_factors, user, 2), ...row(item_factors, item, 3)];
  const hidden = parameters.linear_1_bias.map((bias, column) =>
    Math.max(
      0,
      input.reduce((sum, one, at) => sum + one * parameters.linear_1_weight[4 * at + column], bias),
    ),
  );
  return dot(hidden, parameters.linear_2_weight) + item_bias[item];
};

/** A model of one's own, for either objective, with a user bias, which changes no order. */
const own: ModelDefinition = ({ users, items }) => ({
  name: 'own',
  config: {},
  parameters: {
    user_factors: { dims: [users, 3], initial: { normal: 0.5 }, rowsOf: 'user' },
    item_factors: { dims: [items, 3], initial: { normal: 0.5 }, rowsOf: 'item' },
    user_bias: { dims: [users], initial: { normal: 0.3 }, rowsOf: 'user' },
    item_bias: { dims: [items], initial: { normal: 0.3 }, rowsOf: 'item' },
  },
  score({ user_factors, item_factors, user_bias, item_bias }, user, item) {
    const products = mul(gather(user_factors, user), gather(item_factors, item));
    const biases = add(gather(user_bias, user), gather(item_bias, item));
    return add(reduceSum(products, { axes: [1] }), biases);
  },
});

const MODELS: [string, ModelDefinition, Score][] = [
  ['dot-bias', dotBias({ factors: 3, initialStd: 0.4 }), affinity],
  ['mlp', mlp({ factors: [2, 3], hidden: [4], initialStd: 0.4 }), perceptron],
  ['a model of one’s own', own, (all, user, item) => affinity(all, user, item) + all.user_bias[user]],
];
/** What adds the same to all scores of a user: its gradient is 0, so that rounding alone moves it. */
const IDLE = ['user_bias', 'linear_2_bias'];

/** Six users, of whom one likes nothing, and seven items, of which one is not liked. */
const few = new Ratings({
  userIds: [...'abcdef'],
  itemIds: [...'1234567'],
  users: Int32Array.of(0, 0, 0, 1, 1, 2, 3, 3, 3, 3, 4, 5, 5, 5),
  items: Int32Array.of(0, 2, 6, 0, 1, 5, 0, 1, 2, 3, 4, 0, 5, 6),
  ratings: Float32Array.of(5, 4, 1, 4, 5, 5, 4, 4, 5, 5, 2, 5, 4, 2),
});

function taskOf(data: Ratings, recipe: ProgramRecipe) {
  const positives = liked(data);
  const resolved = resolveRanking(recipe, { ...data.facts, positives: positives.items.length });
  return { ...resolved, positives };
}

/** The steps of an epoch, in one. */
function stepsOf(positives: Positives, training: RankingPlan, number = 0): ListSteps {
  const all = [...listEpoch(positives, number, training, {})];
  expect(all).toHaveLength(1);
  return all[0];
}

/** An epoch in double precision, by the definitions: of the loss, and of its gradients as differences. */
function plainEpoch(
  { model, plan, schedule, positives }: Resolved<RankingPlan> & { positives: Positives },
  score: Score,
  steps: ListSteps,
  start: Numbers,
) {
  const { training } = plan;
  const { counts } = positives;
  const parameters = Object.fromEntries(Object.entries(start).map(([name, values]) => [name, [...values]]));
  const state = Object.fromEntries(
    Object.entries(start).map(([name, values]) => [name, values.map(() => 0)]),
  );
  const itemUpdates = updatesOfItems(positives, training);
  const losses: number[] = [];
  for (let step = 0; step < steps.stepsOfEpoch; step++) {
    const users = [...steps.users.slice(steps.userStarts[step], steps.userStarts[step + 1])];
    const { sample } = steps;
    const items = sample
      ? [...sample.items.slice(sample.starts[step], sample.starts[step + 1])].map(
          (at) => sample.rows?.[at] ?? at,
        )
      : [...counts.keys()];
    const size = (sample?.negatives.length ?? 0) / steps.stepsOfEpoch;
    const ofStep = <T>(values: ArrayLike<T>): T[] => Array.from(values).slice(step * size, (step + 1) * size);
    const negatives = sample ? ofStep(sample.negatives).map((place) => items[place]) : items;
    const standsFor = sample && ofStep(sample.standsFor);
    const lossOf = (all: Numbers): number =>
      users.reduce((sum, user) => {
        const own = positives.items.slice(positives.starts[user], positives.starts[user + 1]);
        const total = negatives.reduce(
          (sum, item, at) => sum + (standsFor?.[at] ?? 1) * Math.exp(score(all, user, item)),
          0,
        );
        return own.reduce((sum, item) => sum - score(all, user, item) + Math.log(total), sum);
      }, 0);
    losses.push(lossOf(parameters));
    const { learningRate } = schedule.at(step / steps.stepsOfEpoch / training.epochs);
    const before = Object.fromEntries(Object.entries(parameters).map(([name, all]) => [name, [...all]]));
    for (const [name, { dims, rowsOf }] of Object.entries(model.parameters)) {
      if (IDLE.includes(name)) continue;
      const width = rowsOf ? dims.slice(1).reduce((size, dim) => size * dim, 1) : 1;
      const rows = { user: users, item: items };
      const rate = learningRate * (rowsOf === 'user' ? (training.userRate ?? 1) : 1);
      for (const index of before[name].keys()) {
        const at = Math.floor(index / width);
        if (rowsOf && !rows[rowsOf].includes(at)) continue;
        const differing = (by: number): Numbers => ({
          ...before,
          [name]: before[name].with(index, before[name][index] + by),
        });
        let gradient = (lossOf(differing(1e-5)) - lossOf(differing(-1e-5))) / 2e-5;
        if (rowsOf && dims.length > 1) {
          const of = {
            user: [training.userDecay, positives.starts[at + 1] - positives.starts[at], 1] as const,
            item: [training.itemDecay, counts[at], itemUpdates[at]] as const,
          };
          const [[weight, power], count, updates] = of[rowsOf];
          gradient += (2 * weight * count ** power * before[name][index]) / updates;
        }
        state[name][index] += gradient ** 2;
        // A gradient of differences is never quite 0.
        if (Math.abs(gradient) > 1e-7)
          parameters[name][index] -= (rate * gradient) / Math.sqrt(state[name][index]);
      }
    }
  }
  return { parameters, losses };
}

describe.each(MODELS)('%s: an epoch of two steps does what a plain computation does', (_, model, score) => {
  test.each([
    ['all', 1],
    ['all', 3],
    [5, 1],
  ] as const)('with %s negatives, and a rate of users of %i', async (negatives, userRate) => {
    const task = taskOf(few, { objective: 'ranking', model, epochs: 1, usersPerStep: 3, negatives });
    const training = { ...task.plan.training, userRate };
    const steps = stepsOf(task.positives, training);
    expect(steps.stepsOfEpoch).toBe(2);
    const start = initialParameters(task.model, 1);
    const plan = { ...task.plan, training };
    const plain = plainEpoch(
      { ...task, plan },
      score,
      steps,
      Object.fromEntries(Object.entries(start).map(([name, { data }]) => [name, Array.from(data)])),
    );
    const prepared = await prepareLists({ ...task, plan, runtime: await nodeRuntime() });
    const running = await prepared.start({ epochs: 0, carried: start });
    const losses: number[] = [];
    for await (const done of running.epoch(0))
      for (const [step, loss] of Array.from(done.losses).entries())
        losses.push(loss * (done.starts[step + 1] - done.starts[step]));
    const carried = await running.carried();
    await running.release();
    for (const [step, loss] of plain.losses.entries()) expect(losses[step]).toBeCloseTo(loss, 3);
    for (const name of Object.keys(task.model.parameters)) {
      if (IDLE.includes(name)) continue;
      carried[name].data.forEach((value, index) => {
        expect(value, `${name} ${index}`).toBeCloseTo(plain.parameters[name][index], 3);
      });
      expect(carried[name].data).not.toEqual(start[name].data);
    }
    // Who likes nothing stays.
    const { dims } = task.model.parameters.user_factors;
    const ofNobody = (all: typeof start) => all.user_factors.data.slice(4 * dims[1], 5 * dims[1]);
    expect(ofNobody(carried)).toEqual(ofNobody(start));
  });
});

describe('a weight of 2 is a positive listed twice', () => {
  const once = liked(few);
  const times = once.items.map((_, index) => 1 + (index % 2));
  const weighted: Positives = { ...once, weights: Float32Array.from(times) };
  const repeated: Positives = {
    counts: once.counts,
    starts: once.starts.map((start) => times.subarray(0, start).reduce((sum, one) => sum + one, 0)),
    items: Int32Array.from([...once.items].flatMap((item, index) => Array(times[index]).fill(item))),
    weights: new Float32Array(times.reduce((sum, one) => sum + one, 0)).fill(1),
  };

  test.each(['all', 5] as const)('with %s negatives', async (negatives) => {
    const trained = async (positives: Positives) => {
      const task = taskOf(few, { ...small, negatives, usersPerStep: 3 });
      const start = { epochs: 0, carried: initialParameters(task.model, 1) };
      const running = await prepareLists({ ...task, positives, runtime: await nodeRuntime() }).start(start);
      const losses: number[] = [];
      for await (const done of running.epoch(0)) losses.push(...Array.from(done.losses));
      const { user_factors, item_factors, item_bias } = await running.carried();
      await running.release();
      return [losses, user_factors.data, item_factors.data, item_bias.data];
    };
    const [one, other, plain] = [await trained(weighted), await trained(repeated), await trained(once)];
    for (const [part, values] of one.entries())
      values.forEach((value, index) => {
        expect(value).toBeCloseTo(other[part][index], 5);
      });
    expect(one).not.toEqual(plain);
  });
});

describe('the steps of an epoch', () => {
  const positives = liked(ratings);
  const training = (chosen: Recipe): RankingPlan => taskOf(ratings, { ...small, ...chosen }).plan.training;
  test.each(['all', 10] as const)(
    'have every user with all that the user likes, once; negatives: %s',
    async (negatives) => {
      const steps = stepsOf(positives, training({ negatives }));
      expect(new Set(steps.users).size).toBe(steps.users.length);
      const found = new Map<number, number[]>();
      for (let step = 0; step < steps.stepsOfEpoch; step++) {
        for (let at = steps.positiveStarts[step]; at < steps.positiveStarts[step + 1]; at++) {
          const user = steps.users[steps.userStarts[step] + steps.positiveUsers[at]];
          const place = steps.positiveItems[at];
          const { sample } = steps;
          const row = sample?.items[sample.starts[step] + place] ?? place;
          const item = sample?.rows?.[row] ?? row;
          found.set(user, [...(found.get(user) ?? []), item]);
        }
      }
      for (let user = 0; user + 1 < positives.starts.length; user++)
        expect(found.get(user) ?? []).toEqual([
          ...positives.items.slice(positives.starts[user], positives.starts[user + 1]),
        ]);
      const sizes = steps.userStarts.slice(1).map((end, step) => end - steps.userStarts[step]);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(8);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    },
  );

  test('are in another order in each epoch', async () => {
    const [one, other] = [stepsOf(positives, training({})), stepsOf(positives, training({}), 1)];
    expect(one.users).not.toEqual(other.users);
    expect(one.users.toSorted()).toEqual(other.users.toSorted());
  });

  test('sample by popularity, and each item stands for itself, in the mean', async () => {
    const negatives = 20;
    const sums = new Float64Array(positives.counts.length);
    let count = 0;
    for (let epoch = 0; epoch < 300; epoch++) {
      const { sample, stepsOfEpoch } = stepsOf(positives, training({ negatives }), epoch);
      if (!sample) throw new Error('nothing is sampled');
      for (let step = 0; step < stepsOfEpoch; step++, count++) {
        const own = sample.items.slice(sample.starts[step], sample.starts[step + 1]);
        expect(new Set(own).size).toBe(own.length);
        for (let at = step * negatives; at < (step + 1) * negatives; at++) {
          const item = own[sample.negatives[at]];
          sums[sample.rows?.[item] ?? item] += sample.standsFor[at];
        }
      }
    }
    for (const sum of sums) expect(Math.abs(sum / count - 1)).toBeLessThan(0.15);
  });
});

describe('one seed gives the same bytes, another seed others', () => {
  test.each<[string, Recipe]>([
    ['dot-bias', small],
    ['mlp', { ...small, model: 'mlp', hidden: [4] }],
    ['sampled candidates', { ...small, negatives: 10 }],
    ['both', both],
  ])('%s', async (_, recipe) => {
    const [one, same, other] = await Promise.all(
      [1, 1, 2].map(async (seed) => sumsOf(await train(ratings, { ...recipe, seed }))),
    );
    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
  });
});

describe('several runs an epoch', () => {
  test.each<[number, Recipe]>([
    [1, small],
    [60, small],
    [60, { ...small, negatives: 10 }],
    [60, { ...small, model: 'mlp', hidden: [4] }],
  ])('of %i positives come to the same as one: %j', async (ratingsPerRun, recipe) => {
    const [one, several] = [await ranked(recipe), await ranked(recipe, { ratingsPerRun })];
    expect(trainedOf(several)).toEqual(trainedOf(one));
    for (const [epoch, { loss }] of several.history.entries())
      expect(loss).toBeCloseTo(one.history[epoch].loss, 10);
  });

  test('tell of their progress', async () => {
    const told: Progress[] = [];
    const { history, positives } = await ranked(small, {
      ratingsPerRun: 1,
      onProgress: (progress) => told.push(progress),
    });
    const count = positives.items.length;
    history.forEach(({ loss }, epoch) => {
      const own = told.filter((progress) => progress.epoch === epoch);
      expect(own.length).toBe(Math.ceil(activeUsers(positives).length / 8));
      expect(own.map(({ done }) => done)).toEqual(own.map(({ done }) => done).toSorted((a, b) => a - b));
      expect(own.at(-1)).toEqual({
        objective: 'ranking',
        epoch,
        epochs: 3,
        done: count,
        ratings: count,
        loss,
      });
    });
  });
});

class Cut extends Error {}
let paths = 0;
const newPath = () => join(folder.path, `${paths++}.checkpoint`);

describe.each<[string, Recipe, TrainOptions]>([
  ['dot-bias', both, {}],
  ['with validation', both, { valid }],
  ['MLP, sampled candidates', { ...both, model: 'mlp', hidden: [4], negatives: 10 }, {}],
])('%s: a training of both that is resumed is the same to the byte', (_, recipe, options) => {
  test.each(['rating', 'ranking'] as const)('after it was killed in the part of %s', async (objective) => {
    const whole = await sumsOf(await train(part, recipe, options));
    for (const epochs of objective === 'rating' ? [1, 2] : [0, 1, 2]) {
      const path = newPath();
      const onProgress = (told: Progress) => {
        if (told.objective === objective && told.epoch === epochs) throw new Cut();
      };
      const dying = train(part, recipe, { ...options, checkpoint: { path }, onProgress });
      await expect(dying).rejects.toBeInstanceOf(Cut);
      const resumed = await train(part, recipe, { ...options, checkpoint: { path, resume: true } });
      expect(await sumsOf(resumed)).toEqual(whole);
    }
  });

  test.each(['rating', 'ranking'] as const)('after it was stopped in the part of %s', async (objective) => {
    const path = newPath();
    const abort = new AbortController();
    const stopped = await train(part, recipe, {
      ...options,
      checkpoint: { path },
      signal: abort.signal,
      onProgress: (told) => told.objective === objective && told.epoch === 1 && abort.abort(),
    });
    expect((objective === 'rating' ? stopped : stopped.ranking)?.history).toHaveLength(2);
    const { files, manifest } = await stopped.artifact();
    expect('ranking' in manifest).toBe(objective === 'ranking');
    expect('train-ranking.onnx' in files).toBe(objective === 'ranking');
    if (objective === 'rating') {
      expect(stopped.ranking).toBeUndefined();
      expect(await userError(stopped.rankingOn(valid))).toContain('was not trained to rank');
    }
    const resumed = await train(part, recipe, { ...options, checkpoint: { path, resume: true } });
    expect(await sumsOf(resumed)).toEqual(await sumsOf(await train(part, recipe, options)));
  });
});

test.each<[Recipe, RegExp]>([
  [{ positive: 3 }, /: ranking\.training\.positive was 4, is 3; use/],
  [{ rankingFactors: 4 }, /: ranking\.model\.config\.factors was 3, is 4; use/],
  [{ negatives: 5 }, /: ranking\.training\.negatives was "all", is 5; use/],
])('resuming another ranking names what differs: %j', async (changed, message) => {
  const path = newPath();
  const data = new Ratings({ ...ratings, ratings: ratings.ratings.map((one) => Math.round(one)) });
  await train(data, { ...both, epochs: 1 }, { checkpoint: { path } });
  const resuming = train(data, { ...both, epochs: 1, ...changed }, { checkpoint: { path, resume: true } });
  expect(await userError(resuming)).toMatch(message);
});

describe('validation', () => {
  const overfitting: Recipe = {
    objective: 'ranking',
    factors: 20,
    epochs: 20,
    learningRate: 0.3,
    usersPerStep: 8,
  };
  const best = (values: readonly (number | undefined)[]) => values.indexOf(Math.max(...(values as number[])));

  test('chooses the epoch with the best NDCG, and patience ends training', async () => {
    const whole = await train(part, overfitting, { valid });
    const found = whole.history.map((epoch) => epoch.valid?.ndcg);
    expect(found).toHaveLength(20);
    expect(best(found)).toBeLessThan(17);
    expect(whole.metrics).toEqual({ valid: whole.history[best(found)].valid });
    expect(await whole.rankingOn(valid)).toEqual({ ...whole.metrics.valid, popular: expect.anything() });
    const patient = await train(part, { ...overfitting, patience: 3 }, { valid });
    const stopped = patient.history.map((epoch) => epoch.valid?.ndcg);
    expect(stopped).toEqual(found.slice(0, stopped.length));
    expect(stopped.length).toBeLessThan(20);
    expect(best(stopped)).toBe(stopped.length - 1 - 3);
  });

  test('of both chooses for each part by its own measure', async () => {
    const { history, metrics, ranking } = await train(part, both, { valid });
    expect(Object.keys(history[0].valid ?? {})).toEqual(['rmse', 'mae']);
    expect(metrics.valid?.rmse).toBe(Math.min(...history.map((epoch) => epoch.valid?.rmse ?? 9)));
    expect(Object.keys(ranking?.history[0].valid ?? {})).toEqual(['ndcg', 'precision']);
    expect(ranking?.metrics.valid?.ndcg).toBe(
      Math.max(...(ranking?.history ?? []).map((epoch) => epoch.valid?.ndcg ?? 0)),
    );
  });

  test('patience needs it', async () => {
    expect(await userError(train(part, { ...small, patience: 2 }))).toMatch(
      /^patience needs validation ratings/,
    );
  });
});

describe('positives', () => {
  const stars = new Ratings({ ...ratings, ratings: ratings.ratings.map((one) => Math.round(one)) });
  const once: Recipe = { ...small, epochs: 1 };

  test.each<[string, Recipe['positive'], number]>([
    ['by default those in the last quarter of the scale', undefined, 4],
    ['from a number', 3, 3],
    ['all', 'all', 1],
    ['the highest alone', 5, 5],
  ])('%s', async (_, positive, least) => {
    const { positives, plan } = await ranked({ ...once, positive }, {}, stars);
    expect(positives.items).toHaveLength(stars.ratings.filter((one) => one >= least).length);
    expect(plan.training.positive).toBe(positive ?? least);
    for (let user = 0; user < stars.facts.users; user++) {
      const own = [...stars.items].filter(
        (_, index) => stars.users[index] === user && stars.ratings[index] >= least,
      );
      expect([...positives.items.slice(positives.starts[user], positives.starts[user + 1])]).toEqual(own);
    }
    expect([...positives.counts]).toEqual(
      Array.from(positives.counts, (_, item) => positives.items.filter((other) => other === item).length),
    );
  });

  test('above the scale are refused', async () => {
    expect(await userError(train(stars, { ...once, positive: 6 }))).toBe(
      '`positive` is 6, but the highest rating is 5; give a lower one, or all',
    );
  });

  test('at the top of a scale that no 32-bit float holds are taken', async () => {
    const tenths = new Ratings({ ...stars, ratings: stars.ratings.map((one) => one / 10) });
    const tops = tenths.ratings.filter((one) => one === Math.fround(0.5)).length;
    const highest = tenths.ratings.map((one) => (one === Math.fround(0.5) ? Math.fround(4.1) : one));
    const { positives } = await ranked(
      { ...once, positive: 4.1 },
      {},
      new Ratings({ ...tenths, ratings: highest }),
    );
    expect(positives.items).toHaveLength(tops);
  });

  test('may be missing of users and of items', async () => {
    const model = await train(few, { ...small, usersPerStep: 2 });
    const recommender = await model.recommender({ seen: true });
    const [nobody, somebody] = await recommender.recommend(['e', 'a'], { k: 7 });
    expect(somebody.map(({ item }) => item).toSorted()).toEqual(['2', '4', '5', '6']);
    // What is popular comes first, for who likes nothing.
    expect(nobody[0].item).toBe('1');
    expect(nobody.map(({ item }) => item)).not.toContain('5');
    for (const { score } of [...nobody, ...somebody]) expect(score).toEqual(expect.any(Number));
  });
});

describe('an objective', () => {
  test.each<[Recipe, string[]]>([
    [{ ...both, objective: 'both' }, ['train.onnx', 'train-ranking.onnx']],
    [{ factors: 3, epochs: 3, objective: 'rating' }, ['train.onnx']],
    [small, ['train.onnx']],
  ])('trains what it says: %j', async (recipe, graphs) => {
    const model = await train(part, recipe);
    const { manifest, files } = await model.artifact();
    expect(Object.keys(files).filter((name) => name.startsWith('train'))).toEqual(graphs);
    const objective = recipe.objective as 'both' | 'rating' | 'ranking';
    expect(manifest.training.objective).toBe(objective === 'both' ? 'rating' : objective);
    expect(manifest.ranking?.training.objective).toBe(objective === 'both' ? 'ranking' : undefined);
    const predicted = decodeModel(files['predict.onnx']).graph.outputs.map(({ name }) => name);
    expect(predicted).toEqual(
      { both: ['rating'], rating: ['rating', 'score'], ranking: ['score'] }[objective],
    );
    if (objective === 'ranking')
      expect(await userError(model.errors(valid))).toContain('predicts no ratings');
    else expect((await model.errors(valid)).rmse).toBeGreaterThan(0);
    if (objective === 'rating') expect(await userError(model.rankingOn(valid))).toContain('to rank');
    else expect((await model.rankingOn(valid))?.ndcg).toBeGreaterThan(0);
  });

  test('of both is the two that it has, each as it is alone', async () => {
    const [{ rating, ranking }, alone, list] = await Promise.all([
      fitted(both),
      fitted({ factors: 3, epochs: 3, batchSize: 64, objective: 'rating' }),
      fitted(small),
    ]);
    expect(rating?.parameters).toEqual(alone.rating?.parameters);
    expect(trainedOf(ranking)).toEqual(trainedOf(list.ranking));
    expect([alone.ranking, list.rating]).toEqual([undefined, undefined]);
  });

  test.each<[Recipe]>([
    [{ batchSize: 64 }],
    [{ schedule: 'cosine' }],
    [{ optimizer: 'adamw' }],
    [{ weightDecay: 0.1 }],
    [{ loss: 'mse' }],
    [{ sparseUpdates: true }],
    [{ engine: 'auto' }],
    [{ blocks: [2, 2] }],
    [{ model: 'mlp', dropout: 0.1 }],
  ])('ranking refuses what is for ratings: %j', async (chosen) => {
    const name = Object.keys(chosen).at(-1);
    expect(await userError(train(ratings, { ...chosen, objective: 'ranking' }))).toBe(
      `\`${name}\` is for the objective rating, not for ranking; leave it out`,
    );
    expect(() => checkRecipe(chosen)).not.toThrow();
  });

  test.each<[Recipe]>([
    [{ positive: 4 }],
    [{ rankingFactors: 8 }],
    [{ rankingEpochs: 2 }],
    [{ rankingLearningRate: 0.1 }],
    [{ usersPerStep: 8 }],
    [{ negatives: 'all' }],
  ])('rating refuses what is for rankings: %j', async (chosen) => {
    expect(await userError(train(ratings, { ...chosen, objective: 'rating' }))).toBe(
      `\`${Object.keys(chosen)[0]}\` is for the objective ranking, not for rating; leave it out`,
    );
    expect(() => checkRecipe(chosen)).not.toThrow();
  });
});

describe.each<[string, ProgramRecipe]>([
  ['train-ranking.onnx', both],
  ['train-ranking.onnx', { ...both, model: 'mlp', hidden: [4], negatives: 10 }],
  ['train.onnx', small],
  ['train.onnx', { ...small, factors: undefined, model: own }],
])('%s of %j', (name, recipe) => {
  test('is for any size, and trains to the same bytes as the engine', async () => {
    const { files } = await (await train(ratings, recipe)).artifact();
    const runtime = await nodeRuntime();
    const any: Runtime = {
      ...runtime,
      createSession: (_, options) => runtime.createSession(files[name], options),
    };
    for (const data of [ratings, lowRank({ users: 25, items: 50, seed: 2 })]) {
      const carried = await Promise.all(
        [runtime, any].map(async (runtime) => {
          const task = taskOf(data, recipe);
          const prepared = await prepareLists({ ...task, runtime });
          const training = await prepared.start({ epochs: 0, carried: initialParameters(task.model, 1) });
          for (let epoch = 0; epoch < 2; epoch++) for await (const _ of training.epoch(epoch));
          return training.carried();
        }),
      );
      expect(carried[1]).toEqual(carried[0]);
      expect(files[name].length).toBeLessThan(30_000);
    }
  });
});

test('a graph of ranking is not taken for that of ratings, where there is none of these', async () => {
  // To predict ratings, it needs to know the number of items.
  const model: ModelDefinition = (facts, objective) => {
    const { score, ...others } = own(facts, objective);
    return {
      ...others,
      score: (all, user, item, dropout) => {
        const scores = score(all, user, item, dropout);
        return objective === 'ranking' ? scores : mul(scores, Number(BigInt(all.item_bias.dims[0])) / 30);
      },
    };
  };
  const { files } = await (await train(ratings, { ...both, factors: undefined, model })).artifact();
  expect(Object.keys(files).filter((name) => name.startsWith('train'))).toEqual(['train-ranking.onnx']);
});

describe('what a recipe leaves open', () => {
  const facts = { low: 1, high: 5, mean: 3.5 };
  const sets = {
    '100K': { ...facts, users: 943, items: 1682, ratings: 100_000, positives: 55_000 },
    '10M': { ...facts, users: 69_878, items: 10_677, ratings: 10_000_000, positives: 5_000_000 },
    '20M': { ...facts, users: 138_493, items: 26_744, ratings: 20_000_000, positives: 10_000_000 },
    '25M': { ...facts, users: 162_541, items: 59_047, ratings: 25_000_000, positives: 12_500_000 },
  };
  const chosen = (recipe: ProgramRecipe, set: keyof typeof sets) => {
    const { plan, model, schedule } = resolveRanking(recipe, sets[set]);
    const { epochs, negatives, usersPerStep, positive } = plan.training;
    return {
      factors: factorsOf(model),
      rate: schedule.config.learningRate,
      epochs,
      negatives,
      usersPerStep,
      positive,
    };
  };
  const dotBiasDefaults = { rate: 0.1, epochs: 12, positive: 4 };

  test.each([
    ['100K', { factors: 256, negatives: 'all', usersPerStep: 64 }],
    ['10M', { factors: 128, negatives: 2048, usersPerStep: 1024, epochs: 8 }],
    ['20M', { factors: 64, negatives: 2048, usersPerStep: 1024, epochs: 8 }],
    ['25M', { factors: 64, negatives: 2048, usersPerStep: 1024, epochs: 8 }],
  ] as const)('follows from the size of the data: %s', (set, expected) => {
    expect(chosen({}, set)).toEqual({ ...dotBiasDefaults, ...expected });
  });

  test('has as many factors as patterns need', () => {
    const factors = (patterns: number, recipe: ProgramRecipe = {}) =>
      factorsOf(resolveRanking(recipe, { ...sets['10M'], patterns }).model);
    expect([3, 8, 9].map((patterns) => factors(patterns))).toEqual([16, 16, 32]);
    expect(factors(3, { factors: 100 })).toBe(100);
  });

  test('is what the model says of itself', () => {
    expect(chosen({ model: 'mlp' }, '100K')).toEqual({
      factors: 128,
      rate: 0.05,
      epochs: 5,
      positive: 4,
      negatives: 'all',
      usersPerStep: 64,
    });
  });

  test('samples items for an MLP of a large catalogue', () => {
    expect(chosen({ model: 'mlp' }, '10M')).toMatchObject({
      factors: 128,
      negatives: 2048,
      usersPerStep: 64,
    });
  });

  test('is not what was chosen, of the ranking or of both parts', () => {
    expect(chosen({ factors: 200 }, '25M')).toMatchObject({ factors: 200, negatives: 2048 });
    expect(chosen({ factors: 50, rankingFactors: 300 }, '25M')).toMatchObject({ factors: 300 });
    expect(chosen({ negatives: 'all' }, '25M')).toMatchObject({ factors: 64, negatives: 'all' });
    expect(chosen({ epochs: 3 }, '100K')).toMatchObject({ epochs: 3 });
    expect(chosen({ epochs: 3, rankingEpochs: 4 }, '100K')).toMatchObject({ epochs: 4 });
    // With both, the learning rate is that of predicting ratings.
    expect(chosen({ learningRate: 0.3 }, '100K')).toMatchObject({ rate: 0.1 });
    expect(chosen({ learningRate: 0.3, objective: 'ranking' }, '100K')).toMatchObject({ rate: 0.3 });
    expect(chosen({ learningRate: 0.3, rankingLearningRate: 0.2 }, '100K')).toMatchObject({ rate: 0.2 });
  });

  test('is plain JSON in the plan', () => {
    const { plan } = resolveRanking({}, sets['100K']);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });
});

test('on the sample data it beats popularity clearly', async () => {
  const read = await readRatings(`${sample}/ratings.csv.gz`, { valid: 0.2, seed: 1 });
  const held = read.valid as Ratings;
  const model = await train(read.ratings, { objective: 'ranking', factors: 32, epochs: 5 });
  const found = await model.rankingOn(held);
  const popular = baselines['most-popular'](read.ratings, ratingsFrom(read.ratings, 4));
  const rated = itemsOfUsers(read.ratings);
  const baseline = await rankingMeans(baselineRanker(popular, rated), rated, held, { k: [10], threshold: 4 });
  const bar = baseline?.at[0].ndcg ?? Number.NaN;
  expect(found?.popular.ndcg).toBeCloseTo(bar, 10);
  expect(bar).toBeGreaterThan(0.1);
  expect(found?.ndcg).toBeGreaterThan(1.2 * bar);
});

describe('training that diverges is one line, and no model', () => {
  test.each([
    [{ rankingLearningRate: 1000 }],
    [{ rankingLearningRate: 1e30, epochs: 1, usersPerStep: 1000 }],
    [{ model: 'mlp', rankingLearningRate: 1e15, epochs: 1, usersPerStep: 1000 }],
  ] satisfies [Recipe][])('%j', async (recipe) => {
    expect(await userError(train(lowRank(), { objective: 'ranking', ...recipe }))).toMatch(
      /^the training of the ranking diverged in epoch \d+; give a lower `rankingLearningRate` than/,
    );
  });
});

test('as many negatives as items are all of them', async () => {
  const { plan } = await train(lowRank(), { objective: 'ranking', negatives: 3e9, epochs: 1 });
  expect(plan.training).toMatchObject({ negatives: 'all' });
});

test.each([
  [0, 4.8, 3.6],
  [0, 1.2, 0.9],
  [1, 3.4, 2.8],
  [1, 5.8, 4.6],
  [1, 5, 4],
])('the last quarter of a scale from %d to %d starts at %d', (low, high, expected) => {
  expect(lastQuarter({ low: Math.fround(low), high: Math.fround(high) })).toBe(expected);
});

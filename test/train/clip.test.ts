import { describe, expect, test } from 'vitest';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { metrics } from '../../src/evaluate/metrics.ts';
import { add, decodeModel, gather } from '../../src/onnx/index.ts';
import type { Recommender } from '../../src/recommend/recommender.ts';
import { trainingFiles } from '../../src/train/engines/ort-training/export.ts';
import type { ProgramRecipe } from '../../src/train/recipe/recipe.ts';
import { train } from '../../src/train/train.ts';
import { lowRank, ofBiases } from '../support/low-rank.ts';

/** Numbers with a heavy tail: most are near 1, the highest are in the thousands. */
const heavy = ({ ratings, ...others }: Ratings): Ratings =>
  new Ratings({ ...others, ratings: ratings.map((one) => Math.exp(4 * (one - 3))) });

const { train: data, valid } = randomSplit(heavy(lowRank()), 0.2, 3);
const { low, high } = data.facts;
const { userIds, itemIds } = data;

/** Every rating that a model gives: for pairs, in lists, and to somebody new. */
async function ratingsBy(
  recommender: Recommender,
): Promise<Record<'predict' | 'recommend' | 'foldIn', number[]>> {
  const pairs = userIds.flatMap((user) => itemIds.map((item) => [user, item]));
  const predicted = await recommender.predict(
    pairs.map(([user]) => user),
    pairs.map(([, item]) => item),
  );
  const lists = await recommender.recommend(userIds, { k: itemIds.length });
  const own = itemIds.slice(0, 9).map((item, row) => ({ item, rating: row % 2 ? low : high }));
  const { recommended } = await recommender.foldIn(own, { k: itemIds.length });
  const rated = (list: readonly { readonly rating?: number }[]) => list.map(({ rating }) => rating as number);
  return { predict: [...predicted], recommend: rated(lists.flat()), foldIn: rated(recommended) };
}

/** How many numbers are outside the ratings of the data. */
const outside = (ratings: readonly number[]): number =>
  ratings.filter((rating) => !(rating >= low && rating <= high)).length;

async function fit(recipe: ProgramRecipe) {
  const fitted = await train(data, recipe, { valid });
  const artifact = await fitted.artifact();
  const recommender = await fitted.recommender();
  return { fitted, artifact, recommender, ratings: await ratingsBy(recommender) };
}

describe.each<[string, ProgramRecipe]>([
  ['dot-bias for both objectives', { factors: 3 }],
  ['dot-bias for ratings alone', { factors: 3, objective: 'rating' }],
  // With more epochs, the best one is another where ratings are clipped.
  ['an MLP', { model: 'mlp', factors: 3, hidden: [6], epochs: 8, patience: 8 }],
  [
    'a model of one’s own without a range',
    {
      model: ofBiases(({ user_bias, item_bias }, user, item) =>
        add(gather(user_bias, user), gather(item_bias, item)),
      ),
    },
  ],
])('of heavy-tailed numbers, %s', async (_, recipe) => {
  const clipped = await fit({ epochs: 3, ...recipe });
  const open = await fit({ epochs: 3, ...recipe, clip: false });

  test('predicts nothing outside the scale', () => {
    for (const [head, ratings] of Object.entries(clipped.ratings)) {
      expect(ratings.length, head).toBeGreaterThan(20);
      expect(outside(ratings), head).toBe(0);
    }
  });

  test('leaves the scale without `clip`, and is the same model', () => {
    expect(outside(open.ratings.predict)).toBeGreaterThan(0);
    const clip = (ratings: readonly number[]) => ratings.map((one) => Math.min(high, Math.max(low, one)));
    expect(clip(open.ratings.predict)).toEqual(clipped.ratings.predict);
    const [one, other] = [clipped, open].map(({ artifact: { files } }) => files);
    expect(decodeModel(one['train.onnx']).graph).toEqual(decodeModel(other['train.onnx']).graph);
    expect(clipped.artifact.manifest.training.clip).toBe(true);
    expect(open.artifact.manifest.training.clip).toBe(false);
  });

  test('is judged by what it predicts', async () => {
    const { fitted } = clipped;
    expect(await fitted.errors(valid)).toEqual(fitted.metrics.valid);
    const { users, items, ratings } = data;
    const predicted = await clipped.recommender.predict(
      [...users].map((row) => userIds[row]),
      [...items].map((row) => itemIds[row]),
    );
    expect(metrics(predicted, ratings).rmse).toBeCloseTo(fitted.metrics.train?.rmse as number, 2);
    expect(fitted.metrics.train?.rmse).toBeLessThan(open.fitted.metrics.train?.rmse as number);
  });
});

test('files for ONNX Runtime’s training API predict as the model does, also an older one', async () => {
  const artifact = await (await train(data, { objective: 'rating', factors: 3, epochs: 1 })).artifact();
  const { manifest } = artifact;
  const without = (training: object) => ({
    ...artifact,
    manifest: { ...manifest, training } as typeof manifest,
  });
  const operators = (of: typeof artifact) =>
    decodeModel(trainingFiles(of)['eval_model.onnx']).graph.nodes.map(({ operator }) => operator);
  const { clip, ...older } = manifest.training;
  expect(clip).toBe(true);
  expect(operators(artifact)).toEqual(expect.arrayContaining(['Min', 'Max']));
  for (const training of [older, { ...older, clip: false }])
    expect(operators(without(training))).not.toEqual(expect.arrayContaining(['Max']));
});

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Tensors } from '../../../graphs/heads/serving.ts';
import { positivesOf } from '../../../src/data/dataset/positives.ts';
import { Ratings } from '../../../src/data/dataset/ratings.ts';
import { nodeRuntime } from '../../../src/run/node.ts';
import { prepareLists } from '../../../src/train/engines/lists/engine.ts';
import { trainInShards } from '../../../src/train/engines/lists/shards.ts';
import { initialParameters } from '../../../src/train/parameters/initial.ts';
import type { Progress } from '../../../src/train/progress.ts';
import type { Recipe } from '../../../src/train/recipe/recipe.ts';
import { resolveRanking } from '../../../src/train/recipe/resolve-ranking.ts';
import { type Fitted, train } from '../../../src/train/train.ts';
import { generator, uniforms } from '../../../src/util/random.ts';
import { temporaryFolder } from '../../support/files.ts';
import { lowRank } from '../../support/low-rank.ts';

const folder = temporaryFolder();
const ratings = lowRank({ users: 120 });

/** Trains in shards of two steps or so. */
async function trained(
  recipe: Recipe,
  { shards, workers, from }: { shards?: number; workers?: number; from?: Tensors } = {},
) {
  const positives = positivesOf(ratings, ratings.facts, 4);
  const resolved = resolveRanking(
    { objective: 'ranking', epochs: 3, usersPerStep: 5, factors: 4, ...recipe },
    { ...ratings.facts, positives: positives.items.length },
  );
  const { plan, model } = resolved;
  const task = {
    ...resolved,
    plan: { ...plan, training: { ...plan.training, shards } },
    positives,
    workers,
    inShards: trainInShards,
    runtime: await nodeRuntime(),
  };
  const prepared = prepareLists(task);
  const carried = from ?? initialParameters(model, 1);
  const training = await prepared.start({ epochs: from ? 2 : 0, carried });
  const states: Tensors[] = [];
  let loss = 0;
  for (let epoch = from ? 2 : 0; epoch < 3; epoch++) {
    loss = 0;
    for await (const { losses, starts } of training.epoch(epoch))
      for (const [step, one] of Array.from(losses).entries()) loss += one * (starts[step + 1] - starts[step]);
    states.push(await training.carried());
  }
  await training.release();
  return { states, loss: loss / positives.items.length };
}

describe.each<Recipe>([{}, { negatives: 10 }, { negatives: 10, model: 'mlp', hidden: [4] }])(
  '%j',
  (recipe) => {
    test('the result does not depend on the number of workers', async () => {
      const [one, two, many] = await Promise.all(
        [1, 2, 7].map((workers) => trained(recipe, { shards: 4, workers })),
      );
      expect(two).toEqual(one);
      expect(many).toEqual(one);
    });

    test('a training that goes on after two epochs comes to the same', async () => {
      const { states } = await trained(recipe, { shards: 4 });
      const resumed = await trained(recipe, { shards: 4, from: states[1] });
      expect(resumed.states[0]).toEqual(states[2]);
    });

    test('learns about as well as users one after the other', async () => {
      const [start, one, shards] = await Promise.all([
        trained({ ...recipe, epochs: 1, learningRate: 1e-9 }),
        trained(recipe),
        trained(recipe, { shards: 4 }),
      ]);
      expect(start.loss - shards.loss).toBeGreaterThan(0.7 * (start.loss - one.loss));
    });
  },
);

describe('500,000 positives', () => {
  const [users, each, items] = [5000, 100, 300];
  const offsets = uniforms(users, generator(1, -8));
  const data = new Ratings({
    kind: 'interactions',
    userIds: Array.from({ length: users }, (_, user) => `${user}`),
    itemIds: Array.from({ length: items }, (_, item) => `${item}`),
    users: Int32Array.from({ length: users * each }, (_, index) => Math.floor(index / each)),
    items: Int32Array.from(
      { length: users * each },
      (_, index) => (Math.floor(offsets[Math.floor(index / each)] * items) + 2 * (index % each)) % items,
    ),
    ratings: new Float32Array(users * each).fill(1),
  });
  const recipe: Recipe = { factors: 4, epochs: 2, negatives: 20 };
  /** The manifest has the hashes of all files. */
  const manifestOf = async (model: Fitted) => (await model.artifact()).manifest;

  test('are trained in shards, by default', async () => {
    const [all, one] = [await train(data, recipe, { workers: 3 }), await train(data, recipe, { workers: 1 })];
    expect(all.plan.training).toMatchObject({ shards: 8 });
    expect(await manifestOf(all)).toEqual(await manifestOf(one));
  });

  test('a training that is resumed is the same', async () => {
    class Cut extends Error {}
    const path = join(folder.path, 'shards.checkpoint');
    const onProgress = ({ epoch }: Progress) => {
      if (epoch === 1) throw new Cut();
    };
    await expect(train(data, recipe, { checkpoint: { path }, onProgress })).rejects.toBeInstanceOf(Cut);
    const resumed = await train(data, recipe, { checkpoint: { path, resume: true } });
    expect(await manifestOf(resumed)).toEqual(await manifestOf(await train(data, recipe)));
  });
});

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dotBias } from '../../../graphs/models/dot-bias.ts';
import { type ModelDefinition, type Parameter, scoreAt } from '../../../graphs/models/model.ts';
import { Ratings } from '../../../src/data/dataset/ratings.ts';
import { initialParameters } from '../../../src/train/parameters/initial.ts';
import type { ProgramRecipe, Recipe } from '../../../src/train/recipe/recipe.ts';
import { train } from '../../../src/train/train.ts';
import { changed, drawnRatings, plainBiases, trainedParameters } from '../../support/biases.ts';
import { temporaryFolder } from '../../support/files.ts';

const folder = temporaryFolder();
const { ratings } = drawnRatings({ users: 60, items: 40, user: 0.5, item: 0.4, noise: 0.9, share: 0.3 });
const settings: Recipe = { objective: 'rating', factors: 4, epochs: 4, batchSize: 16 };

/** A user with one rating, the highest, of the item that is rated most. */
function withLoner(): { data: Ratings; row: number } {
  const { users, items, ratings: values, userIds, facts } = ratings;
  const counts = ratings.itemIds.map((_, item) => items.filter((other) => other === item).length);
  const row = userIds.length;
  const data = new Ratings({
    ...ratings,
    userIds: [...userIds, 'loner'],
    users: Int32Array.from([...users, row]),
    items: Int32Array.from([...items, counts.indexOf(Math.max(...counts))]),
    ratings: Float32Array.from([...values, facts.high]),
  });
  return { data, row };
}

describe.each(['epoch-graph', 'strata'] as const)('trained by %s', (engine) => {
  const recipe = { ...settings, engine, ...(engine === 'strata' && { blocks: [3, 2] as const }) };
  const trained = (model: ModelDefinition, more: ProgramRecipe = {}, data = ratings) =>
    trainedParameters(data, { ...recipe, factors: undefined, ...more, model });
  const model = dotBias({ factors: 4 });

  test('what is pulled without end stays where it started; what is not pulled moves', async () => {
    const tied = await trained(changed(model, ({ dims }) => (dims.length > 1 ? { pull: 1e9 } : {})));
    const start = initialParameters(model(ratings.facts), 1, { pairs: ratings });
    for (const name of ['user_factors', 'item_factors'])
      for (const [at, value] of tied[name].data.entries()) expect(value).toBeCloseTo(start[name].data[at], 5);
    const free = await trained(changed(model, () => ({ pull: 0 })));
    const moved = free.user_factors.data.map((value, at) => Math.abs(value - start.user_factors.data[at]));
    expect(Math.max(...moved)).toBeGreaterThan(0.05);
    expect(tied.user_bias.data).not.toEqual(free.user_bias.data);
  });

  test('through many epochs, the bias of a user with one rating stays near its posterior; unpulled, it follows the rating', async () => {
    const { data, row } = withLoner();
    const long = { epochs: 100, schedule: 'constant', learningRate: 0.06 } as const;
    const { user } = plainBiases(data);
    const range = model(data.facts).range as [number, number];
    const scoreOf = (bias: number) =>
      scoreAt(data.facts.mean + bias, range) - scoreAt(data.facts.mean, range);
    const prior = scoreAt(data.facts.mean, range) / 2 + scoreOf(user.prior);
    const start = scoreOf(user.posterior[row]) - scoreOf(user.prior);
    const from = async (change: (parameter: Parameter) => Partial<Parameter>) =>
      (await trained(changed(model, change), long, data)).user_bias.data[row] - prior;
    const pulled = await from(() => ({}));
    const free = await from(({ dims }) => (dims.length === 1 ? { pull: 0 } : {}));
    expect(start).toBeGreaterThan(0.1);
    expect(pulled / start).toBeGreaterThan(0.85);
    // Where half of the curvature of the loss balances the pull.
    expect(pulled / start).toBeLessThan((1 + user.damping) / (1 + user.damping / 2));
    expect(free / pulled).toBeGreaterThan(1.1);
  });

  test('resumed, it is the same to the byte', async () => {
    const path = join(folder.path, `${engine}.checkpoint`);
    const whole = await train(ratings, recipe, { workers: 2 });
    const stop = new AbortController();
    await train(ratings, recipe, {
      workers: 2,
      checkpoint: { path },
      signal: stop.signal,
      onProgress: ({ epoch }) => epoch === 1 && stop.abort(),
    });
    const rest = await train(ratings, recipe, { workers: 2, checkpoint: { path, resume: true } });
    expect(rest.history).toEqual(whole.history);
    const [one, other] = [await rest.artifact(), await whole.artifact()];
    expect(one.files['predict.onnx']).toEqual(other.files['predict.onnx']);
  });
});

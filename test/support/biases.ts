import type { Tensors } from '../../graphs/heads/serving.ts';
import type { ModelDefinition, Parameter } from '../../graphs/models/model.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { nodeEngines } from '../../src/train/engines/node.ts';
import { fitModel } from '../../src/train/fit.ts';
import type { ProgramRecipe } from '../../src/train/recipe/recipe.ts';
import { generator, normals, uniforms } from '../../src/util/random.ts';

export interface Drawn {
  readonly users?: number;
  readonly items?: number;
  /** Part of the pairs that are rated. */
  readonly share?: number;
  /** Standard deviations. */
  readonly user: number;
  readonly item: number;
  readonly noise: number;
  readonly seed?: number;
}

/** rating = 3 + user bias + item bias + noise, all normal; and the variances of what was drawn. */
export function drawnRatings({ users = 400, items = 300, share = 0.1, seed = 1, ...spread }: Drawn) {
  const random = generator(seed, -9);
  const ofUsers = normals(users, spread.user, random);
  const ofItems = normals(items, spread.item, random);
  const present = uniforms(users * items, random);
  const cells = Array.from(present.keys()).filter((cell) => present[cell] < share);
  const noise = normals(cells.length, spread.noise, random);
  const [userOf, itemOf] = [(cell: number) => Math.floor(cell / items), (cell: number) => cell % items];
  const ratings = new Ratings({
    userIds: Array.from(ofUsers, (_, row) => `user ${row}`),
    itemIds: Array.from(ofItems, (_, row) => `item ${row}`),
    users: Int32Array.from(cells, userOf),
    items: Int32Array.from(cells, itemOf),
    ratings: Float32Array.from(
      cells,
      (cell, at) => 3 + ofUsers[userOf(cell)] + ofItems[itemOf(cell)] + noise[at],
    ),
  });
  return { ratings, variances: { user: variance(ofUsers), item: variance(ofItems), noise: variance(noise) } };
}

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

const variance = (values: ArrayLike<number>): number => {
  const mid = mean(values);
  return mean(Array.from(values, (value) => (value - mid) ** 2));
};

interface Side {
  readonly rows: Int32Array;
  readonly counts: readonly number[];
  posterior: number[];
  prior: number;
  damping: number;
}

/**
 * The same as `biasesIn`, in plain loops over ratings: posteriors of items given users, then of users given items; then the
 * variances by MacKay's fixed point, until dampings change by no more than 5 %, but at most 12 times.
 */
export function plainBiases({ users, items, ratings, userIds, itemIds }: Ratings) {
  const sideOf = (rows: Int32Array, length: number): Side => ({
    rows,
    counts: Array.from({ length }, (_, row) => rows.filter((other) => other === row).length),
    posterior: Array(length).fill(0),
    ...{ prior: 0, damping: 4 },
  });
  const sum = (values: ArrayLike<number>): number => mean(values) * values.length;
  const [item, user] = [sideOf(items, itemIds.length), sideOf(users, userIds.length)];
  const center = mean(ratings);
  for (let round = 0; round < 12; round++) {
    const before = [item.damping, user.damping];
    const determined = [];
    for (const [side, other] of [
      [item, user],
      [user, item],
    ]) {
      const { counts, damping } = side;
      const left = Array.from(ratings, (rating, at) => rating - center - other.posterior[other.rows[at]]);
      // How far the ratings of a row determine its bias, and their mean.
      const known = counts.map((count) => count / (count + damping));
      const means = counts.map((count, row) => {
        const own = left.filter((_, at) => side.rows[at] === row);
        return count > 0 ? sum(own) / count : 0;
      });
      side.prior = sum(means.map((one, row) => known[row] * one)) / sum(known);
      side.posterior = means.map((one, row) => side.prior + known[row] * (one - side.prior));
      determined.push(sum(known));
    }
    const squares = Array.from(ratings, (rating, at) => {
      return (rating - center - user.posterior[users[at]] - item.posterior[items[at]]) ** 2;
    });
    const noise = sum(squares) / Math.max(1, ratings.length - sum(determined));
    for (const [at, side] of [item, user].entries()) {
      const spread = sum(side.posterior.map((bias) => (bias - side.prior) ** 2)) / determined[at];
      side.damping = Math.min(1e4, Math.max(1e-3, noise / spread));
    }
    if ([item, user].every(({ damping }, at) => Math.abs(damping / before[at] - 1) <= 0.05)) break;
  }
  return { user, item };
}

/** A model with some properties of its parameters replaced. */
export const changed =
  (definition: ModelDefinition, change: (parameter: Parameter) => Partial<Parameter>): ModelDefinition =>
  (facts, objective) => {
    const model = definition(facts, objective);
    const parameters = Object.fromEntries(
      Object.entries(model.parameters).map(([name, one]) => [name, { ...one, ...change(one) }]),
    );
    return { ...model, parameters };
  };

/** The parameters of a model that is trained to predict ratings. */
export async function trainedParameters(data: Ratings, recipe: ProgramRecipe): Promise<Tensors> {
  const runtime = await nodeRuntime();
  const { rating } = await fitModel(data, recipe, { runtime, engines: nodeEngines, workers: 2 });
  if (!rating) throw new Error('no ratings are predicted');
  return rating.parameters;
}

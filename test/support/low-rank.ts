import type { Model, ModelDefinition } from '../../graphs/models/model.ts';
import { Ratings } from '../../src/data/dataset/ratings.ts';
import { generator, normals, uniforms } from '../../src/util/random.ts';

/** Ratings from 1 to 5 that two factors and biases explain but for some noise; about 6 in 10 are there. */
export function lowRank({ users = 40, items = 30, seed = 1, noise: spread = 0.1 } = {}): Ratings {
  const random = generator(seed, -7);
  const [userFactors, itemFactors] = [users, items].map((rows) => normals(3 * rows, 0.7, random));
  const present = uniforms(users * items, random);
  const noise = normals(users * items, spread, random);
  const cells = Array.from(present.keys()).filter((cell) => present[cell] < 0.6);
  const rating = (cell: number): number => {
    const user = 3 * Math.floor(cell / items);
    const item = 3 * (cell % items);
    const products = [0, 1].map((factor) => userFactors[user + factor] * itemFactors[item + factor]);
    const score = 3 + products[0] + products[1] + userFactors[user + 2] + itemFactors[item + 2] + noise[cell];
    return Math.min(5, Math.max(1, score));
  };
  return new Ratings({
    userIds: Array.from({ length: users }, (_, row) => `user ${row}`),
    itemIds: Array.from({ length: items }, (_, row) => `item ${row}`),
    users: Int32Array.from(cells, (cell) => Math.floor(cell / items)),
    items: Int32Array.from(cells, (cell) => cell % items),
    ratings: Float32Array.from(cells, rating),
  });
}

/** The error of predicting the mean for all. */
export function errorOfMean({ ratings }: Ratings): number {
  const mean = ratings.reduce((sum, rating) => sum + rating, 0) / ratings.length;
  return Math.sqrt(ratings.reduce((sum, rating) => sum + (rating - mean) ** 2, 0) / ratings.length);
}

/** A model of one's own: a bias a user and an item, and a formula. */
export const ofBiases =
  (score: Model['score']): ModelDefinition =>
  ({ users, items }) => ({
    name: 'own',
    config: {},
    parameters: {
      user_bias: { dims: [users], initial: { normal: 0.1 }, rowsOf: 'user' },
      item_bias: { dims: [items], initial: { normal: 0.1 }, rowsOf: 'item' },
    },
    score,
  });

import type { Ratings } from '../data/dataset/ratings.ts';
import { nodeRuntime } from '../run/node.ts';
import { count, plural } from '../util/format.ts';
import type { Scorer, Skipped } from './baseline.ts';
import { inverse } from './inverse.ts';
import { type Lists, listsOf } from './lists.ts';

/** Rows of the largest matrix to invert, which takes 400 MB, several times over. */
const LARGEST = 10_000;
/** λ; docs/decisions.md has the figures. */
const REGULARIZATION = 300;

export interface EaseSettings {
  readonly regularization?: number;
  /** Which matrix to invert. Default: the smaller one */
  readonly side?: 'users' | 'items' | undefined;
}

/**
 * EASE: a linear model from what a user has to the score of each item, with a zero diagonal, in closed form. With the users'
 * lists as rows of X, and P = (XᵀX + λI)⁻¹, its weights are I − P · diag(P)⁻¹. The matrix to invert is of the items, or of
 * the users with two items or more, whichever are fewer.
 *
 * Source: Steck, Embarrassingly Shallow Autoencoders for Sparse Data (2019).
 *
 * @param positives what the users have; the ratings themselves are ignored
 */
export async function ease(
  positives: Ratings,
  { regularization = REGULARIZATION, side }: EaseSettings = {},
): Promise<Scorer | Skipped> {
  const lists = listsOf(positives);
  const items = lists.ofItems.length;
  // A user with one item adds to the diagonal of XᵀX only.
  const users = lists.ofUsers.filter(({ length }) => length > 1).length;
  if (Math.min(users, items) > LARGEST)
    return {
      skipped: `there are ${plural(items, 'item')}, and ${plural(users, 'user')} with two or more of them; one of these must be at most ${count(LARGEST)}`,
    };
  const byUsers = side === undefined ? users < items : side === 'users';
  return (byUsers ? bySideOfUsers : bySideOfItems)(lists, regularization);
}

async function bySideOfItems({ ofUsers, ofItems }: Lists, lambda: number): Promise<Scorer> {
  const items = ofItems.length;
  const gram = new Float32Array(items * items);
  for (const list of ofUsers) for (const one of list) for (const other of list) gram[one * items + other]++;
  for (let item = 0; item < items; item++) gram[item * items + item] += lambda;
  const p = await inverse(await nodeRuntime(), gram, items);
  return {
    scores(user) {
      const scores = new Float32Array(items);
      for (const item of ofUsers[user])
        for (let other = 0; other < items; other++) scores[other] -= p[item * items + other];
      for (let item = 0; item < items; item++) scores[item] /= p[item * items + item];
      for (const item of ofUsers[user]) scores[item]++;
      return scores;
    },
  };
}

/**
 * By the Woodbury identity. D is the diagonal of λI plus the users with one item, and X has the others: then
 * P = D⁻¹ − D⁻¹XᵀK⁻¹XD⁻¹ with K = I + XD⁻¹Xᵀ.
 */
async function bySideOfUsers({ ofUsers, ofItems }: Lists, lambda: number): Promise<Scorer> {
  const rows = new Int32Array(ofUsers.length).fill(-1);
  let size = 0;
  const diagonal = new Float64Array(ofItems.length).fill(lambda);
  for (const [user, list] of ofUsers.entries())
    if (list.length > 1) rows[user] = size++;
    else for (const item of list) diagonal[item]++;
  const having = ofItems.map((users) => users.map((user) => rows[user]).filter((row) => row >= 0));
  const k = new Float32Array(size * size);
  for (const [item, users] of having.entries())
    for (const one of users) for (const other of users) k[one * size + other] += 1 / diagonal[item];
  for (let row = 0; row < size; row++) k[row * size + row]++;
  const inverted = await inverse(await nodeRuntime(), k, size);
  const rowOf = (user: number) => inverted.subarray(user * size, (user + 1) * size);
  // The diagonal of P, times that of D.
  const own = Float64Array.from(having, (users, item) => {
    let rest = 1;
    for (const one of users) for (const other of users) rest -= inverted[one * size + other] / diagonal[item];
    return rest;
  });
  /** What is summed over the users who have an item: a row of K⁻¹, or of −D⁻¹XᵀK⁻¹ for a user with one item. */
  const weightsOf = (user: number): Float32Array => {
    if (rows[user] >= 0) return rowOf(rows[user]);
    const weights = new Float32Array(size);
    for (const item of ofUsers[user])
      for (const one of having[item])
        for (const [other, value] of rowOf(one).entries()) weights[other] -= value / diagonal[item];
    return weights;
  };
  return {
    scores(user) {
      const weights = weightsOf(user);
      const scores = Float32Array.from(having, (users, item) => {
        let sum = 0;
        for (const one of users) sum += weights[one];
        return -sum / own[item];
      });
      for (const item of ofUsers[user]) scores[item] += rows[user] >= 0 ? 1 : 1 - 1 / own[item];
      return scores;
    },
  };
}

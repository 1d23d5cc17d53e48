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
  /** For each item, the sum of a row of K⁻¹ over the users who have the item. */
  const sums = (row: number): Float64Array =>
    Float64Array.from(having, (users) => {
      let sum = 0;
      for (const user of users) sum += inverted[row * size + user];
      return sum;
    });
  // The diagonal of P, times that of D.
  const own = Float64Array.from(having, (users, item) => {
    let rest = 1;
    for (const one of users) for (const other of users) rest -= inverted[one * size + other] / diagonal[item];
    return rest;
  });
  return {
    scores(user) {
      const list = ofUsers[user];
      const scores = new Float32Array(ofItems.length);
      if (rows[user] >= 0)
        for (const [item, sum] of sums(rows[user]).entries()) scores[item] = -sum / own[item];
      else
        for (const item of list) {
          for (const one of having[item])
            for (const [other, sum] of sums(one).entries())
              scores[other] += sum / diagonal[item] / own[other];
          scores[item] -= 1 / own[item];
        }
      for (const item of list) scores[item]++;
      return scores;
    },
  };
}

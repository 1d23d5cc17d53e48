import type { Ratings } from '../data/dataset/ratings.ts';
import { nodeRuntime } from '../run/node.ts';
import { solved } from '../solve/item-weights.ts';
import type { Side } from '../solve/sides.ts';
import { type ItemLists, usersWithSeveral } from '../solve/sparse.ts';
import { count, plural } from '../util/format.ts';
import type { Scorer, Skipped } from './baseline.ts';
import { itemsOfUsers } from './rankers.ts';

/** Rows of the largest matrix to invert: half of it is 200 MB. */
const LARGEST = 10_000;
/** λ; docs/decisions.md has the figures. */
const REGULARIZATION = 300;

export interface EaseSettings {
  readonly regularization?: number;
  /** Which matrix to invert. Default: the faster one */
  readonly side?: Side | undefined;
}

/**
 * EASE: a linear model from what a user has to the score of each item, with a zero diagonal, in closed form. With the users'
 * lists as rows of X, and P = (XᵀX + λI)⁻¹, its weights are I − P · diag(P)⁻¹.
 *
 * Source: Steck, Embarrassingly Shallow Autoencoders for Sparse Data (2019).
 *
 * @param positives what the users have; the ratings themselves are ignored
 */
export async function ease(
  positives: Ratings,
  { regularization = REGULARIZATION, side }: EaseSettings = {},
): Promise<Scorer | Skipped> {
  const items = positives.itemIds.length;
  const x = byUsers(positives);
  const users = usersWithSeveral(x);
  if (Math.min(users, items) > LARGEST)
    return {
      skipped: `there are ${plural(items, 'item')}, and ${plural(users, 'user')} with two or more of them; one of these must be at most ${count(LARGEST)}`,
    };
  const penalties = new Float64Array(items).fill(regularization);
  const p = await solved({ runtime: await nodeRuntime(), positives: x, penalties, side });
  return {
    scores(user) {
      const scores = p.rowOfUser(user).slice();
      for (let item = 0; item < items; item++) scores[item] /= -p.diagonal[item];
      for (let at = x.starts[user]; at < x.starts[user + 1]; at++) scores[x.items[at]]++;
      return scores;
    },
  };
}

/** What each user has, without unknown users and items. */
function byUsers(positives: Ratings): ItemLists {
  const lists = itemsOfUsers(positives);
  const starts = new Int32Array(lists.length + 1);
  for (const [user, { length }] of lists.entries()) starts[user + 1] = starts[user] + length;
  const items = new Int32Array(starts[lists.length]);
  for (const [user, list] of lists.entries()) items.set(list, starts[user]);
  return { starts, items };
}

import { positivesOf } from '../data/dataset/positives.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { nodeRuntime } from '../run/node.ts';
import { itemWeights } from '../solve/item-weights.ts';
import { addWeights } from '../solve/kept.ts';
import { type Side, secondsOf } from '../solve/sides.ts';
import { usersWithSeveral } from '../solve/sparse.ts';
import { plural } from '../util/format.ts';
import type { Scorer, Skipped } from './baseline.ts';

/** Estimated seconds that it may take. */
const MOST_SECONDS = 60;

export interface EaseSettings {
  /** λ. Default: see `regularizationOf` */
  readonly regularization?: number;
  /** Which matrix to invert. Default: the faster one */
  readonly side?: Side | undefined;
}

/**
 * EASE: what the model item-item is, as a baseline; see `itemWeights`.
 *
 * @param positives what the users have; the ratings themselves are ignored
 */
export async function ease(
  positives: Ratings,
  { regularization, side }: EaseSettings = {},
): Promise<Scorer | Skipped> {
  const items = positives.itemIds.length;
  const x = positivesOf(positives, positives.facts, 'all');
  const users = usersWithSeveral(x);
  if (secondsOf({ users, items, pairs: x.items.length }) > MOST_SECONDS)
    return {
      skipped: `weights between ${plural(items, 'item')} of ${plural(users, 'user')} would take more than a minute; train the model item-item`,
    };
  const { weights } = await itemWeights(x, { runtime: await nodeRuntime(), regularization, side });
  return {
    scores(user) {
      const scores = new Float32Array(items + 1);
      for (let at = x.starts[user]; at < x.starts[user + 1]; at++) addWeights(weights, x.items[at], scores);
      return scores.subarray(0, items);
    },
  };
}

import * as onnx from '../../src/onnx/index.ts';
import { equal, greater, less, mul, reduceSum, unsqueeze, type Value, where } from '../../src/onnx/index.ts';
import { scoresOfLists } from '../models/item-item.ts';
import { orPopular, popularity } from './catalogue.ts';
import { inOrder, likedRows, listsOfUsers } from './lists.ts';
import type { WeightsRanking } from './serving.ts';

/** The score of every item for users of the training data, float[n, items + 1]; see `catalogueScores`. */
export const scoresOfUsers = (part: WeightsRanking, userRow: Value): Value =>
  scored(part, listsOfUsers(part.lists, userRow, part.counts.length));

/**
 * The score of every item for people by what they have, float[n, items + 1].
 *
 * @param itemRow int64[n, m]: a number of `items` is an unknown item or padding
 * @param rating float[n, m]; undefined for a model of interactions
 */
export const scoresOfPeople = (part: WeightsRanking, itemRow: Value, rating: Value | undefined): Value =>
  scored(part, likedRows(itemRow, rating, { positive: part.positive, items: part.counts.length }));

/** Smaller than weights, so that it orders those alone whose score is 0. */
const TIE = 1e-9;

/** The scores for lists, in the same order whoever has them; those of popular items for a list without known items. */
function scored({ weights, counts }: WeightsRanking, lists: Value): Value {
  const items = counts.length;
  const list = inOrder(lists, items);
  const known = reduceSum(onnx.cast(less(list, items), 'float'), { axes: [1] }, 'known');
  const scores = scoresOfLists(weights, list);
  // Where no weight says anything, popular items come first.
  const ties = mul(unsqueeze(popularity(counts), [0]), TIE, 'ties');
  return orPopular(where(equal(scores, 0), ties, scores), counts, known, 0);
}

/**
 * How similar each item is to some items: what having one adds to the score of another. Where that is nothing, or less, it is −∞.
 *
 * @param itemRow int64[n]
 * @returns float[n, items + 1]
 */
export function weightsFrom({ weights }: WeightsRanking, itemRow: Value): Value {
  const scores = scoresOfLists(weights, unsqueeze(itemRow, [1]));
  return where(greater(scores, 0), scores, Number.NEGATIVE_INFINITY, 'positive_weight');
}

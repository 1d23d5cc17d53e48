import type { Value } from '../../src/onnx/index.ts';
import { scoresOfPeople, scoresOfUsers } from './by-weights.ts';
import { catalogueScores, orPopular } from './catalogue.ts';
import { foldedByRanking } from './fold-in-ranking.ts';
import { isByWeights, knowsUsers, type RankingPart, type RatingPart, servingTables } from './serving.ts';

/**
 * The score of every item for each user, float[n, items + 1]. For an unknown user a model that ranks has the scores of popular
 * items, and a model of ratings those of the average user.
 *
 * @param userRow int64[n]; the number of users is an unknown user
 */
export function scoresFor(
  part: RankingPart | RatingPart,
  userRow: Value,
  { users, items }: { readonly users: number; readonly items: number },
): Value {
  if (isByWeights(part)) return scoresOfUsers(part, userRow);
  const { model, trained } = part;
  const scores = catalogueScores(model, servingTables(model, trained), userRow, items);
  return 'counts' in part && knowsUsers(model) ? orPopular(scores, part.counts, userRow, users) : scores;
}

/**
 * The score of every item for people by what they have, float[n, items + 1], and their rows of each user parameter, [n, …],
 * which a model of weights has not.
 *
 * @param lists `itemRow` int64[n, m]: a number of `items` is an unknown item or padding; `rating` float[n, m], undefined for a
 *   model of interactions
 */
export function scoresByLists(
  part: RankingPart,
  lists: Parameters<typeof foldedByRanking>[1],
): ReturnType<typeof foldedByRanking> {
  if (!isByWeights(part)) return foldedByRanking(part, lists);
  return { rows: {}, scores: scoresOfPeople(part, lists.itemRow, lists.rating) };
}

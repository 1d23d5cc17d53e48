import { input, labelEncoder, type ModelParts } from '../../src/onnx/index.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { withLentRow, withoutLentRow } from './lent-row.ts';
import { scoresFor } from './scores.ts';
import { type Parts, ranker, servingTables, type Vocabulary } from './serving.ts';
import { topItems } from './top-items.ts';
import { ratingsFromScores, ratingsOf } from './top-ratings.ts';

/**
 * `user: string[n]`, `k: int64[1]`, `exclude: string[n, m]` (padded with '') → `item: string[n, k]`,
 * `score: float[n, k]`, and `rating: float[n, k]` if there is a model of ratings: for each user the `k` items with the
 * highest scores, highest first, except those excluded. A `k` above the number of items gives all items. An unknown user
 * gets the most popular items of a ranking model, and otherwise the average row of each user parameter.
 */
export function recommendGraph(parts: Parts, { userIds, itemIds }: Vocabulary): ModelParts {
  const { rating, ranking } = parts;
  const { model } = ranker(parts);
  const user = input('user', 'string', ['n']);
  const k = input('k', 'int64', [1]);
  const exclude = input('exclude', 'string', ['n', 'm']);
  const userRow = withLentRow(labelEncoder(user, userIds, 'user_row'), userIds.length);
  const excluded = withLentRow(labelEncoder(exclude, itemIds, 'excluded_row'), itemIds.length);
  const scores = scoresFor(ranker(parts), userRow, { users: userIds.length, items: itemIds.length });
  const top = topItems(scores, excluded, k, itemIds);
  const ratings =
    rating && ranking
      ? ratingsOf(rating, servingTables(rating.model, rating.trained), userRow, top)
      : rating && ratingsFromScores(rating, top);
  const outputs = { item: top.items, score: top.scores, ...(ratings && { rating: ratings }) };
  return {
    name: `recommend ${model.name}`,
    inputs: [user, k, exclude],
    outputs: mapValues(outputs, (output) => withoutLentRow(output, user)),
  };
}

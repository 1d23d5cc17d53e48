import { readVocabulary, unknownIds } from '../artifact/vocabulary.ts';
import type { Ratings } from '../data/ratings.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { type Metrics, metrics } from './metrics.ts';

export interface Evaluation extends Metrics {
  readonly ratings: number;
  /** How many users, and how many items, of the ratings the model has never seen. */
  readonly unknownUsers: number;
  readonly unknownItems: number;
}

/** How well a model predicts ratings, those of unknown users and items included. */
export async function evaluate(recommender: Recommender, ratings: Ratings): Promise<Evaluation> {
  // The unknown row has no id; no model knows the empty one.
  const users = Array.from(ratings.users, (row) => ratings.userIds[row] ?? '');
  const items = Array.from(ratings.items, (row) => ratings.itemIds[row] ?? '');
  const known = readVocabulary(recommender.artifact);
  return {
    ratings: users.length,
    ...metrics(await recommender.predict(users, items), ratings.ratings),
    unknownUsers: unknownIds(ratings.userIds, known.userIds).length + (ratings.unknown?.users ?? 0),
    unknownItems: unknownIds(ratings.itemIds, known.itemIds).length + (ratings.unknown?.items ?? 0),
  };
}

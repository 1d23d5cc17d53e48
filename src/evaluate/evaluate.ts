import { readSeen } from '../artifact/seen.ts';
import { readVocabulary, unknownIds } from '../artifact/vocabulary.ts';
import { type Ratings, renumbered } from '../data/dataset/ratings.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { type ErrorsWithIntervals, errorsWithIntervals } from './errors.ts';
import { errorBy, type Group } from './groups.ts';
import { itemsOfUsers, recommenderRanker } from './rankers.ts';
import { countsOfItems, lastQuarter, type Ranking, type RankingOptions, ranking } from './ranking.ts';

/** How well something predicts ratings, and ranks items. */
export interface Judgement extends ErrorsWithIntervals {
  /** Where it is known what users rated in training, and some user has a relevant item. */
  readonly ranking?: Ranking;
}

export interface Evaluation extends Judgement {
  readonly ratings: number;
  /** How many users, and how many items, of the ratings the model has never seen. */
  readonly unknownUsers: number;
  readonly unknownItems: number;
  /**
   * Errors by the rating itself; and where it is known what was rated in training, by how many ratings the user, and
   * the item, has there.
   */
  readonly groups: {
    readonly rating: readonly Group[];
    readonly userActivity?: readonly Group[];
    readonly itemPopularity?: readonly Group[];
  };
}

export interface EvaluateOptions extends RankingOptions {
  /** What the model was trained on, by any rows. When absent, what a model trained with `keepSeen` keeps of it. */
  readonly train?: Ratings;
}

/** How many groups there are at most: by rating, and by activity and popularity. */
const RATING_GROUPS = 10;
const COUNT_GROUPS = 5;

/** How well a model predicts ratings, those of unknown users and items included, and how well it ranks items. */
export async function evaluate(
  recommender: Recommender,
  ratings: Ratings,
  { train, k = [10], threshold }: EvaluateOptions = {},
): Promise<Evaluation> {
  const { artifact } = recommender;
  const known = readVocabulary(artifact);
  const predicted = await recommender.predict(
    idsOf(ratings.users, ratings.userIds),
    idsOf(ratings.items, ratings.itemIds),
  );
  const rated = train ? itemsOfUsers(renumbered(train, known)) : readSeen(artifact);
  const heldOut = rated && renumbered(ratings, known);
  const ranked =
    heldOut &&
    (await ranking(recommenderRanker(recommender, known, rated), rated, heldOut, {
      k,
      threshold: threshold ?? lastQuarter(artifact.manifest.data),
    }));
  return {
    ratings: ratings.ratings.length,
    ...errorsWithIntervals(predicted, ratings),
    unknownUsers: unknownIds(ratings.userIds, known.userIds).length + (ratings.unknown?.users ?? 0),
    unknownItems: unknownIds(ratings.itemIds, known.itemIds).length + (ratings.unknown?.items ?? 0),
    groups: {
      rating: errorBy(ratings.ratings, predicted, ratings.ratings, { most: RATING_GROUPS }),
      ...(heldOut && countGroups(rated, heldOut, predicted)),
    },
    ...(ranked && { ranking: ranked }),
  };
}

/** The ids of rows, as a model is asked for them. */
export function idsOf(rows: Int32Array, ids: readonly string[]): string[] {
  const all: string[] = [];
  // The unknown row has no id; no model knows the empty one.
  for (const row of rows) all.push(ids[row] ?? '');
  return all;
}

function countGroups(
  rated: readonly Int32Array[],
  { users, items, ratings, itemIds }: Ratings,
  predicted: Float32Array,
): Pick<Evaluation['groups'], 'userActivity' | 'itemPopularity'> {
  const ofItems = countsOfItems(rated, itemIds.length);
  const ofUsers = Float32Array.from([...rated.map((items) => items.length), 0]);
  const errorByCount = (counts: Float32Array, rows: Int32Array): Group[] =>
    errorBy(
      Float32Array.from(rows, (row) => counts[row]),
      predicted,
      ratings,
      {
        most: COUNT_GROUPS,
        population: counts.filter((count) => count > 0),
      },
    );
  return { userActivity: errorByCount(ofUsers, users), itemPopularity: errorByCount(ofItems, items) };
}

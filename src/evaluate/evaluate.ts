import { readSeen } from '../artifact/seen.ts';
import { readVocabulary, unknownIds } from '../artifact/vocabulary.ts';
import { checkKind } from '../data/dataset/dataset.ts';
import { relevantFrom } from '../data/dataset/positives.ts';
import { type Ratings, renumbered, someRatings } from '../data/dataset/ratings.ts';
import { type Recommender, someRecommender } from '../recommend/recommender.ts';
import { checkArgument, checkOptions, type OptionTable } from '../util/options.ts';
import { type ErrorsWithIntervals, errorsWithIntervals } from './errors.ts';
import { errorBy, type Group } from './groups.ts';
import { type Overlap, overlapOf } from './overlap.ts';
import { itemsLeftOut, recommenderRanker } from './rankers.ts';
import { countsOfItems, RANKING_OPTIONS, type Ranking, type RankingOptions, ranking } from './ranking.ts';

/** Errors of predictions, absent if there are no predictions, and quality of rankings. */
export interface Quality extends Partial<ErrorsWithIntervals> {
  /** Present if it is known which items users rated in training, and some user has a relevant item. */
  readonly ranking?: Ranking;
}

/** Why there is no ranking: nobody knows what to leave out, no user has a relevant item, or no list has one. */
export type NoRanking = 'unknown training' | 'nothing relevant' | 'no hits';

export interface Evaluation extends Quality {
  /** Number of ratings. */
  readonly ratings: number;
  /** How many of them were trained on, and how many are off the model's scale. */
  readonly overlap: Overlap;
  /** Why there is no ranking; absent if there is one. */
  readonly noRanking?: NoRanking | undefined;
  /** Number of users, and of items, in the ratings that the model does not know. */
  readonly unknownUsers: number;
  readonly unknownItems: number;
  /**
   * Errors by rating; and, if it is known which items users rated in training, by the number of training ratings of the
   * user and of the item. Empty if the model predicts no ratings.
   */
  readonly groups: {
    readonly rating?: readonly Group[];
    readonly userActivity?: readonly Group[];
    readonly itemPopularity?: readonly Group[];
  };
}

export interface EvaluateOptions extends RankingOptions {
  /** The training ratings, with any ids. Default: those stored in the model, unless it was trained with `seen: false` */
  readonly train?: Ratings | undefined;
}

const EVALUATE_OPTIONS: OptionTable<EvaluateOptions> = { ...RANKING_OPTIONS, train: someRatings };

/** Maximum number of groups: by rating, and by activity and popularity. */
const RATING_GROUPS = 10;
const COUNT_GROUPS = 5;

/**
 * Evaluates a model on ratings: the errors of its predictions, including those for unknown users and items, and the quality
 * of its rankings. A model that was trained to rank alone predicts no ratings, so it has no errors.
 *
 * @throws UserError for a `k` that is not a whole number from 1, or ratings where the model is trained on interactions
 */
export async function evaluate(
  recommender: Recommender,
  ratings: Ratings,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  checkArgument('the recommender is', recommender, someRecommender);
  checkArgument('the ratings are', ratings, someRatings);
  checkOptions(options, EVALUATE_OPTIONS);
  const { train, k = [10], threshold, weighted } = options;
  for (const data of [ratings, ...(train ? [train] : [])]) checkKind(data, recommender.kind);
  const { artifact } = recommender;
  const known = readVocabulary(artifact);
  const predicted =
    recommender.objective === 'ranking'
      ? undefined
      : await recommender.predict(
          idsOf(ratings.users, ratings.userIds),
          idsOf(ratings.items, ratings.itemIds),
        );
  const rated = train ? await itemsLeftOut(renumbered(train, known)) : readSeen(artifact);
  const heldOut = rated && renumbered(ratings, known);
  const ranked =
    heldOut &&
    (await ranking(recommenderRanker(recommender, known, rated), rated, heldOut, {
      k,
      weighted,
      threshold: threshold ?? relevantFrom(artifact.manifest.data),
      ...(recommender.kind === 'interactions' && { counts: countsIn(recommender) }),
    }));
  const noRanking = reasonWithout(ranked, heldOut);
  return {
    ratings: ratings.ratings.length,
    overlap: overlapOf(
      heldOut ?? ratings,
      joined(rated, train && readSeen(artifact)),
      artifact.manifest.data,
    ),
    ...(predicted && errorsWithIntervals(predicted, ratings)),
    unknownUsers: unknownIds(ratings.userIds, known.userIds).length + (ratings.unknown?.users ?? 0),
    unknownItems: unknownIds(ratings.itemIds, known.itemIds).length + (ratings.unknown?.items ?? 0),
    groups: predicted
      ? {
          rating: errorBy(ratings.ratings, predicted, ratings.ratings, { most: RATING_GROUPS }),
          ...(heldOut && countGroups(rated, heldOut, predicted)),
        }
      : {},
    ...(noRanking ? { noRanking } : { ranking: ranked }),
  };
}

/** What either list has, by user: rows are counted once, however often they are in it. */
const joined = (
  one: readonly Int32Array[] | undefined,
  other: readonly Int32Array[] | undefined,
): readonly Int32Array[] | undefined =>
  one && other ? one.map((items, user) => Int32Array.of(...items, ...(other[user] ?? []))) : one;

/** A ranking of zeros says nothing, so it is none. */
function reasonWithout(ranked: Ranking | undefined, heldOut: Ratings | undefined): NoRanking | undefined {
  if (!heldOut) return 'unknown training';
  if (!ranked) return 'nothing relevant';
  return ranked.at.every(({ hitRate }) => hitRate === 0) ? 'no hits' : undefined;
}

/** Number of users who have each item in training, by row; undefined if the model's files do not say. */
const countsIn = ({ items }: Recommender): number[] | undefined =>
  items.length > 0 ? items.map(({ count }) => count) : undefined;

/** The ids of row numbers; '' for the unknown row. */
export function idsOf(rows: Int32Array, ids: readonly string[]): string[] {
  const all: string[] = [];
  // No model knows the id ''.
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

import type { Dataset } from '../data/dataset/dataset.ts';
import { relevantFrom } from '../data/dataset/positives.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { baselineRanker, itemsOfUsers, type Ranker } from '../evaluate/rankers.ts';
import { ndcgOfUsers, rankingMeans } from '../evaluate/ranking.ts';
import type { TrainingRanker } from './parameters/score.ts';
import type { ValidMetrics } from './progress.ts';

export interface RankingJudgeOptions {
  readonly data: Dataset;
  readonly valid: Ratings;
  /** Positives of each item in training, by row. */
  readonly counts: ArrayLike<number>;
  /** Lowest rating of a relevant item. Default: the start of the last quarter of the scale, whatever counts as a positive; all interactions */
  readonly threshold?: number | undefined;
  /** Length of the lists. @default 10 */
  readonly k?: number | undefined;
}

/** NDCG and precision; undefined if no user has a relevant item. */
export interface RankingJudge {
  of(rank: TrainingRanker): Promise<ValidMetrics | undefined>;
  /** NDCG of each user who has a relevant item. */
  ofUsers(rank: TrainingRanker): Promise<Float64Array | undefined>;
  /** Of the items with the most positives, for everybody. */
  popular(): Promise<ValidMetrics | undefined>;
}

/** Judges rankings on validation ratings. */
export async function rankingJudge({
  data,
  valid,
  counts,
  threshold = relevantFrom(data.facts),
  k = 10,
}: RankingJudgeOptions): Promise<RankingJudge> {
  const { userIds, itemIds } = data;
  const rated = itemsOfUsers({ ...(await data.toLeaveOut()), userIds, itemIds });
  const judged = async (ranker: Ranker): Promise<ValidMetrics | undefined> => {
    const found = await rankingMeans(ranker, rated, valid, { k: [k], threshold });
    return found && { ndcg: found.at[0].ndcg, precision: found.at[0].precision };
  };
  const popularity = Float32Array.from(counts);
  return {
    of: (rank) => judged((users, k) => rank(users, k, rated)),
    ofUsers: (rank) => ndcgOfUsers((users, k) => rank(users, k, rated), rated, valid, { k, threshold }),
    popular: () => judged(baselineRanker({ scores: () => popularity }, rated)),
  };
}

import type { Dataset } from '../data/dataset/dataset.ts';
import { relevantFrom } from '../data/dataset/positives.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { baselineRanker, itemsOfUsers, type Ranker } from '../evaluate/rankers.ts';
import { type ByChance, type RankingMeans, rankingByChance, rankingOfUsers } from '../evaluate/ranking.ts';
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

type RankedUsers = Pick<RankingMeans, 'ndcg' | 'precision'> & { readonly ndcgOfUsers: Float64Array };

/** NDCG and precision; undefined if no user has a relevant item. */
export interface RankingJudge {
  of(rank: TrainingRanker): Promise<ValidMetrics | undefined>;
  /** With the NDCG of each user who has a relevant item. */
  inFull(rank: TrainingRanker): Promise<RankedUsers | undefined>;
  /** Of the items with the most positives, for everybody. */
  popular(): Promise<RankedUsers | undefined>;
  /** Of lists in random order, on average. */
  byChance(): ByChance;
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
  const inFull = (ranker: Ranker) => rankingOfUsers(ranker, rated, valid, { k, threshold });
  const popularity = Float32Array.from(counts);
  return {
    async of(rank) {
      const found = await inFull((users, k) => rank(users, k, rated));
      return found && { ndcg: found.ndcg, precision: found.precision };
    },
    inFull: (rank) => inFull((users, k) => rank(users, k, rated)),
    popular: () => inFull(baselineRanker({ scores: () => popularity }, rated)),
    byChance: () => rankingByChance(rated, valid, { k, threshold }),
  };
}

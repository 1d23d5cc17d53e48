import type { Tensors } from '../../graphs/heads/serving.ts';
import type { Dataset } from '../data/dataset/dataset.ts';
import { positivesOf, relevantFrom } from '../data/dataset/positives.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import type { Rows } from '../data/dataset/rows.ts';
import { baselineRanker, itemsOfUsers, type Ranker } from '../evaluate/rankers.ts';
import { rankingMeans } from '../evaluate/ranking.ts';
import type { Runtime } from '../run/runtime.ts';
import { createRanker } from './parameters/score.ts';
import type { ValidMetrics } from './progress.ts';
import type { RankingPlan, Resolved } from './recipe/plan.ts';

export interface RankingJudgeOptions {
  readonly data: Dataset;
  /** All ratings of `data`. */
  readonly rows: Rows;
  readonly valid: Ratings;
  /** Lowest rating of a relevant item. Default: the start of the last quarter of the scale, whatever counts as a positive; all interactions */
  readonly threshold?: number | undefined;
  /** Length of the lists. @default 10 */
  readonly k?: number | undefined;
}

/** NDCG and precision; undefined if no user has a relevant item. */
export interface RankingJudge {
  model(parameters: Tensors): Promise<ValidMetrics | undefined>;
  /** Of the items with the most positives, for everybody. */
  popular(): Promise<ValidMetrics | undefined>;
}

/** Judges rankings on validation ratings. */
export async function rankingJudge(
  { model, plan }: Resolved<RankingPlan>,
  runtime: Runtime,
  { data, rows, valid, threshold, k = 10 }: RankingJudgeOptions,
): Promise<RankingJudge> {
  const { facts } = data;
  const rank = await createRanker(model, runtime);
  const { userIds, itemIds } = data;
  const rated = itemsOfUsers({ ...(await data.toLeaveOut()), userIds, itemIds });
  const { positive } = plan.training;
  const least = threshold ?? relevantFrom(facts);
  const judged = async (ranker: Ranker): Promise<ValidMetrics | undefined> => {
    const found = await rankingMeans(ranker, rated, valid, { k: [k], threshold: least });
    return found && { ndcg: found.at[0].ndcg, precision: found.at[0].precision };
  };
  const counts = Float32Array.from(positivesOf(rows, facts, positive).counts);
  return {
    model: (parameters) => judged((users, k) => rank(parameters, users, k, rated)),
    popular: () => judged(baselineRanker({ scores: () => counts }, rated)),
  };
}

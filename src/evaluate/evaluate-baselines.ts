import { lastQuarter } from '../data/dataset/positives.ts';
import { type Ratings, renumbered, someRatings } from '../data/dataset/ratings.ts';
import { rangeOf } from '../data/dataset/rows.ts';
import { checkArgument, checkOptions } from '../util/options.ts';
import type { Baseline } from './baseline.ts';
import { baselines } from './baselines.ts';
import { errorsWithIntervals } from './errors.ts';
import type { Judgement } from './evaluate.ts';
import { baselineRanker, itemsOfUsers } from './rankers.ts';
import { RANKING_OPTIONS, type RankingOptions, ranking } from './ranking.ts';

/**
 * Evaluates all baselines: makes them from `train`, and computes their errors and rankings on other ratings.
 * `global-mean` has no ranking, because all items have the same score. `most-popular` predicts like `user-item-means`.
 *
 * @throws UserError for a `k` that is not a whole number from 1
 */
export async function evaluateBaselines(
  train: Ratings,
  ratings: Ratings,
  options: RankingOptions = {},
): Promise<Record<keyof typeof baselines, Judgement>> {
  checkArgument('the training ratings are', train, someRatings);
  checkArgument('the ratings are', ratings, someRatings);
  checkOptions(options, RANKING_OPTIONS);
  const { k = [10], threshold = lastQuarter(rangeOf(train.ratings)) } = options;
  const heldOut = renumbered(ratings, train);
  const rated = itemsOfUsers(train);
  const predict = (baseline: Baseline): Judgement =>
    errorsWithIntervals(baseline.predict(heldOut.users, heldOut.items), ratings);
  const predictAndRank = async (baseline: Baseline): Promise<Judgement> => {
    const ranked = await ranking(baselineRanker(baseline, rated), rated, heldOut, { k, threshold });
    return { ...predict(baseline), ...(ranked && { ranking: ranked }) };
  };
  return {
    'global-mean': predict(baselines['global-mean'](train)),
    'user-item-means': await predictAndRank(baselines['user-item-means'](train)),
    'most-popular': await predictAndRank(baselines['most-popular'](train)),
    'item-knn': await predictAndRank(baselines['item-knn'](train)),
  };
}

import { checkKind } from '../data/dataset/dataset.ts';
import { limitOf, relevantFrom } from '../data/dataset/positives.ts';
import { type Ratings, renumbered, selectRows, someRatings } from '../data/dataset/ratings.ts';
import { option, UserError } from '../errors.ts';
import { checkArgument, checkOptions, type OptionTable } from '../util/options.ts';
import type { Scorer } from './baseline.ts';
import { baselines, rankingBaselines } from './baselines.ts';
import { errorsWithIntervals } from './errors.ts';
import type { Quality } from './evaluate.ts';
import { baselineRanker, itemsLeftOut } from './rankers.ts';
import { RANKING_OPTIONS, type RankingOptions, ranking } from './ranking.ts';

/** Without errors for a baseline that only ranks. */
export interface BaselineJudgement extends Quality {
  /** The reason why the baseline was not made; there is nothing else then. */
  readonly skipped?: string;
}

export interface BaselineOptions extends RankingOptions {
  /**
   * Rankings come from the training ratings that are this or higher; `'all'` takes all. Default: the start of the last
   * quarter of the scale; all interactions
   */
  readonly positive?: number | 'all' | undefined;
}

const BASELINE_OPTIONS: OptionTable<BaselineOptions> = {
  ...RANKING_OPTIONS,
  positive: {
    fits: (value) => value === 'all' || Number.isFinite(value),
    give: 'a rating, or all',
  },
};

/**
 * Evaluates all baselines: makes them from `train`, and computes their errors and rankings on other ratings. Rankings leave
 * out all items that the user rated in training.
 *
 * `global-mean` has no ranking, because all items have the same score. `most-popular` predicts like `user-item-means`.
 * `ease` and `implicit-als` predict no ratings. The rankings of `most-popular`, `item-knn`, `ease` and `implicit-als` come
 * from the positives.
 *
 * @throws UserError for a `k` that is not a whole number from 1, or a `positive` that no training rating reaches
 */
export async function evaluateBaselines(
  train: Ratings,
  ratings: Ratings,
  options: BaselineOptions = {},
): Promise<Record<keyof typeof baselines | keyof typeof rankingBaselines, BaselineJudgement>> {
  checkArgument('the training ratings are', train, someRatings);
  checkArgument('the ratings are', ratings, someRatings);
  checkOptions(options, BASELINE_OPTIONS);
  checkKind(ratings, train.kind);
  const least = relevantFrom(train.facts);
  const { k = [10], threshold = least, positive = least, weighted } = options;
  const positives = ratingsFrom(train, positive);
  const heldOut = renumbered(ratings, train);
  const rated = await itemsLeftOut(train);
  const rank = async (scorer: Scorer): Promise<Quality> => {
    const ranked = await ranking(baselineRanker(scorer, rated), rated, heldOut, {
      k,
      threshold,
      weighted,
      ...(train.kind === 'interactions' && { counts: train.itemCounts }),
    });
    return ranked ? { ranking: ranked } : {};
  };
  const judged: Record<string, BaselineJudgement> = {};
  for (const [name, make] of Object.entries(baselines)) {
    const baseline = make(train, positives);
    judged[name] = {
      ...(train.kind === 'ratings' &&
        errorsWithIntervals(baseline.predict(heldOut.users, heldOut.items), ratings)),
      ...(name !== 'global-mean' && (await rank(baseline))),
    };
  }
  for (const [name, make] of Object.entries(rankingBaselines)) {
    const made = await make(positives);
    judged[name] = 'skipped' in made ? made : await rank(made);
  }
  return judged as Awaited<ReturnType<typeof evaluateBaselines>>;
}

/**
 * The ratings of what users liked, or the interactions of what they have.
 *
 * @throws UserError if there are none
 */
export function ratingsFrom(train: Ratings, positive: number | 'all'): Ratings {
  const least = limitOf(positive, train);
  if (least <= train.facts.low) return train;
  const liked = Int32Array.from(train.ratings.keys()).filter((at) => train.ratings[at] >= least);
  if (liked.length === 0)
    throw new UserError(
      'argument',
      `no training ${train.kind === 'ratings' ? 'rating' : 'interaction'} is ${positive} or higher; give a lower ${option('positive')}, or all`,
    );
  return selectRows(train, liked);
}

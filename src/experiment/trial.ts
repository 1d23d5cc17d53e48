import { isSolved, learned } from '../../graphs/models/index.ts';
import type { Objective } from '../../graphs/models/model.ts';
import { relevantFrom } from '../data/dataset/positives.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import type { Split } from '../data/dataset/split.ts';
import { type ErrorCode, option, UserError } from '../errors.ts';
import type { Baseline } from '../evaluate/baseline.ts';
import { baselines, rankingBaselines } from '../evaluate/baselines.ts';
import { ratingsFrom } from '../evaluate/evaluate-baselines.ts';
import { metrics } from '../evaluate/metrics.ts';
import { baselineRanker, itemsLeftOut } from '../evaluate/rankers.ts';
import { rankingMeans } from '../evaluate/ranking.ts';
import type { ValidMetrics } from '../train/progress.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import type { Plan, RankingPlan, RatingPlan } from '../train/recipe/plan.ts';
import { checkRecipe, type Recipe } from '../train/recipe/recipe.ts';
import { type Fitted, rankingPlan, train } from '../train/train.ts';

/** What predicts ratings or ranks: the recipe of a model, or the name of a baseline. */
export type Predictor = Recipe | BaselineName;

export type BaselineName = keyof typeof baselines | keyof typeof rankingBaselines;

/** A predictor and a fold: it is made from the fold's training ratings, and evaluated on those that the fold holds out. */
export interface Trial {
  readonly predictor: Predictor;
  /** Counted from 0. */
  readonly fold: number;
  /** Limit in seconds. Training stops as soon as its pace shows that it would take longer. */
  readonly limit?: number;
  /** Whether to make the model's files and report their size. */
  readonly files?: boolean;
  /** What to judge a baseline by. A model is judged by what it was trained for. @default both */
  readonly objectives?: readonly Objective[];
  /** Length of the lists to judge. @default 10 */
  readonly k?: number | undefined;
  /** Lowest rating of a relevant item. Default: see `rankingOn` of `Fitted`; for a baseline, the last quarter of the scale */
  readonly threshold?: number;
  /** Lowest rating from which a baseline ranks, or all. Default: the last quarter of the scale */
  readonly positive?: number | 'all' | undefined;
}

/** The errors of a predictor of ratings; NDCG and precision of a ranking, absent if no user has a relevant item. */
export interface TrialResult extends ValidMetrics {
  /** The reason why a baseline was not made; there are no measures then. */
  readonly skipped?: string;
  /** Seconds to make the predictor: for a model, to build its graphs and train it. */
  readonly seconds: number;
  /** Seconds of the whole trial. */
  readonly took: number;
  /** Size of the files that serve the model, if asked for; absent for a baseline. */
  readonly bytes?: number;
  /** The recipe with its defaults; absent for a baseline. */
  readonly recipe?: Recipe;
}

export interface FailedTrial {
  /** The reason why there is no model, such as a training that diverged or would have taken too long: a `UserError`'s marked message. */
  readonly failed: string;
  readonly code: ErrorCode;
  /** Whether the reason is the limit. */
  readonly slow?: boolean;
  readonly took: number;
}

export type Outcome = TrialResult | FailedTrial;

/** Runs a trial in the current thread. Training uses one thread, so that trials can run in parallel. */
export async function runTrial(folds: readonly Split[], trial: Trial): Promise<Outcome> {
  const started = performance.now();
  const took = () => (performance.now() - started) / 1000;
  const { predictor, fold, limit } = trial;
  try {
    const made =
      typeof predictor === 'string'
        ? await ofBaseline(predictor, folds[fold], trial)
        : await ofModel(predictor, folds[fold], trial, limit === undefined ? undefined : pacer(limit, took));
    return { ...made, took: took() };
  } catch (error) {
    if (error instanceof UserError)
      return {
        failed: error.marked,
        code: error.code,
        ...(error instanceof SlowError && { slow: true }),
        took: took(),
      };
    throw error;
  }
}

/** Throws as soon as the pace of training shows that it will take longer. */
function pacer(limit: number, took: () => number): (part: number) => void {
  let first: { readonly part: number; readonly at: number } | undefined;
  return (part) => {
    const at = took();
    // The time before the first report, such as for building the graphs, does not grow with the part.
    first ??= { part, at };
    const expected = first.at + ((at - first.at) * (1 - first.part)) / (part - first.part);
    if (expected > limit && at > limit / 10) throw new SlowError(limit);
  };
}

class SlowError extends UserError {
  constructor(limit: number) {
    super('training', `training would take longer than ${limit.toFixed(1)} s`);
  }
}

const OBJECTIVES = ['rating', 'ranking'] as const;

/** Baselines rank from the ratings of what users liked: see `evaluateBaselines`. */
async function ofBaseline(
  name: BaselineName,
  { train, valid }: Split,
  { objectives = OBJECTIVES, threshold = relevantFrom(train.facts), positive, k = 10 }: Trial,
): Promise<Omit<TrialResult, 'took'>> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const predicts = objectives.includes('rating') && isPredictor(name);
  // All items have the same mean.
  const ranks = objectives.includes('ranking') && name !== 'global-mean';
  const positives = ranks ? ratingsFrom(train, positive ?? relevantFrom(train.facts)) : train;
  const made = isPredictor(name)
    ? baselines[name](train, positives)
    : await rankingBaselines[name](positives);
  if ('skipped' in made) return { skipped: made.skipped, seconds: seconds() };
  // Some are only made once they are asked.
  if (predicts) (made as Baseline).predict(NOBODY, NOBODY);
  if (ranks) made.scores(0);
  const result = { seconds: seconds() };
  const errors = predicts
    ? metrics((made as Baseline).predict(valid.users, valid.items), valid.ratings)
    : undefined;
  const rated = await itemsLeftOut(train);
  const ranked = ranks
    ? await rankingMeans(baselineRanker(made, rated), rated, valid, { k: [k], threshold })
    : undefined;
  const [at] = ranked?.at ?? [];
  return { ...errors, ...(at && { ndcg: at.ndcg, precision: at.precision }), ...result };
}

const NOBODY = new Int32Array(0);

const isPredictor = (name: BaselineName): name is keyof typeof baselines => Object.hasOwn(baselines, name);

/** Ratings between two checks of the pace. */
const PACE = 2 ** 14;

/** @param onProgress called with the fraction of training that is done, above 0 and up to 1 */
async function ofModel(
  recipe: Recipe,
  { train: ratings, valid }: Split,
  { files = false, threshold, k }: Trial,
  onProgress?: (part: number) => void,
): Promise<Omit<TrialResult, 'took'>> {
  const { objectives } = checkRecipe(recipe, ratings.kind);
  const fitted = await train(ratings, recipe, {
    workers: 1,
    ratingsPerRun: PACE,
    onProgress: ({ objective, epoch, epochs, done, ratings: all }) =>
      onProgress?.((objectives.indexOf(objective) + (epoch + done / all) / epochs) / objectives.length),
  });
  const errors = objectives.includes('rating') ? await fitted.errors(valid) : undefined;
  const ranked = objectives.includes('ranking') ? await fitted.rankingOn(valid, { threshold, k }) : undefined;
  if (!errors && !ranked)
    throw new UserError(
      'data',
      `no user has a relevant item that is held out; give more ${ratings.kind}, or a lower ${option('positive')}`,
    );
  const seconds = fitted.seconds.build + fitted.seconds.train;
  const sizes = files ? Object.values((await fitted.artifact()).files).map(({ length }) => length) : [];
  return {
    ...(errors && { rmse: errors.rmse, mae: errors.mae }),
    ...(ranked && { ndcg: ranked.ndcg, precision: ranked.precision }),
    seconds,
    ...(files && { bytes: sizes.reduce((sum, size) => sum + size, 0) }),
    recipe: { ...searched(fitted, recipe), ...recipe },
  };
}

/** The defaults of a recipe for hyperparameters that a search may choose. */
function searched({ plan, ranking }: Fitted, recipe: Recipe): Recipe {
  const plans = [plan, ...(ranking ? [ranking.plan] : [])];
  return Object.assign(
    {},
    ...plans.map((one) =>
      one.training.objective === 'ranking' ? ofRanking(one) : ofRating(one as Plan<RatingPlan>, recipe),
    ),
  );
}

function ofRating({ model: { config }, training }: Plan<RatingPlan>, recipe: Recipe): Recipe {
  const { optimizer, schedule, epochs, batchSize } = training;
  const { search = {} } = learned(recipe.model ?? trainingChoices.model.default) ?? {};
  const own = Object.entries(config)
    .filter(([name]) => Object.hasOwn(search, name))
    .map(([name, value]) => [name, name === 'factors' ? oneWidth(value) : value]);
  return {
    ...Object.fromEntries(own),
    ...{ epochs, batchSize, optimizer: optimizer.name, learningRate: schedule.learningRate as number },
    ...(optimizer.weightDecay !== undefined && { weightDecay: optimizer.weightDecay as number }),
  };
}

function ofRanking({ model: { name, config }, training }: Plan): Recipe {
  if (isSolved(name)) return config;
  const { schedule, epochs } = training as RankingPlan;
  return {
    rankingFactors: oneWidth(config.factors),
    rankingEpochs: epochs,
    rankingLearningRate: schedule.learningRate as number,
  };
}

/** The defaults of the hyperparameters of ranking, without a training. */
export const rankingDefaults = async (ratings: Ratings, recipe: Recipe): Promise<Recipe> =>
  ofRanking(await rankingPlan(ratings, recipe));

/** A plan may have two widths; a search has one for both. */
const oneWidth = (factors: unknown): number => [factors].flat()[0] as number;

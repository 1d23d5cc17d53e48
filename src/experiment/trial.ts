import { models } from '../../graphs/models/index.ts';
import type { Split } from '../data/dataset/split.ts';
import { type ErrorCode, UserError } from '../errors.ts';
import { baselines } from '../evaluate/baselines.ts';
import { type Metrics, metrics } from '../evaluate/metrics.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import type { Plan, RatingPlan } from '../train/recipe/plan.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import { train } from '../train/train.ts';

/** A predictor of ratings: the recipe of a model, or the name of a baseline. */
export type Predictor = Recipe | keyof typeof baselines;

/** A predictor and a fold: it is made from the fold's training ratings, and evaluated on those that the fold holds out. */
export interface Trial {
  readonly predictor: Predictor;
  /** Counted from 0. */
  readonly fold: number;
  /** Limit in seconds. Training stops as soon as its pace shows that it would take longer. */
  readonly limit?: number;
  /** Whether to make the model's files and report their size. */
  readonly files?: boolean;
}

export interface TrialResult extends Metrics {
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
        ? ofBaseline(predictor, folds[fold])
        : await ofModel(
            predictor,
            folds[fold],
            trial.files,
            limit === undefined ? undefined : pacer(limit, took),
          );
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

function ofBaseline(name: keyof typeof baselines, { train, valid }: Split) {
  const started = performance.now();
  const baseline = baselines[name](train);
  const seconds = (performance.now() - started) / 1000;
  return { ...metrics(baseline.predict(valid.users, valid.items), valid.ratings), seconds };
}

/** Ratings between two checks of the pace. */
const PACE = 2 ** 14;

/** @param onProgress called with the fraction of training that is done, above 0 and up to 1 */
async function ofModel(
  recipe: Recipe,
  { train: ratings, valid }: Split,
  files = false,
  onProgress?: (part: number) => void,
): Promise<Omit<TrialResult, 'took'>> {
  const fitted = await train(ratings, recipe, {
    workers: 1,
    ratingsPerRun: PACE,
    onProgress: ({ epoch, epochs, done, ratings: all }) => onProgress?.((epoch + done / all) / epochs),
  });
  const { rmse, mae } = await fitted.errors(valid);
  const seconds = fitted.seconds.build + fitted.seconds.train;
  const sizes = files ? Object.values((await fitted.artifact()).files).map(({ length }) => length) : [];
  return {
    ...{ rmse, mae, seconds },
    ...(files && { bytes: sizes.reduce((sum, size) => sum + size, 0) }),
    recipe: { ...searched(fitted.plan, recipe), ...recipe },
  };
}

/** The defaults of a recipe for hyperparameters that a search may choose. */
function searched({ model: { config }, training }: Plan, recipe: Recipe): Recipe {
  const { optimizer, schedule, epochs, batchSize } = training as RatingPlan;
  const { search } = models[recipe.model ?? trainingChoices.model.default];
  const own = Object.entries(config)
    .filter(([name]) => Object.hasOwn(search, name))
    // The plan has two widths; a search has one for both.
    .map(([name, value]) => [name, name === 'factors' ? [value].flat()[0] : value]);
  return {
    ...Object.fromEntries(own),
    ...{ epochs, batchSize, optimizer: optimizer.name, learningRate: schedule.learningRate as number },
    ...(optimizer.weightDecay !== undefined && { weightDecay: optimizer.weightDecay as number }),
  };
}

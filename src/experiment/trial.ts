import { models } from '../../graphs/models/index.ts';
import type { Split } from '../data/dataset/split.ts';
import { UserError } from '../errors.ts';
import { baselines } from '../evaluate/baselines.ts';
import { type Metrics, metrics } from '../evaluate/metrics.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import type { Plan } from '../train/recipe/plan.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import { train } from '../train/train.ts';

/** What predicts ratings: a model and its training, or a baseline by its name. */
export type Predictor = Recipe | keyof typeof baselines;

/** One predictor, made from the training ratings of one fold and asked for those that the fold holds out. */
export interface Trial {
  readonly predictor: Predictor;
  /** Counted from 0. */
  readonly fold: number;
  /** Seconds, above which it is given up as soon as its pace shows that it would take longer. */
  readonly limit?: number;
  /** Whether to say how large the model's files are, which takes making them. */
  readonly files?: boolean;
}

export interface TrialResult extends Metrics {
  /** Seconds that making the predictor took; of a model, to build its graphs and to train it. */
  readonly seconds: number;
  /** Seconds that all of it took. */
  readonly took: number;
  /** Of the files that serve the model, where that was asked; absent for a baseline, which has none. */
  readonly bytes?: number;
  /** The recipe with what it left to its defaults. */
  readonly recipe?: Recipe;
}

export interface FailedTrial {
  /** Why there is no model: its training diverged, say, or would have taken too long. */
  readonly failed: string;
  /** Whether it is because of its limit. */
  readonly slow?: boolean;
  readonly took: number;
}

export type Outcome = TrialResult | FailedTrial;

/** Runs a trial in this thread. Training takes one thread, so that trials may run side by side. */
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
      return { failed: error.message, ...(error instanceof SlowError && { slow: true }), took: took() };
    throw error;
  }
}

/** Throws as soon as it is clear that training takes longer. */
function pacer(limit: number, took: () => number): (part: number) => void {
  let first: { readonly part: number; readonly at: number } | undefined;
  return (part) => {
    const at = took();
    // What comes before, such as building the graphs, does not grow with the part.
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

/** Ratings between two looks at the pace of training. */
const PACE = 2 ** 14;

/** @param onProgress is told the part of training that is done, above 0 and up to 1 */
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

/** What a search may want to know of the choices that a recipe left to the defaults. */
function searched({ model: { config }, training }: Plan, recipe: Recipe): Recipe {
  const { optimizer, schedule, epochs, batchSize } = training;
  const { search } = models[recipe.model ?? trainingChoices.model.default];
  const own = Object.entries(config)
    .filter(([name]) => Object.hasOwn(search, name))
    // Of two widths that are the same, one.
    .map(([name, value]) => [name, name === 'factors' ? [value].flat()[0] : value]);
  return {
    ...Object.fromEntries(own),
    ...{ epochs, batchSize, optimizer: optimizer.name, learningRate: schedule.learningRate as number },
    ...(optimizer.weightDecay !== undefined && { weightDecay: optimizer.weightDecay as number }),
  };
}

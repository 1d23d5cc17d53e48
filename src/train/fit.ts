import type { Tensors } from '../../graphs/heads/serving.ts';
import type { Model } from '../../graphs/models/model.ts';
import { checkTrainable, checkVocabulary, type Dataset, fingerprint } from '../data/dataset/dataset.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { option, UserError } from '../errors.ts';
import { type Metrics, metrics } from '../evaluate/metrics.ts';
import type { Runtime } from '../run/runtime.ts';
import { sha256 } from '../util/hash.ts';
import { mapValues } from '../util/map-values.ts';
import { VERSION } from '../version.ts';
import { sumOfLosses } from './engines/batches.ts';
import type { Engine, Engines, Training } from './engines/engine.ts';
import { initialParameters, MOST_PAIRS } from './parameters/initial.ts';
import { createScorer, type Scorer } from './parameters/score.ts';
import { type CheckpointStore, type EpochRecord, epochsSinceBest, type Progress } from './progress.ts';
import type { EngineName } from './recipe/engines.ts';
import type { Plan, Resolved } from './recipe/plan.ts';
import type { ProgramRecipe } from './recipe/recipe.ts';
import { resolve } from './recipe/resolve.ts';

export interface FitOptions {
  readonly runtime: Runtime;
  readonly engines: Engines;
  /** Maximum number of threads that train in parallel. @default 1 */
  readonly workers?: number | undefined;
  /** Validation ratings, with the ids of the training ratings. The epoch with the lowest error on them is kept. */
  readonly valid?: Ratings | undefined;
  readonly checkpoint?: CheckpointStore | undefined;
  /** Stops training at the end of the current epoch. */
  readonly signal?: AbortSignal | undefined;
  /** Ratings per run of the training graph. Between runs it yields to the event loop. @default 262_144 */
  readonly ratingsPerRun?: number | undefined;
  /** Called after each run and each epoch. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface FitResult extends Resolved {
  readonly data: Dataset;
  readonly valid?: Ratings;
  /** The parameters, without optimizer state. */
  readonly parameters: Tensors;
  readonly history: readonly EpochRecord[];
  /** The epoch of the parameters, counted from 1. */
  readonly epoch: number;
  readonly metrics: { readonly train: { readonly rmse: number }; readonly valid?: Metrics };
  readonly fingerprint: string;
  readonly scorer: Scorer;
  readonly runtime: Runtime;
  readonly libraries: Readonly<Record<string, string>>;
  readonly seconds: { readonly build: number; readonly train: number };
}

/** Training diverged: the loss or the error is not finite. The learning rate is too high. */
export class DivergedError extends UserError {
  constructor({ schedule }: Resolved, epoch: number) {
    super(
      'training',
      `training diverged in epoch ${epoch}: the error is not a finite number; use a lower learning rate than ${schedule.config.learningRate}`,
    );
  }
}

/** So many ratings are enough to estimate the training error. */
const SAMPLE = 500_000;

/**
 * Trains a model with any runtime, in Node or in a page.
 *
 * @throws UserError if the ratings or the recipe cannot train a model, if training diverges, or if it is stopped before the
 *   end of its first epoch
 */
export async function fitModel(
  data: Dataset,
  recipe: ProgramRecipe,
  options: FitOptions,
): Promise<FitResult> {
  const { runtime, engines, valid, checkpoint } = options;
  checkTrainable(data);
  if (valid) {
    if (valid.ratings.length === 0) throw new UserError('data', 'the validation ratings: there are none');
    checkVocabulary(valid, data, 'the validation ratings');
  }
  const resolved = resolve(recipe, data.facts, {
    device: runtime.device,
    workers: options.workers,
    engines: Object.keys(engines),
    storedIn: data.storedIn,
  });
  const { model, plan } = resolved;
  if (plan.training.patience !== undefined && !valid)
    throw new UserError(
      'argument',
      `patience needs validation ratings; give ${option('valid')}, or leave out ${option('patience')}`,
    );
  const load = engines[plan.training.engine] as NonNullable<Engines[EngineName]>;
  const engine = await load();
  const identity = { ...plan, data: { ...data.facts, fingerprint: await fingerprint(data, valid) } };
  try {
    const scorer = await createScorer(model, runtime);
    const { parameters, ...fitted } = await fitParameters(
      { ...resolved, data, valid, scorer, engine },
      options,
      identity,
    );
    const { users, items, ratings } = await data.sample(SAMPLE);
    const { rmse } = metrics(await scorer.score(parameters, users, items), ratings);
    if (!Number.isFinite(rmse)) throw new DivergedError(resolved, fitted.epoch);
    const best = fitted.history[fitted.epoch - 1].valid;
    const libraries = [runtime, engine.library ?? runtime].map(({ name, version }) => [name, version]);
    return {
      ...resolved,
      ...fitted,
      data,
      valid,
      parameters,
      metrics: { train: { rmse }, ...(best && { valid: best }) },
      fingerprint: identity.data.fingerprint,
      scorer,
      runtime,
      libraries: Object.fromEntries(libraries),
    };
  } catch (error) {
    if (error instanceof DivergedError) await checkpoint?.remove();
    throw error;
  }
}

interface Job extends Resolved {
  readonly data: Dataset;
  readonly valid?: Ratings;
  readonly scorer: Scorer;
  readonly engine: Engine;
}

/** @param identity model, data and settings, by which a checkpoint is recognized */
async function fitParameters(
  job: Job,
  options: FitOptions,
  identity: Plan & Readonly<Record<string, unknown>>,
): Promise<Pick<FitResult, 'parameters' | 'history' | 'epoch' | 'seconds'>> {
  const { model, plan, data, valid, engine } = job;
  const { runtime, checkpoint, signal, ratingsPerRun } = options;
  const { epochs, seed, patience = Number.POSITIVE_INFINITY } = plan.training;
  const started = performance.now();
  const prepared = await engine.prepare({ ...job, runtime, ratingsPerRun });
  // The hash of the graph stands for the formula of a model of your own, which is not in the settings.
  const initial = Object.values(model.parameters).map((parameter) => parameter.initial);
  const settings = { ...identity, cofactor: VERSION, initial, graph: await sha256(prepared.graph) };
  const resumed = await checkpoint?.read(settings);
  const history = [...(resumed?.history ?? [])];
  const few = data.facts.ratings <= MOST_PAIRS;
  let carried =
    resumed?.carried ?? initialParameters(model, seed, few ? await data.sample(MOST_PAIRS) : undefined);
  const training = await prepared.start({ epochs: history.length, carried });
  const built = performance.now();
  let best = resumed?.best;
  try {
    while (history.length < epochs && !signal?.aborted && epochsSinceBest(history) < patience) {
      const record = await oneEpoch(job, training, history.length, options);
      carried = await training.carried();
      const parameters = parametersOf(model, carried);
      const error = valid && (await errorOn(job, parameters, valid));
      if (error && !Number.isFinite(error.rmse)) throw new DivergedError(job, history.length + 1);
      history.push({ ...record, ...(error && { valid: error }) });
      if (valid && epochsSinceBest(history) === 0) best = parameters;
      const count = data.facts.ratings;
      const epoch = history.length - 1;
      options.onProgress?.({ epoch, epochs, ratings: count, done: count, ...history[epoch] });
      await checkpoint?.write({ settings, history, carried, best });
    }
  } finally {
    await training.release();
  }
  if (history.length === 0)
    throw new UserError(
      'training',
      'training was stopped before the end of its first epoch, so there is no model',
    );
  return {
    parameters: best ?? parametersOf(model, carried),
    history,
    epoch: history.length - epochsSinceBest(history),
    seconds: { build: (built - started) / 1000, train: (performance.now() - built) / 1000 },
  };
}

async function oneEpoch(job: Job, training: Training, epoch: number, { onProgress }: FitOptions) {
  const { epochs } = job.plan.training;
  const { ratings } = job.data.facts;
  let sum = 0;
  let done = 0;
  for await (const steps of training.epoch(epoch)) {
    sum += sumOfLosses(steps);
    done += steps.starts[steps.starts.length - 1];
    if (!Number.isFinite(sum)) throw new DivergedError(job, epoch + 1);
    if (done < ratings) onProgress?.({ epoch, epochs, ratings, done, loss: sum / done });
  }
  return { loss: sum / ratings };
}

/** The errors of predictions on some ratings. */
export async function errorOn(
  { scorer }: Pick<Job, 'scorer'>,
  parameters: Tensors,
  { users, items, ratings }: Ratings,
): Promise<Metrics> {
  return metrics(await scorer.score(parameters, users, items), ratings);
}

/** The parameters, without optimizer state. */
const parametersOf = (model: Model, carried: Tensors): Tensors =>
  mapValues(model.parameters, (_, name) => carried[name]);

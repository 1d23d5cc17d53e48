import type { Tensors } from '../../graphs/heads/serving.ts';

import { MANY, type Model, type Objective } from '../../graphs/models/model.ts';
import {
  checkKind,
  checkTrainable,
  checkVocabulary,
  type Dataset,
  fingerprint,
} from '../data/dataset/dataset.ts';

import type { Positives } from '../data/dataset/positives.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { option, UserError } from '../errors.ts';
import { type Metrics, metrics } from '../evaluate/metrics.ts';
import type { Runtime } from '../run/runtime.ts';
import { sha256 } from '../util/hash.ts';
import { mapValues } from '../util/map-values.ts';
import { VERSION } from '../version.ts';
import { sumOfLosses } from './engines/batches.ts';
import type { Engine, Engines, PreparedTraining, Training } from './engines/engine.ts';
import { type ListTask, prepareLists } from './engines/lists/engine.ts';
import { initialForRanking, initialParameters, MOST_PAIRS } from './parameters/initial.ts';
import { createScorer, type Scorer } from './parameters/score.ts';
import {
  type CheckpointProgress,
  type CheckpointStore,
  type EpochRecord,
  epochsSinceBest,
  type PartMetrics,
  type Progress,
  progressIn,
} from './progress.ts';
import { rankingJudge } from './ranking-judge.ts';
import { trainingChoices } from './recipe/choices.ts';
import type { EngineName } from './recipe/engines.ts';
import type { RankingPlan, RatingPlan, Resolved } from './recipe/plan.ts';
import { checkRecipe, type ProgramRecipe } from './recipe/recipe.ts';
import { resolve } from './recipe/resolve.ts';
import { resolveRanking } from './recipe/resolve-ranking.ts';
import { weightedPositives } from './weighted-positives.ts';

export interface FitOptions {
  readonly runtime: Runtime;
  readonly engines: Engines;
  /** Trains a ranking of many positives in parallel. Default: in one thread */
  readonly inShards?: ListTask['inShards'];
  /** Counts patterns among many positives, see `patterns.ts`. Default: they are not counted */
  readonly patternsOf?: ((positives: Positives, seed: number) => number | undefined) | undefined;
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

/** A model that was trained for one objective. */
export interface FittedPart<Training extends RatingPlan | RankingPlan = RatingPlan | RankingPlan>
  extends Resolved<Training> {
  /** The parameters, without optimizer state. */
  readonly parameters: Tensors;
  readonly history: readonly EpochRecord[];
  /** The epoch of the parameters, counted from 1. */
  readonly epoch: number;
  readonly metrics: PartMetrics;
}

/** What was trained: at least one of the two parts. */
export interface FitResult {
  readonly data: Dataset;
  readonly valid?: Ratings | undefined;
  /** Predicts ratings. */
  readonly rating?: (FittedPart<RatingPlan> & { readonly scorer: Scorer }) | undefined;
  /** Ranks. */
  readonly ranking?:
    | (FittedPart<RankingPlan> & { readonly positives: Positives; readonly recipe: ProgramRecipe })
    | undefined;
  readonly fingerprint: string;
  readonly runtime: Runtime;
  readonly libraries: Readonly<Record<string, string>>;
  readonly seconds: { readonly build: number; readonly train: number };
}

/** The parts of a model in order: that which predicts ratings comes first. */
export const partsOf = ({ rating, ranking }: FitResult): [FittedPart, FittedPart?] =>
  [rating, ranking].filter(
    (part): part is NonNullable<typeof part> => part !== undefined,
  ) as FittedPart[] as [FittedPart, FittedPart?];

/** Training diverged: the loss or the error is not finite. The learning rate is too high. */
export class DivergedError extends UserError {
  constructor({ schedule, plan }: Resolved<RatingPlan | RankingPlan>, epoch: number) {
    const { learningRate } = schedule.config;
    super(
      'training',
      plan.training.objective === 'ranking'
        ? `the training of the ranking diverged in epoch ${epoch}; give a lower ${option('rankingLearningRate')} than ${learningRate}`
        : `training diverged in epoch ${epoch}: the error is not a finite number; use a lower learning rate than ${learningRate}`,
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
  const { runtime, valid, checkpoint } = options;
  checkTrainable(data);
  if (valid) {
    const name = `the validation ${valid.kind}`;
    if (valid.ratings.length === 0) throw new UserError('data', `${name}: there are none`);
    checkKind({ ...valid, name }, data.facts.kind);
    checkVocabulary(valid, data, name);
  }
  const started = performance.now();
  const { objectives } = checkRecipe(recipe, data.facts.kind);
  const rating = objectives.includes('rating') ? await ratingPart(data, recipe, options) : undefined;
  const ranking = objectives.includes('ranking') ? await rankingPart(data, recipe, options) : undefined;
  const parts: Partial<Record<Objective, Part>> = { ...(rating && { rating }), ...(ranking && { ranking }) };
  if (recipe.patience !== undefined && !valid)
    throw new UserError(
      'argument',
      `patience needs validation ${data.facts.kind ?? 'ratings'}; give ${option('valid')}, or leave out ${option('patience')}`,
    );
  const seen = { ...data.facts, fingerprint: await fingerprint(data, valid) };
  const settings = {
    cofactor: VERSION,
    objective: objectives.length > 1 ? 'both' : objectives[0],
    data: seen,
    ...(await settingsOf(Object.values(parts))),
  };
  const checkpoints = await progressIn(checkpoint, settings);
  const built = performance.now();
  try {
    const trained = rating && (await fitPart(rating, 'rating', checkpoints, options));
    // A training that is stopped in its first part has only that part.
    const isStopped = trained && options.signal?.aborted && !checkpoints.of('ranking');
    const ranked =
      ranking && !isStopped ? await fitPart(ranking, 'ranking', checkpoints, options) : undefined;
    const result = {
      rating: rating &&
        trained && { ...rating.resolved, ...trained, ...(await judgedOnTraining(data, rating, trained)) },
      ranking: ranking && ranked && { ...ranking.resolved, ...ranked, positives: ranking.positives, recipe },
    };
    const libraries = [runtime, rating?.engine.library ?? runtime].map(({ name, version }) => [
      name,
      version,
    ]);
    return {
      ...result,
      data,
      valid,
      fingerprint: seen.fingerprint,
      runtime,
      libraries: Object.fromEntries(libraries),
      seconds: { build: (built - started) / 1000, train: (performance.now() - built) / 1000 },
    };
  } catch (error) {
    if (error instanceof DivergedError) await checkpoint?.remove();
    throw error;
  }
}

/** The training of a model for one objective. */
interface Part {
  readonly resolved: Resolved<RatingPlan | RankingPlan>;
  readonly prepared: PreparedTraining;
  /** Number of ratings, or of positives, of an epoch. */
  readonly size: number;
  initial(): Promise<Tensors>;
  /** A mean loss above this means that training has diverged. Default: any that is finite */
  readonly most?: number;
  /** Measures on the validation ratings; undefined if these have nothing to measure. */
  judge?(parameters: Tensors): Promise<PartMetrics['valid']>;
}

interface RatingPart extends Part {
  readonly resolved: Resolved<RatingPlan>;
  readonly engine: Engine;
  readonly scorer: Scorer;
}

async function ratingPart(data: Dataset, recipe: ProgramRecipe, options: FitOptions): Promise<RatingPart> {
  const { runtime, engines, valid, workers, ratingsPerRun } = options;
  const resolved = resolve(recipe, data.facts, {
    device: runtime.device,
    workers,
    engines: Object.keys(engines),
    storedIn: data.storedIn,
  });
  const { model, plan } = resolved;
  const load = engines[plan.training.engine] as NonNullable<Engines[EngineName]>;
  const engine = await load();
  const scorer = await createScorer(model, runtime);
  const few = data.facts.ratings <= MOST_PAIRS;
  return {
    resolved,
    engine,
    scorer,
    size: data.facts.ratings,
    prepared: await engine.prepare({ ...resolved, data, runtime, ratingsPerRun }),
    initial: async () =>
      initialParameters(model, plan.training.seed, few ? await data.sample(MOST_PAIRS) : undefined),
    ...(valid && { judge: (parameters: Tensors) => errorOn({ scorer }, parameters, valid) }),
  };
}

interface RankingPart extends Part {
  readonly resolved: Resolved<RankingPlan>;
  readonly positives: Positives;
}

async function rankingPart(data: Dataset, recipe: ProgramRecipe, options: FitOptions): Promise<RankingPart> {
  const { runtime, valid } = options;
  const { facts } = data;
  const rows = await data.sample(Number.POSITIVE_INFINITY);
  const { positives, recipe: decided } = weightedPositives(recipe, rows, facts);
  const resolved = resolveRanking(
    decided,
    { ...facts, positives: positives.items.length, patterns: patternsIn(positives, recipe, options) },
    { isParallel: options.inShards !== undefined },
  );
  const { model, plan } = resolved;
  return {
    resolved,
    positives,
    size: positives.items.length,
    prepared: prepareLists({ ...options, ...resolved, positives }),
    // By chance it is the logarithm of the number of items.
    most: 2 * Math.log(facts.items) + 5,
    initial: async () =>
      withZeroRows(model, initialForRanking(model, plan.training.seed, positives), positives),
    ...(valid && { judge: (await rankingJudge(resolved, runtime, { data, rows, valid })).model }),
  };
}

/** The number of patterns, by which the width of many positives is chosen. With few positives it makes no difference. */
const patternsIn = (
  positives: Positives,
  { factors, rankingFactors, seed = trainingChoices.seed.default }: ProgramRecipe,
  { patternsOf }: Pick<FitOptions, 'patternsOf'>,
): number | undefined =>
  positives.items.length >= MANY && factors === undefined && rankingFactors === undefined
    ? patternsOf?.(positives, seed)
    : undefined;

/** Rows of zero for users without positives, whom training does not move: the scores of their items are by popularity. */
function withZeroRows(model: Model, parameters: Tensors, { starts }: Positives): Tensors {
  return mapValues(parameters, ({ dims, data }, name) => {
    if (model.parameters[name].rowsOf !== 'user') return { dims, data };
    const width = data.length / dims[0];
    const kept = data.slice();
    for (let user = 0; user < dims[0]; user++)
      if (starts[user] === starts[user + 1]) kept.fill(0, user * width, (user + 1) * width);
    return { dims, data: kept };
  });
}

/** The settings by which a checkpoint is recognized: those of the ranking part stand apart if there are two parts. */
async function settingsOf(parts: readonly Part[]): Promise<Readonly<Record<string, unknown>>> {
  const [first, second] = await Promise.all(
    parts.map(async ({ resolved: { model, plan }, prepared }) => ({
      ...plan,
      // The hash of the graph stands for the formula of a model of your own, which is not in the settings.
      initial: Object.values(model.parameters).map((parameter) => parameter.initial),
      graph: await sha256(prepared.graph),
    })),
  );
  return { ...first, ...(second && { ranking: second }) };
}

/** The training error of the part that predicts ratings. */
async function judgedOnTraining(
  data: Dataset,
  { scorer, resolved }: RatingPart,
  { parameters, metrics: { valid }, epoch }: Trained,
): Promise<Pick<FittedPart, 'metrics'> & { scorer: Scorer }> {
  const { users, items, ratings } = await data.sample(SAMPLE);
  const { rmse } = metrics(await scorer.score(parameters, users, items), ratings);
  if (!Number.isFinite(rmse)) throw new DivergedError(resolved, epoch);
  return { metrics: { train: { rmse }, ...(valid && { valid }) }, scorer };
}

type Trained = Pick<FittedPart, 'parameters' | 'history' | 'epoch' | 'metrics'>;

async function fitPart(
  part: Part,
  objective: Objective,
  checkpoints: CheckpointProgress,
  options: FitOptions,
): Promise<Trained> {
  const { resolved, prepared, size, judge } = part;
  const { model, plan } = resolved;
  const { epochs, patience = Number.POSITIVE_INFINITY } = plan.training;
  const resumed = checkpoints.of(objective);
  const history = [...(resumed?.history ?? [])];
  let carried = resumed?.carried ?? (await part.initial());
  let best = resumed?.best;
  const { signal, onProgress } = options;
  if (history.length < epochs && !signal?.aborted && epochsSinceBest(history) < patience) {
    const training = await prepared.start({ epochs: history.length, carried });
    try {
      do {
        const record = await oneEpoch(part, training, {
          objective,
          epoch: history.length,
          epochs,
          onProgress,
        });
        carried = await training.carried();
        const parameters = parametersOf(model, carried);
        if (hasDiverged(part, record, parameters)) throw new DivergedError(resolved, history.length + 1);
        const valid = await judge?.(parameters);
        if (valid && !Object.values(valid).every(Number.isFinite))
          throw new DivergedError(resolved, history.length + 1);
        history.push({ ...record, ...(valid && { valid }) });
        if (valid && epochsSinceBest(history) === 0) best = parameters;
        const epoch = history.length - 1;
        onProgress?.({ objective, epoch, epochs, ratings: size, done: size, ...history[epoch] });
        await checkpoints.write(objective, { history, carried, best });
      } while (history.length < epochs && !signal?.aborted && epochsSinceBest(history) < patience);
    } finally {
      await training.release();
    }
  }
  if (history.length === 0)
    throw new UserError(
      'training',
      'training was stopped before the end of its first epoch, so there is no model',
    );
  const epoch = history.length - epochsSinceBest(history);
  const { valid } = history[epoch - 1];
  return {
    parameters: best ?? parametersOf(model, carried),
    history,
    epoch,
    metrics: valid ? { valid } : {},
  };
}

/** A parameter above this makes scores that are not finite. */
const LARGEST = 1e9;

/**
 * Whether a ranking is worse than one by chance, or has numbers that are not finite: Adagrad and log softmax keep the loss finite
 * for long. Of ratings, the error on the training ratings tells.
 */
function hasDiverged({ most }: Part, { loss }: EpochRecord, parameters: Tensors): boolean {
  if (most === undefined) return false;
  return (
    loss > most ||
    Object.values(parameters).some(({ data }) => !data.every((value) => Math.abs(value) < LARGEST))
  );
}

async function oneEpoch(
  { resolved, size }: Part,
  training: Training,
  { onProgress, ...at }: Pick<Progress, 'objective' | 'epoch' | 'epochs'> & Pick<FitOptions, 'onProgress'>,
): Promise<EpochRecord> {
  let sum = 0;
  let done = 0;
  for await (const steps of training.epoch(at.epoch)) {
    sum += sumOfLosses(steps);
    done += steps.starts[steps.starts.length - 1];
    if (!Number.isFinite(sum)) throw new DivergedError(resolved, at.epoch + 1);
    if (done < size) onProgress?.({ ...at, ratings: size, done, loss: sum / done });
  }
  return { loss: sum / size };
}

/** The errors of predictions on some ratings. */
export async function errorOn(
  { scorer }: { readonly scorer: Scorer },
  parameters: Tensors,
  { users, items, ratings }: Ratings,
): Promise<Metrics> {
  return metrics(await scorer.score(parameters, users, items), ratings);
}

/** The parameters, without optimizer state. */
const parametersOf = (model: Model, carried: Tensors): Tensors =>
  mapValues(model.parameters, (_, name) => carried[name]);

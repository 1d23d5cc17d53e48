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
import type { Engine, Engines } from './engines/engine.ts';
import { type ListTask, prepareLists } from './engines/lists/engine.ts';
import { listGraphOfAnySize } from './engines/lists/graph.ts';
import { DivergedError, fitPart, type Part, type Trained } from './epochs.ts';
import type { FittedRanking } from './fitted-ranking.ts';
import type { SolveOptions } from './item-item.ts';
import { initialForRanking } from './parameters/initial.ts';
import { createRanker, createScorer, type Scorer } from './parameters/score.ts';
import { type CheckpointStore, progressIn } from './progress.ts';
import { createPull, priorsOf } from './pull.ts';
import { rankingJudge } from './ranking-judge.ts';
import { trainingChoices } from './recipe/choices.ts';
import type { EngineName } from './recipe/engines.ts';
import type { RankingPlan, RatingPlan, Resolved } from './recipe/plan.ts';
import { checkRecipe, type ProgramRecipe } from './recipe/recipe.ts';
import { resolve } from './recipe/resolve.ts';
import { reductionOf, resolveRanking } from './recipe/resolve-ranking.ts';
import { weightedPositives } from './weighted-positives.ts';

export interface FitOptions extends SolveOptions {
  readonly engines: Engines;
  /** Trains a ranking of many positives in parallel. Default: in one thread */
  readonly inShards?: ListTask['inShards'];
  /** Counts patterns among many positives, see `patterns.ts`. Default: they are not counted */
  readonly patternsOf?: ((positives: Positives, seed: number) => number | undefined) | undefined;
  /** Maximum number of threads that train in parallel. @default 1 */
  readonly workers?: number | undefined;
  /** Validation ratings, with the ids of the training ratings. The epoch that does best on them is kept. */
  readonly valid?: Ratings | undefined;
  readonly checkpoint?: CheckpointStore | undefined;
  /** Ratings per run of the training graph. Between runs it yields to the event loop. @default 262_144 */
  readonly ratingsPerRun?: number | undefined;
}

/** A model that predicts ratings. */
export interface FittedRating extends Resolved<RatingPlan>, Trained {
  readonly scorer: Scorer;
}

/** What was trained: at least one of the two parts. */
export interface FitResult {
  readonly data: Dataset;
  readonly valid?: Ratings | undefined;
  /** Predicts ratings. */
  readonly rating?: FittedRating | undefined;
  /** Ranks. */
  readonly ranking?: FittedRanking | undefined;
  readonly fingerprint: string;
  readonly runtime: Runtime;
  readonly libraries: Readonly<Record<string, string>>;
  readonly seconds: { readonly build: number; readonly train: number };
}

type FittedPart = FittedRating | FittedRanking;

/** The parts of a model in order: that which predicts ratings comes first. */
export const partsOf = ({ rating, ranking }: FitResult): [FittedPart, FittedPart?] =>
  [rating, ranking].filter((part) => part !== undefined) as FittedPart[] as [FittedPart, FittedPart?];

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
  const { objectives, solved } = checkRecipe(recipe, data.facts.kind);
  if (solved) {
    // There are no epochs to resume from: of a checkpoint that is to be resumed it says why not.
    await checkpoint?.read({ cofactor: VERSION, model: solved, objective: 'ranking' });
    // A page fetches the solver only if it needs it.
    const { solveItemItem } = await import('./item-item.ts');
    const ranking = await solveItemItem(data, recipe, options);
    const print = await fingerprint(data, valid);
    return {
      ...{ ranking, data, valid, fingerprint: print, runtime },
      libraries: { [runtime.name]: runtime.version },
      seconds: { build: 0, train: (performance.now() - started) / 1000 },
    };
  }
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
      ranking: ranking && ranked && fittedRanking(data, recipe, ranking, ranked),
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

interface RatingPart extends Part {
  readonly resolved: Resolved<RatingPlan>;
  readonly engine: Engine;
  readonly scorer: Scorer;
}

async function ratingPart(data: Dataset, recipe: ProgramRecipe, options: FitOptions): Promise<RatingPart> {
  const { runtime, engines, valid, workers, ratingsPerRun } = options;
  const resolved = resolve(recipe, data.facts, {
    device: runtime.device,
    engines: Object.keys(engines),
    storedIn: data.storedIn,
    isJudged: valid !== undefined,
  });
  const load = engines[resolved.plan.training.engine] as NonNullable<Engines[EngineName]>;
  const engine = await load();
  const scorer = await createScorer(resolved, runtime);
  const priors = priorsOf(data, resolved, options);
  const pull = await createPull(resolved, data.facts, runtime);
  return {
    resolved,
    engine,
    scorer,
    size: data.facts.ratings,
    prepared: await engine.prepare({ ...resolved, data, runtime, workers, ratingsPerRun }),
    initial: async () => (await priors()).initial,
    ...(pull && { pull: async (carried: Tensors, epoch: number) => pull(await priors(), carried, epoch) }),
    ...(valid && { judge: (parameters: Tensors) => errorOn({ scorer }, parameters, valid) }),
  };
}

interface RankingPart extends Part {
  readonly resolved: Resolved<RankingPlan>;
  readonly positives: Positives;
}

/** What is decided for ranking, and the positives that it is decided by. */
export async function rankingOf(
  data: Dataset,
  recipe: ProgramRecipe,
  options: Pick<FitOptions, 'inShards' | 'patternsOf'>,
): Promise<Pick<RankingPart, 'resolved' | 'positives'>> {
  const rows = await data.sample(Number.POSITIVE_INFINITY);
  const { positives, recipe: decided } = weightedPositives(recipe, rows, data.facts);
  const resolved = resolveRanking(
    decided,
    { ...data.facts, positives: positives.items.length, patterns: patternsIn(positives, recipe, options) },
    { isParallel: options.inShards !== undefined },
  );
  return { resolved, positives };
}

async function rankingPart(data: Dataset, recipe: ProgramRecipe, options: FitOptions): Promise<RankingPart> {
  const { runtime, valid } = options;
  const { facts } = data;
  const { resolved, positives } = await rankingOf(data, recipe, options);
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
    ...(valid && { judge: await judgeOf(resolved, positives, { data, valid, runtime }) }),
  };
}

async function judgeOf(
  { model }: Resolved<RankingPlan>,
  { counts }: Positives,
  { data, valid, runtime }: { readonly data: Dataset; readonly valid: Ratings; readonly runtime: Runtime },
): Promise<Part['judge']> {
  const [judge, rank] = await Promise.all([
    rankingJudge({ data, valid, counts }),
    createRanker(model, runtime),
  ]);
  return (parameters) => judge.of(rank(parameters));
}

function fittedRanking(
  { facts }: Dataset,
  recipe: ProgramRecipe,
  { resolved, positives }: RankingPart,
  trained: Trained,
): FittedRanking {
  const { model, plan } = resolved;
  const { positive, userDecay } = plan.training;
  const { parameters } = trained;
  return {
    ...{ plan, positives, ...trained },
    serving: { model, trained: parameters, positive, kind: facts.kind, userDecay, counts: positives.counts },
    ranker: async (runtime) => (await createRanker(model, runtime))(parameters),
    graph: () => listGraphOfAnySize({ ...resolved, positives }),
    reduction: reductionOf(resolved, recipe, facts),
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
      // For a model of your own, which is not in the settings: where its parameters start and to what they are pulled, and the
      // hash of the graph for its formula.
      initial: Object.values(model.parameters).map(({ initial, pull }) => ({
        ...initial,
        ...(pull && { pull }),
      })),
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
): Promise<Pick<FittedRating, 'metrics' | 'scorer'>> {
  const { users, items, ratings } = await data.sample(SAMPLE);
  const { rmse } = metrics(await scorer.score(parameters, users, items), ratings);
  if (!Number.isFinite(rmse)) throw new DivergedError(resolved, epoch);
  return { metrics: { train: { rmse }, ...(valid && { valid }) }, scorer };
}

/** The errors of predictions on some ratings. */
export async function errorOn(
  { scorer }: { readonly scorer: Scorer },
  parameters: Tensors,
  { users, items, ratings }: Ratings,
): Promise<Metrics> {
  return metrics(await scorer.score(parameters, users, items), ratings);
}

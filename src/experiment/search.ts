import { UserError } from '../errors.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import { generator, uniforms } from '../util/random.ts';
import { type Candidate, errorAbove, errorOn, failed, nextTrial, rungsOf, sortedBy } from './halving.ts';
import type { TrialPool } from './pool.ts';
import { type Space, spaceBeside } from './space.ts';
import type { TrialLog } from './trial-log.ts';

export interface SearchOptions {
  readonly pool: Pick<TrialPool, 'folds' | 'workers' | 'run'>;
  /** The model, the seed, one objective, and choices that are not searched. */
  readonly fixed: Recipe;
  /** @default spaceBeside(fixed) */
  readonly space?: Space;
  /** Seconds that the search may take, including those of earlier starts. */
  readonly budget: number;
  readonly log: TrialLog;
  /** Whether to compare on the first fold alone if there is no time for `RECIPES` on all of them. @default false */
  readonly fallsBack?: boolean;
  /** Stops the search at once. Running trials are lost. */
  readonly signal?: AbortSignal;
  /** Called when a fold of a candidate is done. */
  onOutcome?(candidate: Candidate, elapsed: number, folds: number): void;
  /** Clock in seconds, for tests. */
  now?(): number;
}

export interface Searched {
  /** All candidates, by number. */
  readonly candidates: readonly Candidate[];
  /** Number of folds on which recipes are compared: all, or one. */
  readonly folds: number;
  /** Whether it is one because the budget is too small for all. */
  readonly isSmall: boolean;
}

/** So many recipes as slow as the default must fit in the budget on all folds, or the search falls back to one fold. */
export const RECIPES = 5;

/** Number of random candidates before half of the new ones are drawn near the best. */
const AT_RANDOM = 10;
/** Number of best candidates near which new ones are drawn. */
const PARENTS = 5;
// A trial may take this fraction of the budget, so that there is time for others,
const PART = 1 / 40;
// or, if that is longer, so many times the seconds of the default recipe.
const TIMES = 2;

/**
 * Searches for the recipe with the lowest mean RMSE over folds, or the highest NDCG where the objective is ranking: random search with successive halving, in which half of the
 * new candidates are near the best so far. The default recipe is the first candidate, and is tried on all folds, so that
 * the best is never worse. If there is no time for it, the search ends, and it has no outcomes on some folds.
 *
 * @throws UserError if the default recipe cannot be trained
 */
export async function search(options: SearchOptions): Promise<Searched> {
  const { pool, fixed, budget, log, signal, onOutcome, now = () => performance.now() / 1000 } = options;
  const { space = spaceBeside(fixed), fallsBack = false } = options;
  const all = pool.folds.length;
  const candidates = restored(log, fixed, rungsOf(all));
  const [standard] = candidates;
  const begun = now() - Math.max(0, ...log.trials.map(({ elapsed }) => elapsed));
  const elapsed = () => now() - begun;
  const running = new Set<Promise<void>>();
  const aborted = new Promise<void>((resolve) => {
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });

  let folds = all;
  let isOver = false;
  // One fold until the time of the default recipe is known. A log with trials on others is of a search that uses them.
  function chooseFolds(): void {
    const hasOthers = candidates.some(({ outcomes }) => [...outcomes.keys()].some((fold) => fold > 0));
    const trainings = ((budget - elapsed()) * pool.workers) / longest(standard);
    const isEnough = standard.outcomes.size > 0 && trainings >= RECIPES * all;
    folds = fallsBack && !hasOthers && !isEnough ? 1 : all;
    standard.target = folds;
  }

  const fits = (candidate?: Candidate): boolean => {
    const seconds = candidate ? longest(candidate) : medianSeconds(candidates);
    const rounds = Math.ceil((folds - (candidate?.outcomes.size ?? 0)) / pool.workers);
    return seconds * rounds <= budget - elapsed();
  };

  async function tryOn(candidate: Candidate, fold: number): Promise<void> {
    candidate.started.add(fold);
    const left = budget - elapsed();
    const usual = longest(standard);
    const enough = usual > 0 ? Math.max(budget * pool.workers * PART, TIMES * usual) : left;
    const most = candidate === standard ? left : Math.min(left, enough);
    const outcome = await pool.run({ predictor: candidate.recipe, fold, limit: most });
    // After an abort the search has returned its results.
    if (signal?.aborted) return;
    // The trial ran out of the search's time, which says nothing about the recipe.
    if ('failed' in outcome && outcome.slow && most === left) {
      isOver ||= candidate === standard;
      return;
    }
    candidate.outcomes.set(fold, outcome);
    const at = elapsed();
    log.append({ number: candidate.number, tried: candidate.recipe, fold, elapsed: at, ...outcome });
    if (candidate === standard && standard.outcomes.size === 1) chooseFolds();
    onOutcome?.(candidate, at, folds);
  }

  chooseFolds();
  while (!signal?.aborted && !failed(standard)) {
    while (running.size < pool.workers && !isOver && elapsed() < budget) {
      const next = nextTrial(candidates, rungsOf(folds), fits);
      if (!next) break;
      const candidate = next === 'new' ? drawn(candidates, space, fixed.seed) : next.candidate;
      const trial = tryOn(candidate, next === 'new' ? 0 : next.fold).finally(() => running.delete(trial));
      running.add(trial);
    }
    if (running.size === 0) break;
    await Promise.race([...running, aborted]);
  }
  if (!signal?.aborted) checkDefault(standard);
  const isPartial = fallsBack && errorOn(standard, folds) === undefined;
  return { candidates, folds: isPartial ? 1 : folds, isSmall: folds < all };
}

/** The candidates of earlier starts; for a new search, the default recipe. */
function restored(log: TrialLog, fixed: Recipe, rungs: readonly number[]): Candidate[] {
  const all = rungs[rungs.length - 1];
  const candidates = [candidateOf(0, fixed, 1)];
  for (const { number, tried, fold, elapsed: _, ...outcome } of log.trials) {
    candidates[number] ??= candidateOf(number, tried, 1);
    const candidate = candidates[number];
    candidate.outcomes.set(fold, outcome);
    candidate.started.add(fold);
    candidate.target = Math.max(candidate.target, rungs.find((size) => size > fold) ?? all);
  }
  // Candidates that were running when the search ended are missing, and are drawn again.
  return candidates.filter((candidate) => candidate !== undefined);
}

const candidateOf = (number: number, recipe: Recipe, target: number): Candidate => ({
  number,
  recipe,
  outcomes: new Map(),
  started: new Set(),
  target,
});

/** How often a recipe is drawn again if it was tried before. */
const DRAWS = 20;

/** Adds a candidate: at random, or near one of the best. */
function drawn(candidates: Candidate[], space: Space, seed = 1): Candidate {
  const gap = candidates.findIndex((candidate, index) => candidate.number !== index);
  const number = gap < 0 ? candidates.length : gap;
  // Folds and training use other random streams.
  const random = generator(seed, -1000 - number);
  const good = sortedBy(candidates, (one) => {
    const above = errorAbove(one, candidates[0]);
    return Number.isFinite(above) ? above : undefined;
  }).slice(0, PARENTS);
  const parent = good[Math.floor(uniforms(1, random)[0] * good.length)];
  const isNear = number >= AT_RANDOM && number % 2 === 1 && parent !== undefined;
  // Numbers are rounded, so with few hyperparameters the same recipe may come up again.
  const known = new Set(candidates.map(({ recipe }) => JSON.stringify(recipe)));
  let recipe: Recipe;
  let draws = 0;
  do {
    recipe = isNear && draws < DRAWS / 2 ? space.near(resolved(parent), random) : space.random(random);
  } while (known.has(JSON.stringify(recipe)) && ++draws < DRAWS);
  const candidate = candidateOf(number, recipe, 1);
  candidates.splice(number, 0, candidate);
  return candidate;
}

/** A candidate's recipe with its defaults, as far as a trial has reported them. */
export function resolved({ recipe, outcomes }: Candidate): Recipe {
  const [first] = outcomes.values();
  return first && 'recipe' in first ? { ...first.recipe, ...recipe } : recipe;
}

const longest = ({ outcomes }: Candidate): number =>
  Math.max(0, ...[...outcomes.values()].map(({ took }) => took));

function medianSeconds(candidates: readonly Candidate[]): number {
  const sorted = candidates
    .filter((candidate) => candidate.outcomes.size > 0 && !failed(candidate))
    .map(longest)
    .sort((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? 0;
}

function checkDefault({ outcomes }: Candidate): void {
  for (const outcome of outcomes.values())
    if ('failed' in outcome) throw new UserError(outcome.code, `the default recipe: ${outcome.failed}`);
}

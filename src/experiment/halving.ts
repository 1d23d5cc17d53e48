import type { Recipe } from '../train/recipe/recipe.ts';
import type { Outcome } from './trial.ts';

/** A recipe of a search, and what it came to. */
export interface Candidate {
  /** Its place among those of the search; 0 is the default recipe. */
  readonly number: number;
  readonly recipe: Recipe;
  readonly outcomes: Map<number, Outcome>;
  readonly started: Set<number>;
  /** On how many folds it is to be tried, so far. */
  target: number;
}

/** Of so many candidates that come to a rung one goes on to the next. */
export const FEWER = 3;

/** On how many folds the candidates of each rung are tried: 1, 3, 9 …, and last on all. */
export function rungsOf(folds: number): number[] {
  const rungs = [];
  for (let size = 1; size < folds; size *= FEWER) rungs.push(size);
  return [...rungs, folds];
}

export const failed = ({ outcomes }: Candidate): boolean =>
  [...outcomes.values()].some((outcome) => 'failed' in outcome);

/** The mean RMSE over the first `size` folds; infinite if it failed, undefined if there is more to do. */
export function errorOn(candidate: Candidate, size: number): number | undefined {
  if (failed(candidate)) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let fold = 0; fold < size; fold++) {
    const outcome = candidate.outcomes.get(fold);
    if (!outcome || 'failed' in outcome) return undefined;
    sum += outcome.rmse;
  }
  return sum / size;
}

/** How far its RMSE is above that of another on the folds that both have been tried on; infinite if it failed. */
export function errorAbove(candidate: Candidate, other: Candidate): number {
  if (failed(candidate)) return Number.POSITIVE_INFINITY;
  const differences = [...candidate.outcomes].flatMap(([fold, outcome]) => {
    const theirs = other.outcomes.get(fold);
    return theirs && 'rmse' in theirs && 'rmse' in outcome ? [outcome.rmse - theirs.rmse] : [];
  });
  return differences.length === 0
    ? Number.POSITIVE_INFINITY
    : differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
}

export type Next = { readonly candidate: Candidate; readonly fold: number } | 'new' | undefined;

/**
 * What to try next, by asynchronous successive halving: whoever is among the best third of a rung goes on to more folds,
 * and where nobody is, a new candidate begins. When there is no time left for a new one, the best of those that are
 * under way go on, as long as there is time for them.
 *
 * Sources: Jamieson and Talwalkar (2016), "Non-stochastic best arm identification and hyperparameter optimization"; Li,
 * Jamieson and others (2020), "A system for massively parallel hyperparameter tuning", algorithm 2.
 *
 * @param fits whether there is time for all folds that a candidate lacks, or one that is new
 */
export function nextTrial(
  candidates: readonly Candidate[],
  rungs: readonly number[],
  fits: (candidate?: Candidate) => boolean,
): Next {
  const under = candidates.find((candidate) => !failed(candidate) && untried(candidate) !== undefined);
  if (under) return { candidate: under, fold: untried(under) as number };
  const promoted = promotable(candidates, rungs).find(fits);
  if (!promoted && fits()) return 'new';
  const next = promoted ?? underWay(candidates, rungs).find(fits);
  if (!next) return undefined;
  next.target = rungs[rungs.indexOf(next.target) + 1];
  return { candidate: next, fold: untried(next) as number };
}

function untried({ started, target }: Candidate): number | undefined {
  for (let fold = 0; fold < target; fold++) if (!started.has(fold)) return fold;
  return undefined;
}

/** Those among the best of their rung that have not gone on, of the highest rung first. */
function promotable(candidates: readonly Candidate[], rungs: readonly number[]): Candidate[] {
  return rungs
    .slice(0, -1)
    .reverse()
    .flatMap((size) => {
      const ranked = sortedBy(candidates, (candidate) => errorOn(candidate, size));
      return ranked
        .slice(0, Math.floor(ranked.length / FEWER))
        .filter((candidate) => candidate.target === size && !failed(candidate));
    });
}

function underWay(candidates: readonly Candidate[], rungs: readonly number[]): Candidate[] {
  const all = rungs[rungs.length - 1];
  return sortedBy(candidates, (candidate) =>
    candidate.target < all && !failed(candidate) && errorOn(candidate, candidate.target) !== undefined
      ? errorAbove(candidate, candidates[0])
      : undefined,
  );
}

/** Without those of no value. */
export function sortedBy(
  candidates: readonly Candidate[],
  value: (candidate: Candidate) => number | undefined,
): Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, value: value(candidate) }))
    .filter((one): one is { candidate: Candidate; value: number } => one.value !== undefined)
    .sort((one, other) => one.value - other.value)
    .map(({ candidate }) => candidate);
}

import type { Recipe } from '../train/recipe/recipe.ts';
import { errorOf } from './measures.ts';
import type { Outcome } from './trial.ts';

/** A recipe in a search, and its outcomes. */
export interface Candidate {
  /** Number in the search; 0 is the default recipe. */
  readonly number: number;
  readonly recipe: Recipe;
  /** Outcomes by fold. */
  readonly outcomes: Map<number, Outcome>;
  /** Folds on which it was started. */
  readonly started: Set<number>;
  /** Number of folds to try it on, so far. */
  target: number;
}

/** One of so many candidates is promoted from a rung to the next. */
export const FEWER = 3;

/** Number of folds of each rung: 1, 3, 9 …, and all at the end. */
export function rungsOf(folds: number): number[] {
  const rungs = [];
  for (let size = 1; size < folds; size *= FEWER) rungs.push(size);
  return [...rungs, folds];
}

export const failed = ({ outcomes }: Candidate): boolean =>
  [...outcomes.values()].some((outcome) => 'failed' in outcome);

/** The mean error over the first `size` folds, which is −NDCG for rankings; infinite if a trial failed, undefined if some are not done. */
export function errorOn(candidate: Candidate, size: number): number | undefined {
  if (failed(candidate)) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let fold = 0; fold < size; fold++) {
    const outcome = candidate.outcomes.get(fold);
    if (!outcome || 'failed' in outcome) return undefined;
    sum += errorOf(outcome);
  }
  return sum / size;
}

/** The mean difference from another candidate's error, over the folds that both were tried on; infinite if it failed. */
export function errorAbove(candidate: Candidate, other: Candidate): number {
  if (failed(candidate)) return Number.POSITIVE_INFINITY;
  const differences = [...candidate.outcomes].flatMap(([fold, outcome]) => {
    const theirs = other.outcomes.get(fold);
    return theirs && !('failed' in theirs) && !('failed' in outcome)
      ? [errorOf(outcome) - errorOf(theirs)]
      : [];
  });
  return differences.length === 0
    ? Number.POSITIVE_INFINITY
    : differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
}

export type Next = { readonly candidate: Candidate; readonly fold: number } | 'new' | undefined;

/**
 * Chooses the next trial, by asynchronous successive halving. A candidate in the best third of its rung is promoted to more
 * folds; if there is none, a new candidate starts. If there is no time for a new one, the best unfinished candidates go on
 * while there is time.
 *
 * Sources: Jamieson and Talwalkar (2016), "Non-stochastic best arm identification and hyperparameter optimization"; Li,
 * Jamieson and others (2020), "A system for massively parallel hyperparameter tuning", algorithm 2.
 *
 * @param fits whether there is time for the remaining folds of a candidate, or for a new candidate
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

/** Candidates in the best third of their rung that are not promoted yet, the highest rung first. */
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

/** Sorts candidates by a value, and leaves out those without one. */
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

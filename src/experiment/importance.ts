/**
 * The importance of a hyperparameter by itself: the share of the variance of the trials' ranks by error that its values
 * explain. Numbers are grouped in quantile bins. The measure is epsilon squared, which corrects for what bins explain by
 * chance. It uses ranks so that a few failures do not dominate. Interactions of two hyperparameters are not measured.
 *
 * Sources: Kelley (1935), "An unbiased correlation ratio measure"; it is the marginal of a functional analysis of
 * variance as in Hutter, Hoos and Leyton-Brown (2014), without its forest.
 *
 * @param values the hyperparameter's value in each trial
 * @param errors the error of each trial; infinite if it failed
 * @returns from 0 to 1
 */
export function importance(values: readonly unknown[], errors: readonly number[]): number {
  const ranks = ranksOf(errors);
  const bins = new Map<unknown, number[]>();
  for (const [trial, bin] of binsOf(values).entries())
    bins.set(bin, [...(bins.get(bin) ?? []), ranks[trial]]);
  const free = ranks.length - bins.size;
  const all = squaresAbout(ranks);
  if (free <= 0 || all === 0) return 0;
  const within = [...bins.values()].reduce((sum, bin) => sum + squaresAbout(bin), 0);
  return Math.max(0, 1 - ((within / all) * (ranks.length - 1)) / free);
}

/** Minimum number of trials per bin. */
const LEAST = 5;
/** Maximum number of bins. */
const BINS = 6;

function binsOf(values: readonly unknown[]): readonly unknown[] {
  const different = new Set(values.map((value) => JSON.stringify(value)));
  if (different.size <= BINS || !values.every((value) => typeof value === 'number'))
    return values.map((value) => JSON.stringify(value));
  const count = Math.max(2, Math.min(BINS, Math.floor(values.length / LEAST)));
  return ranksOf(values).map((rank) => Math.floor((rank / values.length) * count));
}

/** Ranks from 0. Equal values get the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  const sorted = [...values].sort((one, other) => (one === other ? 0 : one - other));
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
}

function squaresAbout(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}

/**
 * How much a hyperparameter alone mattered: the part of the variance of the trials' ranks by error that is between the
 * hyperparameter's values, with numbers gathered in quantile bins of equal size (epsilon squared: corrected for what
 * bins would explain of chance). Ranks, so that a few failures do not outweigh all else. What two hyperparameters
 * matter only together is not seen.
 *
 * Sources: Kelley (1935), "An unbiased correlation ratio measure"; it is the marginal of a functional analysis of
 * variance as in Hutter, Hoos and Leyton-Brown (2014), without its forest.
 *
 * @param values one a trial
 * @param errors of the same trials; infinite for one that failed
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

/** Bins of so many trials at least are filled, up to so many bins. */
const LEAST = 5;
const BINS = 6;

function binsOf(values: readonly unknown[]): readonly unknown[] {
  const different = new Set(values.map((value) => JSON.stringify(value)));
  if (different.size <= BINS || !values.every((value) => typeof value === 'number'))
    return values.map((value) => JSON.stringify(value));
  const count = Math.max(2, Math.min(BINS, Math.floor(values.length / LEAST)));
  return ranksOf(values).map((rank) => Math.floor((rank / values.length) * count));
}

/** From 0; equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  const sorted = [...values].sort((one, other) => (one === other ? 0 : one - other));
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
}

function squaresAbout(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}

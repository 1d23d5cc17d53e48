import { rangeOf } from '../data/dataset/rows.ts';
import { errorSums } from './errors.ts';
import type { Metrics } from './metrics.ts';

export interface Group extends Metrics {
  /** The lowest and the highest value in the group of what it is grouped by. */
  readonly from: number;
  readonly to: number;
  readonly ratings: number;
}

/**
 * Errors by groups of ratings, those of the lowest values first: one group a value where there are at most `most`, else
 * as many groups, with about as many of the population in each. What is below the whole population is a group of its
 * own; groups without ratings are left out.
 *
 * @param values of each rating what it is grouped by, from 0
 * @param population what the borders of groups are quantiles of; by default the values themselves
 */
export function errorBy(
  values: Float32Array,
  predicted: Float32Array,
  actual: Float32Array,
  { most, population = values }: { readonly most: number; readonly population?: Float32Array },
): Group[] {
  const borders = bordersOf(population, most);
  if (rangeOf(values).low < rangeOf(population).low) borders.unshift(0);
  const from = new Float32Array(borders.length).fill(Number.POSITIVE_INFINITY);
  const to = new Float32Array(borders.length).fill(Number.NEGATIVE_INFINITY);
  const rows = new Int32Array(values.length);
  for (let at = 0; at < values.length; at++) {
    let row = 0;
    while (values[at] > borders[row]) row++;
    rows[at] = row;
    from[row] = Math.min(from[row], values[at]);
    to[row] = Math.max(to[row], values[at]);
  }
  const { squares, sizes, counts } = errorSums(predicted, actual, rows, borders.length);
  return borders.flatMap((_, row) => {
    const ratings = counts[row];
    if (ratings === 0) return [];
    const [rmse, mae] = [Math.sqrt(squares[row] / ratings), sizes[row] / ratings];
    return [{ from: from[row], to: to[row], ratings, rmse, mae }];
  });
}

function bordersOf(population: Float32Array, most: number): number[] {
  const different = [...new Set(population)].sort((a, b) => a - b);
  if (different.length <= most) return different;
  const sorted = population.slice().sort();
  const quantiles = Array.from(
    { length: most },
    (_, group) => sorted[Math.ceil(((group + 1) * sorted.length) / most) - 1],
  );
  return [...new Set(quantiles)];
}

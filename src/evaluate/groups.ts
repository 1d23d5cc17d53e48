import { rangeOf } from '../data/dataset/rows.ts';
import { errorSums } from './errors.ts';
import type { Metrics } from './metrics.ts';

export interface Group extends Metrics {
  /** Lowest and highest value in the group. */
  readonly from: number;
  readonly to: number;
  /** Number of ratings. */
  readonly ratings: number;
}

/**
 * Errors by group of ratings, lowest values first. With at most `most` different values each is a group; else there are
 * `most` groups, each with about the same share of the population. Values below the whole population are a group of their
 * own. Groups without ratings are left out.
 *
 * @param values the value of each rating by which it is grouped, from 0
 * @param options `population`: values whose quantiles are the borders of groups. Default: `values`
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

import { generator } from '../util/random.ts';

/** A 95 % confidence interval. */
export type Interval = readonly [low: number, high: number];

const LEVEL = 0.95;
const RESAMPLES = 1000;
const SEED = 1;

/**
 * Bootstrap percentile intervals. A sample draws as many users as there are, with replacement, each with all of its
 * ratings, because the ratings of one user are not independent. The samples are always the same, so that two models are
 * compared on the same ones.
 *
 * Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
 *
 * @param columns numbers of each user
 * @param statistics computes the statistics from the sums of the columns, and from the number of users at the end
 * @returns the interval of each statistic; NaN without users
 */
export function bootstrap(
  columns: readonly Float64Array[],
  statistics: (sums: Float64Array) => readonly number[],
): Interval[] {
  const users = columns[0].length;
  const random = generator(SEED);
  const drawn = new Int32Array(users);
  const sums = new Float64Array(columns.length + 1).fill(users, -1);
  const samples = Array.from({ length: RESAMPLES }, () => {
    drawn.fill(0);
    for (let draw = 0; draw < users; draw++) drawn[Math.floor((random.next() >>> 0) * 2 ** -32 * users)]++;
    for (const [index, column] of columns.entries()) {
      let sum = 0;
      for (let user = 0; user < users; user++) sum += drawn[user] * column[user];
      sums[index] = sum;
    }
    return statistics(sums);
  });
  return samples[0].map((_, statistic) => {
    const sorted = Float64Array.from(samples, (sample) => sample[statistic]).sort();
    return [quantile(sorted, (1 - LEVEL) / 2), quantile(sorted, (1 + LEVEL) / 2)];
  });
}

/** A quantile with linear interpolation, the default of NumPy. */
function quantile(sorted: Float64Array, part: number): number {
  const position = part * (sorted.length - 1);
  const before = Math.floor(position);
  const after = Math.min(before + 1, sorted.length - 1);
  return sorted[before] + (position - before) * (sorted[after] - sorted[before]);
}

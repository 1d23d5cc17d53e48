import { generator } from '../util/random.ts';

/** Between which values a statistic is with a probability of 95 %. */
export type Interval = readonly [low: number, high: number];

const LEVEL = 0.95;
const RESAMPLES = 1000;
const SEED = 1;

/**
 * Percentile intervals of statistics of users, by the bootstrap: users are drawn with replacement, as many as there
 * are, and each brings all of its ratings, for the ratings of one user are not independent of each other. The same
 * users are drawn each time, so that two models on the same users are compared on the same samples.
 *
 * Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
 *
 * @param columns numbers of each user, whose sums the statistics are made of
 * @returns one for each statistic; of no users not a number
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
    for (const [place, column] of columns.entries()) {
      let sum = 0;
      for (let user = 0; user < users; user++) sum += drawn[user] * column[user];
      sums[place] = sum;
    }
    return statistics(sums);
  });
  return samples[0].map((_, statistic) => {
    const sorted = Float64Array.from(samples, (sample) => sample[statistic]).sort();
    return [quantile(sorted, (1 - LEVEL) / 2), quantile(sorted, (1 + LEVEL) / 2)];
  });
}

/** Between two values in proportion, as NumPy does by default. */
function quantile(sorted: Float64Array, part: number): number {
  const place = part * (sorted.length - 1);
  const before = Math.floor(place);
  const after = Math.min(before + 1, sorted.length - 1);
  return sorted[before] + (place - before) * (sorted[after] - sorted[before]);
}

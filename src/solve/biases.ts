/** The biases of users or of items, in the unit of ratings. Their prior is normal. */
export interface SideBiases {
  /** The posterior mean of each row, float[rows]. */
  readonly posterior: Float64Array;
  /** The mean of the prior. */
  readonly prior: number;
  /** The precision of the prior, in ratings: with so many ratings, a bias is halfway between the prior and what the ratings say. */
  readonly damping: number;
}

const SIDES = ['item', 'user'] as const;

export type Side = (typeof SIDES)[number];

/** rating = mean + user bias + item bias + noise */
export interface Biases extends Readonly<Record<Side, SideBiases>> {
  /** The mean of all ratings. */
  readonly mean: number;
  /** The standard deviation of the noise. */
  readonly deviation: number;
}

/** A pass over all ratings: sums up, by the rows of one side, what the other side leaves of the ratings. */
export interface Pass {
  readonly side: Side;
  /** What is subtracted from a rating, by row of the other side. */
  readonly offsets: Float64Array;
}

export interface Sums {
  /** By row, float[rows]. */
  readonly sums: Float64Array;
  /** The sum of all squares. */
  readonly squares: number;
}

const MOST_ROUNDS = 12;
/** Rounds end when neither damping changes by more than this part. */
const CLOSE = 0.05;
/** Damping of biases that do not differ by more than chance. */
const MOST_DAMPING = 1e4;
/** Damping where the biases explain all. */
const LEAST_DAMPING = 1e-3;

/**
 * Estimates biases by empirical Bayes: the mean and the variance of each side's biases and the variance of the noise are those that
 * make the ratings most likely, found by fixed-point iteration; each bias is its posterior mean. A round takes a pass over the
 * ratings for each side.
 *
 * Source: MacKay (1992), "Bayesian interpolation": a variance is a sum of squares divided by the number of parameters that the
 * data determine.
 *
 * @param counts number of ratings of each row
 * @yields a pass, whose sums it needs to go on
 */
export function* estimateBiases(
  mean: number,
  counts: Readonly<Record<Side, ArrayLike<number>>>,
): Generator<Pass, Biases, Sums> {
  const start = (rows: number): SideBiases => ({ posterior: new Float64Array(rows), prior: 0, damping: 4 });
  const found = { user: start(counts.user.length), item: start(counts.item.length) };
  const ratings = total(counts.user, (count) => count);
  let noise = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const determined = { user: 0, item: 0 };
    let left = 0;
    for (const side of SIDES) {
      const other = found[side === 'item' ? 'user' : 'item'].posterior;
      const { sums, squares } = yield { side, offsets: other.map((bias) => mean + bias) };
      const { damping } = found[side];
      const countOf = counts[side];
      determined[side] = total(countOf, (count) => count / (count + damping));
      const prior = total(sums, (sum, row) => sum / (countOf[row] + damping)) / determined[side];
      const posterior = sums.map((sum, row) => (sum + damping * prior) / (countOf[row] + damping));
      left = squares - total(posterior, (bias, row) => bias * (2 * sums[row] - countOf[row] * bias));
      found[side] = { posterior, prior, damping };
    }
    noise = left / Math.max(1, ratings - determined.user - determined.item);
    const before = SIDES.map((side) => found[side].damping);
    for (const side of SIDES) {
      const { posterior, prior } = found[side];
      const variance = total(posterior, (bias) => (bias - prior) ** 2) / determined[side];
      const damping = variance > 0 ? noise / variance : MOST_DAMPING;
      found[side] = { posterior, prior, damping: Math.min(MOST_DAMPING, Math.max(LEAST_DAMPING, damping)) };
    }
    if (SIDES.every((side, at) => Math.abs(found[side].damping - before[at]) <= CLOSE * before[at])) break;
  }
  return { mean, deviation: Math.sqrt(Math.max(0, noise)), ...found };
}

const total = (numbers: ArrayLike<number>, term: (number: number, row: number) => number): number => {
  let sum = 0;
  for (let row = 0; row < numbers.length; row++) sum += term(numbers[row], row);
  return sum;
};

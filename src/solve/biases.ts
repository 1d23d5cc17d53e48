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
const CLOSE = 0.01;
/**
 * The least variance of biases, as a part of that of the noise, and the other way round: where no bias differs from the others,
 * the variance falls to 0; where biases explain all, the noise does.
 */
const LEAST = 1e-4;

/**
 * Estimates biases by empirical Bayes: expectation maximization finds the mean and the variance of each side's biases, and the
 * variance of the noise. A round takes a pass over the ratings for each side.
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
  let noise: number | undefined;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = SIDES.map((side) => found[side].damping);
    const variances = { user: 0, item: 0 };
    // The expected sum of squares of the noise.
    let [explained, uncertain, squares] = [0, 0, 0];
    for (const side of SIDES) {
      const other = found[side === 'item' ? 'user' : 'item'].posterior;
      const given = yield { side, offsets: other.map((bias) => mean + bias) };
      squares = given.squares;
      noise ??= squares / ratings;
      const { damping, prior } = found[side];
      const countOf = counts[side];
      const varianceOf = (row: number): number => (noise as number) / (countOf[row] + damping);
      const posterior = given.sums.map((sum, row) => (sum + damping * prior) / (countOf[row] + damping));
      const mid = total(posterior, (bias) => bias) / posterior.length;
      variances[side] =
        total(posterior, (bias, row) => (bias - mid) ** 2 + varianceOf(row)) / posterior.length;
      explained = total(posterior, (bias, row) => bias * (2 * given.sums[row] - countOf[row] * bias));
      uncertain += total(posterior, (_, row) => countOf[row] * varianceOf(row));
      found[side] = { posterior, prior: mid, damping };
    }
    noise = (squares - explained + uncertain) / ratings;
    for (const side of SIDES) found[side] = { ...found[side], damping: dampingOf(noise, variances[side]) };
    if (SIDES.every((side, at) => Math.abs(found[side].damping - before[at]) <= CLOSE * before[at])) break;
  }
  return { mean, ...found };
}

const dampingOf = (noise: number, variance: number): number =>
  variance > LEAST * noise ? Math.max(noise / variance, LEAST) : 1 / LEAST;

const total = (numbers: ArrayLike<number>, term: (number: number, row: number) => number): number => {
  let sum = 0;
  for (let row = 0; row < numbers.length; row++) sum += term(numbers[row], row);
  return sum;
};

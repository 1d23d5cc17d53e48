import { type Positives, pairsOf } from '../../data/dataset/positives.ts';
import { MOST_PAIRS } from './initial.ts';
import { spectralFactors } from './spectral.ts';

/** Number of patterns of who has what. */
const PATTERNS = 16;
/** Where weights are chance, the mean is mostly below 1: the highest of 1,260 with shuffled counts was 1.6. */
const LEAST = 2;
const ROUNDS = 10;

/**
 * Whether the weights of positives follow users' tastes. If they do not, they are noise to a ranking.
 *
 * Weights are compared with the strongest patterns of who has what, which say how well a user and an item go together. How
 * much a user and an item weigh in the mean does not count. Each pattern gives a z-score of its correlation with what is
 * left of the weights; the mean of their squares decides. With more than 2²⁰ positives, the first users decide.
 */
export function followTastes({ weights, ...positives }: Positives, seed: number): boolean {
  if (!weights) return false;
  const users = positives.starts.findLastIndex((start) => start <= MOST_PAIRS);
  const pairs = pairsOf({
    ...positives,
    starts: positives.starts.subarray(0, users + 1),
    items: positives.items.subarray(0, positives.starts[users]),
  });
  const sizes = { users, items: positives.counts.length };
  const patterns = spectralFactors(pairs, sizes, PATTERNS, seed);
  if (!patterns) return false;
  const rest = Float64Array.from(pairs.users, (_, index) => weights[index]);
  for (let round = 0; round < ROUNDS; round++) {
    centre(rest, pairs.users, sizes.users);
    centre(rest, pairs.items, sizes.items);
  }
  const variance = rest.reduce((sum, one) => sum + one ** 2, 0) / rest.length;
  let squares = 0;
  for (let pattern = 0; pattern < PATTERNS; pattern++) {
    let [product, length] = [0, 0];
    for (let index = 0; index < rest.length; index++) {
      const fit =
        patterns.user[pairs.users[index] * PATTERNS + pattern] *
        patterns.item[pairs.items[index] * PATTERNS + pattern];
      product += fit * rest[index];
      length += fit ** 2;
    }
    if (length > 0 && variance > 0) squares += product ** 2 / (length * variance);
  }
  return squares / PATTERNS > LEAST;
}

/** Subtracts from each value the mean of its row. */
function centre(values: Float64Array, rows: Int32Array, size: number): void {
  const sums = new Float64Array(size);
  const counts = new Float64Array(size);
  for (const [index, row] of rows.entries()) {
    sums[row] += values[index];
    counts[row]++;
  }
  for (const [index, row] of rows.entries()) values[index] -= sums[row] / counts[row];
}

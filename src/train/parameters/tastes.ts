import { type Positives, pairsOf } from '../../data/dataset/positives.ts';
import { generator, shuffled } from '../../util/random.ts';
import { type Pairs, spectralFactors } from './spectral.ts';

/** Number of patterns of who has what. */
const PATTERNS = 16;
/** How often the weights are shuffled to see what chance makes of them. */
const SHUFFLES = 4;
/** Weights must fit the patterns so many times as well as shuffled ones. Of 260 shuffles of six data sets none did. */
const LEAST = 4;
const ROUNDS = 10;
/** Number of positives that are looked at. */
const MOST = 2 ** 18;
/** Not that of the training, so that all trainings on the same data weigh alike. */
const SEED = 1;
const STREAM = 3;

/**
 * Whether the weights of positives follow users' tastes. If they do not, they are noise to a ranking.
 *
 * Weights are compared with the strongest patterns of who has what, which say how well a user and an item go together. How
 * much a user and an item weigh in the mean does not count. With many positives, the first users decide.
 */
export function followTastes({ weights, ...positives }: Positives): boolean {
  if (!weights) return false;
  const users = positives.starts.findLastIndex((start) => start <= MOST);
  const length = positives.starts[users];
  const pairs = pairsOf({
    ...positives,
    starts: positives.starts.subarray(0, users + 1),
    items: positives.items.subarray(0, length),
  });
  const sizes = { users, items: positives.counts.length };
  const patterns = spectralFactors(pairs, sizes, PATTERNS, SEED);
  if (!patterns) return false;
  const fit = (of: Float32Array): number => fitOf(centred(of, pairs, sizes), pairs, patterns);
  const random = generator(SEED, STREAM);
  let chance = 0;
  for (let time = 0; time < SHUFFLES; time++)
    chance += fit(Float32Array.from(shuffled(length, random), (index) => weights[index])) / SHUFFLES;
  return fit(weights.subarray(0, length)) > LEAST * chance;
}

/** The mean of the squared correlations of numbers with each pattern. */
function fitOf(
  numbers: Float64Array,
  { users, items }: Pairs,
  { user, item }: NonNullable<ReturnType<typeof spectralFactors>>,
): number {
  const variance = numbers.reduce((sum, one) => sum + one ** 2, 0);
  let squares = 0;
  for (let pattern = 0; pattern < PATTERNS; pattern++) {
    let [product, length] = [0, 0];
    for (let index = 0; index < numbers.length; index++) {
      const fit = user[users[index] * PATTERNS + pattern] * item[items[index] * PATTERNS + pattern];
      product += fit * numbers[index];
      length += fit ** 2;
    }
    if (length > 0 && variance > 0) squares += product ** 2 / (length * variance);
  }
  return squares / PATTERNS;
}

/** What is left of weights without the means of users and of items. */
function centred(
  weights: Float32Array,
  { users, items }: Pairs,
  sizes: { readonly users: number; readonly items: number },
): Float64Array {
  const rest = Float64Array.from(weights);
  for (let round = 0; round < ROUNDS; round++) {
    centre(rest, users, sizes.users);
    centre(rest, items, sizes.items);
  }
  return rest;
}

/** Subtracts the mean of each row from its values. */
function centre(values: Float64Array, rows: Int32Array, size: number): void {
  const [sums, counts] = [new Float64Array(size), new Float64Array(size)];
  for (const [index, row] of rows.entries()) {
    sums[row] += values[index];
    counts[row]++;
  }
  for (const [index, row] of rows.entries()) values[index] -= sums[row] / counts[row];
}

import type { DataFacts } from '../../../graphs/models/model.ts';
import type { Rows } from './rows.ts';

/** Which items each user has: the items of user u are from starts[u] to before starts[u + 1]. */
export interface Positives {
  readonly starts: Int32Array;
  readonly items: Int32Array;
  /** Weight of each of `items` in the loss. Default: 1 each */
  readonly weights?: Float32Array | undefined;
  /** Number of users that have each item. */
  readonly counts: Int32Array;
}

/** The least positive 32-bit float: every interaction with a strength above 0 counts. */
export const ABOVE_ZERO = 2 ** -149;

/** The lowest rating, or strength of an interaction, that counts. */
export const limitOf = (least: number | 'all', { kind }: Pick<DataFacts, 'kind'>): number => {
  // Ratings are 32-bit floats, so the limit must be rounded alike.
  if (least !== 'all') return Math.fround(least);
  return kind === 'interactions' ? ABOVE_ZERO : Number.NEGATIVE_INFINITY;
};

/** How the strengths of interactions weigh: by their logarithms, or all alike. */
export type Weighting = 'log' | 'none';

/**
 * The ratings, or interactions, that count as positives.
 *
 * @param least the lowest rating that counts, or all
 * @param weighting for the strengths of interactions; ratings weigh alike. @default 'none'
 */
export function positivesOf(
  { users, items, ratings }: Rows,
  sizes: Pick<DataFacts, 'kind' | 'users' | 'items'>,
  least: number | 'all',
  weighting: Weighting = 'none',
): Positives {
  const limit = limitOf(least, sizes);
  const starts = new Int32Array(sizes.users + 1);
  const counts = new Int32Array(sizes.items);
  for (let index = 0; index < users.length; index++) {
    if (ratings[index] < limit) continue;
    starts[users[index] + 1]++;
    counts[items[index]]++;
  }
  for (let user = 0; user < sizes.users; user++) starts[user + 1] += starts[user];
  const next = starts.slice();
  const found = new Int32Array(starts[sizes.users]);
  const strengths = sizes.kind === 'interactions' && weighting === 'log' && new Float32Array(found.length);
  for (let index = 0; index < users.length; index++) {
    if (ratings[index] < limit) continue;
    const to = next[users[index]]++;
    found[to] = items[index];
    if (strengths) strengths[to] = ratings[index];
  }
  return { starts, items: found, counts, ...(strengths && { weights: weightsOf(strengths) }) };
}

/**
 * The weights of strengths, whose mean is 1: half alike and half by log(1 + strength). By the logarithm alone, the rankings of
 * two of five data sets get worse. Undefined if all are alike.
 */
function weightsOf(strengths: Float32Array): Float32Array | undefined {
  if (strengths.every((strength) => strength === strengths[0])) return undefined;
  const logarithms = Float64Array.from(strengths, (strength) => Math.log1p(strength));
  const mean = logarithms.reduce((sum, one) => sum + one, 0) / logarithms.length;
  return Float32Array.from(logarithms, (one) => (1 + one / mean) / 2);
}

/** The pairs of user and item, by user. */
export function pairsOf({ starts, items }: Positives): { users: Int32Array; items: Int32Array } {
  const users = new Int32Array(items.length);
  for (let user = 0; user + 1 < starts.length; user++) users.fill(user, starts[user], starts[user + 1]);
  return { users, items };
}

/** A 32-bit float as the decimal that it was read from. */
const decimal = (float: number): number => Number(float.toPrecision(7));

/** The rating at which the last quarter of a scale starts, a decimal such as 3.6, whose 32-bit float may be a rating. */
export const lastQuarter = ({ low, high }: { readonly low: number; readonly high: number }): number =>
  decimal(decimal(low) + 0.75 * (decimal(high) - decimal(low)));

/** The lowest rating of a relevant item; of interactions, all are relevant. */
export const relevantFrom = (facts: Pick<DataFacts, 'kind' | 'low' | 'high'>): number =>
  facts.kind === 'interactions' ? ABOVE_ZERO : lastQuarter(facts);

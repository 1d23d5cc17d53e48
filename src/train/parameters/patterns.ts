import { type Positives, pairsOf } from '../../data/dataset/positives.ts';
import { singularValues } from '../../util/linear-algebra.ts';
import { spectralFactors } from './spectral.ts';

/** Number of singular values that are looked at, and the largest number of patterns. */
const LOOKED_AT = 16;
const MOST = 12;
/** The last pattern is so much stronger than what follows, and what follows is so much alike. */
const GAP = 1.4;
const ALIKE = 1.05;

/**
 * The number of patterns of who has what, if there are few and all else is chance: the singular values fall suddenly, and are
 * all alike after that. More factors than these need would learn chance.
 *
 * @returns undefined if the singular values fall bit by bit, as those of real data mostly do
 */
export function patternsOf(positives: Positives, seed: number): number | undefined {
  const sizes = { users: positives.starts.length - 1, items: positives.counts.length };
  const factors = spectralFactors(pairsOf(positives), sizes, LOOKED_AT, seed);
  // Without the first, which only has the numbers of positives.
  const values = factors && singularValues(factors.product()).subarray(1, 1 + LOOKED_AT);
  if (!values || values.length < LOOKED_AT) return undefined;
  const last = values[LOOKED_AT - 1];
  const count = values.findIndex((value) => value <= ALIKE * last);
  return count > 0 && count <= MOST && values[count - 1] >= GAP * values[count] ? count : undefined;
}

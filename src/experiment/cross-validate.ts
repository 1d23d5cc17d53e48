import { UserError } from '../errors.ts';
import type { TrialPool } from './pool.ts';
import { type Estimate, estimate, heldOutRatio } from './statistics.ts';
import type { Predictor, TrialResult } from './trial.ts';

/** Results of a predictor on all folds. */
export interface CrossValidation {
  /** Result of each fold. */
  readonly results: readonly TrialResult[];
  readonly rmse: Estimate;
  readonly mae: Estimate;
  /** Mean seconds to make the predictor. */
  readonly seconds: number;
  /** Mean size of its files. */
  readonly bytes?: number;
}

/**
 * Cross-validation: makes a predictor for each fold, and computes its errors on the ratings that the fold holds out.
 *
 * @throws UserError if a predictor cannot be made
 */
export async function crossValidate(
  pool: TrialPool,
  predictor: Predictor,
  { files, onResult }: { readonly files?: boolean; onResult?(): void } = {},
): Promise<CrossValidation> {
  const results = await Promise.all(
    pool.folds.map(async (_, fold) => {
      const outcome = await pool.run({ predictor, fold, files });
      if ('failed' in outcome) throw new UserError(outcome.code, `fold ${fold + 1}: ${outcome.failed}`);
      onResult?.();
      return outcome;
    }),
  );
  const all = <Key extends keyof TrialResult>(key: Key) => results.map((result) => result[key]);
  const ratio = heldOutRatio(pool.folds);
  const bytes = all('bytes').filter((count) => count !== undefined);
  return {
    results,
    rmse: estimate(all('rmse'), ratio),
    mae: estimate(all('mae'), ratio),
    seconds: mean(all('seconds')),
    ...(bytes.length > 0 && { bytes: mean(bytes) }),
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

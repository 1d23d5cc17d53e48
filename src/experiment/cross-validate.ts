import { UserError } from '../errors.ts';
import type { TrialPool } from './pool.ts';
import { type Estimate, estimate, heldOutRatio } from './statistics.ts';
import type { Predictor, TrialResult } from './trial.ts';

/** What a predictor came to on all folds. */
export interface CrossValidation {
  /** By fold. */
  readonly results: readonly TrialResult[];
  readonly rmse: Estimate;
  readonly mae: Estimate;
  /** Means over folds: of making the predictor, and of its files. */
  readonly seconds: number;
  readonly bytes?: number;
}

/**
 * Makes a predictor anew for each fold, and asks it for what the fold holds out.
 *
 * @throws UserError if one of them cannot be made
 */
export async function crossValidate(
  pool: TrialPool,
  predictor: Predictor,
  { files, onResult }: { readonly files?: boolean; onResult?(): void } = {},
): Promise<CrossValidation> {
  const results = await Promise.all(
    pool.folds.map(async (_, fold) => {
      const outcome = await pool.run({ predictor, fold, files });
      if ('failed' in outcome) throw new UserError('training', `fold ${fold + 1}: ${outcome.failed}`);
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

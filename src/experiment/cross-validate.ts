import { UserError } from '../errors.ts';
import type { TrialPool } from './pool.ts';
import { type Estimate, estimate, heldOutRatio } from './statistics.ts';
import type { Predictor, Trial, TrialResult } from './trial.ts';

/** What predictors are judged by, if they have it on all folds. */
const MEASURED = ['rmse', 'mae', 'ndcg', 'precision'] as const;

export interface CrossValidateOptions
  extends Pick<Trial, 'files' | 'objectives' | 'threshold' | 'positive' | 'k'> {
  /** Called when a fold is done. */
  onResult?(): void;
}

/** Results of a predictor on all folds. */
export interface CrossValidation {
  /** Result of each fold. */
  readonly results: readonly TrialResult[];
  /** The reason why a baseline was not made on some fold. */
  readonly skipped?: string;
  /** The errors of a predictor of ratings. */
  readonly rmse?: Estimate;
  readonly mae?: Estimate;
  /** NDCG and precision of a ranking, at 10 or at `k`. */
  readonly ndcg?: Estimate;
  readonly precision?: Estimate;
  /** Mean seconds to make the predictor. */
  readonly seconds: number;
  /** Mean size of its files. */
  readonly bytes?: number;
}

/**
 * Cross-validation: makes a predictor for each fold, and judges it on the ratings that the fold holds out. A model for both
 * objectives is trained once per fold.
 *
 * @throws UserError if a predictor cannot be made
 */
export async function crossValidate(
  pool: TrialPool,
  predictor: Predictor,
  { onResult, ...trial }: CrossValidateOptions = {},
): Promise<CrossValidation> {
  const results = await Promise.all(
    pool.folds.map(async (_, fold) => {
      const outcome = await pool.run({ ...trial, predictor, fold });
      if ('failed' in outcome) throw new UserError(outcome.code, `fold ${fold + 1}: ${outcome.failed}`);
      onResult?.();
      return outcome;
    }),
  );
  const all = <Key extends keyof TrialResult>(key: Key) => results.map((result) => result[key]);
  const ratio = heldOutRatio(pool.folds);
  const bytes = all('bytes').filter((count) => count !== undefined);
  const skipped = all('skipped').find((reason) => reason !== undefined);
  return {
    results,
    ...(skipped !== undefined && { skipped }),
    ...Object.fromEntries(
      MEASURED.flatMap((key) => {
        const values = all(key).filter((value) => value !== undefined);
        return values.length === results.length ? [[key, estimate(values, ratio)]] : [];
      }),
    ),
    seconds: mean(all('seconds')),
    ...(bytes.length > 0 && { bytes: mean(bytes) }),
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

import { UserError } from '../errors.ts';
import { type CrossValidation, crossValidate } from './cross-validate.ts';
import type { TrialPool } from './pool.ts';
import { type Difference, heldOutRatio, pairedDifference } from './statistics.ts';
import type { Predictor } from './trial.ts';

/** The difference between two predictors' errors. */
export interface ComparedPair {
  readonly name: string;
  /** The predictor with the lower error. */
  readonly than: string;
  /** Difference of their RMSE, over folds. */
  readonly difference: Difference;
  /** Whether `p` is below 0.05; absent with one fold. */
  readonly real?: boolean;
}

export interface Comparison {
  /** Results by name, the lowest RMSE first. */
  readonly predictors: Readonly<Record<string, CrossValidation>>;
  /** Each predictor compared with the best one, and the pairs that were asked for. */
  readonly pairs: readonly ComparedPair[];
}

/**
 * Cross-validates predictors on the same folds, and tests which differences are significant.
 *
 * @throws UserError as `crossValidate` does, with the predictor's name
 */
export async function compare(
  pool: TrialPool,
  predictors: Readonly<Record<string, Predictor>>,
  wanted: readonly (readonly [string, string])[] = [],
  onResult?: () => void,
): Promise<Comparison> {
  const entries = await Promise.all(
    Object.entries(predictors).map(
      async ([name, predictor]) =>
        [
          name,
          await crossValidate(pool, predictor, { files: true, onResult }).catch((error) => fail(name, error)),
        ] as const,
    ),
  );
  entries.sort(([, one], [, other]) => one.rmse.mean - other.rmse.mean);
  const sorted = Object.fromEntries(entries);
  const [best, ...others] = Object.keys(sorted);
  const pairs = others.map((name): readonly [string, string] => [name, best]);
  for (const pair of wanted) {
    const [than, name] = Object.keys(sorted).filter((one) => pair.includes(one));
    if (than !== best) pairs.push([name, than]);
  }
  const errors = (name: string) => sorted[name].results.map(({ rmse }) => rmse);
  const ratio = heldOutRatio(pool.folds);
  return {
    predictors: sorted,
    pairs: pairs.map(([name, than]) => {
      const difference = pairedDifference(errors(name), errors(than), ratio);
      const { p } = difference;
      return { name, than, difference, ...(p !== undefined && { real: p < 0.05 }) };
    }),
  };
}

function fail(name: string, error: unknown): never {
  throw error instanceof UserError ? new UserError(error.code, `${name}, ${error.marked}`) : error;
}

import jstat from 'jstat';
import type { Split } from '../data/dataset/split.ts';

/** What values, one a fold, say of the mean. */
export interface Estimate {
  readonly mean: number;
  /** The standard deviation over folds; 0 of one fold. */
  readonly deviation: number;
  /** The mean lies between these with a confidence of 95 %; absent where there is one fold. */
  readonly interval?: readonly [low: number, high: number];
}

export interface Difference extends Estimate {
  /**
   * How probable it is that a mean difference at least as large comes about by chance, by a two-sided paired t-test over
   * folds; absent where there is one fold.
   */
  readonly p?: number;
}

/**
 * The mean over folds, with an interval that takes into account that folds share most of their training ratings, which
 * the usual variance / folds does not: (1 / folds + ratings held out / ratings trained on) · variance.
 *
 * Source: Nadeau and Bengio (2003), "Inference for the generalization error", section 3.1.
 *
 * @param ratio of ratings held out to those trained on
 */
export function estimate(values: readonly number[], ratio: number): Estimate {
  const { length } = values;
  const mean = values.reduce((sum, value) => sum + value, 0) / length;
  if (length === 1) return { mean, deviation: 0 };
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (length - 1));
  const half = jstat.studentt.inv(0.975, length - 1) * standardError(deviation, length, ratio);
  return { mean, deviation, interval: [mean - half, mean + half] };
}

/** How far one predictor's errors are above another's on the same folds, by the variance of `estimate`. */
export function pairedDifference(
  values: readonly number[],
  others: readonly number[],
  ratio: number,
): Difference {
  const { length } = values;
  const result = estimate(
    values.map((value, fold) => value - others[fold]),
    ratio,
  );
  if (length === 1) return result;
  const { mean, deviation } = result;
  if (deviation === 0) return { ...result, p: mean === 0 ? 1 : 0 };
  const t = mean / standardError(deviation, length, ratio);
  return { ...result, p: 2 * jstat.studentt.cdf(-Math.abs(t), length - 1) };
}

const standardError = (deviation: number, folds: number, ratio: number): number =>
  Math.sqrt(1 / folds + ratio) * deviation;

/** Of ratings held out to those trained on, over all folds. */
export function heldOutRatio(folds: readonly Split[]): number {
  const sum = (part: keyof Split) => folds.reduce((total, fold) => total + fold[part].ratings.length, 0);
  return sum('valid') / sum('train');
}

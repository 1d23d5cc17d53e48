import { createRequire } from 'node:module';
import type { Split } from '../data/dataset/split.ts';

/** An estimate from one value per fold. */
export interface Estimate {
  readonly mean: number;
  /** Standard deviation over folds; 0 with one fold. */
  readonly deviation: number;
  /** 95 % confidence interval of the mean; absent with one fold. */
  readonly interval?: readonly [low: number, high: number];
}

export interface Difference extends Estimate {
  /** p-value of a two-sided paired t-test over folds; absent with one fold. */
  readonly p?: number;
}

/**
 * The mean over folds, with a confidence interval. Its variance is (1 / folds + held-out ratings / training ratings) ·
 * variance, because folds share most of their training ratings; the usual variance / folds assumes independent folds.
 *
 * Source: Nadeau and Bengio (2003), "Inference for the generalization error", section 3.1.
 *
 * @param ratio held-out ratings divided by training ratings
 */
export function estimate(values: readonly number[], ratio: number): Estimate {
  const { length } = values;
  const mean = values.reduce((sum, value) => sum + value, 0) / length;
  if (length === 1) return { mean, deviation: 0 };
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (length - 1));
  const half = cephes().stdtri(length - 1, 0.975) * standardError(deviation, length, ratio);
  return { mean, deviation, interval: [mean - half, mean + half] };
}

/** The mean difference between two predictors' errors on the same folds, with the variance of `estimate`. */
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
  return { ...result, p: 2 * cephes().stdtr(length - 1, -Math.abs(t)) };
}

interface StudentT {
  /** The probability of a value up to `t`. */
  stdtr(degreesOfFreedom: number, t: number): number;
  /** The inverse of `stdtr`. */
  stdtri(degreesOfFreedom: number, probability: number): number;
}

/** Required, because only the package's CommonJS module compiles its WebAssembly at once. */
const cephes = (): StudentT => createRequire(import.meta.url)('cephes');

const standardError = (deviation: number, folds: number, ratio: number): number =>
  Math.sqrt(1 / folds + ratio) * deviation;

/** Held-out ratings divided by training ratings, over all folds. */
export function heldOutRatio(folds: readonly Split[]): number {
  const sum = (part: keyof Split) => folds.reduce((total, fold) => total + fold[part].ratings.length, 0);
  return sum('valid') / sum('train');
}

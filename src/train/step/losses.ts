import { abs, lessOrEqual, mul, sub, type Value, where } from '../../onnx/index.ts';

export interface Loss {
  /** The loss of each rating, float[batch], from predicted and actual ratings, float[batch]. */
  each(predicted: Value, actual: Value): Value;
  /** The power of the ratings' unit in the unit of the loss. */
  readonly power: number;
  /** The error, in the unit of ratings, that the mean loss corresponds to, if there is one. */
  readonly error?: { readonly name: string; of(mean: number): number };
}

/** The losses by name. Huber's is quadratic up to an error of 1, and linear above it (Huber 1964). */
export const losses = {
  mse: {
    each(predicted, actual) {
      const error = sub(predicted, actual, 'error');
      return mul(error, error, 'squared_error');
    },
    power: 2,
    error: { name: 'RMSE', of: Math.sqrt },
  },
  l1: {
    each: (predicted, actual) => abs(sub(predicted, actual, 'error')),
    power: 1,
    error: { name: 'MAE', of: (mean) => mean },
  },
  huber: {
    each(predicted, actual) {
      const error = sub(predicted, actual, 'error');
      const size = abs(error);
      return where(lessOrEqual(size, 1), mul(mul(error, error), 0.5), sub(size, 0.5));
    },
    power: 1,
  },
} satisfies Record<string, Loss>;

export type LossName = keyof typeof losses;

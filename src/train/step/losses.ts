import { abs, lessOrEqual, mul, sub, type Value, where } from '../../onnx/index.ts';

export interface Loss {
  /** From predicted and actual ratings, float[batch], to what each rating loses, float[batch]. */
  each(predicted: Value, actual: Value): Value;
  /** The loss grows with this power of the unit of ratings. */
  readonly power: number;
  /** What the mean of the loss is as an error in units of the ratings, where it is one. */
  readonly error?: { readonly name: string; of(mean: number): number };
}

/** The losses by name. Huber's is quadratic up to an error of 1, linear beyond (Huber 1964). */
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

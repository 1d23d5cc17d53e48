import { abs, lessOrEqual, mul, reduceMean, sub, type Value, where } from '../../onnx/index.ts';

/** From predicted and actual ratings, float[batch], to a scalar: the mean over the batch. */
export type Loss = (predicted: Value, actual: Value) => Value;

export type LossName = 'mse' | 'l1' | 'huber';

/** Huber's loss is quadratic up to an error of 1, linear beyond (Huber 1964). */
export const losses: Readonly<Record<LossName, Loss>> = {
  mse: (predicted, actual) => {
    const error = sub(predicted, actual, 'error');
    return reduceMean(mul(error, error, 'squared_error'), {}, 'loss');
  },
  l1: (predicted, actual) => reduceMean(abs(sub(predicted, actual, 'error')), {}, 'loss'),
  huber: (predicted, actual) => {
    const error = sub(predicted, actual, 'error');
    const size = abs(error);
    const quadratic = mul(mul(error, error), 0.5);
    return reduceMean(where(lessOrEqual(size, 1), quadratic, sub(size, 0.5)), {}, 'loss');
  },
};

export interface Metrics {
  /** Root mean squared error, in units of the ratings. */
  readonly rmse: number;
  /** Mean absolute error. */
  readonly mae: number;
}

/** The errors of predictions. */
export function metrics(predicted: ArrayLike<number>, actual: ArrayLike<number>): Metrics {
  let squares = 0;
  let sizes = 0;
  for (let at = 0; at < actual.length; at++) {
    const error = predicted[at] - actual[at];
    squares += error * error;
    sizes += Math.abs(error);
  }
  return { rmse: Math.sqrt(squares / actual.length), mae: sizes / actual.length };
}

import type { Ratings } from '../data/dataset/ratings.ts';
import { bootstrap, type Interval } from './bootstrap.ts';
import { type Metrics, metrics } from './metrics.ts';

export interface ErrorsWithIntervals extends Metrics {
  /** 95 % confidence intervals over users; see `bootstrap`. */
  readonly intervals: Readonly<Record<keyof Metrics, Interval>>;
}

/** The errors of predictions. All unknown users count as one user. */
export function errorsWithIntervals(
  predicted: Float32Array,
  { users, userIds, ratings }: Pick<Ratings, 'users' | 'userIds' | 'ratings'>,
): ErrorsWithIntervals {
  const { squares, sizes, counts } = errorSums(predicted, ratings, users, userIds.length + 1);
  const ofUsers = [squares, sizes, counts].map((column) => column.filter((_, user) => counts[user] > 0));
  const [rmse, mae] = bootstrap(ofUsers, ([squares, sizes, ratings]) => [
    Math.sqrt(squares / ratings),
    sizes / ratings,
  ]);
  return { ...metrics(predicted, ratings), intervals: { rmse, mae } };
}

/** Sums of squared errors and of absolute errors, and numbers of ratings, by row. */
export interface ErrorSums {
  readonly squares: Float64Array;
  readonly sizes: Float64Array;
  readonly counts: Float64Array;
}

/** @param rows the row of each rating, of `length` rows */
export function errorSums(
  predicted: Float32Array,
  actual: Float32Array,
  rows: Int32Array,
  length: number,
): ErrorSums {
  const squares = new Float64Array(length);
  const sizes = new Float64Array(length);
  const counts = new Float64Array(length);
  for (let at = 0; at < actual.length; at++) {
    const error = predicted[at] - actual[at];
    squares[rows[at]] += error * error;
    sizes[rows[at]] += Math.abs(error);
    counts[rows[at]]++;
  }
  return { squares, sizes, counts };
}

import { allPairs, equal, initializer, unsqueeze, type Value, where } from '../../src/onnx/index.ts';
import { type Model, scoreOf } from '../models/model.ts';

/** The score of every item for each user, float[n, items + 1]; the last column is an unknown item. */
export function catalogueScores(
  model: Model,
  parameters: Readonly<Record<string, Value>>,
  userRow: Value,
  items: number,
): Value {
  const score = (user: Value, item: Value): Value => scoreOf(model, parameters, { user, item });
  return allPairs(score, userRow, allRows(items + 1));
}

/** Row numbers from 0, int64[count]. */
export const allRows = (count: number): Value =>
  initializer(
    'all_rows',
    'int64',
    [count],
    BigInt64Array.from({ length: count }, (_, row) => BigInt(row)),
  );

/** log(count + 1) of each item, float[items + 1]; the last element is that of an unknown item, 0. */
export function popularity(counts: ArrayLike<number>): Value {
  const logarithms = Float32Array.from([...Array.from(counts), 0], Math.log1p);
  return initializer('popularity', 'float', [logarithms.length], logarithms);
}

/**
 * The scores of a ranking model, with those of popular items for users of whom nothing is known.
 *
 * @param scores float[n, items + 1]
 * @param numbers [n]: a number for each user, and `nobody` for one of whom nothing is known
 */
export function orPopular(scores: Value, counts: ArrayLike<number>, numbers: Value, nobody: number): Value {
  const isNobody = unsqueeze(equal(numbers, nobody, 'is_nobody'), [1]);
  return where(isNobody, unsqueeze(popularity(counts), [0]), scores, 'scores');
}

import {
  concat,
  constant,
  expandLike,
  reshape,
  shapeOf,
  slice,
  unsqueeze,
  type Value,
  where,
} from '../../src/onnx/index.ts';
import { scoreOf } from '../models/model.ts';
import { withLentRow, withoutLentRow } from './lent-row.ts';
import { type Rates, servedRating } from './serving.ts';
import type { TopItems } from './top-items.ts';

/** Ratings of lists that the same model ranks: those that their scores stand for, float[n, k], padded with 0. */
export const ratingsFromScores = (part: Rates, { scores, none }: TopItems): Value =>
  where(none, 0, servedRating(part, scores));

/**
 * Ratings of lists that another model ranks, pair by pair, float[n, k], padded with 0.
 *
 * @param userRow int64[n]
 */
export function ratingsOf(
  part: Rates,
  parameters: Readonly<Record<string, Value>>,
  userRow: Value,
  { rows, none }: TopItems,
): Value {
  const [n, k] = rows.dims;
  const flat = (values: Value): Value => reshape(values, [-1], [`${n}*${k}`], `pair_${values.name}`);
  const users = flat(expandLike(unsqueeze(userRow, [1]), rows, 'user'));
  const items = flat(rows);
  // With a `k` of 0 there are no pairs.
  const [user, item] = [users, items].map((one) => withLentRow(one, 0));
  const pairs = servedRating(part, scoreOf(part.model, parameters, { user, item }));
  const ratings = withoutLentRow(pairs, items);
  // In a shape, a size of 0 would stand for that of the input, and −1 is inferred.
  const shape = concat([slice(shapeOf(rows), 0, 1), constant([-1], 'int64')], 0);
  return where(none, 0, reshape(ratings, shape, rows.dims));
}

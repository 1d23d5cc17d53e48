import * as onnx from '../../src/onnx/index.ts';
import {
  add,
  concat,
  gather,
  greaterOrEqual,
  less,
  slice,
  sub,
  unsqueeze,
  type Value,
  where,
} from '../../src/onnx/index.ts';
import { rowTable } from '../models/item-item.ts';
import type { WeightsRanking } from './serving.ts';

/**
 * The rows of the items that each user has, int64[n, m], padded with `items`.
 *
 * @param lists those of user u are from starts[u] to before starts[u + 1]
 * @param userRow int64[n]; one that is no row of a user has nothing
 * @param items number of items
 */
export function listsOfUsers(lists: WeightsRanking['lists'], userRow: Value, items: number): Value {
  const users = lists.starts.length - 1;
  // The unknown user's list is empty, and ends where the last user's does.
  const starts = BigInt64Array.from({ length: users + 2 }, (_, user) =>
    BigInt(lists.starts[Math.min(user, users)]),
  );
  const begins = onnx.initializer('starts', 'int64', [starts.length], starts);
  const start = gather(begins, userRow, 0, 'start');
  const count = sub(gather(begins, add(userRow, 1)), start, 'count');
  const most = onnx.reduceMax(concat([count, onnx.constant([0], 'int64')], 0), {}, 'most');
  const column = onnx.range(most, 'm', 'column');
  const index = add(unsqueeze(start, [1]), column, 'index');
  const length = lists.items.length;
  // Padding points at the element after all lists, which holds the row of unknown items.
  const within = where(less(column, unsqueeze(count, [1])), index, length, 'within');
  return onnx.cast(
    gather(rowTable('rated_rows', lists.items, [length + 1], items), within),
    'int64',
    'rated_row',
  );
}

/**
 * The rows of the items that people like, int64[n, m]; the others become `items`, as unknown items are.
 *
 * @param rating float[n, m]; undefined for a model of interactions, where everything listed counts
 */
export const likedRows = (
  itemRow: Value,
  rating: Value | undefined,
  { positive, items }: { readonly positive: number | 'all'; readonly items: number },
): Value =>
  positive === 'all' || !rating ? itemRow : where(greaterOrEqual(rating, positive), itemRow, items, 'had');

/**
 * Lists in descending order, in which each item is once and there is at least one element, int64[n, m]. So the sum over a
 * list is the same, to the last bit, in whatever order it was given.
 *
 * @param lists int64[n, m]; a number of `items` is an unknown item or padding
 */
export function inOrder(lists: Value, items: number): Value {
  const one = onnx.full(
    concat([slice(onnx.shapeOf(lists), 0, 1), onnx.constant([1], 'int64')], 0),
    0,
    'int64',
    {
      dims: [lists.dims[0], 1],
    },
  );
  const padded = concat([lists, add(one, items)], 1);
  const { values } = onnx.topK(padded, slice(onnx.shapeOf(padded), 1, 2), 'm', 'in_order');
  const end = onnx.constant([-1], 'int64');
  const before = concat(
    [sub(one, 1), slice(values, onnx.constant([0], 'int64'), end, { axis: 1, dim: 'before' })],
    1,
  );
  const repeated = onnx.equal(values, onnx.reshape(before, onnx.shapeOf(values), values.dims), 'repeated');
  return where(repeated, items, values, 'list');
}

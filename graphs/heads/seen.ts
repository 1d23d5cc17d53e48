import * as onnx from '../../src/onnx/index.ts';
import { add, gather, less, sub, unsqueeze, where } from '../../src/onnx/index.ts';
import type { Vocabulary } from './serving.ts';

/**
 * `user: string[n]` → `item: string[n, m]`: the items that each user rated in the training data, padded with '', in the
 * form of the `exclude` input of `recommend`. An unknown user has none.
 */
export function seenGraph(
  { userIds, itemIds }: Vocabulary,
  users: Int32Array,
  items: Int32Array,
): onnx.ModelParts {
  const user = onnx.input('user', 'string', ['n']);
  // The items of all users, one user after the other, and the index of each user's first; the unknown user has none.
  const starts = new BigInt64Array(userIds.length + 2);
  for (const row of users) starts[row + 1]++;
  for (let row = 0; row <= userIds.length; row++) starts[row + 1] += starts[row];
  const small = itemIds.length < 2 ** 16;
  const rated = new (small ? Uint16Array : Int32Array)(items.length + 1).fill(itemIds.length);
  const next = starts.slice();
  for (const [index, row] of users.entries()) rated[Number(next[row]++)] = items[index];

  const begins = onnx.initializer('starts', 'int64', [starts.length], starts);
  const row = onnx.labelEncoder(user, userIds, 'user_row');
  const start = gather(begins, row, 0, 'start');
  const count = sub(gather(begins, add(row, 1)), start, 'count');
  const most = onnx.reduceMax(onnx.concat([count, onnx.constant([0], 'int64')], 0), {}, 'most');
  const column = onnx.range(most, 'm', 'column');
  const index = add(unsqueeze(start, [1]), column, 'index');
  // Padding points at the element after all ratings, which holds the row of unknown items.
  const within = where(less(column, unsqueeze(count, [1])), index, items.length, 'within');
  const table = onnx.initializer('rated_rows', small ? 'uint16' : 'int32', [rated.length], rated);
  const names = onnx.initializer('item_ids', 'string', [itemIds.length + 1], [...itemIds, '']);
  const item = gather(names, onnx.cast(gather(table, within), 'int64', 'rated_row'));
  return { name: 'seen', inputs: [user], outputs: { item } };
}

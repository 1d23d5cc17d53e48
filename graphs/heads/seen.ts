import * as onnx from '../../src/onnx/index.ts';
import { listsOfUsers } from './lists.ts';
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
  const starts = new Int32Array(userIds.length + 1);
  for (const row of users) starts[row + 1]++;
  for (let row = 0; row < userIds.length; row++) starts[row + 1] += starts[row];
  const had = new Int32Array(items.length);
  const next = starts.slice();
  for (const [index, row] of users.entries()) had[next[row]++] = items[index];
  const row = onnx.labelEncoder(user, userIds, 'user_row');
  const lists = listsOfUsers({ starts, items: had }, row, itemIds.length);
  const names = onnx.initializer('item_ids', 'string', [itemIds.length + 1], [...itemIds, '']);
  return { name: 'seen', inputs: [user], outputs: { item: onnx.gather(names, lists) } };
}

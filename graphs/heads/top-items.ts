import * as onnx from '../../src/onnx/index.ts';
import { concat, constant, equal, fullLike, gather, min, type Value, where } from '../../src/onnx/index.ts';

/**
 * The `k` items with the highest scores, highest first. Of equal scores the lower row comes first.
 *
 * @param scores float[n, items + 1]; the last column, of unknown items, is ignored
 * @param excluded int64[n, m]: rows of items to leave out
 * @param k int64[1], at most the number of items; a higher one gives all items
 * @returns `items` string[n, k] and `scores` float[n, k], padded with '' and 0 where fewer items are left
 */
export function topItems(
  scores: Value,
  excluded: Value,
  k: Value,
  ids: readonly string[],
): { items: Value; scores: Value } {
  const unknown = fullLike(gather(scores, constant([0], 'int64'), 1), ids.length, 'int64', 'unknown_row');
  const never = concat([excluded, unknown], 1, 'never');
  const nothing = fullLike(never, Number.NEGATIVE_INFINITY, 'float');
  const open = onnx.scatterElements(scores, never, nothing, { axis: 1, name: 'open' });
  const { values, indices } = onnx.topK(open, min(k, constant([ids.length], 'int64'), 'k_at_most'), 'k');
  const none = equal(values, Number.NEGATIVE_INFINITY, 'none_left');
  const names = onnx.initializer('item_ids', 'string', [ids.length + 1], [...ids, '']);
  return { items: gather(names, where(none, ids.length, indices)), scores: where(none, 0, values) };
}

import * as onnx from '../../src/onnx/index.ts';
import { concat, constant, equal, fullLike, gather, min, type Value, where } from '../../src/onnx/index.ts';

/**
 * The `k` items of the highest scores, the highest first; of equal ones the first row comes first.
 *
 * @param scores float[n, items + 1], the last column of which, that of unknown items, is left out
 * @param excluded int64[n, m], rows that are left out too
 * @param k int64[1]; as many as there are items if it is more
 * @returns `items` string[n, k] and `scores` float[n, k]; where too few items are left, '' and 0
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
  const { values, places } = onnx.topK(open, min(k, constant([ids.length], 'int64'), 'k_at_most'), 'k');
  const none = equal(values, Number.NEGATIVE_INFINITY, 'none_left');
  const names = onnx.initializer('item_ids', 'string', [ids.length + 1], [...ids, '']);
  return { items: gather(names, where(none, ids.length, places)), scores: where(none, 0, values) };
}

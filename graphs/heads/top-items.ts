import * as onnx from '../../src/onnx/index.ts';
import { concat, constant, equal, fullLike, gather, min, type Value, where } from '../../src/onnx/index.ts';

/** Lists of items. Where fewer items are left than a list has places, it is padded. */
export interface TopItems {
  /** Ids, string[n, k], padded with ''. */
  readonly items: Value;
  /** float[n, k], padded with 0. */
  readonly scores: Value;
  /** Row numbers, int64[n, k], padded with the row of unknown items. */
  readonly rows: Value;
  /** Whether a place is padding, bool[n, k]. */
  readonly none: Value;
}

/**
 * The `k` items with the highest scores, highest first. Of equal scores the lower row comes first.
 *
 * @param scores float[n, items + 1]; the last column, of unknown items, is ignored
 * @param excluded int64[n, m]: rows of items to leave out
 * @param k int64[1], at most the number of items; a higher one gives all items
 */
export function topItems(scores: Value, excluded: Value, k: Value, ids: readonly string[]): TopItems {
  const unknown = fullLike(gather(scores, constant([0], 'int64'), 1), ids.length, 'int64', 'unknown_row');
  const never = concat([excluded, unknown], 1, 'never');
  const nothing = fullLike(never, Number.NEGATIVE_INFINITY, 'float');
  const open = onnx.scatterElements(scores, never, nothing, { axis: 1, name: 'open' });
  const { values, indices } = onnx.topK(open, min(k, constant([ids.length], 'int64'), 'k_at_most'), 'k');
  const none = equal(values, Number.NEGATIVE_INFINITY, 'none_left');
  const names = onnx.initializer('item_ids', 'string', [ids.length + 1], [...ids, '']);
  const rows = where(none, ids.length, indices, 'top_row');
  return { items: gather(names, rows), scores: where(none, 0, values), rows, none };
}

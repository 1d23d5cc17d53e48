import * as onnx from '../../src/onnx/index.ts';
import { add, div, equal, gather, matmul, mul, sqrt, where } from '../../src/onnx/index.ts';
import type { Model } from '../models/model.ts';
import { withLentRow, withoutLentRow } from './lent-row.ts';
import { servingTables, type Tensors, type Vocabulary } from './serving.ts';
import { topItems } from './top-items.ts';

/**
 * `item: string[n]`, `k: int64[1]` → `similar: string[n, k]`, `similarity: float[n, k]`: the items with the highest cosine
 * similarity of factors (−1 to 1), highest first, without the item itself. For an unknown item all entries are '' and 0.
 *
 * @returns undefined for a model whose items have no factors
 */
export function similarGraph(
  model: Model,
  trained: Tensors,
  { itemIds }: Vocabulary,
): onnx.ModelParts | undefined {
  const tables = servingTables(model, trained);
  const factors = Object.entries(model.parameters)
    .filter(([, { dims, rowsOf }]) => rowsOf === 'item' && dims.length === 2)
    .map(([name]) => tables[name]);
  if (factors.length === 0) return undefined;
  const item = onnx.input('item', 'string', ['n']);
  const k = onnx.input('k', 'int64', [1]);
  const row = withLentRow(onnx.labelEncoder(item, itemIds, 'item_row'), itemIds.length);
  const table = onnx.concat(factors, 1, 'factors');
  const squares = onnx.reduceSum(mul(table, table), { axes: [1], keepDims: true });
  // The constant gives factors that are all zero a similarity of 0, not NaN.
  const directions = div(table, add(sqrt(squares), 1e-12), 'directions');
  const cosine = matmul(gather(directions, row), onnx.transpose(directions), 'cosine');
  const self = onnx.unsqueeze(row, [1]);
  const known = where(equal(self, itemIds.length), Number.NEGATIVE_INFINITY, cosine, 'known_cosine');
  const top = topItems(known, self, k, itemIds);
  return {
    name: `similar ${model.name}`,
    inputs: [item, k],
    outputs: {
      similar: withoutLentRow(top.items, item),
      similarity: withoutLentRow(top.scores, item),
    },
  };
}

import * as onnx from '../../src/onnx/index.ts';
import { add, div, equal, gather, matmul, mul, sqrt, type Value, where } from '../../src/onnx/index.ts';
import { weightsFrom } from './by-weights.ts';
import { withLentRow, withoutLentRow } from './lent-row.ts';
import {
  isByWeights,
  type LearnedRanking,
  type RankingPart,
  type RatingPart,
  servingTables,
  type Vocabulary,
} from './serving.ts';
import { topItems } from './top-items.ts';

/**
 * `item: string[n]`, `k: int64[1]` → `similar: string[n, k]`, `similarity: float[n, k]`: the most similar items, the most
 * similar first, without the item itself. The similarity is the cosine of the angle between the factors of both items (−1 to
 * 1), or, of a model of weights, what having the one adds to the score of the other. For an unknown item all entries are ''
 * and 0.
 *
 * @returns undefined for a model whose items have neither factors nor weights
 */
export function similarGraph(
  part: RankingPart | RatingPart,
  { itemIds }: Vocabulary,
): onnx.ModelParts | undefined {
  const item = onnx.input('item', 'string', ['n']);
  const k = onnx.input('k', 'int64', [1]);
  const row = withLentRow(onnx.labelEncoder(item, itemIds, 'item_row'), itemIds.length);
  const similarities = isByWeights(part) ? weightsFrom(part, row) : cosines(part, row);
  if (!similarities) return undefined;
  const self = onnx.unsqueeze(row, [1]);
  const known = where(equal(self, itemIds.length), Number.NEGATIVE_INFINITY, similarities, 'known');
  const top = topItems(known, self, k, itemIds);
  return {
    name: `similar ${part.model.name}`,
    inputs: [item, k],
    outputs: {
      similar: withoutLentRow(top.items, item),
      similarity: withoutLentRow(top.scores, item),
    },
  };
}

/** The cosines of items with all items, float[n, items + 1]; undefined for a model whose items have no factors. */
function cosines({ model, trained }: LearnedRanking | RatingPart, row: Value): Value | undefined {
  const tables = servingTables(model, trained);
  const factors = Object.entries(model.parameters)
    .filter(([, { dims, rowsOf }]) => rowsOf === 'item' && dims.length === 2)
    .map(([name]) => tables[name]);
  if (factors.length === 0) return undefined;
  const table = onnx.concat(factors, 1, 'factors');
  const squares = onnx.reduceSum(mul(table, table), { axes: [1], keepDims: true });
  // The constant gives factors that are all zero a similarity of 0, not NaN.
  const directions = div(table, add(sqrt(squares), 1e-12), 'directions');
  return matmul(gather(directions, row), onnx.transpose(directions), 'cosine');
}

import { gather, input, labelEncoder, type ModelParts } from '../../src/onnx/index.ts';
import { isByWeights, type RankingPart, type RatingPart, servingTables, type Vocabulary } from './serving.ts';

/**
 * `item: string[n]` → the row of each item in every item parameter: `item_factors: float[n, 50]`,
 * `item_bias: float[n]`. An unknown item gets the average row.
 *
 * @returns undefined for a model without item parameters
 */
export function factorsGraph(
  part: RankingPart | RatingPart,
  { itemIds }: Vocabulary,
): ModelParts | undefined {
  if (isByWeights(part)) return undefined;
  const { model, trained } = part;
  const item = input('item', 'string', ['n']);
  const row = labelEncoder(item, itemIds, 'item_row');
  const tables = Object.entries(servingTables(model, trained)).filter(
    ([name]) => model.parameters[name].rowsOf === 'item',
  );
  if (tables.length === 0) return undefined;
  return {
    name: `factors ${model.name}`,
    inputs: [item],
    outputs: Object.fromEntries(tables.map(([name, table]) => [name, gather(table, row)])),
  };
}

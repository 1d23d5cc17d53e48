import { gather, input, labelEncoder, type ModelParts } from '../../src/onnx/index.ts';
import type { Model } from '../models/model.ts';
import { servingTables, type Tensors, type Vocabulary } from './serving.ts';

/**
 * `item: string[n]` → the row of each item in every item parameter: `item_factors: float[n, 50]`,
 * `item_bias: float[n]`. An unknown item gets the average row.
 *
 * @returns undefined for a model without item parameters
 */
export function factorsGraph(
  model: Model,
  trained: Tensors,
  { itemIds }: Vocabulary,
): ModelParts | undefined {
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

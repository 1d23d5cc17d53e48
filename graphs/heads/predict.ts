import { buildModel, input, labelEncoder, type ModelFile, type ModelParts } from '../../src/onnx/index.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { type Model, ratingOf } from '../models/model.ts';
import { servingTables, type Tensors, type Vocabulary } from './serving.ts';

/**
 * `user: string[n]`, `item: string[n]` → `rating: float[n]`. An unknown id gets the average row of each parameter.
 */
export function predictGraph(model: Model, trained: Tensors, { userIds, itemIds }: Vocabulary): ModelParts {
  const user = input('user', 'string', ['n']);
  const item = input('item', 'string', ['n']);
  const userRow = labelEncoder(user, userIds, 'user_row');
  const itemRow = labelEncoder(item, itemIds, 'item_row');
  const rating = ratingOf(model, servingTables(model, trained), { user: userRow, item: itemRow });
  return { name: `predict ${model.name}`, inputs: [user, item], outputs: { rating } };
}

/**
 * Predictions by row number, with the serving parameters as inputs, for a model in training: `user`, `item` int32[n] →
 * `rating` float[n].
 */
export function scoreGraph(model: Model): ModelFile {
  const user = input('user', 'int32', ['n']);
  const item = input('item', 'int32', ['n']);
  const parameters = mapValues(model.parameters, ({ dims: [rows, ...rest], rowsOf }, name) =>
    input(name, 'float', [rowsOf ? rows + 1 : rows, ...rest]),
  );
  const rating = ratingOf(model, parameters, { user, item });
  const inputs = [...Object.values(parameters), user, item];
  return buildModel({ name: `score ${model.name}`, inputs, outputs: { rating } });
}

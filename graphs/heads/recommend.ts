import {
  allPairs,
  initializer,
  input,
  labelEncoder,
  type ModelParts,
  type Value,
} from '../../src/onnx/index.ts';
import { type Model, ratingOf } from '../models/model.ts';
import { withLentRow, withoutLentRow } from './lent-row.ts';
import { servingTables, type Tensors, type Vocabulary } from './serving.ts';
import { topItems } from './top-items.ts';

/**
 * `user: string[n]`, `k: int64[1]`, `exclude: string[n, m]` (padded with '') → `item: string[n, k]`,
 * `rating: float[n, k]`: for each user the `k` items with the highest predicted ratings, highest first, except those
 * excluded. A `k` above the number of items gives all items. An unknown user gets the average row of each user parameter.
 */
export function recommendGraph(model: Model, trained: Tensors, { userIds, itemIds }: Vocabulary): ModelParts {
  const user = input('user', 'string', ['n']);
  const k = input('k', 'int64', [1]);
  const exclude = input('exclude', 'string', ['n', 'm']);
  const userRow = withLentRow(labelEncoder(user, userIds, 'user_row'), userIds.length);
  const excluded = withLentRow(labelEncoder(exclude, itemIds, 'excluded_row'), itemIds.length);
  const ratings = catalogueRatings(model, servingTables(model, trained), userRow, itemIds.length);
  const top = topItems(ratings, excluded, k, itemIds);
  return {
    name: `recommend ${model.name}`,
    inputs: [user, k, exclude],
    outputs: { item: withoutLentRow(top.items, user), rating: withoutLentRow(top.scores, user) },
  };
}

/** The predicted rating of every item by each user, float[n, items + 1]; the last column is an unknown item. */
export function catalogueRatings(
  model: Model,
  parameters: Readonly<Record<string, Value>>,
  userRow: Value,
  items: number,
): Value {
  return allPairs((user, item) => ratingOf(model, parameters, { user, item }), userRow, allRows(items + 1));
}

const allRows = (count: number): Value =>
  initializer(
    'all_rows',
    'int64',
    [count],
    BigInt64Array.from({ length: count }, (_, row) => BigInt(row)),
  );

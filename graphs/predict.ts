import {
  buildModel,
  initializer,
  input,
  labelEncoder,
  type ModelFile,
  type ModelParts,
  type Value,
} from '../src/onnx/index.ts';
import { type Model, noDropout, ratingOf } from './model.ts';

/** The ids of users and items, in the order of their rows. */
export interface Vocabulary {
  readonly userIds: readonly string[];
  readonly itemIds: readonly string[];
}

/** Parameters by name: shape and elements. */
export type Tensors = Readonly<
  Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>
>;

/** A model's parameters as they serve: every table has one more row, the average of all, for ids never seen. */
export function servingParameters(model: Model, trained: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(model.parameters).map(([name, { rowsOf }]) => [
      name,
      rowsOf ? withAverageRow(trained[name]) : trained[name],
    ]),
  );
}

/** The serving parameters, as tensors kept in the graph. */
export function servingTables(model: Model, trained: Tensors): Readonly<Record<string, Value>> {
  return Object.fromEntries(
    Object.entries(servingParameters(model, trained)).map(([name, { dims, data }]) => [
      name,
      initializer(name, 'float', dims, data),
    ]),
  );
}

/**
 * `user: string[n]`, `item: string[n]` → `rating: float[n]`, self-contained. An id that is not in the vocabulary has
 * the average of all rows for its factors and its bias.
 */
export function predictGraph(model: Model, trained: Tensors, { userIds, itemIds }: Vocabulary): ModelParts {
  const user = input('user', 'string', ['n']);
  const item = input('item', 'string', ['n']);
  const userRow = labelEncoder(user, userIds, 'user_row');
  const itemRow = labelEncoder(item, itemIds, 'item_row');
  const rating = ratingOf(model, servingTables(model, trained), userRow, itemRow, noDropout);
  return { name: `predict ${model.name}`, inputs: [user, item], outputs: { rating } };
}

/** The row numbers of a table: int64[count]. */
export const allRows = (count: number): Value =>
  initializer(
    'all_rows',
    'int64',
    [count],
    BigInt64Array.from({ length: count }, (_, row) => BigInt(row)),
  );

/**
 * The same by row numbers, with the serving parameters as inputs, for a model in training: `user`, `item` int32[n] →
 * `rating` float[n].
 */
export function scoreGraph(model: Model): ModelFile {
  const user = input('user', 'int32', ['n']);
  const item = input('item', 'int32', ['n']);
  const parameters = Object.fromEntries(
    Object.entries(model.parameters).map(
      ([
        name,
        {
          dims: [rows, ...rest],
          rowsOf,
        },
      ]) => [name, input(name, 'float', [rowsOf ? rows + 1 : rows, ...rest])],
    ),
  );
  const rating = ratingOf(model, parameters, user, item, noDropout);
  const inputs = [...Object.values(parameters), user, item];
  return buildModel({ name: `score ${model.name}`, inputs, outputs: { rating } });
}

function withAverageRow({ dims: [rows, ...rest], data }: Tensors[string]): Tensors[string] {
  const width = data.length / rows;
  const extended = new Float32Array(data.length + width);
  extended.set(data);
  for (let column = 0; column < width; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += data[row * width + column];
    extended[data.length + column] = sum / rows;
  }
  return { dims: [rows + 1, ...rest], data: extended };
}

import {
  buildModel,
  concat,
  initializer,
  input,
  labelEncoder,
  type ModelFile,
  reduceMean,
  type Value,
} from '../src/onnx/index.ts';
import { type Model, noDropout } from './model.ts';

/** The ids of users and items, in the order of their rows. */
export interface Vocabulary {
  readonly userIds: readonly string[];
  readonly itemIds: readonly string[];
}

/** A parameter's elements, by its name. */
export type ParameterValues = Readonly<Record<string, { readonly data: Float32Array }>>;

/**
 * `user: string[n]`, `item: string[n]` → `rating: float[n]`, self-contained. An id that is not in the vocabulary has
 * the average of all rows for its factors and its bias.
 */
export function predictGraph(
  model: Model,
  values: ParameterValues,
  { userIds, itemIds }: Vocabulary,
  metadata: Readonly<Record<string, string>> = {},
): ModelFile {
  const user = input('user', 'string', ['n']);
  const item = input('item', 'string', ['n']);
  const parameters = Object.fromEntries(
    Object.entries(model.parameters).map(([name, { dims, rowsOf }]) => {
      if (!rowsOf) return [name, initializer(name, 'float', dims, values[name].data)];
      const [rows, ...rest] = dims;
      return [name, initializer(name, 'float', [rows + 1, ...rest], withAverageRow(values[name].data, rows))];
    }),
  );
  const userRow = labelEncoder(user, userIds, 'user_row');
  const itemRow = labelEncoder(item, itemIds, 'item_row');
  const rating = model.rating(parameters, userRow, itemRow, noDropout);
  return buildModel({ name: `predict ${model.name}`, inputs: [user, item], outputs: { rating }, metadata });
}

/**
 * The same by row numbers, with the parameters as inputs, for a model in training: `user`, `item` int32[n] → `rating`
 * float[n]. The row after the last is the average.
 */
export function scoreGraph(model: Model): ModelFile {
  const user = input('user', 'int32', ['n']);
  const item = input('item', 'int32', ['n']);
  const given: Value[] = [];
  const parameters = Object.fromEntries(
    Object.entries(model.parameters).map(([name, { dims, rowsOf }]) => {
      const value = input(name, 'float', dims);
      given.push(value);
      return [name, rowsOf ? concat([value, reduceMean(value, { axes: [0], keepDims: true })], 0) : value];
    }),
  );
  const rating = model.rating(parameters, user, item, noDropout);
  return buildModel({ name: `score ${model.name}`, inputs: [...given, user, item], outputs: { rating } });
}

function withAverageRow(table: Float32Array, rows: number): Float32Array {
  const width = table.length / rows;
  const extended = new Float32Array(table.length + width);
  extended.set(table);
  for (let column = 0; column < width; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += table[row * width + column];
    extended[table.length + column] = sum / rows;
  }
  return extended;
}

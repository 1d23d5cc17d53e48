import { substitute } from '../../src/onnx/graph.ts';
import * as onnx from '../../src/onnx/index.ts';
import { add, div, matmul, mul, reduceSum, reshape, sqrt, sub, type Value } from '../../src/onnx/index.ts';
import { choleskyRoot } from '../../src/util/linear-algebra.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { type Model, ratingOf } from '../models/model.ts';
import { catalogueRatings } from './recommend.ts';
import { servingTables, type Tensors, type Vocabulary } from './serving.ts';
import { topItems } from './top-items.ts';

/** Steps for each unit of √curvature: what is left of the way then is about e^−STEPS. */
const STEPS = 12;
const MOST_STEPS = 1000;

const LEAST_ERROR = 1e-3;

/**
 * For a person the model has never seen: `item: string[m]`, `rating: float[m]`, `k: int64[1]` → the person's row of
 * each user parameter, by its name; and `top_item: string[k]`, `top_rating: float[k]`, the best items that are not
 * among those rated. Unknown items are passed over. To a model without user parameters all people are one.
 *
 * @param error the root mean square error of predictions
 */
export function foldInGraph(
  model: Model,
  trained: Tensors,
  { itemIds }: Vocabulary,
  error: number,
): onnx.ModelParts {
  const item = onnx.input('item', 'string', ['m']);
  const rating = onnx.input('rating', 'float', ['m']);
  const k = onnx.input('k', 'int64', [1]);
  const itemRow = onnx.labelEncoder(item, itemIds, 'item_row');
  const known = onnx.cast(onnx.less(itemRow, itemIds.length), 'float', 'known');
  const tables = servingTables(model, trained);
  const users = Object.entries(model.parameters)
    .filter(([, { rowsOf }]) => rowsOf === 'user')
    .map(([name]) => [name, trained[name]] as const);
  // A perfect fit would leave the prior no say at all.
  const spread = Math.max(error, LEAST_ERROR);
  const rows =
    users.length > 0
      ? mostProbableRows(users, ratingOfRows(model, tables, itemRow), { rating, known }, spread)
      : {};
  const parameters = { ...tables, ...rows };
  const ratings = catalogueRatings(model, parameters, onnx.constant([0], 'int64'), itemIds.length);
  const top = topItems(ratings, onnx.unsqueeze(itemRow, [0]), k, itemIds);
  return {
    name: `fold-in ${model.name}`,
    inputs: [item, rating, k],
    outputs: {
      // No scalars: Triton's configurations know none.
      ...mapValues(rows, (row) => (row.dims.length > 1 ? onnx.squeeze(row, [0]) : row)),
      top_item: onnx.squeeze(top.items, [0]),
      top_rating: onnx.squeeze(top.scores, [0]),
    },
  };
}

type Named = Readonly<Record<string, Value>>;

/**
 * The most probable row of each user table, given ratings: their errors are normal with the deviation `spread`, and a
 * user's parameters are normal with the mean and covariance of the trained users'. It is found by Nesterov's accelerated
 * gradient descent (1983), in a loop, from the gradient of the model's own formula. A step is 1 / L, where L bounds the
 * curvature of the Gauss–Newton approximation by its trace.
 *
 * @param predict from a row of each table for each rating to the predicted ratings, float[m]
 * @param known float[m], 1 for ratings that count and 0 for those that do not
 */
function mostProbableRows(
  trained: readonly (readonly [name: string, table: Tensors[string]])[],
  predict: (copies: Named) => Value,
  { rating, known }: { readonly rating: Value; readonly known: Value },
  spread: number,
): Named {
  const tables = trained.map(([name, { dims: shape, data }]) => {
    const dims = shape.slice(1);
    return { name, dims, data, width: dims.reduce((product, dim) => product * dim, 1) };
  });
  const widths = tables.map((table) => table.width);
  const width = widths.reduce((sum, one) => sum + one, 0);
  const users = prior(tables);
  const mean = onnx.initializer('mean', 'float', [1, width], users.mean);
  const root = onnx.initializer('covariance_root', 'float', [width, width], users.root);
  const each = onnx.unsqueeze(onnx.fullLike(known, 1, 'float'), [1], 'each_rating');

  /** The rows of the user tables, from one row of all in units of the prior, of which zero is the mean. */
  const rowsOf = (unit: Value): Value[] =>
    onnx
      .split(add(matmul(unit, root), mean, 'row'), widths, 1)
      .map((part, place) => reshape(part, [1, ...tables[place].dims], undefined, tables[place].name));
  const named = (rows: readonly Value[]): Named =>
    Object.fromEntries(rows.map((row, place) => [tables[place].name, row]));
  const slopeAt = (unit: Value): { gradient: Value; bound: Value } => {
    // Each rating has a copy of the row, whose gradient is that of its own prediction.
    const copies = rowsOf(unit).map((row, place) => {
      const { name, dims } = tables[place];
      return reshape(mul(reshape(row, [1, -1]), each), [-1, ...dims], ['m', ...dims], name);
    });
    const predicted = predict(named(copies));
    const slopes = onnx.gradients(reduceSum(mul(predicted, known)), copies);
    const flat = slopes.map((slope, place) => reshape(slope, [-1, widths[place]], ['m', widths[place]]));
    const slope = div(matmul(onnx.concat(flat, 1), onnx.transpose(root)), spread, 'slope');
    const residual = div(mul(sub(predicted, rating), known), spread, 'residual');
    return {
      gradient: add(matmul(onnx.unsqueeze(residual, [0]), slope), unit, 'gradient'),
      bound: add(reduceSum(mul(slope, slope)), 1, 'bound'),
    };
  };

  const start = onnx.initializer('start', 'float', [1, width], new Float32Array(width));
  const steps = onnx.cast(mul(sqrt(slopeAt(start).bound), STEPS), 'int64', 'steps');
  const { state } = onnx.loop(onnx.min(steps, MOST_STEPS), [start, start], (_, [unit, ahead]) => {
    const { gradient, bound } = slopeAt(ahead);
    const condition = sqrt(bound);
    const momentum = div(sub(condition, 1), add(condition, 1), 'momentum');
    const next = sub(ahead, div(gradient, bound), 'next');
    return { state: [next, add(next, mul(sub(next, unit), momentum), 'next_ahead')], scan: [] };
  });
  return named(rowsOf(state[0]));
}

/** The model's formula for ratings whose users' rows are there already, one for each: nothing is looked up. */
function ratingOfRows(model: Model, tables: Named, item: Value): (rows: Named) => Value {
  const user = onnx.rowNumbers(item, 'person');
  return (rows) => {
    const stand = mapValues(rows, ({ dims }, name) => onnx.input(name, 'float', dims));
    const predicted = ratingOf(model, { ...tables, ...stand }, { user, item });
    const replacements = new Map(Object.entries(rows).map(([name, row]) => [stand[name], row]));
    for (const [place, use] of onnx.lookups([predicted], Object.values(stand)).entries())
      for (const found of use.lookups)
        if (found.indices === user) replacements.set(found.rows, Object.values(rows)[place]);
    return substitute([predicted], replacements)[0];
  };
}

/** Users that say well enough how factors vary. */
const SAMPLE = 20_000;

/** The mean of all users’ rows in tables side by side, and an upper triangular R, whose RᵀR is their covariance. */
function prior(tables: readonly { data: Float32Array; width: number }[]) {
  const width = tables.reduce((sum, table) => sum + table.width, 0);
  const all = tables[0].data.length / tables[0].width;
  const stride = Math.ceil(all / SAMPLE);
  const users = Math.ceil(all / stride);
  const mean = new Float64Array(width);
  const covariance = new Float64Array(width * width);
  const row = new Float64Array(width);
  const eachRow = (visit: () => void): void => {
    for (let user = 0; user < all; user += stride) {
      let column = 0;
      for (const table of tables)
        for (let at = 0; at < table.width; at++) row[column++] = table.data[user * table.width + at];
      visit();
    }
  };
  eachRow(() => {
    for (let column = 0; column < width; column++) mean[column] += row[column] / users;
  });
  eachRow(() => {
    for (let i = 0; i < width; i++)
      for (let j = i; j < width; j++)
        covariance[i * width + j] += ((row[i] - mean[i]) * (row[j] - mean[j])) / users;
  });
  return { mean: Float32Array.from(mean), root: Float32Array.from(choleskyRoot(covariance, width)) };
}

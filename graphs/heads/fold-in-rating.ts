import { substitute } from '../../src/onnx/graph.ts';
import * as onnx from '../../src/onnx/index.ts';
import { add, div, matmul, mul, reduceSum, reshape, sqrt, sub, type Value } from '../../src/onnx/index.ts';
import { choleskyRoot } from '../../src/util/linear-algebra.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { type Model, ratingOf } from '../models/model.ts';
import type { RatingPart, Tensors } from './serving.ts';

/** Steps of gradient descent per unit of √curvature. About e^−STEPS of the initial error remains after them. */
const STEPS = 12;
const MOST_STEPS = 1000;

const LEAST_ERROR = 1e-3;

type Named = Readonly<Record<string, Value>>;

/**
 * Fold-in of a person into a model of ratings: their most probable row of each user parameter.
 *
 * @param tables the serving parameters
 * @param itemRow int64[m]: the items that the person rated; a number of `items` is an unknown item
 * @param rating float[m]
 * @returns the rows, [1, …] each, by parameter
 */
export function foldedByRatings(
  { model, trained, error }: RatingPart,
  tables: Named,
  { itemRow, rating, items }: { readonly itemRow: Value; readonly rating: Value; readonly items: number },
): Named {
  const users = Object.entries(model.parameters)
    .filter(([, { rowsOf }]) => rowsOf === 'user')
    .map(([name]) => [name, trained[name]] as const);
  if (users.length === 0) return {};
  const known = onnx.cast(onnx.less(itemRow, items), 'float', 'known');
  const predict = ratingOfRows(model, tables, itemRow);
  // With an error of zero the prior would have no effect.
  return mostProbableRows(users, predict, { rating, known }, Math.max(error, LEAST_ERROR));
}

/**
 * The most probable row of each user table, given ratings (maximum a posteriori). Errors are normal with standard
 * deviation `deviation`; the prior of a user's parameters is normal with the mean and covariance of the trained users.
 * Nesterov's accelerated gradient descent (1983) finds it, in a loop, with the gradient of the model's own formula. The
 * step size is 1 / L, where L is the trace of the Gauss–Newton approximation and so bounds its curvature.
 *
 * @param predict maps one row of each table per rating to the predicted ratings, float[m]
 * @param known float[m]: 1 for a rating of a known item, 0 for one of an unknown item
 */
function mostProbableRows(
  trained: readonly (readonly [name: string, table: Tensors[string]])[],
  predict: (copies: Named) => Value,
  { rating, known }: { readonly rating: Value; readonly known: Value },
  deviation: number,
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
  const ones = onnx.unsqueeze(onnx.fullLike(known, 1, 'float'), [1], 'each_rating');

  /** The rows of the user tables from whitened parameters, float[1, width], where zero is the mean of the prior. */
  const rowsOf = (unit: Value): Value[] =>
    onnx
      .split(add(matmul(unit, root), mean, 'row'), widths, 1)
      .map((part, index) => reshape(part, [1, ...tables[index].dims], undefined, tables[index].name));
  const named = (rows: readonly Value[]): Named =>
    Object.fromEntries(rows.map((row, index) => [tables[index].name, row]));
  const gradientAt = (unit: Value): { gradient: Value; bound: Value } => {
    // Each rating gets its own copy of the row, so that one backward pass gives the gradient of each prediction.
    const copies = rowsOf(unit).map((row, index) => {
      const { name, dims } = tables[index];
      return reshape(mul(reshape(row, [1, -1]), ones), [-1, ...dims], ['m', ...dims], name);
    });
    const predicted = predict(named(copies));
    const each = onnx.gradients(reduceSum(mul(predicted, known)), copies);
    const flat = each.map((gradient, index) => reshape(gradient, [-1, widths[index]], ['m', widths[index]]));
    const jacobian = div(matmul(onnx.concat(flat, 1), onnx.transpose(root)), deviation, 'jacobian');
    const residual = div(mul(sub(predicted, rating), known), deviation, 'residual');
    return {
      gradient: add(matmul(onnx.unsqueeze(residual, [0]), jacobian), unit, 'gradient'),
      bound: add(reduceSum(mul(jacobian, jacobian)), 1, 'bound'),
    };
  };

  const start = onnx.initializer('start', 'float', [1, width], new Float32Array(width));
  const steps = onnx.cast(mul(sqrt(gradientAt(start).bound), STEPS), 'int64', 'steps');
  const { state } = onnx.loop(onnx.min(steps, MOST_STEPS), [start, start], (_, [unit, ahead]) => {
    const { gradient, bound } = gradientAt(ahead);
    const condition = sqrt(bound);
    const momentum = div(sub(condition, 1), add(condition, 1), 'momentum');
    const next = sub(ahead, div(gradient, bound), 'next');
    return { state: [next, add(next, mul(sub(next, unit), momentum), 'next_ahead')], scan: [] };
  });
  return named(rowsOf(state[0]));
}

/** The model's formula with the users' rows given, one per rating, in place of lookups in the user tables. */
function ratingOfRows(model: Model, tables: Named, item: Value): (rows: Named) => Value {
  const user = onnx.rowNumbers(item, 'person');
  return (rows) => {
    const placeholders = mapValues(rows, ({ dims }, name) => onnx.input(name, 'float', dims));
    const predicted = ratingOf(model, { ...tables, ...placeholders }, { user, item });
    const replacements = new Map(Object.entries(rows).map(([name, row]) => [placeholders[name], row]));
    for (const [index, use] of onnx.lookups([predicted], Object.values(placeholders)).entries())
      for (const found of use.lookups)
        if (found.indices === user) replacements.set(found.rows, Object.values(rows)[index]);
    return substitute([predicted], replacements)[0];
  };
}

/** So many users are enough to estimate the covariance of the factors. */
const SAMPLE = 20_000;

/**
 * The mean and covariance of the users' rows, with all tables side by side. `root` is the upper triangular R of
 * covariance = RᵀR.
 */
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

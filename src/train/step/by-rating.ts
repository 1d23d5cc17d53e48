import { type Dropout, type Model, ratingOf } from '../../../graphs/models/model.ts';
import { isLookup, nodesBefore, substitute } from '../../onnx/graph.ts';
import {
  type Dim,
  fullLike,
  GraphError,
  gather,
  gatherElements,
  gradients,
  initializer,
  input,
  matmul,
  mul,
  reciprocal,
  reduceMean,
  scatterElements,
  scatterRows,
  sub,
  unsqueeze,
  type Value,
} from '../../onnx/index.ts';
import { mapValues } from '../../util/map-values.ts';
import { type Batch, carriedDims, type Layout, type LayoutOptions, stateName } from './layout.ts';
import type { Loss } from './losses.ts';
import type { Optimizer, Scalars, State } from './optimizers.ts';
import { placeholders, tablesOf } from './tables.ts';

/** Rows that a formula looks up in a table. */
interface Lookup {
  /** int64[n] */
  readonly ids: Value;
  /** float[n, …] */
  readonly rows: Value;
}

/** How an optimizer steps by single ratings. */
export interface ByRating {
  /** Weight decay for as much as is added to the state of a row; of matrices alone, not of biases. */
  readonly weightDecay: number;
  /**
   * What a rating adds to the state of a row, by the square of its bias's gradient, or, of a row without a bias, by the
   * mean square of its gradient: float[n].
   */
  contributions(square: Value): State;
  /**
   * By what gradients are multiplied, float[rows] or a scalar: the learning rate, below zero.
   *
   * @param besideBias of factors in a row with a bias
   */
  downhill(state: State, scalars: Scalars, besideBias: boolean): Value;
}

/** A lookup and the gradient of its rows: `rows`, times the numbers `scale` of each, float[n], where it is a product. */
interface RowsOfGradient {
  readonly ids: Value;
  readonly scale?: Value;
  readonly rows: Value;
}

/**
 * A step for each rating, all from where the tables were before the batch. They add up, so the gradients of a row that
 * is rated more than once need no gathering first; and biases stay vectors, so that nothing is split and joined.
 */
export function byRatingLayout(
  model: Model<unknown, Dim>,
  optimizer: Optimizer,
  byRating: ByRating,
  loss: Loss,
  { lossScale }: LayoutOptions,
): Layout {
  const names = Object.keys(model.parameters);
  const tables = tablesOf(model);
  const carried = Object.entries(carriedDims(model, optimizer)).map(([name, dims]) =>
    input(name, 'float', dims),
  );

  function step(values: readonly Value[], batch: Batch, scalars: Scalars, dropout: Dropout) {
    const current = Object.fromEntries(carried.map(({ name }, place) => [name, values[place]]));
    const { error, lookups } = formulaOf(model, loss, current, batch, dropout);
    const whole = names.filter((name) => !lookups[name]);
    const targets = [
      ...whole.map((name) => current[name]),
      ...Object.values(lookups).flatMap((uses) => uses.map(({ rows }) => rows)),
    ];
    const slopes = optimizer.summed ? slopesOfSum(error, targets) : gradients(error, targets);
    const next: Record<string, Value> = {};
    for (const name of whole) {
      const state = stateOf(current, name);
      const slope = slopes.shift() as Value;
      const accumulated = optimizer.accumulate(optimizer.decay(state, scalars), slope, scalars);
      next[name] = optimizer.update(current[name], accumulated, slope, scalars);
      for (const part of optimizer.state) next[stateName(name, part)] = accumulated[part];
    }
    const steps = mapValues(lookups, (uses) =>
      uses.map(({ ids }) => ({ ids, ...scaledRows(slopes.shift() as Value) })),
    );
    const squaresOf = onceForEach(meanSquares);
    for (const [first, ...more] of tables) {
      if (!lookups[first]) continue;
      const columns = [first, ...more].map((name) => ({ name, steps: steps[name] }));
      const bias = columns.find(({ name }) => model.parameters[name].dims.length === 1);
      const state = accumulate(stateOf(current, first), (bias ?? columns[0]).steps, squaresOf);
      for (const part of optimizer.state) next[stateName(first, part)] = state[part];
      for (const column of columns)
        next[column.name] = moved(
          current[column.name],
          stateOf(current, first),
          column.steps,
          state,
          bias !== undefined,
          scalars,
        );
    }
    return { values: carried.map(({ name }) => next[name]), error };
  }

  /** The gradients of the sum over the batch, of which the loss is the mean. */
  function slopesOfSum(mean: Value, targets: readonly Value[]): Value[] {
    const node = mean.source.kind === 'node' ? mean.source.node : undefined;
    const [each] = node?.operator === 'ReduceMean' ? node.inputs : [];
    if (each?.dims.length !== 1) throw new GraphError('the loss must be the mean of what each rating loses');
    return gradients(each, targets, fullLike(each, lossScale));
  }

  const stateOf = (values: Readonly<Record<string, Value>>, name: string): State =>
    Object.fromEntries(optimizer.state.map((part) => [part, values[stateName(name, part)]]));

  function accumulate(
    state: State,
    steps: readonly RowsOfGradient[],
    squaresOf: (step: RowsOfGradient) => Value,
  ): State {
    const squares = steps.map((step) => byRating.contributions(squaresOf(step)));
    return mapValues(state, (sums, part) =>
      steps.reduce(
        (sum, { ids }, place) => scatterElements(sum, ids, squares[place][part], { reduction: 'add' }),
        sums,
      ),
    );
  }

  /** A table after the steps of its rows. */
  function moved(
    table: Value,
    before: State,
    steps: readonly RowsOfGradient[],
    state: State,
    besideBias: boolean,
    scalars: Scalars,
  ): Value {
    const isMatrix = table.dims.length > 1;
    const downhill = byRating.downhill(state, scalars, isMatrix && besideBias);
    let result = table;
    if (isMatrix && byRating.weightDecay > 0) {
      const [added] = Object.entries(state).map(([part, sums]) => sub(sums, before[part]));
      // By the implicit rule, which no number of ratings can upset.
      result = timesRows(table, reciprocal(sub(1, mul(downhill, mul(added, byRating.weightDecay)))));
    }
    for (const { ids, scale, rows } of steps) {
      const ofIds = downhill.dims.length > 0 ? gatherElements(downhill, ids) : downhill;
      const step = timesRows(rows, scale ? mul(scale, ofIds) : ofIds);
      result = isMatrix
        ? scatterRows(result, ids, step, { reduction: 'add' })
        : scatterElements(result, ids, step, { reduction: 'add' });
    }
    return result;
  }

  return {
    carried,
    state: carried,
    step,
    results: (state) => carried.map(({ name }, place) => [name, state[place]]),
  };
}

/** The formula and its loss, with the rows of tables that it does nothing with but look up rows. */
function formulaOf(
  model: Model<unknown, Dim>,
  loss: Loss,
  tables: Readonly<Record<string, Value>>,
  { user, item, actual }: Batch,
  dropout: Dropout,
): { error: Value; lookups: Record<string, Lookup[]> } {
  const parameters = placeholders(model);
  const formula = loss(ratingOf(model, parameters, user, item, dropout), actual);
  const nodes = nodesBefore([formula]);
  const replacements = new Map<Value, Value>();
  const lookups: Record<string, Lookup[]> = {};
  for (const [name, parameter] of Object.entries(parameters)) {
    const uses = nodes.filter((node) => node.inputs.includes(parameter));
    if (!uses.every((node) => isLookup(node, parameter) && node.inputs[1].dims.length === 1)) {
      replacements.set(parameter, tables[name]);
      continue;
    }
    // What is looked up twice by the same ids is looked up once.
    const rowsOf = new Map<Value, Value>();
    for (const { inputs, outputs } of uses) {
      const ids = inputs[1];
      // Gather takes as long for a number as for a row of 50.
      const look = parameter.dims.length === 1 ? gatherElements : gather;
      const rows = rowsOf.get(ids) ?? look(tables[name], ids);
      rowsOf.set(ids, rows);
      replacements.set(outputs[0], rows);
    }
    lookups[name] = Array.from(rowsOf, ([ids, rows]) => ({ ids, rows }));
  }
  return { error: substitute([formula], replacements)[0], lookups };
}

/** A gradient as a product with one number a row, where it is one: it need not be multiplied out. */
function scaledRows(gradient: Value): Omit<RowsOfGradient, 'ids'> {
  const { source, dims } = gradient;
  if (source.kind === 'node' && source.node.operator === 'Mul' && dims.length > 1) {
    const { inputs } = source.node;
    for (const [place, factor] of inputs.entries()) {
      const scale = unstretched(factor);
      const rows = inputs[1 - place];
      if (scale?.dims.join() === dims[0] && rows.dims.join() === dims.join()) return { scale, rows };
    }
  }
  return { rows: gradient };
}

/** What a tensor was before it was stretched by new axes; undefined where it was not. */
function unstretched({ source }: Value): Value | undefined {
  if (source.kind !== 'node' || !['Expand', 'Unsqueeze'].includes(source.node.operator)) return undefined;
  const [inner] = source.node.inputs;
  return unstretched(inner) ?? inner;
}

/** The mean square of each row of a gradient. */
function meanSquares({ scale, rows }: RowsOfGradient): Value {
  const gradient = scale ? timesRows(rows, scale) : rows;
  return meanOfRows(mul(gradient, gradient));
}

/** The same again for the same rows, as those of a user's and an item's bias are. */
function onceForEach(make: (step: RowsOfGradient) => Value): (step: RowsOfGradient) => Value {
  const made = new Map<Value, Value>();
  return (step) => {
    if (step.scale) return make(step);
    const value = made.get(step.rows) ?? make(step);
    made.set(step.rows, value);
    return value;
  };
}

/** All axes but the first. */
const axesInRows = (rows: Value): number[] => rows.dims.slice(1).map((_, axis) => axis + 1);

/** The mean of each row. */
export function meanOfRows(rows: Value): Value {
  const axes = axesInRows(rows);
  return axes.length > 0 ? reduceMean(rows, { axes }) : rows;
}

/** Rows, each times a number of its own, or all times a scalar. */
export function timesRows(rows: Value, numbers: Value): Value {
  const axes = axesInRows(rows);
  if (numbers.dims.length === 0 || axes.length === 0) return mul(rows, numbers);
  const column = unsqueeze(numbers, axes);
  const width = rows.dims[1];
  // Stretched first: ONNX Runtime multiplies tables of one shape at once, but by a column row by row.
  return axes.length === 1 && typeof width === 'number'
    ? mul(rows, matmul(column, ones(width)))
    : mul(rows, column);
}

const ones = (width: number): Value =>
  initializer('ones', 'float', [1, width], new Float32Array(width).fill(1));

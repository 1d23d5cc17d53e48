import { type Dropout, type Model, ratingOf } from '../../../graphs/models/model.ts';
import { substitute } from '../../onnx/graph.ts';
import type { Dim, Lookup, Value } from '../../onnx/index.ts';
import * as onnx from '../../onnx/index.ts';
import { mapValues } from '../../util/map-values.ts';
import { type Batch, carriedInputs, type Layout, type StepOptions, stateName } from './layout.ts';
import type { Optimizer, RowRule, Scalars, State } from './optimizers/optimizer.ts';
import { meanOfRows, timesRows } from './rows.ts';
import { type Named, placeholders, tablesOf } from './tables.ts';
import { update } from './update.ts';

/** The ids of a lookup, and the gradient of its rows: `rows`, times the numbers of `scale`, float[n], if there are any. */
interface RowsOfGradient {
  readonly ids: Value;
  readonly scale?: Value;
  readonly rows: Value;
}

/**
 * Takes a step for each rating; all steps of a batch start from the same parameters, and are added up. So the gradients of
 * a row that occurs several times need not be summed first. Biases stay vectors, so no table is split or concatenated.
 */
export function byRatingLayout(model: Model<Dim>, options: StepOptions, rule: RowRule): Layout {
  const { optimizer, lossScale = 1 } = options;
  const names = Object.keys(model.parameters);
  const tables = tablesOf(model);
  const carried = carriedInputs(model, optimizer);

  function step(values: readonly Value[], batch: Batch, scalars: Scalars, dropout: Dropout) {
    const current = Object.fromEntries(carried.map(({ name }, index) => [name, values[index]]));
    const stateOf = (name: string): State =>
      Object.fromEntries(optimizer.state.map((part) => [part, current[stateName(name, part)]]));
    const { each, found } = formulaOf(model, options, current, { ...batch, dropout });
    const error = onnx.reduceMean(each, {}, 'loss');
    const whole = names.filter((name) => !found[name]);
    const targets = [
      ...whole.map((name) => current[name]),
      ...Object.values(found).flatMap((uses) => uses.map(({ rows }) => rows)),
    ];
    const gradients = optimizer.summed
      ? onnx.gradients(each, targets, onnx.fullLike(each, lossScale))
      : onnx.gradients(error, targets);
    const next: Record<string, Value> = {};
    const keepState = (name: string, state: State): void => {
      for (const part of optimizer.state) next[stateName(name, part)] = state[part];
    };
    for (const name of whole) {
      const before = { parameter: current[name], state: stateOf(name) };
      const { rate = 1 } = model.parameters[name];
      const own = mapValues(scalars, (scalar) => paced(optimizer, scalar, rate));
      const rule = { optimizer, sparseUpdates: true, scalars: own };
      const after = update(rule, before, gradients.shift() as Value);
      next[name] = after.parameter;
      keepState(name, after.state);
    }
    const steps = mapValues(found, (uses) =>
      uses.map(({ indices: ids }) => ({ ids, ...scaledRows(gradients.shift() as Value) })),
    );
    const squaresOf = onceForEach(meanSquares);
    for (const [first, ...more] of tables) {
      if (!found[first]) continue;
      const columns = [first, ...more];
      const bias = biasAmong(model, columns);
      const before = stateOf(first);
      const contributions = steps[bias ?? first].map((one) => ({
        ids: one.ids,
        added: rule.contributions(squaresOf(one)),
      }));
      const state = mapValues(before, (sums, part) =>
        contributions.reduce((sum, { ids, added }) => addElements(sum, ids, added[part]), sums),
      );
      keepState(first, state);
      for (const name of columns) {
        const negatedRate = rateOf(model, optimizer, columns)(name, state, scalars);
        const kept = decayed(current[name], { before, state, negatedRate, rule });
        next[name] = moved(kept, steps[name], negatedRate);
      }
    }
    return { values: carried.map(({ name }) => next[name]), error };
  }

  return {
    carried,
    state: carried,
    step,
    results: (state) => carried.map(({ name }, index) => [name, state[index]]),
  };
}

const biasAmong = ({ parameters }: Model<Dim>, columns: readonly string[]): string | undefined =>
  columns.find((name) => parameters[name].dims.length === 1);

/** The negated learning rates of a parameter's rows, whose columns share a state. */
export function rateOf(model: Model<Dim>, optimizer: Optimizer, columns: readonly string[]) {
  const bias = biasAmong(model, columns);
  return (name: string, state: State, scalars: Scalars): Value => {
    const { dims, rate = 1 } = model.parameters[name];
    const rule = optimizer.byRow as RowRule;
    return paced(optimizer, rule.negatedRate(state, scalars, dims.length > 1 && bias !== undefined), rate);
  };
}

/** A learning rate times that of a parameter. */
const paced = ({ summed }: Optimizer, rates: Value, rate: number): Value =>
  summed && rate !== 1 ? onnx.mul(rates, rate) : rates;

const addElements = (vector: Value, ids: Value, added: Value): Value =>
  onnx.scatterElements(vector, ids, added, { reduction: 'add' });

interface Accumulated {
  readonly before: State;
  readonly state: State;
  readonly negatedRate: Value;
  readonly rule: RowRule;
}

/** A table after implicit weight decay, which is stable with any number of ratings. */
function decayed(table: Value, step: Accumulated): Value {
  const { before, state, negatedRate, rule } = step;
  if (table.dims.length === 1 || rule.weightDecay === 0) return table;
  const [added] = Object.entries(state).map(([part, sums]) => onnx.sub(sums, before[part]));
  return timesRows(
    table,
    onnx.reciprocal(onnx.sub(1, onnx.mul(negatedRate, onnx.mul(added, rule.weightDecay)))),
  );
}

function moved(table: Value, steps: readonly RowsOfGradient[], negatedRate: Value): Value {
  return steps.reduce((result, { ids, scale, rows }) => {
    const ofIds = negatedRate.dims.length > 0 ? onnx.gatherElements(negatedRate, ids) : negatedRate;
    const step = timesRows(rows, scale ? onnx.mul(scale, ofIds) : ofIds);
    return table.dims.length > 1
      ? onnx.scatterRows(result, ids, step, { reduction: 'add' })
      : addElements(result, ids, step);
  }, table);
}

/** The loss of each rating, and the lookups in tables in which the formula only looks up rows. */
function formulaOf(
  model: Model<Dim>,
  { loss }: StepOptions,
  tables: Named,
  { user, item, actual, dropout }: Batch & { readonly dropout: Dropout },
): { each: Value; found: Record<string, Lookup[]> } {
  const parameters = placeholders(model);
  const formula = loss.each(ratingOf(model, parameters, { user, item }, dropout), actual);
  const uses = onnx.lookups([formula], Object.values(parameters));
  const replacements = new Map<Value, Value>();
  const found: Record<string, Lookup[]> = {};
  for (const [index, [name, parameter]] of Object.entries(parameters).entries()) {
    const { lookups, others } = uses[index];
    if (others.length > 0 || lookups.some(({ indices }) => indices.dims.length !== 1)) {
      replacements.set(parameter, tables[name]);
      continue;
    }
    // Two lookups with the same ids become one.
    const rowsOf = new Map<Value, Value>();
    for (const { indices, rows: before } of lookups) {
      // Gather takes as long for one number as for a row of 50.
      const look = parameter.dims.length === 1 ? onnx.gatherElements : onnx.gather;
      const rows = rowsOf.get(indices) ?? look(tables[name], indices);
      rowsOf.set(indices, rows);
      replacements.set(before, rows);
    }
    found[name] = Array.from(rowsOf, ([indices, rows]) => ({ indices, rows }));
  }
  return { each: substitute([formula], replacements)[0], found };
}

/** Splits a gradient that is a product of rows and one number per row into its factors, to save the multiplication. */
function scaledRows(gradient: Value): Omit<RowsOfGradient, 'ids'> {
  const { source, dims } = gradient;
  if (source.kind === 'node' && source.node.operator === 'Mul' && dims.length > 1) {
    const { inputs } = source.node;
    for (const [index, factor] of inputs.entries()) {
      const scale = unstretched(factor);
      const rows = inputs[1 - index];
      if (scale?.dims.join() === dims[0] && rows.dims.join() === dims.join()) return { scale, rows };
    }
  }
  return { rows: gradient };
}

/** The tensor that was expanded by new axes to this one; undefined if it was not expanded. */
function unstretched({ source }: Value): Value | undefined {
  if (source.kind !== 'node' || !['Expand', 'Unsqueeze'].includes(source.node.operator)) return undefined;
  const [inner] = source.node.inputs;
  return unstretched(inner) ?? inner;
}

function meanSquares({ scale, rows }: RowsOfGradient): Value {
  const gradient = scale ? timesRows(rows, scale) : rows;
  return meanOfRows(onnx.mul(gradient, gradient));
}

/** Caches `make` by rows, because the rows of a user's and an item's bias have the same gradient. */
function onceForEach(make: (step: RowsOfGradient) => Value): (step: RowsOfGradient) => Value {
  const made = new Map<Value, Value>();
  return (step) => {
    if (step.scale) return make(step);
    const value = made.get(step.rows) ?? make(step);
    made.set(step.rows, value);
    return value;
  };
}

import { type Dropout, type Model, ratingOf } from '../../../graphs/models/model.ts';
import { substitute } from '../../onnx/graph.ts';
import type { Dim, Lookup, Value } from '../../onnx/index.ts';
import * as onnx from '../../onnx/index.ts';
import { mapValues } from '../../util/map-values.ts';
import { type Batch, carriedInputs, type Layout, type StepOptions, stateName } from './layout.ts';
import type { RowRule, Scalars, State } from './optimizers/optimizer.ts';
import { meanOfRows, timesRows } from './rows.ts';
import { type Named, placeholders, tablesOf } from './tables.ts';
import { update } from './update.ts';

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
export function byRatingLayout(model: Model<Dim>, options: StepOptions, rule: RowRule): Layout {
  const { optimizer, lossScale = 1 } = options;
  const names = Object.keys(model.parameters);
  const tables = tablesOf(model);
  const carried = carriedInputs(model, optimizer);

  function step(values: readonly Value[], batch: Batch, scalars: Scalars, dropout: Dropout) {
    const current = Object.fromEntries(carried.map(({ name }, place) => [name, values[place]]));
    const stateOf = (name: string): State =>
      Object.fromEntries(optimizer.state.map((part) => [part, current[stateName(name, part)]]));
    const { each, found } = formulaOf(model, options, current, { ...batch, dropout });
    const error = onnx.reduceMean(each, {}, 'loss');
    const whole = names.filter((name) => !found[name]);
    const targets = [
      ...whole.map((name) => current[name]),
      ...Object.values(found).flatMap((uses) => uses.map(({ rows }) => rows)),
    ];
    const slopes = optimizer.summed
      ? onnx.gradients(each, targets, onnx.fullLike(each, lossScale))
      : onnx.gradients(error, targets);
    const next: Record<string, Value> = {};
    const keepState = (name: string, state: State): void => {
      for (const part of optimizer.state) next[stateName(name, part)] = state[part];
    };
    for (const name of whole) {
      const before = { parameter: current[name], state: stateOf(name) };
      const after = update({ optimizer, sparseUpdates: true, scalars }, before, slopes.shift() as Value);
      next[name] = after.parameter;
      keepState(name, after.state);
    }
    const steps = mapValues(found, (uses) =>
      uses.map(({ indices: ids }) => ({ ids, ...scaledRows(slopes.shift() as Value) })),
    );
    const squaresOf = onceForEach(meanSquares);
    for (const [first, ...more] of tables) {
      if (!found[first]) continue;
      const columns = [first, ...more];
      const bias = columns.find((name) => model.parameters[name].dims.length === 1);
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
        const downhill = rule.downhill(state, scalars, current[name].dims.length > 1 && bias !== undefined);
        const kept = decayed(current[name], { before, state, downhill, rule });
        next[name] = moved(kept, steps[name], downhill);
      }
    }
    return { values: carried.map(({ name }) => next[name]), error };
  }

  return {
    carried,
    state: carried,
    step,
    results: (state) => carried.map(({ name }, place) => [name, state[place]]),
  };
}

const addElements = (vector: Value, ids: Value, added: Value): Value =>
  onnx.scatterElements(vector, ids, added, { reduction: 'add' });

interface Accumulated {
  readonly before: State;
  readonly state: State;
  readonly downhill: Value;
  readonly rule: RowRule;
}

/** A table after weight decay, by the implicit rule, which no number of ratings can upset. */
function decayed(table: Value, step: Accumulated): Value {
  const { before, state, downhill, rule } = step;
  if (table.dims.length === 1 || rule.weightDecay === 0) return table;
  const [added] = Object.entries(state).map(([part, sums]) => onnx.sub(sums, before[part]));
  return timesRows(
    table,
    onnx.reciprocal(onnx.sub(1, onnx.mul(downhill, onnx.mul(added, rule.weightDecay)))),
  );
}

function moved(table: Value, steps: readonly RowsOfGradient[], downhill: Value): Value {
  return steps.reduce((result, { ids, scale, rows }) => {
    const ofIds = downhill.dims.length > 0 ? onnx.gatherElements(downhill, ids) : downhill;
    const step = timesRows(rows, scale ? onnx.mul(scale, ofIds) : ofIds);
    return table.dims.length > 1
      ? onnx.scatterRows(result, ids, step, { reduction: 'add' })
      : addElements(result, ids, step);
  }, table);
}

/** What each rating loses, with the rows of tables that the formula does nothing with but look up rows. */
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
  for (const [place, [name, parameter]] of Object.entries(parameters).entries()) {
    const { lookups, others } = uses[place];
    if (others.length > 0 || lookups.some(({ indices }) => indices.dims.length !== 1)) {
      replacements.set(parameter, tables[name]);
      continue;
    }
    // What is looked up twice by the same ids is looked up once.
    const rowsOf = new Map<Value, Value>();
    for (const { indices, rows: before } of lookups) {
      // Gather takes as long for a number as for a row of 50.
      const look = parameter.dims.length === 1 ? onnx.gatherElements : onnx.gather;
      const rows = rowsOf.get(indices) ?? look(tables[name], indices);
      rowsOf.set(indices, rows);
      replacements.set(before, rows);
    }
    found[name] = Array.from(rowsOf, ([indices, rows]) => ({ indices, rows }));
  }
  return { each: substitute([formula], replacements)[0], found };
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

function meanSquares({ scale, rows }: RowsOfGradient): Value {
  const gradient = scale ? timesRows(rows, scale) : rows;
  return meanOfRows(onnx.mul(gradient, gradient));
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

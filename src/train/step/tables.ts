import { type Model, noDropout, ratingOf } from '../../../graphs/models/model.ts';
import { isLookup, nodesBefore, substitute } from '../../onnx/graph.ts';
import {
  concat,
  type Dim,
  GraphError,
  gather,
  input,
  split,
  squeeze,
  unsqueeze,
  type Value,
} from '../../onnx/index.ts';

/** Parameters by name. */
export type Named = Readonly<Record<string, Value>>;

/**
 * Which parameters lie side by side in one table while they are trained: all that the formula only looks up by user, and
 * all by item, so that a step gathers, updates and scatters once for them. Any other parameter is a table of its own.
 *
 * @throws GraphError if the formula does not use a parameter, or does not give one number a rating.
 */
export function tablesOf(model: Model<unknown, Dim>): string[][] {
  const parameters = placeholders(model);
  const ids = { user: input('user', 'int64', ['batch']), item: input('item', 'int64', ['batch']) };
  const rating = ratingOf(model, parameters, ids.user, ids.item, noDropout);
  const tables: Record<string, string[]> = {};
  for (const [name, { dims, rowsOf }] of Object.entries(model.parameters)) {
    const lookups = uses(parameters[name], rating);
    if (lookups.length === 0)
      throw new GraphError(`model "${model.name}": its rating does not depend on "${name}"`);
    const table = parameters[name];
    const together =
      rowsOf &&
      dims.length <= 2 &&
      lookups.every((node) => isLookup(node, table) && node.inputs[1] === ids[rowsOf]);
    tables[together ? rowsOf : name] = [...(tables[together ? rowsOf : name] ?? []), name];
  }
  return Object.values(tables);
}

/** A stand-in for each parameter. */
export function placeholders(model: Model<unknown, Dim>): Named {
  return Object.fromEntries(
    Object.entries(model.parameters).map(([name, { dims }]) => [name, input(name, 'float', dims)]),
  );
}

/** One table from columns: matrices, and vectors, which become a column each. */
export function pack(columns: readonly Value[]): Value {
  if (columns.length === 1) return columns[0];
  const matrices = columns.map((column) => (column.dims.length === 1 ? unsqueeze(column, [1]) : column));
  return concat(matrices, 1, columns.map(({ name }) => name).join('+'));
}

/** The columns of a table, or of rows of it, with as many axes as those of `like`. */
export function unpack(table: Value, like: readonly Value[]): Value[] {
  if (like.length === 1) return [table];
  const widths = like.map(({ dims }) => Number(dims[1] ?? 1));
  return split(table, widths, 1).map((column, place) =>
    like[place].dims.length === 1 ? squeeze(column, [1]) : column,
  );
}

/** `loss` with tables in place of the placeholders that it was made from. */
export function withTables(
  loss: Value,
  parameters: Named,
  tables: readonly string[][],
  values: readonly Value[],
): Value {
  const replacements = new Map<Value, Value>();
  for (const [place, names] of tables.entries()) {
    const columns = names.map((name) => parameters[name]);
    if (columns.length === 1) {
      replacements.set(columns[0], values[place]);
      continue;
    }
    const lookups = columns.map((column) => uses(column, loss));
    const parts = unpack(gather(values[place], lookups[0][0].inputs[1]), columns);
    for (const [column, nodes] of lookups.entries()) {
      for (const node of nodes) replacements.set(node.outputs[0], parts[column]);
    }
  }
  return substitute([loss], replacements)[0];
}

function uses(value: Value, result: Value) {
  return nodesBefore([result]).filter((node) => node.inputs.includes(value));
}

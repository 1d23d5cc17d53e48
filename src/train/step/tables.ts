import { type Model, ratingOf } from '../../../graphs/models/model.ts';
import { substitute } from '../../onnx/graph.ts';
import type { Dim, Value } from '../../onnx/index.ts';
import * as onnx from '../../onnx/index.ts';
import { mapValues } from '../../util/map-values.ts';

export type Named = Readonly<Record<string, Value>>;

/**
 * Groups parameters into tables for training: those that the formula only looks up by user, and those that it only looks up
 * by item. A step then gathers, updates and scatters once per table. Any other parameter is a table by itself, as is one with
 * a state of its own.
 *
 * @throws GraphError if the formula does not use a parameter, or does not give one number per rating
 */
export function tablesOf(model: Model<Dim>): string[][] {
  const parameters = placeholders(model);
  const ids = { user: onnx.input('user', 'int64', ['batch']), item: onnx.input('item', 'int64', ['batch']) };
  const uses = onnx.lookups([ratingOf(model, parameters, ids)], Object.values(parameters));
  const tables: Record<string, string[]> = {};
  for (const [index, [name, { dims, rowsOf, ownState }]] of Object.entries(model.parameters).entries()) {
    const { lookups, others } = uses[index];
    if (lookups.length + others.length === 0)
      throw new onnx.GraphError(`model "${model.name}": its rating does not depend on "${name}"`);
    const together =
      rowsOf &&
      !ownState &&
      dims.length <= 2 &&
      others.length === 0 &&
      lookups.every(({ indices }) => indices === ids[rowsOf]);
    const table = together ? rowsOf : name;
    tables[table] = [...(tables[table] ?? []), name];
  }
  return Object.values(tables);
}

/** A placeholder for each parameter. */
export const placeholders = (model: Model<Dim>): Named =>
  mapValues(model.parameters, ({ dims }, name) => onnx.input(name, 'float', dims));

/** Concatenates matrices and vectors to one table, with each vector as a column. */
export function pack(columns: readonly Value[]): Value {
  if (columns.length === 1) return columns[0];
  const matrices = columns.map((column) => (column.dims.length === 1 ? onnx.unsqueeze(column, [1]) : column));
  return onnx.concat(matrices, 1, columns.map(({ name }) => name).join('+'));
}

/** Splits a table, or rows of it, into matrices and vectors like those of `like`. */
export function unpack(table: Value, like: readonly Value[]): Value[] {
  if (like.length === 1) return [table];
  const widths = like.map(({ dims }) => Number(dims[1] ?? 1));
  return onnx
    .split(table, widths, 1)
    .map((column, index) => (like[index].dims.length === 1 ? onnx.squeeze(column, [1]) : column));
}

/** Replaces the placeholders in a formula by tables. */
export function withTables(
  formula: Value,
  parameters: Named,
  tables: readonly string[][],
  values: readonly Value[],
): Value {
  const replacements = new Map<Value, Value>();
  for (const [index, names] of tables.entries()) {
    const columns = names.map((name) => parameters[name]);
    if (columns.length === 1) {
      replacements.set(columns[0], values[index]);
      continue;
    }
    const uses = onnx.lookups([formula], columns);
    const parts = unpack(onnx.gather(values[index], uses[0].lookups[0].indices), columns);
    for (const [column, { lookups }] of uses.entries())
      for (const { rows } of lookups) replacements.set(rows, parts[column]);
  }
  return substitute([formula], replacements)[0];
}

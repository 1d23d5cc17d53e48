import { type Model, ratingOf } from '../../../graphs/models/model.ts';
import { type Dim, reduceMean } from '../../onnx/index.ts';
import { carriedInputs, type Layout, type StepOptions, stateName } from './layout.ts';
import { parameterGradients } from './row-gradients.ts';
import { pack, placeholders, tablesOf, unpack, withTables } from './tables.ts';
import { update } from './update.ts';

/**
 * Takes one step per batch, with the gradient of the mean loss. All parameters of users, and all of items, are columns of
 * one table.
 */
export function packedLayout(model: Model<Dim>, { optimizer, loss, sparseUpdates }: StepOptions): Layout {
  const parts = ['', ...optimizer.state];
  const carried = carriedInputs(model, optimizer);
  // The loop's state is each table, followed by its optimizer state. Outside the loop they are separate tensors.
  const tables = tablesOf(model);
  const byName = Object.fromEntries(carried.map((value) => [value.name, value]));
  const columns = tables.flatMap((names) =>
    parts.map((part) => names.map((name) => byName[stateName(name, part)])),
  );
  return {
    carried,
    state: columns.map(pack),
    step(values, { actual, ...ids }, scalars, dropout) {
      const groups = tables.map((_, index) => values.slice(index * parts.length, (index + 1) * parts.length));
      const trained = groups.map(([table]) => table);
      const parameters = placeholders(model);
      const each = loss.each(ratingOf(model, parameters, ids, dropout), actual);
      const error = reduceMean(withTables(each, parameters, tables, trained), {}, 'loss');
      const gradients = parameterGradients(error, trained);
      const updated = groups.flatMap(([parameter, ...own], index) => {
        const state = Object.fromEntries(optimizer.state.map((part, offset) => [part, own[offset]]));
        const next = update({ optimizer, sparseUpdates, scalars }, { parameter, state }, gradients[index]);
        return [next.parameter, ...optimizer.state.map((part) => next.state[part])];
      });
      return { values: updated, error };
    },
    results: (state) =>
      columns.flatMap((like, index) =>
        unpack(state[index], like).map((value, column) => [like[column].name, value] as const),
      ),
  };
}

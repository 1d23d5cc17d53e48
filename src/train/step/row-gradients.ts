import { isLookup, nodesBefore } from '../../onnx/graph.ts';
import { cast, concat, gradients, reshape, summedRows, type Value } from '../../onnx/index.ts';

/** The gradient of a table of which few rows were used: all other rows have none. */
export interface RowGradient {
  /** int64[n], with duplicates. */
  readonly ids: Value;
  /** [n, …]: the whole gradient of the row, the same wherever an id occurs again. */
  readonly rows: Value;
}

/** The gradients of rows that were looked up in a table, once for each time. */
export interface LookupGradient {
  /** int[n] */
  readonly ids: Value;
  /** [n, …] */
  readonly rows: Value;
}

/** The gradient of each parameter: of every lookup, where the loss uses nothing but rows gathered from it. */
export function lookupGradients(
  loss: Value,
  parameters: readonly Value[],
): (Value | readonly LookupGradient[])[] {
  const nodes = nodesBefore([loss]);
  const lookups = parameters.map((table) => {
    const uses = nodes.filter((node) => node.inputs.includes(table));
    const onlyRows = uses.length > 0 && uses.every((node) => isLookup(node, table));
    return onlyRows ? uses.map((node) => ({ ids: node.inputs[1], rows: node.outputs[0] })) : undefined;
  });
  const targets = parameters.flatMap((parameter, at) => lookups[at]?.map(({ rows }) => rows) ?? [parameter]);
  const slopes = gradients(loss, targets);
  return parameters.map((parameter, at) => {
    const lookup = lookups[at];
    if (!lookup) return slopes.shift() as Value;
    const width = parameter.dims.slice(1).map(Number);
    return lookup.map(({ ids }) => {
      const rows = slopes.shift() as Value;
      if (ids.dims.length === 1) return { ids, rows };
      return { ids: reshape(ids, [-1]), rows: reshape(rows, [-1, ...width]) };
    });
  });
}

/** The gradient of each parameter: of its rows, where the loss uses nothing but rows gathered from it. */
export function parameterGradients(loss: Value, parameters: readonly Value[]): (Value | RowGradient)[] {
  return lookupGradients(loss, parameters).map((gradient, at) => {
    if (!isLookups(gradient)) return gradient;
    if (gradient.length === 1) return ofRows(parameters[at], gradient[0].ids, gradient[0].rows);
    const joined = (part: keyof LookupGradient): Value =>
      concat(
        gradient.map((lookup) => lookup[part]),
        0,
      );
    return ofRows(parameters[at], joined('ids'), joined('rows'));
  });
}

export const isLookups = (
  gradient: Value | readonly LookupGradient[],
): gradient is readonly LookupGradient[] => Array.isArray(gradient);

function ofRows(table: Value, anyIds: Value, rows: Value): RowGradient {
  const ids = cast(anyIds, 'int64');
  return { ids, rows: summedRows(table, ids, rows) };
}

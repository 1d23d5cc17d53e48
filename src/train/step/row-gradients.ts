import { cast, concat, gradients, lookups, reshape, summedRows, type Value } from '../../onnx/index.ts';

/** The gradient of some rows of a table; that of all other rows is zero. */
export interface RowGradient {
  /** int[n], with duplicates. */
  readonly ids: Value;
  /** [n, …] */
  readonly rows: Value;
}

/** The gradient of each parameter; for a parameter in which the loss only looks up rows, the gradient of each lookup. */
export function lookupGradients(
  loss: Value,
  parameters: readonly Value[],
): (Value | readonly RowGradient[])[] {
  const found = lookups([loss], parameters).map(({ lookups, others }) =>
    others.length === 0 && lookups.length > 0 ? lookups : undefined,
  );
  const targets = parameters.flatMap((parameter, at) => found[at]?.map(({ rows }) => rows) ?? [parameter]);
  const ofTargets = gradients(loss, targets);
  return parameters.map((parameter, at) => {
    const lookup = found[at];
    if (!lookup) return ofTargets.shift() as Value;
    const width = parameter.dims.slice(1).map(Number);
    return lookup.map(({ indices: ids }) => {
      const rows = ofTargets.shift() as Value;
      if (ids.dims.length === 1) return { ids, rows };
      return { ids: reshape(ids, [-1]), rows: reshape(rows, [-1, ...width]) };
    });
  });
}

/**
 * The gradient of each parameter; for a parameter in which the loss only looks up rows, the gradient of these rows. Each
 * element of `rows` is then the whole gradient of its row: for a duplicate id it is repeated.
 */
export function parameterGradients(loss: Value, parameters: readonly Value[]): (Value | RowGradient)[] {
  return lookupGradients(loss, parameters).map((gradient, at) => {
    if (!isLookups(gradient)) return gradient;
    const joined = (part: keyof RowGradient): Value => {
      const values = gradient.map((lookup) => lookup[part]);
      return values.length === 1 ? values[0] : concat(values, 0);
    };
    const ids = cast(joined('ids'), 'int64');
    return { ids, rows: summedRows(parameters[at], ids, joined('rows')) };
  });
}

export const isLookups = (gradient: Value | readonly RowGradient[]): gradient is readonly RowGradient[] =>
  Array.isArray(gradient);

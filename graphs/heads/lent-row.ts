import { concat, constant, full, max, shapeOf, slice, sub, type Value } from '../../src/onnx/index.ts';

// ONNX Runtime 1.30 refuses matrix products of no rows, and in TopK of none divides by zero, which ends the process.

/** Rows, and one of `value` where there are none: int64[n, …]. */
export function withLentRow(rows: Value, value: number): Value {
  const missing = max(sub(1, countOf(rows)), 0, 'missing');
  const [, ...rest] = rows.dims;
  const shape = rest.length > 0 ? concat([missing, slice(shapeOf(rows), 1, rows.dims.length)], 0) : missing;
  return concat([rows, full(shape, value, 'int64', { dims: ['lent', ...rest], name: 'lent' })], 0, rows.name);
}

/** What was computed from lent rows, with as many rows as there were before. */
export const withoutLentRow = (result: Value, before: Value): Value =>
  slice(result, constant([0], 'int64'), countOf(before), { dim: before.dims[0], name: result.name });

const countOf = (rows: Value): Value => slice(shapeOf(rows), 0, 1, { name: 'rows' });

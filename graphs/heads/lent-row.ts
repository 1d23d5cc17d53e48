import { concat, constant, full, max, shapeOf, slice, sub, type Value } from '../../src/onnx/index.ts';

// ONNX Runtime 1.30 refuses matrix products with no rows. Its TopK of no rows divides by zero, which ends the process. So
// an empty request gets one row, which is removed from the result.

/** The rows, [n, …]; where there are none, one row filled with `value`. */
export function withLentRow(rows: Value, value: number): Value {
  const missing = max(sub(1, countOf(rows)), 0, 'missing');
  const [, ...rest] = rows.dims;
  const shape = rest.length > 0 ? concat([missing, slice(shapeOf(rows), 1, rows.dims.length)], 0) : missing;
  return concat(
    [rows, full(shape, value, rows.dtype, { dims: ['lent', ...rest], name: 'lent' })],
    0,
    rows.name,
  );
}

/** The result without the row that `withLentRow` added: as many rows as `before` has. */
export const withoutLentRow = (result: Value, before: Value): Value =>
  slice(result, constant([0], 'int64'), countOf(before), { dim: before.dims[0], name: result.name });

const countOf = (rows: Value): Value => slice(shapeOf(rows), 0, 1, { name: 'rows' });

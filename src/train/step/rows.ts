import { initializer, matmul, mul, reduceMean, unsqueeze, type Value } from '../../onnx/index.ts';

const axesInRows = (rows: Value): number[] => rows.dims.slice(1).map((_, axis) => axis + 1);

/** The mean of each row. */
export function meanOfRows(rows: Value): Value {
  const axes = axesInRows(rows);
  return axes.length > 0 ? reduceMean(rows, { axes }) : rows;
}

/** Multiplies each row by its number, or all rows by a scalar. */
export function timesRows(rows: Value, numbers: Value): Value {
  const axes = axesInRows(rows);
  if (numbers.dims.length === 0 || axes.length === 0) return mul(rows, numbers);
  const column = unsqueeze(numbers, axes);
  const width = rows.dims[1];
  // Expanded first, because ONNX Runtime multiplies tables of equal shapes at once, but a table and a column row by row.
  return axes.length === 1 && typeof width === 'number'
    ? mul(rows, matmul(column, ones(width)))
    : mul(rows, column);
}

const ones = (width: number): Value =>
  initializer('ones', 'float', [1, width], new Float32Array(width).fill(1));

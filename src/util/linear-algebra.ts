/** A matrix, row by row. */
export interface Table {
  readonly rows: number;
  readonly width: number;
  readonly data: Float64Array;
}

/** The Cholesky factor of a symmetric positive semidefinite matrix RᵀR, whose upper half is read: the upper triangular R. */
export function choleskyRoot(matrix: Float64Array, width: number): Float64Array {
  const root = new Float64Array(matrix.length);
  for (let i = 0; i < width; i++) {
    for (let j = i; j < width; j++) {
      let rest = matrix[i * width + j];
      for (let above = 0; above < i; above++) rest -= root[above * width + i] * root[above * width + j];
      // For a column that depends on those before it, the rest is a rounding error.
      if (j === i) root[i * width + i] = Math.sqrt(Math.max(rest, 0));
      else root[i * width + j] = root[i * width + i] > 1e-9 ? rest / root[i * width + i] : 0;
    }
  }
  return root;
}

/**
 * Makes columns orthonormal in place (Cholesky QR).
 *
 * @returns the length of each column's part that is orthogonal to the columns before it
 */
export function orthonormalize({ rows, width, data }: Table): Float64Array<ArrayBuffer> {
  const gram = new Float64Array(width * width);
  for (let row = 0; row < rows; row++)
    for (let i = 0, from = row * width; i < width; i++) {
      const value = data[from + i];
      for (let j = i; j < width; j++) gram[i * width + j] += value * data[from + j];
    }
  // The upper triangular R of gram = RᵀR, computed in place.
  const lengths = new Float64Array(width);
  for (let i = 0; i < width; i++) {
    for (let above = 0; above < i; above++)
      for (let j = i; j < width; j++)
        gram[i * width + j] -= gram[above * width + i] * gram[above * width + j];
    // For a column that depends on those before it, the rest is a rounding error, and becomes zero.
    lengths[i] = Math.sqrt(Math.max(gram[i * width + i], 0));
    for (let j = i; j < width; j++) gram[i * width + j] *= lengths[i] > 1e-6 ? 1 / lengths[i] : 0;
  }
  for (let row = 0; row < rows; row++)
    for (let i = 0, from = row * width; i < width; i++) {
      const value = lengths[i] > 1e-6 ? data[from + i] / lengths[i] : 0;
      data[from + i] = value;
      for (let j = i + 1; j < width; j++) data[from + j] -= value * gram[i * width + j];
    }
  return lengths;
}

/** About the singular values of a matrix, the largest first, by Rutishauser's LR algorithm (1958). */
export function singularValues({ rows, width, data }: Table): Float64Array {
  let gram = new Float64Array(width * width);
  for (let row = 0; row < rows; row++)
    for (let i = 0, from = row * width; i < width; i++)
      for (let j = i; j < width; j++) gram[i * width + j] += data[from + i] * data[from + j];
  for (let round = 0; round < 100; round++) {
    const root = choleskyRoot(gram, width);
    gram = new Float64Array(width * width);
    for (let i = 0; i < width; i++)
      for (let j = i; j < width; j++)
        for (let k = j; k < width; k++) gram[i * width + j] += root[i * width + k] * root[j * width + k];
  }
  return Float64Array.from({ length: width }, (_, i) => Math.sqrt(gram[i * width + i]))
    .sort()
    .reverse();
}

/**
 * Solves AX = B in place, by the factors LDLᵀ of Cholesky.
 *
 * @param matrix A, [n, n], symmetric and positive definite. Its upper half is read, and overwritten.
 * @param right B, [n, width], which becomes X
 */
export function solve(matrix: Float64Array, n: number, right: Float64Array): void {
  const width = right.length / n;
  const subtract = (row: number, other: number, factor: number): void => {
    const offset = (other - row) * width;
    for (let at = row * width; at < (row + 1) * width; at++) right[at] -= factor * right[at + offset];
  };
  for (let pivot = 0; pivot < n; pivot++) {
    const top = pivot * n;
    for (let row = pivot + 1; row < n; row++) {
      const factor = matrix[top + row] / matrix[top + pivot];
      const from = row * n;
      for (let column = row; column < n; column++) matrix[from + column] -= factor * matrix[top + column];
      subtract(row, pivot, factor);
    }
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let column = row + 1; column < n; column++) subtract(row, column, matrix[row * n + column]);
    for (let at = row * width; at < (row + 1) * width; at++) right[at] /= matrix[row * n + row];
  }
}

import type { Positives } from '../data/dataset/positives.ts';
import { setRow, type Triangle, triangle } from './triangle.ts';

/** A sparse matrix by rows: row r has `values` in the columns `columns`, from starts[r] to before starts[r + 1]. */
export interface Sparse {
  readonly rows: number;
  readonly starts: Int32Array;
  /** Ascending in each row. */
  readonly columns: Int32Array;
  readonly values: Float32Array;
}

/** The items of each user, and their weights: what is read of `Positives`. */
export type ItemLists = Pick<Positives, 'starts' | 'items' | 'weights'>;

/** X without the users who have one item, since such a user adds to the diagonal of XᵀX only. */
export interface Split {
  /** X, by users. */
  readonly ofUsers: Sparse;
  /** Xᵀ, by items. */
  readonly ofItems: Sparse;
  /** The penalties, and what users with one item add to XᵀX: float64[items]. */
  readonly diagonal: Float64Array;
}

/** The number of users who have two items or more. */
export function usersWithSeveral({ starts }: ItemLists): number {
  let several = 0;
  for (let user = 0; user + 1 < starts.length; user++) if (starts[user + 1] - starts[user] > 1) several++;
  return several;
}

export function split({ starts, items, weights }: ItemLists, penalties: Float64Array): Split {
  // Row of each user, −1 for a user with fewer than two items.
  const rowOf = new Int32Array(starts.length - 1).fill(-1);
  const diagonal = penalties.slice();
  const itemStarts = new Int32Array(penalties.length + 1);
  let rows = 0;
  for (let user = 0; user < rowOf.length; user++) {
    const [from, to] = [starts[user], starts[user + 1]];
    if (to - from > 1) {
      rowOf[user] = rows++;
      for (let at = from; at < to; at++) itemStarts[items[at] + 1]++;
    } else if (to > from) diagonal[items[from]] += (weights?.[from] ?? 1) ** 2;
  }
  for (let item = 0; item < penalties.length; item++) itemStarts[item + 1] += itemStarts[item];
  const next = itemStarts.slice();
  const columns = new Int32Array(itemStarts[penalties.length]);
  const values = new Float32Array(columns.length).fill(1);
  for (let user = 0; user < rowOf.length; user++) {
    if (rowOf[user] < 0) continue;
    for (let at = starts[user]; at < starts[user + 1]; at++) {
      const to = next[items[at]]++;
      columns[to] = rowOf[user];
      if (weights) values[to] = weights[at];
    }
  }
  const ofItems = { rows: penalties.length, starts: itemStarts, columns, values };
  return { ofUsers: transposed(ofItems, rows), ofItems, diagonal };
}

/** Xᵀ, by items, with all users. */
export function byItems({ starts, items, weights }: ItemLists, count: number): Sparse {
  const values = weights ?? new Float32Array(items.length).fill(1);
  return transposed({ rows: starts.length - 1, starts, columns: items, values }, count);
}

function transposed(matrix: Sparse, rows: number): Sparse {
  const starts = new Int32Array(rows + 1);
  for (const column of matrix.columns) starts[column + 1]++;
  for (let row = 0; row < rows; row++) starts[row + 1] += starts[row];
  const next = starts.slice();
  const columns = new Int32Array(matrix.columns.length);
  const values = new Float32Array(matrix.columns.length);
  for (let row = 0; row < matrix.rows; row++)
    for (let at = matrix.starts[row]; at < matrix.starts[row + 1]; at++) {
      const to = next[matrix.columns[at]]++;
      columns[to] = row;
      values[to] = matrix.values[at];
    }
  return { rows, starts, columns, values };
}

/** What is computed beside the product of a sparse matrix and its transpose. */
interface Gram {
  /** What is added to the diagonal: float64[rows] */
  readonly diagonal: Float64Array;
  /** What each column's products are divided by: float64[columns]. Default: nothing */
  readonly divisors?: Float64Array;
  readonly turn: () => Promise<void>;
  /** @param part of the matrix that is done, up to 1 */
  readonly onProgress: (part: number) => void;
}

/**
 * MC⁻¹Mᵀ and a diagonal, with the divisors C.
 *
 * @param matrix M
 * @param other Mᵀ
 */
export async function gram(
  matrix: Sparse,
  other: Sparse,
  { diagonal, divisors, turn, onProgress }: Gram,
): Promise<Triangle> {
  const result = triangle(matrix.rows);
  // A row of its own stays in the processor's cache.
  const sums = new Float64Array(matrix.rows);
  for (let row = 0; row < matrix.rows; row++) {
    addProducts(matrix, other, row, { sums, divisors });
    sums[row] += diagonal[row];
    setRow(result, row, sums);
    sums.fill(0, 0, row + 1);
    await turn();
    if (row % 256 === 255) onProgress((row / matrix.rows) ** 2);
  }
  return result;
}

/** Adds the products of one row of M with the rows up to it. */
function addProducts(
  matrix: Sparse,
  { starts, columns, values }: Sparse,
  row: number,
  { sums, divisors }: { readonly sums: Float64Array; readonly divisors: Float64Array | undefined },
): void {
  for (let at = matrix.starts[row]; at < matrix.starts[row + 1]; at++) {
    const column = matrix.columns[at];
    const factor = divisors ? matrix.values[at] / divisors[column] : matrix.values[at];
    const end = starts[column + 1];
    for (let place = starts[column]; place < end && columns[place] <= row; place++)
      sums[columns[place]] += factor * values[place];
  }
}

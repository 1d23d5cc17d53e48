import type { Tensor } from 'onnxruntime-common';
import type { Sparse } from './sparse.ts';
import { elements, type Triangle } from './triangle.ts';

/** A whole symmetric matrix [n, n] as tiles, of which rows are read one after the other: twice the memory of a triangle. */
export interface Square {
  readonly n: number;
  readonly size: number;
  /** tiles[i][j]: float32[rows of i, rows of j] */
  readonly tiles: readonly (readonly Float32Array[])[];
}

/** The whole of a matrix whose lower triangle is given; it shares the triangle's tiles. */
export function squareOf({ n, size, tiles }: Triangle): Square {
  const all = tiles.map((row, i) =>
    tiles.map((_, j) => (j <= i ? elements(row[j]) : transposedTile(tiles[j][i]))),
  );
  return { n, size, tiles: all };
}

function transposedTile(tile: Tensor): Float32Array {
  const [rows, columns] = tile.dims;
  const from = elements(tile);
  const to = new Float32Array(from.length);
  for (let row = 0, at = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) to[column * rows + row] = from[at++];
  return to;
}

/** Adds a multiple of a row of a square. @param into [n] */
export function addRowOfSquare(
  { n, size, tiles }: Square,
  row: number,
  factor: number,
  into: Float64Array,
): void {
  const block = Math.floor(row / size);
  for (let j = 0; j < tiles.length; j++) {
    const data = tiles[block][j];
    const width = Math.min(size, n - j * size);
    for (let at = (row - block * size) * width, end = at + width, to = j * size; at < end; at++, to++)
      into[to] += factor * data[at];
  }
}

/** The quadratic form xᵀAx of a square A and a row x of a sparse matrix. */
export function quadraticForm(
  { n, size, tiles }: Square,
  { starts, columns, values }: Sparse,
  row: number,
): number {
  let sum = 0;
  for (let at = starts[row]; at < starts[row + 1]; at++) {
    const block = Math.floor(columns[at] / size);
    // The columns ascend, so the tile rarely changes.
    let [data, from, end] = [tiles[block][0], 0, 0];
    let before = 0;
    for (let place = starts[row]; place < at; place++) {
      const column = columns[place];
      if (column >= end) {
        const other = Math.floor(column / size);
        data = tiles[block][other];
        from = (columns[at] - block * size) * Math.min(size, n - other * size) - other * size;
        end = (other + 1) * size;
      }
      before += values[place] * data[from + column];
    }
    const inside = columns[at] - block * size;
    const own = tiles[block][block][inside * Math.min(size, n - block * size) + inside];
    sum += values[at] * (2 * before + values[at] * own);
  }
  return sum;
}

import { Tensor } from 'onnxruntime-common';

/** The largest size of a tile. Smaller ones cost more calls of the runtime, larger ones more memory beside the matrix. */
const TILE = 512;

/**
 * The lower triangle of a symmetric matrix [n, n], as tiles: half the memory of the matrix. Those on the diagonal are whole.
 */
export interface Triangle {
  readonly n: number;
  /** Rows and columns of a tile; the last ones may have fewer. */
  readonly size: number;
  /** tiles[i][j], where j <= i: float32[rows of i, rows of j] */
  readonly tiles: Tensor[][];
}

/** The size of the tiles of a matrix [n, n]: as few as possible, all of about the same size, none over `most`. */
export const tileSize = (n: number, most = TILE): number => Math.ceil(n / Math.max(1, Math.ceil(n / most)));

/** The number of rows, and of columns, in a tile of row `block`. */
const rowsOf = ({ n, size }: Pick<Triangle, 'n' | 'size'>, block: number): number =>
  Math.min(size, n - block * size);

export const newTile = (rows: number, columns: number, data = new Float32Array(rows * columns)): Tensor =>
  new Tensor('float32', data, [rows, columns]);

/** The elements of a tile, row by row. */
export const elements = (tile: Tensor): Float32Array => tile.data as Float32Array;

/** A triangle of zeros. @param most the largest size of a tile */
export function triangle(n: number, most?: number): Triangle {
  const size = tileSize(n, most);
  const shape = { n, size };
  const tiles = Array.from({ length: Math.ceil(n / size) }, (_, i) =>
    Array.from({ length: i + 1 }, (_, j) => newTile(rowsOf(shape, i), rowsOf(shape, j))),
  );
  return { n, size, tiles };
}

/**
 * Writes a row up to the diagonal, and the same elements of the diagonal's tile above it.
 *
 * @param values [n], of which the first row + 1 are read
 */
export function setRow({ size, tiles }: Triangle, row: number, values: ArrayLike<number>): void {
  const block = Math.floor(row / size);
  const inside = row - block * size;
  for (let j = 0; j <= block; j++) {
    const data = elements(tiles[block][j]);
    const width = tiles[block][j].dims[1];
    const count = j < block ? width : inside + 1;
    for (let column = 0, from = j * size, to = inside * width; column < count; column++)
      data[to + column] = values[from + column];
    if (j === block)
      for (let column = 0, from = j * size; column < inside; column++)
        data[column * width + inside] = values[from + column];
  }
}

/** Reads a whole row. @param into [n] */
export function readRow({ size, tiles }: Triangle, row: number, into: Float32Array): void {
  const block = Math.floor(row / size);
  const inside = row - block * size;
  for (let j = 0; j <= block; j++) {
    const width = tiles[block][j].dims[1];
    into.set(elements(tiles[block][j]).subarray(inside * width, (inside + 1) * width), j * size);
  }
  // What is right of the diagonal's tile is a column of the tiles below it.
  for (let i = block + 1; i < tiles.length; i++) {
    const data = elements(tiles[i][block]);
    const width = tiles[i][block].dims[1];
    for (let at = inside, to = i * size; at < data.length; at += width, to++) into[to] = data[at];
  }
}

/** The diagonal, [n]. */
export function diagonalOf({ n, size, tiles }: Triangle): Float64Array {
  const diagonal = new Float64Array(n);
  for (const [block, row] of tiles.entries()) {
    const data = elements(row[block]);
    const width = row[block].dims[1];
    for (let at = 0; at < width; at++) diagonal[block * size + at] = data[at * width + at];
  }
  return diagonal;
}

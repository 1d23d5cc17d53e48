import type { Tensor } from 'onnxruntime-common';
import type { Runtime } from '../run/runtime.ts';
import { type Halves, halves } from './halves.ts';
import { type Products, productsOf } from './products.ts';
import { elements, newTile, type Triangle } from './triangle.ts';

/** What happens between two products. */
export interface Between {
  /** Is called before each product. May throw, to stop. */
  readonly turn?: () => Promise<void>;
  /** @param part of the inverse that is done, up to 1 */
  readonly onProgress?: ((part: number) => void) | undefined;
}

/** What a sweep of one block needs. */
interface Sweep {
  readonly matrix: Triangle;
  readonly products: Products;
  readonly inverse: Halves;
  /** Room for one tile. */
  readonly spare: Float32Array<ArrayBuffer>;
  readonly turn: () => Promise<void>;
}

/**
 * Replaces a symmetric positive definite matrix by its inverse, in place. ONNX Runtime executes the products, which are about
 * n³ operations.
 *
 * Source: the sweep operator of Beaton (1964), by blocks. With P the inverse of the tile k of the diagonal, and B the rest of
 * its column, a sweep of k makes −P of the tile, BP of the rest, and A − BPBᵀ of all else. It keeps the matrix symmetric. All
 * sweeps together make −A⁻¹ of A.
 */
export async function invert(
  runtime: Runtime,
  matrix: Triangle,
  { turn = async () => undefined, onProgress }: Between = {},
): Promise<void> {
  const [products, inverse] = await Promise.all([productsOf(runtime), halves(runtime)]);
  const { size, tiles } = matrix;
  const spare = new Float32Array(tiles.length > 1 ? size * size : 0);
  try {
    for (const k of tiles.keys()) {
      await sweepBlock({ matrix, products, inverse, spare, turn }, k);
      onProgress?.((k + 1) / tiles.length);
    }
  } finally {
    await Promise.all([products.release(), inverse.release()]);
  }
  for (const tile of tiles.flat()) negate(elements(tile));
}

async function sweepBlock({ matrix, products, inverse, spare, turn }: Sweep, k: number): Promise<void> {
  const { tiles } = matrix;
  await turn();
  const p = await inverse.of(tiles[k][k], turn);
  const room = (rows: number, columns: number): Tensor =>
    newTile(rows, columns, spare.subarray(0, rows * columns));
  // From the last row up, because a row needs what the column was in the rows above it.
  for (let i = tiles.length - 1; i >= 0; i--) {
    if (i === k) continue;
    const below = i > k;
    // Above the diagonal, what is stored is the transpose, Bᵀ, in the row of k.
    const b = below ? tiles[i][k] : tiles[k][i];
    const panel = room(b.dims[0], b.dims[1]);
    await turn();
    await (below ? products.write(b, p, panel) : products.write(p, b, panel));
    for (let j = 0; j <= i; j++) {
      if (j === k) continue;
      await turn();
      if (j > k) await products.subtract('abt', panel, tiles[j][k], tiles[i][j]);
      else await products.subtract(below ? 'ab' : 'atb', panel, tiles[k][j], tiles[i][j]);
    }
    elements(b).set(elements(panel));
  }
  elements(tiles[k][k]).set(elements(p));
  negate(elements(tiles[k][k]));
}

function negate(values: Float32Array): void {
  for (let at = 0; at < values.length; at++) values[at] = -values[at];
}

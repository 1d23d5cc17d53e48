import type { Tensor } from 'onnxruntime-common';
import type { Runtime } from '../run/runtime.ts';
import { halves } from './halves.ts';
import { type Products, productsOf } from './products.ts';
import { elements, newTile, type Triangle } from './triangle.ts';

/** What happens between two products. */
export interface Between {
  /** Is called before each product. May throw, to stop. */
  readonly turn?: () => Promise<void>;
  /** @param part of the inverse that is done, up to 1 */
  readonly onProgress?: ((part: number) => void) | undefined;
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
  const { size, tiles } = matrix;
  const inverse = halves(runtime);
  let products: Products | undefined;
  try {
    if (tiles.length > 1) products = await productsOf(runtime);
    const spare = new Float32Array(products ? size * size : 0);
    for (const k of tiles.keys()) {
      await turn();
      const p = await inverse.of(tiles[k][k], turn);
      if (products) await sweepRest({ tiles, products, spare, turn }, k, p);
      elements(tiles[k][k]).set(elements(p));
      negate(elements(tiles[k][k]));
      onProgress?.((k + 1) / tiles.length);
    }
  } finally {
    await Promise.all([products?.release(), inverse.release()]);
  }
  for (const tile of tiles.flat()) negate(elements(tile));
}

interface Sweep {
  readonly tiles: Triangle['tiles'];
  readonly products: Products;
  /** Room for one tile. */
  readonly spare: Float32Array<ArrayBuffer>;
  readonly turn: () => Promise<void>;
}

/** Sweeps all but the tile k of the diagonal, whose inverse is P. */
async function sweepRest({ tiles, products, spare, turn }: Sweep, k: number, p: Tensor): Promise<void> {
  // From the last row up, because a row needs what the column was in the rows above it.
  for (let i = tiles.length - 1; i >= 0; i--) {
    if (i === k) continue;
    const below = i > k;
    // Above the diagonal, what is stored is the transpose, Bᵀ, in the row of k.
    const b = below ? tiles[i][k] : tiles[k][i];
    const [rows, columns] = b.dims;
    const panel = newTile(rows, columns, spare.subarray(0, rows * columns));
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
}

function negate(values: Float32Array): void {
  for (let at = 0; at < values.length; at++) values[at] = -values[at];
}

import { option, UserError } from '../errors.ts';
import type { Solved } from './solved.ts';
import type { ItemLists } from './sparse.ts';

/** Number of rows that are checked. */
const ROWS = 16;
/** The largest error of a product with the matrix that was inverted, beside the item's largest weight; real data have less than a thousandth. */
const MOST = 0.02;
/** Weights that are smaller do not matter. */
const LEAST_WEIGHT = 1e-3;

/**
 * Checks some rows of P by their products with XᵀX + λI, which must be those of the unit matrix.
 *
 * @throws UserError if they are not: λ is too small for 32-bit floats
 */
export function checkSolution(solution: Solved, { starts, items, weights }: ItemLists, lambda: number): void {
  const count = solution.diagonal.length;
  const product = new Float64Array(count);
  for (let check = 0; check < Math.min(ROWS, count); check++) {
    const item = Math.floor((check * count) / Math.min(ROWS, count));
    const row = solution.row(item);
    let largest = LEAST_WEIGHT;
    for (let other = 0; other < count; other++) {
      product[other] = lambda * row[other];
      if (other !== item) largest = Math.max(largest, Math.abs(row[other]) / solution.diagonal[other]);
    }
    for (let user = 0; user + 1 < starts.length; user++) {
      let sum = 0;
      for (let at = starts[user]; at < starts[user + 1]; at++) sum += (weights?.[at] ?? 1) * row[items[at]];
      for (let at = starts[user]; at < starts[user + 1]; at++)
        product[items[at]] += (weights?.[at] ?? 1) * sum;
    }
    product[item]--;
    if (product.every((error) => Math.abs(error) < MOST * largest)) continue;
    throw new UserError(
      'training',
      `the penalty of weights is too small for 32-bit floats; give a higher ${option('regularization')}`,
    );
  }
}

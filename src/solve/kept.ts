import type { ItemWeights } from '../../graphs/models/item-item.ts';
import { highest } from '../util/highest.ts';
import type { Solved } from './item-weights.ts';

/**
 * The weights of a solution that are kept of each item.
 *
 * @param width number of weights of an item; all if it is the number of items
 */
export async function kept({ diagonal, row }: Solved, width: number): Promise<ItemWeights> {
  const items = diagonal.length;
  const columns = width < items ? width : items + 1;
  const values = new Float32Array((items + 1) * columns);
  const neighbors = width < items ? new Int32Array(values.length).fill(items) : undefined;
  const weights = new Float32Array(items);
  const sizes = new Float32Array(items);
  for (let item = 0; item < items; item++) {
    const own = row(item);
    for (let other = 0; other < items; other++) {
      weights[other] = other === item ? 0 : -own[other] / diagonal[other];
      sizes[other] = Math.abs(weights[other]);
    }
    if (!neighbors) {
      values.set(weights, item * columns);
      continue;
    }
    for (const [at, other] of highest(sizes, width).sort().entries()) {
      values[item * columns + at] = weights[other];
      neighbors[item * columns + at] = other;
    }
  }
  return { items, values, neighbors };
}

import type { Tensors } from '../../graphs/heads/serving.ts';
import type { Model } from '../../graphs/models/model.ts';
import { generator, uniforms } from '../../src/util/random.ts';

/** Parameters between −1 and 1, the same at every call. */
export function randomParameters({ parameters }: Model): Tensors {
  const random = generator(7);
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { dims }]) => {
      const size = dims.reduce((product, dim) => product * dim, 1);
      return [name, { dims, data: uniforms(size, random).map((one) => 2 * one - 1) }];
    }),
  );
}

/** Row `row` of a table of rows of `width`; the row after the last is the average of all. */
export function rowOf(table: Float32Array, width: number, row: number): number[] {
  const rows = table.length / width;
  const columns = Array.from({ length: width }, (_, column) => column);
  if (row < rows) return columns.map((column) => table[row * width + column]);
  return columns.map((column) => {
    let sum = 0;
    for (let at = 0; at < rows; at++) sum += table[at * width + column];
    return sum / rows;
  });
}

export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, one, index) => sum + one * b[index], 0);

export const scaled = (score: number, [low, high]: readonly [number, number]): number =>
  low + (high - low) / (1 + Math.exp(-score));

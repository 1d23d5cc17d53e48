import { generator } from '../../../src/util/random.ts';

/** Random choices, the same ones for the same seed. */
export interface Chance {
  /** A number in [0, 1). */
  uniform(): number;
  /** A whole number from 0 to `n` − 1. */
  below(n: number): number;
  /** An index, in proportion to the weights. */
  weighted(weights: readonly number[]): number;
  /** About normal, with mean 0 and standard deviation 1: the sum of twelve uniform numbers. */
  normal(): number;
  shuffled<T>(list: readonly T[]): T[];
}

export function chance(seed: number, stream: number): Chance {
  const random = generator(seed, stream);
  const uniform = (): number => (random.next() >>> 0) * 2 ** -32;
  const below = (n: number): number => Math.floor(uniform() * n);
  return {
    uniform,
    below,
    weighted(weights) {
      let rest = uniform() * weights.reduce((sum, weight) => sum + weight, 0);
      const index = weights.findIndex((weight) => {
        rest -= weight;
        return rest < 0;
      });
      // Rounding may leave a rest.
      return index === -1 ? weights.findLastIndex((weight) => weight > 0) : index;
    },
    normal: () => Array.from({ length: 12 }, uniform).reduce((sum, one) => sum + one, -6),
    shuffled(list) {
      const mixed = [...list];
      for (let last = mixed.length - 1; last > 0; last--) {
        const other = below(last + 1);
        [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
      }
      return mixed;
    },
  };
}

/** A direction of taste. */
export type Leaning = readonly [number, number];

export const leaning = ({ uniform }: Chance): Leaning => [1.4 * uniform() - 0.7, 1.4 * uniform() - 0.7];

/** How well two leanings go together: from nearly 0 to nearly 4, in the mean about 1. */
export const harmony = (a: Leaning, b: Leaning): number => (1 + a[0] * b[0] + a[1] * b[1]) ** 2;

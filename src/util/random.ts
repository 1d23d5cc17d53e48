import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

export type { RandomGenerator };

/**
 * A random generator (xoroshiro128+). Generators with different `(seed, stream)` pairs are independent. The same pair gives
 * the same numbers on every machine.
 *
 * @param seed any safe integer
 * @param stream an integer that stands for one use of random numbers, such as an epoch
 */
export function generator(seed: number, stream = 0): RandomGenerator {
  const parts = [seed | 0, Math.floor(seed / 2 ** 32) | 0, stream | 0];
  const word = (index: number) => parts.reduce((hash, part) => mix(hash ^ part), mix(index));
  return xoroshiro128plusFromState([word(1), word(2), word(3), word(4)]);
}

/** The numbers 0 … `length` − 1 in random order (Fisher–Yates). */
export function shuffled(length: number, random: RandomGenerator): Int32Array {
  const order = Int32Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last--) {
    const other = uniformInt(random, 0, last);
    const value = order[last];
    order[last] = order[other];
    order[other] = value;
  }
  return order;
}

/** A number in [0, 1), a multiple of 2⁻²⁴. */
export const uniform = (random: RandomGenerator): number => (random.next() >>> 8) * 2 ** -24;

/** `length` numbers in [0, 1), multiples of 2⁻²⁴. */
export function uniforms(length: number, random: RandomGenerator): Float32Array {
  const values = new Float32Array(length);
  for (let index = 0; index < length; index++) values[index] = uniform(random);
  return values;
}

/** `length` normal numbers with mean 0 and standard deviation `deviation` (Marsaglia and Bray's polar method, 1964). */
export function normals(length: number, deviation: number, random: RandomGenerator): Float32Array {
  const values = new Float32Array(length);
  for (let index = 0; index < length; index += 2) {
    let x: number;
    let y: number;
    let square: number;
    do {
      x = random.next() * 2 ** -31;
      y = random.next() * 2 ** -31;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const scale = deviation * Math.sqrt((-2 * logarithm(square)) / square);
    values[index] = scale * x;
    // A write past the end of a typed array has no effect.
    values[index + 1] = scale * y;
  }
  return values;
}

/**
 * ln(x) for x in (0, 1], with an error below 10⁻⁹, by the series 2 artanh((x − 1) / (x + 1)). Its operations are exact in
 * all JavaScript engines, while the last bit of Math.log differs between them.
 */
function logarithm(x: number): number {
  let halvings = 0;
  for (; x < 0.5; x *= 2) halvings++;
  const ratio = (x - 1) / (x + 1);
  let sum = 0;
  for (let power = 17; power > 0; power -= 2) sum = sum * ratio * ratio + 1 / power;
  return 2 * ratio * sum - halvings * Math.LN2;
}

/** The 32-bit finalizer of MurmurHash3, after an odd multiplication, so that similar inputs give different words. */
function mix(word: number): number {
  let hash = Math.imul(word, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

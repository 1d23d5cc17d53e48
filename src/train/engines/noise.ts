import { type RandomGenerator, uniforms } from '../../util/random.ts';

/** Numbers for dropout masks, shared by all steps of an epoch; masks begin anywhere in them. */
const NOISE = 2 ** 20;

/** @param widths how many random numbers each dropout takes a rating */
export const noiseSize = (batchSize: number, widths: readonly number[]): number =>
  Math.max(NOISE, 2 * batchSize * Math.max(...widths));

/** By the names of a graph's inputs: where in the numbers the mask of each step begins. */
export function noiseStarts(
  steps: number,
  batchSize: number,
  widths: readonly number[],
  random: RandomGenerator,
): Record<string, BigInt64Array> {
  const size = noiseSize(batchSize, widths);
  return Object.fromEntries(
    widths.map((width, place) => [
      `noise_start_${place + 1}`,
      BigInt64Array.from(uniforms(steps, random), (start) =>
        BigInt(Math.floor(start * (size - batchSize * width))),
      ),
    ]),
  );
}

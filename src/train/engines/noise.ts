import { type RandomGenerator, uniforms } from '../../util/random.ts';

/** Number of random numbers for the dropout masks of an epoch. Each mask is a slice of them from a random start. */
const NOISE = 2 ** 20;

/** @param widths number of random numbers per rating, for each dropout */
export const noiseSize = (batchSize: number, widths: readonly number[]): number =>
  Math.max(NOISE, 2 * batchSize * Math.max(...widths));

/** The starts of the dropout masks of all steps, by the names of a graph's inputs. */
export function noiseStarts(
  steps: number,
  batchSize: number,
  widths: readonly number[],
  random: RandomGenerator,
): Record<string, BigInt64Array> {
  const size = noiseSize(batchSize, widths);
  return Object.fromEntries(
    widths.map((width, index) => [
      `noise_start_${index + 1}`,
      BigInt64Array.from(uniforms(steps, random), (start) =>
        BigInt(Math.floor(start * (size - batchSize * width))),
      ),
    ]),
  );
}

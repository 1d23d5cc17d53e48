import type { Ratings } from '../../data/dataset/ratings.ts';
import { generator, shuffled } from '../../util/random.ts';
import type { Settings } from '../recipe/settings.ts';
import type { Epoch, Steps } from './engine.ts';

/** One seed gives independent generators for all that is random: `FIRST_EPOCH` and all after it belong to epochs. */
export const FIRST_EPOCH = 1000;

/** Steps of an epoch. */
export const stepsOf = (ratings: number, batch: number): number => Math.ceil(ratings / batch);

/** The sum of the losses of all ratings, from the mean of each step. */
export function sumOfLosses(means: ArrayLike<number>, starts: readonly number[]): number {
  let sum = 0;
  for (let step = 0; step < means.length; step++) sum += means[step] * (starts[step + 1] - starts[step]);
  return sum;
}

/**
 * One time through the ratings, in an order of its own, and the parts of it that are run at once.
 *
 * @param ratingsARun about as many ratings in a part
 */
export function epochOf(
  ratings: Ratings,
  { batch, seed }: Pick<Settings, 'batch' | 'seed'>,
  number: number,
  ratingsARun: number,
): { readonly epoch: Epoch; readonly parts: Iterable<Steps> } {
  const count = ratings.ratings.length;
  const random = generator(seed, FIRST_EPOCH + number);
  const order = shuffled(count, random);
  const steps = stepsOf(count, batch);
  // Batches of nearly equal size, so that none is too small to be told from noise.
  const startOf = (step: number): number => Math.floor((step * count) / steps);
  const stepsARun = Math.max(1, Math.floor(ratingsARun / batch));

  function* parts(): Generator<Steps> {
    for (let first = 0; first < steps; first += stepsARun) {
      const last = Math.min(steps, first + stepsARun);
      const begin = startOf(first);
      const rows = order.subarray(begin, startOf(last));
      yield {
        first,
        users: rows.map((row) => ratings.users[row]),
        items: rows.map((row) => ratings.items[row]),
        ratings: Float32Array.from(rows, (row) => ratings.ratings[row]),
        starts: Array.from({ length: last - first + 1 }, (_, at) => startOf(first + at) - begin),
      };
    }
  }
  return { epoch: { number, steps, batch: Math.min(batch, count), random }, parts: parts() };
}

import type { Rows } from '../../data/dataset/rows.ts';
import { generator, type RandomGenerator, shuffled } from '../../util/random.ts';
import type { StepsDone, TrainingTask } from './engine.ts';

/** The random stream of the first epoch; those of later epochs follow. */
export const FIRST_EPOCH = 1000;

export interface Epoch {
  /** Counted from 0. */
  readonly number: number;
  /** Number of steps. */
  readonly steps: number;
  /** Maximum number of ratings per step. */
  readonly batchSize: number;
  readonly random: RandomGenerator;
}

/** Several steps of an epoch, with their ratings in the order of training. */
export interface Steps extends Rows {
  /** Number of the first step in its epoch, counted from 0. */
  readonly first: number;
  /** Index of each step's first rating, and the number of ratings at the end. */
  readonly starts: readonly number[];
}

/** Number of steps per epoch. */
export const stepsOf = (ratings: number, batchSize: number): number => Math.ceil(ratings / batchSize);

/** The sum of the losses of all ratings, from the mean loss of each step. */
export function sumOfLosses({ losses, starts }: StepsDone): number {
  let sum = 0;
  for (let step = 0; step < losses.length; step++) sum += losses[step] * (starts[step + 1] - starts[step]);
  return sum;
}

/**
 * One epoch over ratings in memory, in random order, and in batches whose sizes differ by at most one.
 *
 * @param begin starts the epoch: returns a function that takes the next steps, and returns the mean loss of each
 */
export async function* shuffledEpoch(
  ratings: Rows,
  number: number,
  { plan: { training }, ratingsPerRun = 2 ** 18 }: Pick<TrainingTask, 'plan' | 'ratingsPerRun'>,
  begin: (epoch: Epoch) => (steps: Steps) => Promise<ArrayLike<number>>,
): AsyncGenerator<StepsDone> {
  const { batchSize, seed } = training;
  const count = ratings.ratings.length;
  const random = generator(seed, FIRST_EPOCH + number);
  const order = shuffled(count, random);
  const steps = stepsOf(count, batchSize);
  // Batches of nearly equal size, because a much smaller one would have a noisy gradient.
  const startOf = (step: number): number => Math.floor((step * count) / steps);
  const stepsPerRun = Math.max(1, Math.floor(ratingsPerRun / batchSize));
  const take = begin({ number, steps, batchSize: Math.min(batchSize, count), random });
  for (let first = 0; first < steps; first += stepsPerRun) {
    const last = Math.min(steps, first + stepsPerRun);
    const from = startOf(first);
    const rows = order.subarray(from, startOf(last));
    const starts = Array.from({ length: last - first + 1 }, (_, at) => startOf(first + at) - from);
    const losses = await take({
      first,
      users: rows.map((row) => ratings.users[row]),
      items: rows.map((row) => ratings.items[row]),
      ratings: Float32Array.from(rows, (row) => ratings.ratings[row]),
      starts,
    });
    yield { losses, starts };
    await pause();
  }
}

/** Yields to the event loop (progress bars, Ctrl-C, worker messages). */
export const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

import type { Rows } from '../../data/dataset/rows.ts';
import { generator, type RandomGenerator, shuffled } from '../../util/random.ts';
import type { StepsDone, TrainingTask } from './engine.ts';

/** One seed gives independent generators for all that is random: `FIRST_EPOCH` and all after it belong to epochs. */
export const FIRST_EPOCH = 1000;

export interface Epoch {
  /** Counted from 0. */
  readonly number: number;
  readonly steps: number;
  /** The most ratings in a step. */
  readonly batchSize: number;
  readonly random: RandomGenerator;
}

/** Some steps of an epoch: their ratings, in the order of training. */
export interface Steps extends Rows {
  /** The first step, counted from 0 in its epoch. */
  readonly first: number;
  /** Where each step begins in these; last, how many there are. */
  readonly starts: readonly number[];
}

export const stepsOf = (ratings: number, batchSize: number): number => Math.ceil(ratings / batchSize);

export function sumOfLosses({ losses, starts }: StepsDone): number {
  let sum = 0;
  for (let step = 0; step < losses.length; step++) sum += losses[step] * (starts[step + 1] - starts[step]);
  return sum;
}

/**
 * One time through ratings in memory, in random order and batches of nearly equal size.
 *
 * @param begin gives what takes some steps, after those that it took before, and gives the mean loss of each
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
  // So that no batch is too small to be told from noise.
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

/** Yields to the event loop: a progress bar, Ctrl-C, a message to the worker. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

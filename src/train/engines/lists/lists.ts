import type { Positives } from '../../../data/dataset/positives.ts';
import { generator, type RandomGenerator, shuffled, uniforms } from '../../../util/random.ts';
import type { RankingPlan } from '../../recipe/plan.ts';
import { FIRST_EPOCH, pause } from '../batches.ts';

/** Several steps of a ranking epoch, in the order of training: see the inputs of `listGraph`. */
export interface ListSteps {
  /** Number of the epoch, counted from 0. */
  readonly epoch: number;
  /** Number of the first step in its epoch, counted from 0, and the number of steps in the epoch. */
  readonly first: number;
  readonly stepsOfEpoch: number;
  /** Row numbers of the users. */
  readonly users: Int32Array;
  readonly userStarts: readonly number[];
  readonly positives: Int32Array;
  readonly positiveStarts: readonly number[];
  /** Weight of each positive. Default: 1 each */
  readonly weights?: Float32Array | undefined;
  /** Candidates of each step, and their corrections. Default: all items */
  readonly sample?: Sample;
}

interface Sample {
  readonly candidates: Int32Array;
  readonly starts: readonly number[];
  readonly corrections: Float32Array;
}

/** Correction of a candidate that was not drawn: its part in the sum is too small to count. */
const NOT_DRAWN = -50;

/** Largest number of scores in one run, so that it takes about a second or less. */
const SCORES_PER_RUN = 2 ** 23;

/** Users with positives. */
export const activeUsers = ({ starts }: Positives): Int32Array =>
  Int32Array.from({ length: starts.length - 1 }, (_, user) => user).filter(
    (user) => starts[user + 1] > starts[user],
  );

/** An epoch over all users with positives, in random order, in steps of nearly equal numbers of users. */
export async function* listEpoch<Done>(
  positives: Positives,
  number: number,
  { usersPerStep, negatives, seed }: Pick<RankingPlan, 'usersPerStep' | 'negatives' | 'seed'>,
  { mostPositives, run }: { mostPositives: number; run(steps: ListSteps): Promise<Done> },
): AsyncGenerator<Done> {
  const random = generator(seed, FIRST_EPOCH + number);
  const users = activeUsers(positives);
  const order = shuffled(users.length, random).map((index) => users[index]);
  const steps = Math.ceil(users.length / usersPerStep);
  const startOf = (step: number): number => Math.floor((step * users.length) / steps);
  const sampler = negatives === 'all' ? undefined : new Sampler(positives.counts, negatives);
  const candidates = sampler?.size ?? positives.counts.length;
  for (let first = 0; first < steps; ) {
    let [last, taken] = [first, 0];
    do {
      for (let at = startOf(last); at < startOf(last + 1); at++)
        taken += positives.starts[order[at] + 1] - positives.starts[order[at]];
      last++;
    } while (
      last < steps &&
      taken < mostPositives &&
      (startOf(last) - startOf(first)) * candidates < SCORES_PER_RUN
    );
    const own = Array.from({ length: last - first + 1 }, (_, at) => startOf(first + at));
    yield await run(
      stepsOf(positives, order, own, { epoch: number, first, stepsOfEpoch: steps, sampler, random }),
    );
    await pause();
    first = last;
  }
}

/** @param bounds the first user of each step in `order`, and the end of the last */
function stepsOf(
  { starts, items, counts, weights }: Positives,
  order: Int32Array,
  bounds: readonly number[],
  of: Pick<ListSteps, 'epoch' | 'first' | 'stepsOfEpoch'> & {
    sampler: Sampler | undefined;
    random: RandomGenerator;
  },
): ListSteps {
  const { sampler, random, ...place } = of;
  const [begin, end] = [bounds[0], bounds[bounds.length - 1]];
  const users = order.subarray(begin, end);
  const places = new Int32Array(users.reduce((sum, user) => sum + starts[user + 1] - starts[user], 0));
  const weightsOfStep = weights && new Float32Array(places.length);
  const [userStarts, positiveStarts, candidateStarts] = [[0], [0], [0]];
  const samples: StepSample[] = [];
  let at = 0;
  for (let step = 0; step + 1 < bounds.length; step++) {
    const own = order.subarray(bounds[step], bounds[step + 1]);
    const sample = sampler?.draw(positivesOfStep(own, starts, items), random);
    const width = sample?.candidates.length ?? counts.length;
    for (const [row, user] of own.entries())
      for (let index = starts[user]; index < starts[user + 1]; index++) {
        const item = items[index];
        if (weightsOfStep) weightsOfStep[at] = (weights as Float32Array)[index];
        places[at++] = row * width + (sample ? sample.columnOf(item) : item);
      }
    userStarts.push(bounds[step + 1] - begin);
    positiveStarts.push(at);
    if (!sample) continue;
    samples.push(sample);
    candidateStarts.push(candidateStarts[step] + width);
  }
  return {
    ...place,
    users,
    userStarts,
    positives: places,
    positiveStarts,
    weights: weightsOfStep,
    ...(sampler && {
      sample: {
        candidates: Int32Array.from(samples.flatMap(({ candidates }) => Array.from(candidates))),
        starts: candidateStarts,
        corrections: Float32Array.from(samples.flatMap(({ corrections }) => Array.from(corrections))),
      },
    }),
  };
}

function* positivesOfStep(users: Int32Array, starts: Int32Array, items: Int32Array): Generator<number> {
  for (const user of users) for (let at = starts[user]; at < starts[user + 1]; at++) yield items[at];
}

interface StepSample {
  readonly candidates: Int32Array;
  readonly corrections: Float32Array;
  columnOf(item: number): number;
}

/** Draws the candidates of steps: items by popularity, count + 1, with replacement, and the positives of the step. */
class Sampler {
  private readonly cumulative: Float64Array;
  private readonly column: Int32Array;

  constructor(
    private readonly counts: Int32Array,
    readonly size: number,
  ) {
    this.cumulative = new Float64Array(counts.length);
    this.column = new Int32Array(counts.length).fill(-1);
    let sum = 0;
    for (const [item, count] of counts.entries()) this.cumulative[item] = sum += count + 1;
  }

  draw(positives: Iterable<number>, random: RandomGenerator): StepSample {
    const { column, counts, cumulative, size } = this;
    const total = cumulative[cumulative.length - 1];
    const candidates: number[] = [];
    const times: number[] = [];
    const add = (item: number, count: number): void => {
      if (column[item] < 0) {
        column[item] = candidates.length;
        candidates.push(item);
        times.push(0);
      }
      times[column[item]] += count;
    };
    for (const number of uniforms(size, random)) add(this.itemAt(number * total), 1);
    for (const item of positives) add(item, 0);
    const corrections = Float32Array.from(times, (count, index) =>
      count > 0 ? Math.log((count * total) / (size * (counts[candidates[index]] + 1))) : NOT_DRAWN,
    );
    const columns = new Map(candidates.map((item, index) => [item, index]));
    for (const item of candidates) column[item] = -1;
    return {
      candidates: Int32Array.from(candidates),
      corrections,
      columnOf: (item) => columns.get(item) as number,
    };
  }

  private itemAt(weight: number): number {
    let [low, high] = [0, this.cumulative.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.cumulative[middle] <= weight) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * About how many steps of an epoch update each item's row: all, or of sampled candidates those in which the item is drawn or
 * a positive.
 */
export function updatesOfItems(
  positives: Positives,
  { usersPerStep, negatives }: Pick<RankingPlan, 'usersPerStep' | 'negatives'>,
): Float64Array {
  const { counts } = positives;
  const users = activeUsers(positives).length;
  const steps = Math.ceil(users / usersPerStep);
  if (negatives === 'all') return new Float64Array(counts.length).fill(steps);
  const total = counts.reduce((sum, count) => sum + count + 1, 0);
  return Float64Array.from(
    counts,
    (count) => steps * (1 - Math.exp(-(negatives * (count + 1)) / total - count / steps)),
  );
}

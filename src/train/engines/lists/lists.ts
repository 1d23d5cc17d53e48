import type { Positives } from '../../../data/dataset/positives.ts';
import { generator, type RandomGenerator, shuffled, uniforms } from '../../../util/random.ts';
import type { RankingPlan } from '../../recipe/plan.ts';
import { FIRST_EPOCH } from '../batches.ts';

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
  /** Places of the positives among the step's users and among its items. */
  readonly positiveUsers: Int32Array;
  readonly positiveItems: Int32Array;
  readonly positiveStarts: readonly number[];
  /** Weight of each positive. Default: 1 each */
  readonly weights?: Float32Array | undefined;
  /** Default: the items of each step are all items */
  readonly sample?: Sample | undefined;
}

interface Sample {
  /** Row numbers of the items of all steps, without duplicates. Default: all items, if the steps have most of them */
  readonly rows?: Int32Array | undefined;
  /** The items of each step, as places in `rows`, without duplicates. */
  readonly items: Int32Array;
  readonly starts: readonly number[];
  /** Places of the negatives among the step's items, as many in each step. */
  readonly negatives: Int32Array;
  /** How many items each negative stands for. */
  readonly standsFor: Float32Array;
}

/** Largest number of scores in one run, so that it takes about a second or less. */
const SCORES_PER_RUN = 2 ** 23;

/** Users with positives. */
export const activeUsers = ({ starts }: Positives): Int32Array =>
  Int32Array.from({ length: starts.length - 1 }, (_, user) => user).filter(
    (user) => starts[user + 1] > starts[user],
  );

/** Number of steps per epoch. */
export const stepsOfEpoch = (
  positives: Positives,
  { usersPerStep }: Pick<RankingPlan, 'usersPerStep'>,
): number => Math.ceil(activeUsers(positives).length / usersPerStep);

/**
 * An epoch over all users with positives, in random order, in steps of nearly equal numbers of users.
 *
 * @param most limits of the steps that come together; there is at least one
 */
export function* listEpoch(
  positives: Positives,
  number: number,
  { usersPerStep, negatives, seed }: Pick<RankingPlan, 'usersPerStep' | 'negatives' | 'seed'>,
  most: { readonly steps?: number; readonly positives?: number },
): Generator<ListSteps> {
  const { steps: mostSteps = Number.POSITIVE_INFINITY, positives: mostPositives = Number.POSITIVE_INFINITY } =
    most;
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
      last < Math.min(steps, first + mostSteps) &&
      taken < mostPositives &&
      (startOf(last) - startOf(first)) * candidates < SCORES_PER_RUN
    );
    const own = Array.from({ length: last - first + 1 }, (_, at) => startOf(first + at));
    yield stepsOf(positives, order, own, { epoch: number, first, stepsOfEpoch: steps, sampler, random });
    first = last;
  }
}

/** @param bounds the first user of each step in `order`, and the end of the last */
function stepsOf(
  { starts, items, weights }: Positives,
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
  const positiveUsers = new Int32Array(users.reduce((sum, user) => sum + starts[user + 1] - starts[user], 0));
  const positiveItems = new Int32Array(positiveUsers.length);
  const weightsOfStep = weights && new Float32Array(positiveUsers.length);
  const [userStarts, positiveStarts] = [[0], [0]];
  let at = 0;
  for (let step = 0; step + 1 < bounds.length; step++) {
    const first = at;
    for (let row = bounds[step]; row < bounds[step + 1]; row++) {
      const [from, to] = [starts[order[row]], starts[order[row] + 1]];
      positiveUsers.fill(row - bounds[step], at, at + to - from);
      positiveItems.set(items.subarray(from, to), at);
      weightsOfStep?.set((weights as Float32Array).subarray(from, to), at);
      at += to - from;
    }
    userStarts.push(bounds[step + 1] - begin);
    positiveStarts.push(at);
    sampler?.add(positiveItems.subarray(first, at), random);
  }
  return {
    ...place,
    users,
    userStarts,
    positiveUsers,
    positiveItems,
    positiveStarts,
    weights: weightsOfStep,
    sample: sampler?.take(),
  };
}

/** If the steps of a run have this share of the items, the run has all, which need not be copied. */
const MOST = 0.75;

/** Draws the negatives of steps: items by popularity, count + 1, with replacement. */
class Sampler {
  private readonly cumulative: Float64Array;
  /** The place of each item in the step. */
  private readonly place: Int32Array;
  private steps: Pick<Sample, 'items' | 'negatives' | 'standsFor'>[] = [];

  constructor(
    private readonly counts: Int32Array,
    readonly size: number,
  ) {
    this.cumulative = new Float64Array(counts.length);
    this.place = new Int32Array(counts.length).fill(-1);
    let sum = 0;
    for (const [item, count] of counts.entries()) this.cumulative[item] = sum += count + 1;
  }

  /** Adds a step. Its positives, row numbers of items, become places among the step's items. */
  add(positives: Int32Array, random: RandomGenerator): void {
    const { counts, cumulative, place, size } = this;
    const total = cumulative[cumulative.length - 1];
    const items = new Int32Array(Math.min(counts.length, size + positives.length));
    let count = 0;
    const placeOf = (item: number): number => {
      if (place[item] < 0) {
        place[item] = count;
        items[count++] = item;
      }
      return place[item];
    };
    const drawn = Int32Array.from(uniforms(size, random), (number) => this.itemAt(number * total));
    const standsFor = Float32Array.from(drawn, (item) => total / (size * (counts[item] + 1)));
    const negatives = drawn.map(placeOf);
    for (let index = 0; index < positives.length; index++) positives[index] = placeOf(positives[index]);
    const own = items.slice(0, count);
    for (const item of own) place[item] = -1;
    this.steps.push({ items: own, negatives, standsFor });
  }

  /** The steps that were added, joined. */
  take(): Sample {
    const { place, size } = this;
    const steps = this.steps.splice(0);
    const starts = [0];
    for (const [step, { items }] of steps.entries()) starts.push(starts[step] + items.length);
    const items = new Int32Array(starts[steps.length]);
    for (const [step, one] of steps.entries()) items.set(one.items, starts[step]);
    const negatives = new Int32Array(steps.length * size);
    const standsFor = new Float32Array(negatives.length);
    for (const [step, one] of steps.entries()) {
      negatives.set(one.negatives, step * size);
      standsFor.set(one.standsFor, step * size);
    }
    for (const item of items) place[item] = 0;
    const rows = Int32Array.from(place.keys()).filter((item) => place[item] === 0);
    const isPartial = rows.length < MOST * place.length;
    if (isPartial) {
      for (const [at, item] of rows.entries()) place[item] = at;
      for (let at = 0; at < items.length; at++) items[at] = place[items[at]];
    }
    for (const item of rows) place[item] = -1;
    return { rows: isPartial ? rows : undefined, items, starts, negatives, standsFor };
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
  const steps = stepsOfEpoch(positives, { usersPerStep });
  if (negatives === 'all') return new Float64Array(counts.length).fill(steps);
  const total = counts.reduce((sum, count) => sum + count + 1, 0);
  return Float64Array.from(
    counts,
    (count) => steps * (1 - Math.exp(-(negatives * (count + 1)) / total - count / steps)),
  );
}

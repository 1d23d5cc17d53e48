import { checkTrainable } from '../data/dataset/dataset.ts';
import { type Ratings, renumbered, selectRows } from '../data/dataset/ratings.ts';
import { indicesByUser } from '../data/dataset/rows.ts';
import { UserError } from '../errors.ts';
import type { Runtime } from '../run/runtime.ts';
import { type Choices, type Chosen, checked, kinds, numeric } from '../util/choices.ts';
import { generator, shuffled } from '../util/random.ts';
import { stepsOf } from './engines/batches.ts';
import type { Training } from './engines/engine.ts';
import { epochEngine } from './engines/epoch/engine.ts';
import { initialParameters, MOST_PAIRS } from './parameters/initial.ts';
import type { ProgramRecipe } from './recipe/recipe.ts';
import { resolve } from './recipe/resolve.ts';
import type { Schedule } from './step/schedules.ts';

/** How the rates rise. */
export const rangeChoices = {
  from: {
    kind: kinds.positive,
    help: 'the first learning rate (default: a thousandth of the default of training)',
  },
  to: { kind: kinds.positive, help: 'the last (default: a thousand times the default of training)' },
  steps: {
    kind: numeric(
      'give a whole number from 20 to 10,000',
      (steps) => Number.isSafeInteger(steps) && steps >= 20 && steps <= 10_000,
    ),
    help: 'learning rates to try, a batch each (default: as many as there are batches, from 100 to 2000)',
  },
} as const satisfies Choices;

export type RangeTestOptions = Chosen<typeof rangeChoices> & { readonly runtime: Runtime };

export interface RangeTest extends Suggestion {
  readonly rates: readonly number[];
  /** The mean loss of each step's batch, before it is learned from. */
  readonly losses: readonly number[];
  /** The same as an exponential average. */
  readonly smoothed: readonly number[];
  /** Whether the loss grew so much that higher rates were not tried. */
  readonly diverged: boolean;
  /** The learning rate that training takes where none is given. */
  readonly usual: number;
  readonly ratings: number;
}

/** Where to begin to look for the highest learning rate of a schedule: the test sees the training loss alone. */
export interface Suggestion {
  /** A tenth of the rate at the end of the longest fall of the loss. */
  readonly suggestion: number;
  /** Half-way down that fall. */
  readonly valley: number;
}

/** Of more ratings, those of some users are taken. */
const MOST_RATINGS = 100_000;
const STEPS_PER_RUN = 20;
const STREAM = -2;

/**
 * The learning-rate range test: trains for a little while at rates that rise exponentially, until the loss grows. Smith
 * (2017), "Cyclical learning rates for training neural networks".
 *
 * It trains by the epoch graph, at a constant momentum of 0.9. Nothing of what is learned is kept. One seed gives the same.
 *
 * @throws UserError if the ratings or the settings cannot train a model, or no rate lowers the loss
 */
export async function findLearningRate(
  ratings: Ratings,
  recipe: ProgramRecipe,
  { runtime, ...options }: RangeTestOptions,
): Promise<RangeTest> {
  const chosen = checked(rangeChoices, options);
  checkTrainable(ratings);
  const { facts } = ratings;
  const resolved = resolve({ ...recipe, engine: 'epoch-graph' }, facts, runtime);
  const { definition, plan } = resolved;
  const sample = usersOf(ratings, MOST_RATINGS, plan.training.seed);
  const each = stepsOf(sample.ratings.length, plan.training.batchSize);
  const usual = resolved.schedule.config.learningRate;
  const { from = usual / 1000, to = usual * 1000, steps = Math.min(Math.max(each, 100), 2000) } = chosen;
  if (from >= to)
    throw new UserError(
      'argument',
      `the learning rate would rise from ${from} to ${to}; give a higher end, or a lower start`,
    );

  const rateAt = (step: number): number => from * (to / from) ** (step / (steps - 1));
  const epochs = Math.ceil(steps / each);
  const schedule: Schedule = {
    name: 'rising',
    config: { from, to },
    at: (progress) => ({ learningRate: rateAt(progress * epochs * each), momentum: 0.9 }),
  };
  // As it is for all ratings, with tables for these users and items alone.
  const model = definition({ ...facts, users: sample.userIds.length, items: sample.itemIds.length });
  const prepared = await epochEngine.prepare({
    ...resolved,
    model,
    plan: { ...plan, training: { ...plan.training, epochs } },
    schedule,
    data: sample,
    runtime,
    ratingsPerRun: STEPS_PER_RUN * plan.training.batchSize,
  });
  const pairs = ratings.ratings.length <= MOST_PAIRS ? sample : undefined;
  const carried = initialParameters(model, plan.training.seed, pairs);
  const training = await prepared.start({ epochs: 0, carried });
  const head = Math.floor(steps / 10);
  const losses: number[] = [];
  let end = 0;
  try {
    for await (const some of lossesOf(training)) {
      losses.push(...some.slice(0, steps - losses.length));
      end = endOf(smooth(losses, steps), head);
      if (end < losses.length || losses.length === steps) break;
    }
  } finally {
    await training.release();
  }
  const rates = losses.map((_, step) => rateAt(step)).slice(0, end);
  const smoothed = smooth(losses.slice(0, end), steps);
  const suggestion = suggest(rates.slice(head), smoothed.slice(head));
  if (!suggestion)
    throw new UserError(
      'training',
      `no learning rate from ${from} to ${to} lowers the loss, which begins at ${losses[0]}; begin lower, or end higher`,
    );
  return {
    ...suggestion,
    rates,
    losses: losses.slice(0, end),
    smoothed,
    diverged: end < steps,
    usual,
    ratings: sample.ratings.length,
  };
}

async function* lossesOf(training: Training): AsyncGenerator<readonly number[]> {
  for (let number = 0; ; number++)
    for await (const { losses } of training.epoch(number)) yield Array.from(losses);
}

/** Ratings by as many users, drawn at random, as have `most` ratings or a few more; with only their ids. */
function usersOf(ratings: Ratings, most: number, seed: number): Ratings {
  if (ratings.ratings.length <= most) return ratings;
  const { userIds, itemIds } = ratings;
  const byUser = [...indicesByUser(ratings.users, userIds.length)];
  const places: number[] = [];
  for (const user of shuffled(userIds.length, generator(seed, STREAM))) {
    if (places.length >= most) break;
    for (const place of byUser[user]) places.push(place);
  }
  const some = selectRows(ratings, Int32Array.from(places));
  const occurring = (ids: readonly string[], rows: Int32Array): string[] =>
    [...new Set(rows)].map((row) => ids[row]);
  return renumbered(some, {
    userIds: occurring(userIds, some.users),
    itemIds: occurring(itemIds, some.items),
  });
}

/**
 * An exponential average over a tenth of the steps, without the pull of its beginning at 0 (as Adam's means are corrected;
 * Kingma and Ba 2015).
 */
export function smooth(losses: readonly number[], steps: number): number[] {
  const keep = 0.9 ** (100 / steps);
  let average = 0;
  return losses.map((loss, step) => {
    average = keep * average + (1 - keep) * loss;
    return average / (1 - keep ** (step + 1));
  });
}

/**
 * The step at which a test ends: the first whose loss is not finite, or over four times the lowest before.
 *
 * @param head steps at the beginning whose average is of too few to be compared
 * @returns how many steps there are, where it does not end
 */
export function endOf(smoothed: readonly number[], head: number): number {
  let lowest = Number.POSITIVE_INFINITY;
  const end = smoothed.findIndex((loss, step) => {
    if (step >= head) lowest = Math.min(lowest, loss);
    return !Number.isFinite(loss) || loss > 4 * lowest;
  });
  return end < 0 ? smoothed.length : end;
}

/**
 * In the longest sequence of losses each lower than the one before, not all next to each other: a tenth of the rate at its
 * end, and the rate half-way along. They are `minimum` and `valley` of fastai's `callback/schedule.py`, but that its
 * `minimum` is of the lowest loss, which noise at the beginning may be. `valley` is taken to begin as many steps before its
 * end as it is long.
 *
 * On MovieLens 100K and latest-small, and on an eighth of them, a tenth is on average off the default of row-adagrad by a
 * factor of 1.6 for dot-bias and 2.5 for the MLP, and off those of adamw by 1.9 and 1.6; half-way by 2.5 and 1.9, and by 4.1
 * and 3.6.
 *
 * @returns undefined where the loss is never lower than at the beginning
 */
export function suggest(rates: readonly number[], smoothed: readonly number[]): Suggestion | undefined {
  if (smoothed.indexOf(Math.min(...smoothed)) <= 0) return undefined;
  const lengths = smoothed.map(() => 1);
  let end = 0;
  for (const [step, loss] of smoothed.entries()) {
    for (let before = 0; before < step; before++)
      if (loss < smoothed[before] && lengths[step] <= lengths[before]) lengths[step] = lengths[before] + 1;
    if (lengths[step] > lengths[end]) end = step;
  }
  const third = lengths[end] / 3;
  const middle = Math.max(0, end - lengths[end] + Math.floor(third) + Math.floor(third / 2));
  return { suggestion: rates[end] / 10, valley: rates[middle] };
}

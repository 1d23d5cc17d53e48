import type { Tensors } from '../../graphs/heads/serving.ts';
import type { DataFacts, Objective } from '../../graphs/models/model.ts';
import { checkTrainable } from '../data/dataset/dataset.ts';
import { pairsOf, positivesOf } from '../data/dataset/positives.ts';
import { type Ratings, renumbered, selectRows, someRatings } from '../data/dataset/ratings.ts';
import { indicesByUser } from '../data/dataset/rows.ts';
import { UserError } from '../errors.ts';
import type { Runtime } from '../run/runtime.ts';
import { type Choices, type Chosen, checked, kinds, numeric } from '../util/choices.ts';
import * as expected from '../util/options.ts';
import { checkArgument, checkOptions } from '../util/options.ts';
import { generator, shuffled } from '../util/random.ts';
import { stepsOf } from './engines/batches.ts';
import type { PreparedTraining, Training } from './engines/engine.ts';
import { epochEngine } from './engines/epoch/engine.ts';
import { prepareLists } from './engines/lists/engine.ts';
import { activeUsers } from './engines/lists/lists.ts';
import { initialParameters, MOST_PAIRS } from './parameters/initial.ts';
import { endOf, type Suggestion, smooth, suggest } from './range-curve.ts';
import { trainingChoices } from './recipe/choices.ts';
import { checkLearned, checkRecipe, type ProgramRecipe, someRecipe } from './recipe/recipe.ts';
import { resolve } from './recipe/resolve.ts';
import { positiveOf, resolveRanking, weightingOf } from './recipe/resolve-ranking.ts';
import type { Schedule } from './step/schedules.ts';
import { weightedPositives } from './weighted-positives.ts';

/** The range of learning rates to try. */
export const rangeChoices = {
  from: {
    kind: kinds.positive,
    help: 'the first learning rate (default: a thousandth of the default learning rate; of ranking a hundredth)',
  },
  to: {
    kind: kinds.positive,
    help: 'the last learning rate (default: a thousand times the default learning rate; of ranking a hundred times)',
  },
  steps: {
    kind: numeric(
      'give a whole number from 20 to 10,000',
      (steps) => Number.isSafeInteger(steps) && steps >= 20 && steps <= 10_000,
    ),
    help: 'number of learning rates to try, with one batch each (default: the number of batches, from 100 to 2000; of ranking from 60)',
  },
} as const satisfies Choices;

export type RangeTestOptions = Chosen<typeof rangeChoices> & { readonly runtime: Runtime };

const OPTIONS: expected.OptionTable<RangeTestOptions> = {
  from: expected.checkedLater,
  to: expected.checkedLater,
  steps: expected.checkedLater,
  runtime: expected.runtime,
};

/** The test of one objective. */
export interface PartRangeTest extends Suggestion {
  readonly objective: Objective;
  /** The learning rates that were tried. */
  readonly rates: readonly number[];
  /** The mean loss of each step's batch before its update: of a rating, or of a positive. */
  readonly losses: readonly number[];
  /** The losses as an exponential moving average. */
  readonly smoothed: readonly number[];
  /** Whether the loss grew so much that higher learning rates were not tried. */
  readonly diverged: boolean;
  /** The default learning rate of training. */
  readonly usual: number;
  /** Number of ratings used, or of positives. */
  readonly ratings: number;
}

/** The test of the objective. With the objective `both`, it is that of predicting ratings. */
export interface RangeTest extends PartRangeTest {
  /** The test of ranking, which is for `rankingLearningRate`; present with the objective `both`. */
  readonly ranking?: PartRangeTest;
}

/** If there are more ratings, those of some users are used. */
const MOST_RATINGS = 100_000;
const STEPS_PER_RUN = 20;
/** A step of ranking takes longer. */
const LISTS_PER_RUN = 5;
const STREAM = -2;

/**
 * The learning-rate range test: trains for some steps while the learning rate rises exponentially, until the loss grows.
 * Smith (2017), "Cyclical learning rates for training neural networks".
 *
 * It goes by the training loss of the objective, and tests each part of a model that is trained for both. It trains with the
 * epoch graph and a constant momentum of 0.9, or with the list graph, and discards the model. The same seed gives the same
 * result.
 *
 * @throws UserError if the ratings or the recipe cannot train a model, or if no learning rate lowers the loss
 */
export async function findLearningRate(
  ratings: Ratings,
  recipe: ProgramRecipe,
  given: RangeTestOptions,
): Promise<RangeTest> {
  checkArgument('the ratings are', ratings, someRatings);
  checkArgument('the recipe is', recipe, someRecipe);
  checkOptions(given ?? {}, OPTIONS);
  checkArgument('runtime is', given?.runtime, expected.runtime);
  const { runtime, ...options } = given;
  const chosen = checked(rangeChoices, options);
  checkLearned(recipe);
  checkTrainable(ratings);
  const { objectives } = checkRecipe(recipe, ratings.kind);
  const sample = usersOf(ratings, MOST_RATINGS, recipe.seed ?? trainingChoices.seed.default);
  const data = { ratings, sample, runtime };
  const tests: PartRangeTest[] = [];
  for (const objective of objectives)
    tests.push(
      await rangeTest(objective === 'rating' ? ofRatings(recipe, data) : ofLists(recipe, data), chosen),
    );
  const [test, ranking] = tests;
  return { ...test, ...(ranking && { ranking }) };
}

interface Data {
  readonly ratings: Ratings;
  /** The ratings of some users. */
  readonly sample: Ratings;
  readonly runtime: Runtime;
}

/** A training of one objective. */
interface Tested {
  readonly objective: Objective;
  /** The default learning rate. */
  readonly usual: number;
  /** Number of ratings, or of positives. */
  readonly ratings: number;
  /** Number of steps per epoch. */
  readonly each: number;
  /** The range of learning rates: the default is divided by this, and multiplied. */
  readonly range: number;
  /** Smallest number of steps. */
  readonly least: number;
  initial(): Tensors;
  prepare(epochs: number, schedule: Schedule): PreparedTraining | Promise<PreparedTraining>;
}

/** The facts about all ratings, but with the number of users and items in the sample. */
const factsOf = ({ ratings, sample }: Data): DataFacts => ({
  ...ratings.facts,
  users: sample.userIds.length,
  items: sample.itemIds.length,
});

function ofRatings(recipe: ProgramRecipe, data: Data): Tested {
  const { ratings, sample, runtime } = data;
  const resolved = resolve({ ...recipe, engine: 'epoch-graph' }, ratings.facts, runtime);
  const { plan, definition } = resolved;
  const { batchSize, seed } = plan.training;
  const model = definition(factsOf(data), 'rating');
  const pairs = ratings.ratings.length <= MOST_PAIRS ? sample : undefined;
  return {
    objective: 'rating',
    usual: resolved.schedule.config.learningRate,
    ratings: sample.ratings.length,
    each: stepsOf(sample.ratings.length, batchSize),
    ...{ range: 1000, least: 100 },
    // Biases start at their center, not at their posterior: from there the loss of few steps falls too little to tell rates apart.
    initial: () => initialParameters(model, seed, { pairs }),
    prepare: (epochs, schedule) =>
      epochEngine.prepare({
        ...resolved,
        ...{ model, schedule, runtime, data: sample },
        plan: { ...plan, training: { ...plan.training, epochs } },
        ratingsPerRun: STEPS_PER_RUN * batchSize,
      }),
  };
}

function ofLists(recipe: ProgramRecipe, data: Data): Tested {
  const { ratings, sample, runtime } = data;
  const { facts } = ratings;
  const { positives: all, recipe: decided } = weightedPositives(recipe, ratings, facts);
  const some = positivesOf(sample, sample.facts, positiveOf(recipe, facts), weightingOf(decided));
  const resolved = resolveRanking(decided, { ...facts, positives: all.items.length });
  const { plan, definition } = resolved;
  const { usersPerStep, seed } = plan.training;
  const size = some.items.length;
  const model = definition({ ...factsOf(data), ratings: all.items.length }, 'ranking');
  const each = stepsOf(activeUsers(some).length, usersPerStep);
  return {
    objective: 'ranking',
    usual: resolved.schedule.config.learningRate,
    ratings: size,
    each,
    // A step of ranking takes longer, so there are fewer.
    ...{ range: 100, least: 60 },
    initial: () => initialParameters(model, seed, { pairs: pairsOf(some) }),
    prepare: (epochs, schedule) =>
      prepareLists({
        ...resolved,
        ...{ model, schedule, runtime, positives: some },
        plan: { ...plan, training: { ...plan.training, epochs } },
        ratingsPerRun: Math.ceil((LISTS_PER_RUN * size) / each),
      }),
  };
}

async function rangeTest(tested: Tested, chosen: Chosen<typeof rangeChoices>): Promise<PartRangeTest> {
  const { objective, usual, ratings, each, range, least } = tested;
  const { from = usual / range, to = usual * range } = chosen;
  const { steps = Math.min(Math.max(each, least), 2000) } = chosen;
  if (from >= to)
    throw new UserError(
      'argument',
      `the learning rate would rise from ${from} to ${to}; give a higher end, or a lower start`,
    );
  const rateAt = (step: number): number => from * (to / from) ** (step / (steps - 1));
  const epochs = Math.ceil(steps / each);
  const prepared = await tested.prepare(epochs, {
    name: 'rising',
    config: { from, to },
    at: (progress) => ({ learningRate: rateAt(progress * epochs * each), momentum: 0.9 }),
  });
  const training = await prepared.start({ epochs: 0, carried: tested.initial() });
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
      `no learning rate from ${from} to ${to} lowers the loss${objective === 'ranking' ? ' of ranking' : ''}, which starts at ${losses[0]}; start lower, or end higher`,
    );
  return {
    objective,
    ...suggestion,
    rates,
    losses: losses.slice(0, end),
    smoothed,
    diverged: end < steps,
    usual,
    ratings,
  };
}

async function* lossesOf(training: Training): AsyncGenerator<readonly number[]> {
  for (let number = 0; ; number++)
    for await (const { losses } of training.epoch(number)) yield Array.from(losses);
}

/** The ratings of random users until there are `most` or a few more, with only the ids that occur in them. */
function usersOf(ratings: Ratings, most: number, seed: number): Ratings {
  if (ratings.ratings.length <= most) return ratings;
  const { userIds, itemIds } = ratings;
  const byUser = [...indicesByUser(ratings.users, userIds.length)];
  const indices: number[] = [];
  for (const user of shuffled(userIds.length, generator(seed, STREAM))) {
    if (indices.length >= most) break;
    for (const index of byUser[user]) indices.push(index);
  }
  const some = selectRows(ratings, Int32Array.from(indices));
  const occurring = (ids: readonly string[], rows: Int32Array): string[] =>
    [...new Set(rows)].map((row) => ids[row]);
  return renumbered(some, {
    userIds: occurring(userIds, some.users),
    itemIds: occurring(itemIds, some.items),
  });
}

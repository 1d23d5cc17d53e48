import type { Tensors } from '../../../../graphs/heads/serving.ts';
import type { Decay } from '../../../../graphs/models/list-loss.ts';
import type { Positives } from '../../../data/dataset/positives.ts';
import { encodeModel } from '../../../onnx/index.ts';
import { type Parts, tensorOf } from '../../../run/rows.ts';
import type { Runtime } from '../../../run/runtime.ts';
import { mapValues } from '../../../util/map-values.ts';
import type { RankingPlan, Resolved } from '../../recipe/plan.ts';
import { carriedDims } from '../../step/layout.ts';
import { pause } from '../batches.ts';
import type { PreparedTraining, StepsDone, Training } from '../engine.ts';
import { withState } from '../epoch/engine.ts';
import { listGraph } from './graph.ts';
import { type ListSteps, listEpoch, updatesOfItems } from './lists.ts';
import { rowsOf, writeRows } from './tables.ts';

export interface ListTask extends Resolved<RankingPlan> {
  readonly positives: Positives;
  readonly runtime: Runtime;
  /** Positives per run of the graph. Between runs it yields to the event loop. @default 262_144 */
  readonly ratingsPerRun?: number | undefined;
  /** Trains the shards of a plan that has some. Default: steps come one after the other, without shards */
  readonly inShards?: ShardTraining | undefined;
  /** Maximum number of threads for shards. @default 1 */
  readonly workers?: number | undefined;
}

type ShardTraining = (task: ListTask, runs: ListRuns) => Promise<Training>;

/** What runs of the list graph take and give. */
export interface ListRuns {
  readonly graph: Uint8Array;
  /** The parameters and optimizer state, with the names of the graph's inputs. */
  readonly tables: Record<string, Tensors[string]>;
  /** The rows of a table that a run of some steps has. Default: all */
  rowsIn(steps: ListSteps, table: string): Int32Array | undefined;
  feeds(steps: ListSteps): Record<string, Parts>;
}

/** Trains a model to rank, with the list graph, which takes many steps in one run: see `graph.ts`. */
export function prepareLists(task: ListTask): PreparedTraining {
  const { model, optimizer, plan, positives, inShards } = task;
  const { training } = plan;
  const graph = encodeModel(
    listGraph(model, {
      optimizer,
      sampled: training.negatives !== 'all',
      userRate: training.userRate,
      weighted: positives.weights !== undefined,
    }),
  );
  const sideOf = (table: string) => model.parameters[table.split('.')[0]].rowsOf;
  const itemDecay = decays(sizesOfItems(positives), training.itemDecay, updatesOfItems(positives, training));
  return {
    graph,
    start: async ({ carried }) => {
      const tables = copied(withState(task, carried));
      const rowsIn: ListRuns['rowsIn'] = ({ users, sample }, table) =>
        ({ user: users, item: sample?.rows, none: undefined })[sideOf(table) ?? 'none'];
      const runs: ListRuns = {
        graph,
        tables,
        rowsIn,
        feeds: (steps) => ({
          // A run has its own rows only, because the loop copies tables in every step.
          ...mapValues(tables, (table, name): Parts => {
            const rows = rowsIn(steps, name);
            return { type: 'float32', ...(rows ? rowsOf(table, rows) : table) };
          }),
          ...stepFeeds(task, steps, itemDecay),
        }),
      };
      return inShards && training.shards ? inShards(task, runs) : inOneThread(task, runs);
    },
  };
}

async function inOneThread(task: ListTask, { graph, tables, rowsIn, feeds }: ListRuns): Promise<Training> {
  const { model, optimizer, plan, positives, runtime, ratingsPerRun = 2 ** 18 } = task;
  const session = await runtime.createSession(graph, { threads: 1 });
  return {
    async *epoch(number) {
      for (const steps of listEpoch(positives, number, plan.training, { positives: ratingsPerRun })) {
        const results = await session.run(mapValues(feeds(steps), tensorOf));
        for (const name of Object.keys(carriedDims(model, optimizer))) {
          const { dims, data } = results[`${name}.next`];
          const rows = rowsIn(steps, name);
          if (rows) writeRows(tables[name], rows, data as Float32Array);
          else tables[name] = { dims, data: data as Float32Array };
        }
        yield stepsDone(steps, results.loss.data as Float32Array);
        await pause();
      }
    },
    // Copies, because the next epoch writes to the tables.
    carried: async () => copied(tables),
    release: () => session.release(),
  };
}

export const copied = (tensors: Tensors): Record<string, Tensors[string]> =>
  mapValues(tensors, ({ dims, data }) => ({ dims, data: data.slice() }));

/** @param sums the loss of each step */
export const stepsDone = (steps: ListSteps, sums: Float32Array): StepsDone => ({
  losses: sums.map((sum, step) => sum / weightOfStep(steps, step)),
  starts: steps.positiveStarts,
});

function stepFeeds(
  { plan, schedule, positives }: ListTask,
  steps: ListSteps,
  itemDecay: Float32Array,
): Record<string, Parts> {
  const { users, userStarts, weights, sample, first, stepsOfEpoch, epoch } = steps;
  const { epochs, userDecay } = plan.training;
  const count = userStarts.length - 1;
  const rates = Float32Array.from(
    { length: count },
    (_, step) => schedule.at((epoch + (first + step) / stepsOfEpoch) / epochs).learningRate,
  );
  const sizes = sizesOfUsers(positives, users);
  const bySteps = [count, (sample?.negatives.length ?? 0) / count];
  return {
    user: int32(Int32Array.from(users.keys())),
    user_start: int64(userStarts),
    positive_user: int32(steps.positiveUsers),
    positive_item: int32(steps.positiveItems),
    positive_start: int64(steps.positiveStarts),
    user_weight: floats(Float32Array.from(sizes)),
    ...(weights && { weight: floats(weights) }),
    ...(sample && {
      item: int32(sample.items),
      item_start: int64(sample.starts),
      negative: int32(sample.negatives, bySteps),
      stands_for: floats(sample.standsFor, bySteps),
    }),
    user_decay: floats(decays(sizes, userDecay)),
    item_decay: floats(sample?.rows ? Float32Array.from(sample.rows, (row) => itemDecay[row]) : itemDecay),
    learning_rate: floats(rates),
  };
}

const floats = (data: Float32Array, dims = [data.length]): Parts => ({ type: 'float32', dims, data });
const int32 = (data: Int32Array, dims = [data.length]): Parts => ({ type: 'int32', dims, data });
const int64 = (values: readonly number[]): Parts => ({
  type: 'int64',
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
});

/** The sum of the weights of a step's positives. */
function weightOfStep({ positiveStarts, weights }: ListSteps, step: number): number {
  const [start, end] = [positiveStarts[step], positiveStarts[step + 1]];
  return weights ? weights.subarray(start, end).reduce((sum, weight) => sum + weight, 0) : end - start;
}

/** The weight decay of users goes by the number of their positives, or by the sum of their weights. */
function sizesOfUsers({ starts, weights }: Positives, users: Int32Array): Float64Array {
  return Float64Array.from(users, (user) =>
    weights
      ? weights.subarray(starts[user], starts[user + 1]).reduce((sum, weight) => sum + weight, 0)
      : starts[user + 1] - starts[user],
  );
}

/** The same for items. */
function sizesOfItems({ items, counts, weights }: Positives): Float64Array {
  if (!weights) return Float64Array.from(counts);
  const sums = new Float64Array(counts.length);
  for (const [index, item] of items.entries()) sums[item] += weights[index];
  return sums;
}

/**
 * The factor of a row in the gradient of its weight decay.
 *
 * @param updates number of updates of each row over which the decay of an epoch is spread. Default: 1
 */
function decays(sizes: Float64Array, [weight, power]: Decay, updates?: Float64Array): Float32Array {
  return Float32Array.from(sizes, (size, row) => (2 * weight * size ** power) / (updates?.[row] ?? 1));
}

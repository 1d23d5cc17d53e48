import { Tensor } from 'onnxruntime-common';
import type { Tensors } from '../../../../graphs/heads/serving.ts';
import type { Decay } from '../../../../graphs/models/list-loss.ts';
import type { Positives } from '../../../data/dataset/positives.ts';
import { encodeModel } from '../../../onnx/index.ts';
import type { Runtime } from '../../../run/runtime.ts';
import { mapValues } from '../../../util/map-values.ts';
import type { RankingPlan, Resolved } from '../../recipe/plan.ts';
import { carriedDims, stateName } from '../../step/layout.ts';
import type { PreparedTraining, StepsDone } from '../engine.ts';
import { withState } from '../epoch/engine.ts';
import { listGraph } from './graph.ts';
import { type ListSteps, listEpoch, updatesOfItems } from './lists.ts';

export interface ListTask extends Resolved<RankingPlan> {
  readonly positives: Positives;
  readonly runtime: Runtime;
  /** Positives per run of the graph. Between runs it yields to the event loop. @default 262_144 */
  readonly ratingsPerRun?: number | undefined;
}

/** Trains a model to rank, with the list graph, which takes many steps in one run: see `graph.ts`. */
export function prepareLists(task: ListTask): PreparedTraining {
  const { model, optimizer, plan, positives, runtime, ratingsPerRun = 2 ** 18 } = task;
  const { training } = plan;
  const graph = encodeModel(
    listGraph(model, {
      optimizer,
      sampled: training.negatives !== 'all',
      userRate: training.userRate,
      weighted: positives.weights !== undefined,
    }),
  );
  const names = Object.keys(carriedDims(model, optimizer));
  const ofUsers = new Set(
    Object.entries(model.parameters)
      .filter(([, { rowsOf }]) => rowsOf === 'user')
      .flatMap(([name]) => ['', ...optimizer.state].map((part) => stateName(name, part))),
  );
  const isOfUsers = (name: string): boolean => ofUsers.has(name);
  const itemDecay = decays(sizesOfItems(positives), training.itemDecay, updatesOfItems(positives, training));
  return {
    graph,
    async start(from) {
      const session = await runtime.createSession(graph, { threads: 1 });
      const carried: Record<string, Tensors[string]> = copied(withState(task, from.carried));
      const run = async (steps: ListSteps): Promise<StepsDone> => {
        // A run has the rows of its own users only, because the loop copies their tables in every step.
        const feeds = mapValues(carried, (tensor, name) => {
          const { dims, data } = isOfUsers(name) ? rowsOf(tensor, steps.users) : tensor;
          return new Tensor('float32', data, dims);
        });
        const results = await session.run({ ...feeds, ...stepFeeds(task, steps, itemDecay) });
        for (const name of names) {
          const { dims, data } = results[`${name}.next`];
          if (isOfUsers(name)) writeRows(carried[name], steps.users, data as Float32Array);
          else carried[name] = { dims, data: data as Float32Array };
        }
        const sums = results.loss.data as Float32Array;
        return {
          losses: sums.map((sum, step) => sum / weightOfStep(steps, step)),
          starts: steps.positiveStarts,
        };
      };
      return {
        epoch: (number) => listEpoch(positives, number, training, { mostPositives: ratingsPerRun, run }),
        // Copies, because the next epoch writes to the tables of users.
        carried: async () => copied(carried),
        release: () => session.release(),
      };
    },
  };
}

const copied = (tensors: Tensors): Tensors =>
  mapValues(tensors, ({ dims, data }) => ({ dims, data: data.slice() }));

function stepFeeds({ plan, schedule, positives }: ListTask, steps: ListSteps, itemDecay: Float32Array) {
  const { users, userStarts, weights, sample, first, stepsOfEpoch, epoch } = steps;
  const { epochs, userDecay } = plan.training;
  const int64 = (values: readonly number[]): Tensor =>
    new Tensor('int64', BigInt64Array.from(values, BigInt));
  const count = userStarts.length - 1;
  const rates = Float32Array.from(
    { length: count },
    (_, step) => schedule.at((epoch + (first + step) / stepsOfEpoch) / epochs).learningRate,
  );
  const sizes = sizesOfUsers(positives, users);
  const bySteps = [count, (sample?.negatives.length ?? 0) / count];
  return {
    user: new Tensor('int32', Int32Array.from(users.keys())),
    user_start: int64(userStarts),
    positive_user: new Tensor('int32', steps.positiveUsers),
    positive_item: new Tensor('int32', steps.positiveItems),
    positive_start: int64(steps.positiveStarts),
    user_weight: new Tensor('float32', Float32Array.from(sizes)),
    ...(weights && { weight: new Tensor('float32', weights) }),
    ...(sample && {
      item: new Tensor('int32', sample.items),
      item_start: int64(sample.starts),
      negative: new Tensor('int32', sample.negatives, bySteps),
      stands_for: new Tensor('float32', sample.standsFor, bySteps),
    }),
    user_decay: new Tensor('float32', decays(sizes, userDecay)),
    item_decay: new Tensor('float32', itemDecay),
    learning_rate: new Tensor('float32', rates),
  };
}

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

const widthOf = ({ dims: [, ...rest] }: Tensors[string]): number =>
  rest.reduce((product, dim) => product * dim, 1);

function rowsOf(table: Tensors[string], rows: Int32Array): Tensors[string] {
  const width = widthOf(table);
  const data = new Float32Array(rows.length * width);
  for (const [to, row] of rows.entries())
    data.set(table.data.subarray(row * width, (row + 1) * width), to * width);
  return { dims: [rows.length, ...table.dims.slice(1)], data };
}

function writeRows(table: Tensors[string], rows: Int32Array, data: Float32Array): void {
  const width = widthOf(table);
  for (const [from, row] of rows.entries())
    table.data.set(data.subarray(from * width, (from + 1) * width), row * width);
}

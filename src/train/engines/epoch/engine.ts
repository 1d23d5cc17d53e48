import { Tensor } from 'onnxruntime-common';
import type { Tensors } from '../../../../graphs/heads/serving.ts';
import { encodeModel } from '../../../onnx/index.ts';
import { mapValues } from '../../../util/map-values.ts';
import { uniforms } from '../../../util/random.ts';
import { carriedDims } from '../../step/layout.ts';
import { losses } from '../../step/losses.ts';
import { type Epoch, type Steps, shuffledEpoch } from '../batches.ts';
import type { Engine, TrainingTask } from '../engine.ts';
import { noiseSize, noiseStarts } from '../noise.ts';
import { epochGraph } from './graph.ts';

type Feeds = Record<string, Tensor>;

/** Trains with the epoch graph, which takes many steps in one run: see `graph.ts`. */
export const epochEngine: Engine = {
  async prepare(task) {
    const { model, optimizer, plan, data, runtime } = task;
    const { file, dropoutWidths } = epochGraph(model, {
      ...plan.training,
      optimizer,
      loss: losses[plan.training.loss],
    });
    const graph = encodeModel(file);
    const names = Object.keys(carriedDims(model, optimizer));
    return {
      graph,
      async start(from) {
        const ratings = await data.sample(Number.POSITIVE_INFINITY);
        const session = await runtime.createSession(graph, { threads: 1 });
        let carried = feedsOf(withState(task, from.carried));
        return {
          epoch: (number) =>
            shuffledEpoch(ratings, number, task, (epoch) => {
              const noise = noiseOf(epoch, dropoutWidths);
              return async (steps) => {
                const feeds = { ...stepFeeds(task, epoch, steps), ...noise(steps) };
                const results = (await session.run({ ...carried, ...feeds })) as Feeds;
                carried = Object.fromEntries(names.map((name) => [name, results[`${name}.next`]]));
                return results.loss.data as Float32Array;
              };
            }),
          carried: async () => mapValues(carried, ({ dims, data }) => ({ dims, data: data as Float32Array })),
          replace(next) {
            carried = feedsOf(next);
          },
          release: () => session.release(),
        };
      },
    };
  },
};

const feedsOf = (tensors: Tensors): Feeds =>
  mapValues(tensors, ({ dims, data }) => new Tensor('float32', data, dims));

/** Adds the optimizer's state, which starts at zero. */
export function withState(
  { model, optimizer }: Pick<TrainingTask, 'model' | 'optimizer'>,
  carried: Tensors,
): Tensors {
  return mapValues(carriedDims(model, optimizer), (dims, name) => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    return carried[name] ?? { dims, data: new Float32Array(size) };
  });
}

function stepFeeds(
  { plan, schedule }: TrainingTask,
  epoch: Epoch,
  { first, users, items, ratings, starts }: Steps,
) {
  const done = epoch.number * epoch.steps + first;
  const all = plan.training.epochs * epoch.steps;
  const hyperparameters = starts.slice(1).map((_, step) => schedule.at((done + step) / all));
  const ofSteps = (name: 'learningRate' | 'momentum'): Tensor =>
    new Tensor(
      'float32',
      Float32Array.from(hyperparameters, (one) => one[name]),
    );
  return {
    user: new Tensor('int32', users),
    item: new Tensor('int32', items),
    actual: new Tensor('float32', ratings),
    batch_start: new Tensor('int64', BigInt64Array.from(starts, BigInt)),
    learning_rate: ofSteps('learningRate'),
    momentum: ofSteps('momentum'),
    first_step: new Tensor('float32', [done + 1], []),
  };
}

/** The inputs of an epoch's dropout. They are drawn for the whole epoch, so that the number of runs does not matter. */
function noiseOf({ steps, batchSize, random }: Epoch, widths: readonly number[]): (steps: Steps) => Feeds {
  if (widths.length === 0) return () => ({});
  const noise = new Tensor('float32', uniforms(noiseSize(batchSize, widths), random));
  const beginnings = noiseStarts(steps, batchSize, widths, random);
  return ({ first, starts }) => ({
    noise,
    ...mapValues(beginnings, (all) => new Tensor('int64', all.slice(first, first + starts.length - 1))),
  });
}

import { Tensor } from 'onnxruntime-common';
import { gridGraph, scoreGraph } from '../../../graphs/heads/predict.ts';
import { type Rates, servingParameters, type Tensors } from '../../../graphs/heads/serving.ts';
import type { Model } from '../../../graphs/models/model.ts';
import { encodeModel } from '../../onnx/index.ts';
import type { Runtime } from '../../run/runtime.ts';
import { highest } from '../../util/highest.ts';
import { mapValues } from '../../util/map-values.ts';

/** Predicts ratings by row number while a model trains. */
export interface Scorer {
  /**
   * @param users row numbers; the number of users stands for an unknown user
   * @param items row numbers; the number of items stands for an unknown item
   */
  score(parameters: Tensors, users: Int32Array, items: Int32Array): Promise<Float32Array>;
}

/** Pairs per run: so few that their rows stay in the cache. */
const PAIRS_PER_RUN = 8192;

export async function createScorer(part: Rates, runtime: Runtime): Promise<Scorer> {
  const session = await runtime.createSession(encodeModel(scoreGraph(part)), { threads: 1 });
  return {
    async score(parameters, users, items) {
      const feeds = Object.fromEntries(
        Object.entries(servingParameters(part.model, parameters)).map(([name, { dims, data }]) => [
          name,
          new Tensor('float32', data, dims),
        ]),
      );
      const scores = new Float32Array(users.length);
      for (let from = 0; from < users.length; from += PAIRS_PER_RUN) {
        const to = Math.min(users.length, from + PAIRS_PER_RUN);
        const user = new Tensor('int32', users.subarray(from, to));
        const item = new Tensor('int32', items.subarray(from, to));
        const { rating } = await session.run({ ...feeds, user, item });
        scores.set(rating.data as Float32Array, from);
      }
      return scores;
    },
  };
}

/** Ranks all items for users, without those that each has rated: see `Ranker`. */
export type TrainingRanker = (
  users: Int32Array,
  k: number,
  rated: readonly Int32Array[],
) => Promise<Int32Array>;

/** Scores per run: so few that they stay in the cache. */
const SCORES_PER_RUN = 2 ** 19;

/** A function from the parameters of a model in training to its ranker. */
export async function createRanker(
  model: Model,
  runtime: Runtime,
): Promise<(parameters: Tensors) => TrainingRanker> {
  const { file, items } = gridGraph(model);
  const session = await runtime.createSession(encodeModel(file), { threads: 1 });
  return (parameters) => {
    const feeds = mapValues(parameters, ({ dims, data }) => new Tensor('float32', data, dims));
    return rankerOf(items, Math.max(1, Math.floor(SCORES_PER_RUN / items)), async (user) => {
      const { score } = await session.run({ ...feeds, user: new Tensor('int32', user) });
      return score.data as Float32Array;
    });
  };
}

/**
 * Ranks by scores.
 *
 * @param most number of users whose scores are asked for at once
 * @param scoresOf gives the scores of all items for users, float[n, width], where the items come first
 */
export function rankerOf(
  items: number,
  most: number,
  scoresOf: (users: Int32Array) => Promise<Float32Array>,
): TrainingRanker {
  return async (users, k, rated) => {
    const lists = new Int32Array(users.length * k).fill(-1);
    for (let from = 0; from < users.length; from += most) {
      const some = users.subarray(from, from + most);
      const all = await scoresOf(some);
      const width = all.length / some.length;
      for (const [index, user] of some.entries()) {
        const scores = all.subarray(index * width, index * width + items);
        for (const item of rated[user]) scores[item] = Number.NEGATIVE_INFINITY;
        lists.set(highest(scores, k), (from + index) * k);
      }
    }
    return lists;
  };
}

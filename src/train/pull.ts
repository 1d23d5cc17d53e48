import { Tensor } from 'onnxruntime-common';
import type { Tensors } from '../../graphs/heads/serving.ts';
import { type DataFacts, slopeAt } from '../../graphs/models/model.ts';
import type { Dataset } from '../data/dataset/dataset.ts';
import { encodeModel } from '../onnx/index.ts';
import type { Runtime } from '../run/runtime.ts';
import type { Biases, Side } from '../solve/biases.ts';
import { biasesOf } from '../solve/residuals.ts';
import { mapValues } from '../util/map-values.ts';
import { type BiasScores, biasScores, initialParameters, MOST_PAIRS } from './parameters/initial.ts';
import type { Resolved } from './recipe/plan.ts';
import { losses } from './step/losses.ts';
import { pulledOf, pullGraph } from './step/pull.ts';

/** Where the priors of parameters are. */
export interface Priors {
  readonly initial: Tensors;
  readonly biases: Biases;
  readonly scores: BiasScores;
}

/** The initial values of a model and where its priors are, computed once, when they are first needed. */
export function priorsOf(
  data: Dataset,
  { model, plan }: Resolved,
  { runtime, signal }: { readonly runtime: Runtime; readonly signal?: AbortSignal | undefined },
): () => Promise<Priors> {
  const { facts } = data;
  const compute = async (): Promise<Priors> => {
    const biases = await biasesOf(data, runtime, signal);
    const scores = biasScores(model, facts, biases);
    const pairs = facts.ratings <= MOST_PAIRS ? await data.sample(MOST_PAIRS) : undefined;
    return { biases, scores, initial: initialParameters(model, plan.training.seed, { pairs, scores }) };
  };
  let computed: Promise<Priors> | undefined;
  return () => {
    computed ??= compute();
    return computed;
  };
}

/**
 * Pulls parameters to their priors after an epoch, which is counted from 0.
 *
 * @returns undefined if nothing is pulled
 */
export async function createPull(
  { model, optimizer, plan: { training }, schedule }: Resolved,
  facts: DataFacts,
  runtime: Runtime,
): Promise<((priors: Priors, carried: Tensors, epoch: number) => Promise<Tensors>) | undefined> {
  const graph = pullGraph(model, optimizer);
  if (!graph) return undefined;
  const session = await runtime.createSession(encodeModel(graph), { threads: 1 });
  // The curvature of the loss of a rating, which is 2 · slope²; the mean of slope² is about half of what it is at the mean rating.
  const scale = (training.lossScale ?? 1) ** (2 / losses[training.loss].power);
  const curvature = scale * slopeAt(facts.mean, model.range) ** 2;
  return async ({ initial, biases, scores }, carried, epoch) => {
    const { learningRate } = schedule.at((epoch + 0.5) / training.epochs);
    const feeds: Record<string, Tensor> = {};
    for (const name of pulledOf(model)) {
      const { pull, ...parameter } = model.parameters[name];
      const { center = 0 } = parameter.initial;
      // Only biases are pulled to a `prior`, see `checkParameters`.
      const side = parameter.rowsOf as Side;
      const precision = pull === 'prior' ? biases[side].damping : (pull as number);
      feeds[`${name}.strength`] = scalar(learningRate * curvature * precision);
      feeds[`${name}.prior`] =
        pull === 'prior'
          ? scalar(center + scores[side].prior)
          : new Tensor('float32', initial[name].data, initial[name].dims);
    }
    const all = mapValues(carried, ({ dims, data }) => new Tensor('float32', data, dims));
    const needed = Object.fromEntries(
      Object.entries({ ...all, ...feeds }).filter(([name]) => session.inputNames.includes(name)),
    );
    const pulled = await session.run(needed);
    return mapValues(carried, (tensor, name) => {
      const next = pulled[`${name}.next`];
      return next ? { dims: tensor.dims, data: next.data as Float32Array } : tensor;
    });
  };
}

const scalar = (value: number): Tensor => new Tensor('float32', Float32Array.of(value), []);

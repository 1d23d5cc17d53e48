import { apply } from './apply.ts';
import { shapeOf } from './ops.ts';
import type { Value } from './value.ts';

/** The operators of ONNX Runtime's training API, which other runtimes and other builds of it do not have. */

/**
 * Rows added up where they were gathered from, in a table of zeros otherwise: the gradient of the table. Unlike ScatterND
 * it loses none on several threads.
 *
 * @param ids int64[n], duplicates welcome
 * @param rows float[n, …]
 */
export const gatherGrad = (table: Value, ids: Value, rows: Value, name?: string): Value =>
  apply('GatherGrad', [shapeOf(table), ids, rows], {
    attributes: { axis: { int: 0 } },
    name,
    dims: table.dims,
  })[0];

/** Adds a gradient to a buffer kept from run to run, or replaces it where `reset` says so. Gives bool[1]. */
export const accumulate = (buffer: Value, gradient: Value, reset: Value, name?: string): Value =>
  apply('InPlaceAccumulatorV2', [buffer, gradient, reset], { name })[0];

/**
 * A step of Adam with decoupled weight decay, as PyTorch takes it (ONNX Runtime's `adam_mode` 0).
 *
 * @param inputs learningRate: float[1]; step: int64[1], counted from 1; the others are sequences of as many tensors of the
 *   same shapes, of which all but the gradients are changed in place
 * @returns bool[1]
 */
export function adamWOptimizer(
  inputs: Readonly<Record<'learningRate' | 'step' | 'parameters' | 'gradients' | 'means' | 'squares', Value>>,
  settings: Readonly<Record<'beta1' | 'beta2' | 'epsilon' | 'weightDecay', number>>,
): Value {
  const { learningRate, step, parameters, gradients, means, squares } = inputs;
  const attributes = {
    alpha: { float: settings.beta1 },
    beta: { float: settings.beta2 },
    epsilon: { float: settings.epsilon },
    weight_decay: { float: settings.weightDecay },
    adam_mode: { int: 0 },
    correct_bias: { int: 1 },
  };
  const all = [learningRate, step, parameters, gradients, means, squares];
  return apply('AdamWOptimizer', all, { attributes, name: 'updated_flag' })[0];
}

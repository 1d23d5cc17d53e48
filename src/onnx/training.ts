import { apply } from './apply.ts';
import { shapeOf } from './ops.ts';
import type { Value } from './value.ts';

/** Operators of ONNX Runtime's training API. Other runtimes, and ONNX Runtime's other builds, do not have them. */

/**
 * The gradient of a table, from the cotangents of the rows that were gathered from it. Unlike ScatterND it loses no
 * additions on several threads.
 *
 * @param ids int64[n], with duplicates
 * @param rows float[n, …]: the cotangents
 */
export const gatherGrad = (table: Value, ids: Value, rows: Value, name?: string): Value =>
  apply('GatherGrad', [shapeOf(table), ids, rows], {
    attributes: { axis: { int: 0 } },
    name,
    dims: table.dims,
  })[0];

/** Adds a gradient to a buffer that persists between runs; with `reset` it replaces the buffer. Returns bool[1]. */
export const accumulate = (buffer: Value, gradient: Value, reset: Value, name?: string): Value =>
  apply('InPlaceAccumulatorV2', [buffer, gradient, reset], { name })[0];

/**
 * One step of AdamW, as PyTorch defines it (ONNX Runtime's `adam_mode` 0).
 *
 * @param inputs learningRate: float[1]; step: int64[1], counted from 1; the others are sequences of tensors with the same
 *   shapes. All but the gradients are updated in place.
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

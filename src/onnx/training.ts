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

/**
 * Adds a gradient to a buffer that is kept from run to run, or replaces it where `reset` (bool[1]) says so.
 *
 * @returns bool[1]
 */
export const accumulate = (buffer: Value, gradient: Value, reset: Value, name?: string): Value =>
  apply('InPlaceAccumulatorV2', [buffer, gradient, reset], { name })[0];

export interface AdamWInputs {
  /** float[1] */
  readonly learningRate: Value;
  /** int64[1], counted from 1. */
  readonly step: Value;
  /** Sequences of as many tensors of the same shapes; all but the gradients are changed in place. */
  readonly parameters: Value;
  readonly gradients: Value;
  readonly means: Value;
  readonly squares: Value;
}

export interface AdamWAttributes {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/**
 * A step of Adam with decoupled weight decay, as PyTorch takes it (ONNX Runtime's `adam_mode` 0).
 *
 * @returns bool[1]
 */
export function adamWOptimizer(
  { learningRate, step, parameters, gradients, means, squares }: AdamWInputs,
  { beta1, beta2, epsilon, weightDecay }: AdamWAttributes,
): Value {
  const inputs = [learningRate, step, parameters, gradients, means, squares];
  const attributes = {
    alpha: { float: beta1 },
    beta: { float: beta2 },
    epsilon: { float: epsilon },
    weight_decay: { float: weightDecay },
    adam_mode: { int: 0 },
    correct_bias: { int: 1 },
  };
  return apply('AdamWOptimizer', inputs, { attributes, name: 'updated_flag' })[0];
}

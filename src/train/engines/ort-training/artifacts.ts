import { servedRating, type Tensors } from '../../../../graphs/heads/serving.ts';
import { type Dropout, type Model, ratingFromScore, scoreOf } from '../../../../graphs/models/model.ts';
import type { ModelParts, Value } from '../../../onnx/index.ts';
import * as onnx from '../../../onnx/index.ts';
import type { Resolved } from '../../recipe/plan.ts';
import { losses } from '../../step/losses.ts';
import { isLookups, lookupGradients, type RowGradient } from '../../step/row-gradients.ts';
import { placeholders } from '../../step/tables.ts';
import { encodeCheckpoint } from './checkpoint.ts';

/** The optimizer must be AdamW: see `resolve`. */
export interface GraphOptions extends Resolved {
  /** Number of steps of the whole training, for the schedule. */
  readonly steps: number;
}

/**
 * The files with which ONNX Runtime's training API trains a model. They come from the same formula, loss and
 * differentiation as the epoch graph.
 *
 * They take `user`, `item` int64[batch], row numbers, and `actual` float[batch], and give `loss` float. The evaluation
 * model also gives `rating` float[batch], as `predict.onnx` does, and has no dropout. The optimizer model computes its
 * learning rate from the schedule and its own count of steps, and ignores its `learning_rate` input. After the last step it
 * keeps the last rate.
 */
export function trainingArtifacts(options: GraphOptions & { readonly parameters: Tensors }) {
  return {
    'training_model.onnx': trainingModel(options),
    'eval_model.onnx': evalModel(options),
    'optimizer_model.onnx': optimizerModel(options),
    checkpoint: encodeCheckpoint(options.parameters),
  };
}

function forward({ model, plan }: GraphOptions, drop?: Dropout) {
  const parameters = placeholders(model);
  const user = onnx.input('user', 'int64', ['batch']);
  const item = onnx.input('item', 'int64', ['batch']);
  const actual = onnx.input('actual', 'float', ['batch']);
  const score = scoreOf(model, parameters, { user, item }, drop);
  const rating = ratingFromScore(model, score);
  return {
    parameters: Object.values(parameters),
    inputs: [user, item, actual, ...Object.values(parameters)],
    score,
    loss: onnx.reduceMean(losses[plan.training.loss].each(rating, actual), {}, 'loss'),
  };
}

/** Computes the loss, and adds each parameter's gradient to a buffer, which the training API keeps for the optimizer. */
export function trainingModel(options: GraphOptions): Uint8Array {
  let dropouts = 0;
  const { seed } = options.plan.training;
  const { parameters, inputs, loss } = forward(options, (x, rate) =>
    rate === 0 ? x : onnx.dropout(x, rate, 1000 * seed + ++dropouts, 'dropout'),
  );
  const reset = onnx.input('lazy_reset_grad', 'bool', [1]);
  const buffers = parameters.map(({ name, dims }) =>
    onnx.input(`${name}_grad.accumulation.buffer`, 'float', dims),
  );
  const accumulated = lookupGradients(loss, parameters).map((gradient, index) => {
    const whole = isLookups(gradient) ? tableGradient(parameters[index], gradient) : gradient;
    return [
      `${parameters[index].name}_grad.accumulation.out`,
      onnx.accumulate(buffers[index], whole, reset),
    ] as const;
  });
  return encoded({
    name: `train ${options.model.name}`,
    inputs: [...inputs, ...buffers, reset],
    outputs: { loss, ...Object.fromEntries(accumulated) },
    metadata: metadataOf(options),
  });
}

function tableGradient(table: Value, lookups: readonly RowGradient[]): Value {
  return lookups
    .map(({ ids, rows }) => onnx.gatherGrad(table, ids, rows, `${table.name}_grad`))
    .reduce((sum, one) => onnx.add(sum, one, `${table.name}_grad`));
}

function evalModel(options: GraphOptions): Uint8Array {
  const { inputs, loss, score } = forward(options);
  return encoded({
    name: `evaluate ${options.model.name}`,
    inputs,
    outputs: { loss, rating: servedRating(options, score) },
    metadata: metadataOf(options),
  });
}

/** Stands in for the evaluation model, and gives all parameters, concatenated: float[elements]. */
export function parametersModel(model: Model): Uint8Array {
  const parameters = Object.values(placeholders(model));
  const all = onnx.concat(
    parameters.map((value) => onnx.reshape(value, [-1])),
    0,
  );
  return encoded({ name: `parameters of ${model.name}`, inputs: parameters, outputs: { all } });
}

/** @param stepsDone number of steps that were taken before */
export function optimizerModel(options: GraphOptions, stepsDone = 0): Uint8Array {
  const { schedule, optimizer, steps } = options;
  const rates = Float32Array.from(
    { length: Math.max(1, steps - stepsDone) },
    (_, step) => schedule.at((stepsDone + step) / steps).learningRate,
  );
  const step = onnx.input('step', 'int64', [1]);
  const table = onnx.initializer('learning_rates', 'float', [rates.length], rates);
  const scheduled = onnx.gather(
    table,
    onnx.min(onnx.sub(step, 1), rates.length - 1),
    0,
    'scheduled_learning_rate',
  );
  const sequences = {
    parameters: onnx.sequenceInput('params', 'float'),
    gradients: onnx.sequenceInput('gradients', 'float'),
    means: onnx.sequenceInput('first_order_moments', 'float'),
    squares: onnx.sequenceInput('second_order_moments', 'float'),
  };
  const { beta2, epsilon, weightDecay } = optimizer.config;
  const beta1 = schedule.at(0).momentum;
  const updated = onnx.adamWOptimizer(
    { learningRate: scheduled, step, ...sequences },
    { beta1, beta2, epsilon, weightDecay },
  );
  return encoded({
    name: `optimize ${options.model.name}`,
    // The training API expects this order.
    inputs: [onnx.input('learning_rate', 'float', [1]), step, ...Object.values(sequences)],
    outputs: { updated_flag: updated },
    metadata: metadataOf(options),
  });
}

const encoded = (parts: ModelParts): Uint8Array => onnx.encodeModel(onnx.buildModel(parts));

const metadataOf = ({ plan, steps }: GraphOptions): Record<string, string> => ({
  model: JSON.stringify(plan.model),
  training: JSON.stringify({ ...plan.training, steps }),
});

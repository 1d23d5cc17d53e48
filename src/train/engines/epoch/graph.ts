import type { Dropout, Model } from '../../../../graphs/models/model.ts';
import type { Dim, ModelFile, Value } from '../../../onnx/index.ts';
import * as onnx from '../../../onnx/index.ts';
import { mapValues } from '../../../util/map-values.ts';
import type { Resolved } from '../../recipe/plan.ts';
import { byRatingLayout } from '../../step/by-rating.ts';
import type { Layout, StepOptions } from '../../step/layout.ts';
import { losses } from '../../step/losses.ts';
import { packedLayout } from '../../step/packed.ts';
import { ofAnySize, trainingMetadata } from '../any-size.ts';

export interface EpochOptions extends StepOptions {
  /** Layout of the state in the loop. Default: by rating for an optimizer with a `byRow` rule, else packed */
  readonly layout?: Layout;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface EpochGraph {
  readonly file: ModelFile;
  /** Number of random numbers per rating, for each dropout of the model. */
  readonly dropoutWidths: readonly number[];
}

/**
 * Many steps of training as one graph: a `Loop` whose body gathers a batch, and computes the loss, its gradients and the
 * optimizer's update.
 *
 * Inputs: parameters and optimizer state (see `carriedDims`); `user`, `item` int32[ratings] and `actual` float[ratings],
 * in the order of training; `batch_start` int64[steps + 1]: batch i has the ratings from batch_start[i] to before
 * batch_start[i + 1]; `learning_rate`, `momentum` float[steps]; `first_step` float: the number of the first step, counted
 * from 1; with dropout also `noise` float[noise], uniform in [0, 1), and for each dropout `noise_start_1`, … int64[steps]:
 * the index in `noise` at which a step's mask starts.
 *
 * Outputs: the parameters and state after the last step, with the names of the inputs and `.next`; `loss` float[steps].
 *
 * Run it in a session with one intra-op thread: with more, ONNX Runtime's ScatterND loses additions.
 */
export function epochGraph(model: Model<Dim>, { metadata, ...options }: EpochOptions): EpochGraph {
  const { optimizer } = options;
  const { layout = layoutOf(model, options) } = options;
  const users = onnx.input('user', 'int32', ['ratings']);
  const items = onnx.input('item', 'int32', ['ratings']);
  const actuals = onnx.input('actual', 'float', ['ratings']);
  const batchStart = onnx.input('batch_start', 'int64', ['steps+1']);
  const learningRate = onnx.input('learning_rate', 'float', ['steps']);
  const momentum = onnx.input('momentum', 'float', ['steps']);
  const firstStep = onnx.input('first_step', 'float', []);

  const step = onnx.add(onnx.cast(onnx.rowNumbers(learningRate, 'steps'), 'float'), firstStep, 'step');
  const scalarsOfSteps = optimizer.scalars({ learningRate, momentum, step });
  const allUsers = onnx.cast(users, 'int64', 'users');
  const allItems = onnx.cast(items, 'int64', 'items');
  // On a GPU the bounds of slices come from the CPU. Computed outside the loop they cost the least per step.
  const batchEnd = onnx.slice(batchStart, 1, Number.MAX_SAFE_INTEGER, { dim: 'steps', name: 'batch_end' });
  const batchSize = onnx.sub(batchEnd, onnx.slice(batchStart, 0, -1, { dim: 'steps' }), 'batch_size');
  const noise = noiseSource(batchSize);
  const stepCount = onnx.reshape(onnx.shapeOf(learningRate), [], undefined, 'step_count');

  const { state, scan } = onnx.loop(stepCount, layout.state, (trip, values) => {
    const at = onnx.reshape(trip, [1], undefined, 'trip_row');
    const start = onnx.gather(batchStart, at, 0, 'batch_from');
    const end = onnx.gather(batchEnd, at, 0, 'batch_to');
    const ofBatch = (all: Value, name: string): Value => onnx.slice(all, start, end, { dim: 'batch', name });
    const scalars = mapValues(scalarsOfSteps, (vector, name) => onnx.gather(vector, trip, 0, name));
    const batch = {
      user: ofBatch(allUsers, 'batch_user'),
      item: ofBatch(allItems, 'batch_item'),
      actual: ofBatch(actuals, 'batch_actual'),
    };
    const step = layout.step(values, batch, scalars, noise.dropout(trip));
    return { state: step.values, scan: [step.error] };
  });
  const file = onnx.buildModel({
    name: `train ${model.name}`,
    inputs: [
      ...layout.carried,
      users,
      items,
      actuals,
      batchStart,
      learningRate,
      momentum,
      firstStep,
      ...noise.inputs(),
    ],
    outputs: {
      ...Object.fromEntries(layout.results(state).map(([name, value]) => [`${name}.next`, value])),
      loss: scan[0],
    },
    metadata: {
      ...metadata,
      intra_op_threads: '1',
      ...(noise.widths.length > 0 && { dropout_widths: JSON.stringify(noise.widths) }),
    },
  });
  return { file, dropoutWidths: noise.widths };
}

const layoutOf = (model: Model<Dim>, options: StepOptions): Layout =>
  options.optimizer.byRow
    ? byRatingLayout(model, options, options.optimizer.byRow)
    : packedLayout(model, options);

/**
 * The same graph for any number of users and items, to train elsewhere: its axes are `users` and `items`. Its metadata has,
 * as JSON, the distribution of each parameter's initial values (the state starts at zero), the training plan, and the
 * number of random numbers that each dropout takes per rating.
 *
 * @throws GraphError for a formula that needs to know the numbers of users and items
 */
export function epochGraphOfAnySize({ model, optimizer, plan }: Resolved): EpochGraph {
  const { optimizer: _, ...training } = plan.training;
  return epochGraph(ofAnySize(model), {
    ...training,
    optimizer,
    loss: losses[training.loss],
    metadata: trainingMetadata(model, plan),
  });
}

/**
 * Makes dropout masks from random numbers that are an input, drawn once per epoch, because random operators of ONNX are not
 * reproducible.
 */
function noiseSource(batchSize: Value) {
  const noise = onnx.input('noise', 'float', ['noise']);
  const widths: number[] = [];
  const starts: Value[] = [];
  return {
    widths,
    inputs: (): Value[] => (widths.length ? [noise, ...starts] : []),
    dropout:
      (trip: Value): Dropout =>
      (x, rate) => {
        if (rate === 0) return x;
        const starting = onnx.input(`noise_start_${widths.length + 1}`, 'int64', ['steps']);
        starts.push(starting);
        const width = x.dims.slice(1).reduce<number>((product, dim) => product * Number(dim), 1);
        widths.push(width);
        const at = onnx.reshape(trip, [1]);
        const start = onnx.gather(starting, at);
        const end = onnx.gather(onnx.add(starting, onnx.mul(batchSize, width)), at);
        const uniform = onnx.reshape(onnx.slice(noise, start, end, { dim: 'mask' }), onnx.shapeOf(x), x.dims);
        const mask = onnx.mul(
          onnx.cast(onnx.greaterOrEqual(uniform, rate), 'float'),
          1 / (1 - rate),
          'dropout_mask',
        );
        return onnx.mul(x, mask, 'dropout');
      },
  };
}

/** The loop of `epochGraph`, without dropout, around steps that training does not take. */
import { noDropout } from '../../../graphs/models/model.ts';
import * as onnx from '../../../src/onnx/index.ts';
import type { Layout } from '../../../src/train/step/layout.ts';
import type { Optimizer } from '../../../src/train/step/optimizers/optimizer.ts';
import { mapValues } from '../../../src/util/map-values.ts';

export function loopOf(layout: Layout, optimizer: Optimizer): onnx.ModelFile {
  const user = onnx.input('user', 'int32', ['ratings']);
  const item = onnx.input('item', 'int32', ['ratings']);
  const actual = onnx.input('actual', 'float', ['ratings']);
  const batchStart = onnx.input('batch_start', 'int64', ['steps+1']);
  const learningRate = onnx.input('learning_rate', 'float', ['steps']);
  const momentum = onnx.input('momentum', 'float', ['steps']);
  const firstStep = onnx.input('first_step', 'float', []);

  const step = onnx.add(onnx.cast(onnx.rowNumbers(learningRate, 'steps'), 'float'), firstStep);
  const scalarsOfSteps = optimizer.scalars({ learningRate, momentum, step });
  const [users, items] = [onnx.cast(user, 'int64'), onnx.cast(item, 'int64')];
  const batchEnd = onnx.slice(batchStart, 1, Number.MAX_SAFE_INTEGER, { dim: 'steps' });
  const stepCount = onnx.reshape(onnx.shapeOf(learningRate), []);
  const { state, scan } = onnx.loop(stepCount, layout.state, (trip, values) => {
    const at = onnx.reshape(trip, [1]);
    const [start, end] = [onnx.gather(batchStart, at), onnx.gather(batchEnd, at)];
    const ofBatch = (all: onnx.Value): onnx.Value => onnx.slice(all, start, end, { dim: 'batch' });
    const batch = { user: ofBatch(users), item: ofBatch(items), actual: ofBatch(actual) };
    const scalars = mapValues(scalarsOfSteps, (vector) => onnx.gather(vector, trip));
    const step = layout.step(values, batch, scalars, noDropout);
    return { state: step.values, scan: [step.error] };
  });
  return onnx.buildModel({
    name: 'train by another layout',
    inputs: [...layout.carried, user, item, actual, batchStart, learningRate, momentum, firstStep],
    outputs: {
      ...Object.fromEntries(layout.results(state).map(([name, value]) => [`${name}.next`, value])),
      loss: scan[0],
    },
  });
}

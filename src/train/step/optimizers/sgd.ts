import { add, mul, neg, sub, type Value } from '../../../onnx/index.ts';
import { type Optimizer, oneCycleAt, type TrainingDefaults } from './optimizer.ts';

/** Without `momentum` the schedule's momentum is ignored. */
type SgdConfig = { readonly momentum?: boolean; readonly weightDecay?: number };

/** v ← momentum · v + gradient; parameter ← parameter − rate · v. Without momentum v is the gradient. */
export function sgd({ momentum = false, weightDecay = 0 }: SgdConfig = {}): Optimizer {
  return {
    name: momentum ? 'sgd-momentum' : 'sgd',
    config: { weightDecay },
    defaults: momentum ? oneCycleAt(0.3) : sgdDefaults,
    state: momentum ? ['velocity'] : [],
    l2: weightDecay,
    inertia: momentum,
    ...(!momentum && weightDecay === 0 && { byRow }),
    scalars: ({ learningRate, momentum: decay }) => ({ learningRate, decay, negatedRate: neg(learningRate) }),
    decay: (state, { decay }) => (momentum ? { velocity: mul(state.velocity, decay) } : state),
    accumulate: (state, gradient) => (momentum ? { velocity: add(state.velocity, gradient) } : state),
    update: (parameter, { velocity }, gradient, { learningRate }) =>
      sub(parameter, mul(momentum ? velocity : (gradient as Value), learningRate)),
  };
}

const byRow: Optimizer['byRow'] = {
  weightDecay: 0,
  contributions: () => ({}),
  negatedRate: (_, scalars) => scalars.negatedRate,
};

const sgdDefaults: TrainingDefaults = {
  ...oneCycleAt(3),
  // The gradient is the mean over the batch, so the learning rate grows with the batch size, to give each rating the same
  // effect. Dense layers, which every rating updates, would diverge with that.
  learningRate: ({ batchSize, dense }) => (dense ? 3 : 3 * (batchSize / 64)),
};

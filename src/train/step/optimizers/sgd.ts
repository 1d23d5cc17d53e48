import { add, mul, neg, sub, type Value } from '../../../onnx/index.ts';
import { type Optimizer, oneCycleAt, type UsualTraining } from './optimizer.ts';

/** Without `momentum` steps are plain, whatever the schedule's momentum is. */
type SgdConfig = { readonly momentum?: boolean; readonly weightDecay?: number };

/** v ← momentum · v + gradient; parameter ← parameter − rate · v. Without momentum v is the gradient. */
export function sgd({ momentum = false, weightDecay = 0 }: SgdConfig = {}): Optimizer {
  return {
    name: momentum ? 'sgd-momentum' : 'sgd',
    config: { weightDecay },
    usual: momentum ? oneCycleAt(0.3) : usual,
    state: momentum ? ['velocity'] : [],
    l2: weightDecay,
    inertia: momentum,
    ...(!momentum && weightDecay === 0 && { byRow }),
    scalars: ({ learningRate, momentum: decay }) => ({ learningRate, decay, downhill: neg(learningRate) }),
    decay: (state, { decay }) => (momentum ? { velocity: mul(state.velocity, decay) } : state),
    accumulate: (state, gradient) => (momentum ? { velocity: add(state.velocity, gradient) } : state),
    update: (parameter, { velocity }, gradient, { learningRate }) =>
      sub(parameter, mul(momentum ? velocity : (gradient as Value), learningRate)),
  };
}

const byRow: Optimizer['byRow'] = {
  weightDecay: 0,
  contributions: () => ({}),
  downhill: (_, scalars) => scalars.downhill,
};

const usual: UsualTraining = {
  ...oneCycleAt(3),
  // The gradient is the mean over the batch: for a rating to count as much in a larger one, the rate must grow with it. But
  // dense layers, which every rating moves, would not bear it.
  learningRate: ({ batchSize, dense }) => (dense ? 3 : 3 * (batchSize / 64)),
};

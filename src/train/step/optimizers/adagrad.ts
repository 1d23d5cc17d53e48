import { add, div, mul, sqrt, sub, type Value } from '../../../onnx/index.ts';
import { type Optimizer, oneCycleAt } from './optimizer.ts';

type AdagradConfig = Partial<Readonly<Record<'epsilon' | 'weightDecay', number>>>;

/** s ← s + gradient²; parameter ← parameter − rate · gradient / (√s + ε). Duchi, Hazan and Singer (2011). */
export function adagrad({ epsilon = 1e-10, weightDecay = 0 }: AdagradConfig = {}): Optimizer {
  return {
    name: 'adagrad',
    config: { epsilon, weightDecay },
    defaults: oneCycleAt(0.1),
    state: ['sum_of_squares'],
    l2: weightDecay,
    inertia: false,
    scalars: ({ learningRate }) => ({ learningRate }),
    decay: (state) => state,
    accumulate: ({ sum_of_squares }, gradient) => ({
      sum_of_squares: add(sum_of_squares, mul(gradient, gradient)),
    }),
    update: (parameter, { sum_of_squares }, gradient, { learningRate }) =>
      sub(parameter, div(mul(gradient as Value, learningRate), add(sqrt(sum_of_squares), epsilon))),
  };
}

import { add, div, mul, pow, sqrt, sub } from '../../../onnx/index.ts';
import { type Optimizer, oneCycleAt } from './optimizer.ts';

/** `beta2` is the decay rate of the mean of squares. The decay rate of the mean is the schedule's momentum. */
type AdamConfig = Partial<Readonly<Record<'beta2' | 'epsilon' | 'weightDecay', number>>>;

/** Adam with weight decay as part of the gradient. Kingma and Ba (2015). */
export const adam = (config: AdamConfig = {}): Optimizer =>
  adamFamily('adam', { beta2: 0.99, epsilon: 1e-5, weightDecay: 0, ...config }, false);

/** Adam with decoupled weight decay: parameter ← parameter · (1 − rate · decay) − step. Loshchilov and Hutter (2019). */
export const adamW = (config: AdamConfig = {}): Optimizer =>
  adamFamily('adamw', { beta2: 0.99, epsilon: 1e-5, weightDecay: 0.1, ...config }, true);

function adamFamily(name: string, config: Required<AdamConfig>, decoupled: boolean): Optimizer {
  const { beta2, epsilon, weightDecay } = config;
  return {
    name,
    config: { beta2, epsilon, weightDecay },
    defaults: oneCycleAt(decoupled ? 3e-3 : 2e-3),
    // The state has the root of the mean of squares, not the mean. So the decay of a row without gradient is a product, and
    // roots are only computed for the rows of the batch.
    state: ['mean', 'root_mean_square'],
    l2: decoupled ? 0 : weightDecay,
    inertia: true,
    // With c₁ = 1 − β₁ᵗ and c₂ = 1 − β₂ᵗ the step rate · (mean / c₁) / (√(squares / c₂) + ε) is
    // (rate · √c₂ / c₁) · mean / (root + ε · √c₂), so that the corrections only need scalars.
    scalars({ learningRate, momentum: beta1, step }) {
      const root = sqrt(sub(1, pow(beta2, step)));
      return {
        beta1,
        fresh1: sub(1, beta1),
        rate: div(mul(learningRate, root), sub(1, pow(beta1, step))),
        epsilon: mul(root, epsilon),
        keep: sub(1, mul(learningRate, decoupled ? weightDecay : 0)),
      };
    },
    decay: ({ mean, root_mean_square }, { beta1 }) => ({
      mean: mul(mean, beta1),
      root_mean_square: mul(root_mean_square, Math.sqrt(beta2)),
    }),
    accumulate: ({ mean, root_mean_square: root }, gradient, { fresh1 }) => ({
      mean: add(mean, mul(gradient, fresh1)),
      root_mean_square: sqrt(add(mul(root, root), mul(mul(gradient, gradient), 1 - beta2))),
    }),
    update(parameter, { mean, root_mean_square }, _, scalars) {
      const kept = decoupled && weightDecay > 0 ? mul(parameter, scalars.keep) : parameter;
      return sub(kept, div(mul(mean, scalars.rate), add(root_mean_square, scalars.epsilon)));
    },
  };
}

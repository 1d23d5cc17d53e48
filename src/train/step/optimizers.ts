import type { Model } from '../../../graphs/models/model.ts';
import { add, type Dim, div, mul, neg, pow, sqrt, sub, type Value } from '../../onnx/index.ts';
import { type ByRating, byRatingLayout, meanOfRows, timesRows } from './by-rating.ts';
import type { Layout, LayoutOptions } from './layout.ts';
import type { Loss } from './losses.ts';

/** Tensors by name, each of its parameter's shape; or, of an optimizer by rows, one number a row. */
export type State = Readonly<Record<string, Value>>;

/** Numbers of one step, by name. */
export type Scalars = Readonly<Record<string, Value>>;

/** What changes from step to step; as vectors over the steps, or as the scalars of one. */
export interface Hyperparameters {
  readonly learningRate: Value;
  readonly momentum: Value;
  /** Counted from 1. */
  readonly step: Value;
}

/**
 * An optimizer as three pure functions, whose split lets a table of embeddings be updated at low cost: a step is
 * `decay` the state, `accumulate` the gradient into it, `update` the parameter from it. All are elementwise.
 */
export interface Optimizer {
  readonly name: string;
  readonly config: Readonly<Record<string, number>>;
  readonly state: readonly string[];
  /** Whether the state is one number a row, and not one for each of the parameter. */
  readonly byRow?: boolean;
  /** Weight decay as a part of the gradient, as in SGD; 0 where there is none or it is decoupled. */
  readonly l2: number;
  /** Whether a row still moves in steps in which it has no gradient. */
  readonly inertia: boolean;
  /**
   * Whether its steps are along the gradient of the sum over a batch, not of the mean, so that the batch's size does not
   * matter; with errors as if ratings went over four units, as from 1 to 5.
   */
  readonly summed?: boolean;
  /** How it lays out a training that it steps through in a way of its own; undefined for the usual way. */
  layout?(model: Model<unknown, Dim>, loss: Loss, options: LayoutOptions): Layout | undefined;
  /** What `decay`, `accumulate` and `update` need of a step, elementwise over the steps. */
  scalars(hyperparameters: Hyperparameters): Scalars;
  decay(state: State, scalars: Scalars): State;
  accumulate(state: State, gradient: Value, scalars: Scalars): State;
  /** `gradient` is there only for optimizers without inertia. */
  update(parameter: Value, state: State, gradient: Value | undefined, scalars: Scalars): Value;
}

export interface SgdConfig {
  /** False: plain steps, whatever the schedule's momentum is. */
  readonly momentum?: boolean;
  readonly weightDecay?: number;
}

/** v ← momentum · v + gradient; parameter ← parameter − rate · v. Without momentum v is the gradient. */
export function sgd({ momentum = false, weightDecay = 0 }: SgdConfig = {}): Optimizer {
  const optimizer: Optimizer = {
    name: momentum ? 'sgd-momentum' : 'sgd',
    config: { weightDecay },
    state: momentum ? ['velocity'] : [],
    l2: weightDecay,
    inertia: momentum,
    layout(model, loss, options) {
      if (momentum || weightDecay > 0) return undefined;
      const downhill = (_: State, scalars: Scalars): Value => scalars.downhill;
      const rules = { weightDecay: 0, contributions: () => ({}), downhill };
      return byRatingLayout(model, optimizer, rules, loss, options);
    },
    scalars: ({ learningRate, momentum: decay }) => ({ learningRate, decay, downhill: neg(learningRate) }),
    decay: (state, { decay }) => (momentum ? { velocity: mul(state.velocity, decay) } : state),
    accumulate: (state, gradient) => (momentum ? { velocity: add(state.velocity, gradient) } : state),
    update: (parameter, { velocity }, gradient, { learningRate }) =>
      sub(parameter, mul(momentum ? velocity : (gradient as Value), learningRate)),
  };
  return optimizer;
}

export interface AdagradConfig {
  readonly epsilon?: number;
  readonly weightDecay?: number;
}

/** s ← s + gradient²; parameter ← parameter − rate · gradient / (√s + ε). Duchi, Hazan and Singer (2011). */
export function adagrad({ epsilon = 1e-10, weightDecay = 0 }: AdagradConfig = {}): Optimizer {
  return {
    name: 'adagrad',
    config: { epsilon, weightDecay },
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

export interface RowAdagradConfig {
  readonly weightDecay?: number;
}

/**
 * Adagrad with one sum a row: s ← s + gradient², row ← row / (1 + rate · decay · gradient²) − rate · gradient, with
 * rate = learning rate / √(1 + s), for each rating by itself. Where a row has a bias, the gradient in s is the bias's,
 * which is that of the score; that of a factor is as much times the other side's factor, whose mean square is taken to be
 * 0.005. Decay in proportion to gradient² (Gauss and Newton's curvature) is the same for ratings on any scale, and lower
 * where little is left to learn; biases do not decay. Chin, Zhuang, Juan and Lin (2015), "A learning-rate schedule for
 * stochastic gradient methods to matrix factorization", sum over factors.
 */
export function rowAdagrad({ weightDecay = 0.03 }: RowAdagradConfig = {}): Optimizer {
  const downhillFrom = (sum: Value, { downhill }: Scalars): Value => div(downhill, sqrt(add(sum, 1)));
  const optimizer: Optimizer = {
    name: 'row-adagrad',
    config: { weightDecay },
    state: ['sum_of_squares'],
    byRow: true,
    l2: 0,
    inertia: false,
    summed: true,
    layout(model, loss, options) {
      const rules: ByRating = {
        weightDecay,
        contributions: (square) => ({ sum_of_squares: square }),
        downhill: ({ sum_of_squares: sum }, scalars, besideBias) =>
          downhillFrom(besideBias ? mul(sum, FACTOR_SQUARE) : sum, scalars),
      };
      return byRatingLayout(model, optimizer, rules, loss, options);
    },
    scalars: ({ learningRate }) => ({ downhill: neg(learningRate) }),
    decay: (state) => state,
    accumulate: ({ sum_of_squares }, gradient) => ({
      sum_of_squares: add(sum_of_squares, meanOfRows(mul(gradient, gradient))),
    }),
    update: (parameter, { sum_of_squares }, gradient, scalars) =>
      add(parameter, timesRows(gradient as Value, downhillFrom(sum_of_squares, scalars))),
  };
  return optimizer;
}

const FACTOR_SQUARE = 0.005;

export interface AdamConfig {
  /** The decay of the mean of squares; that of the mean is the schedule's momentum. */
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
}

/** Adam with weight decay as a part of the gradient. Kingma and Ba (2015). */
export function adam(config: AdamConfig = {}): Optimizer {
  return adamFamily('adam', { beta2: 0.99, epsilon: 1e-5, weightDecay: 0, ...config }, false);
}

/** Adam with decoupled weight decay: parameter ← parameter · (1 − rate · decay) − step. Loshchilov and Hutter (2019). */
export function adamW(config: AdamConfig = {}): Optimizer {
  return adamFamily('adamw', { beta2: 0.99, epsilon: 1e-5, weightDecay: 0.1, ...config }, true);
}

function adamFamily(name: string, config: Required<AdamConfig>, decoupled: boolean): Optimizer {
  const { beta2, epsilon, weightDecay } = config;
  return {
    name,
    config: { ...config },
    // The root of the mean of squares, not the mean itself: a row without gradient then decays by a product, and the
    // root is taken of the batch's rows alone.
    state: ['mean', 'root_mean_square'],
    l2: decoupled ? 0 : weightDecay,
    inertia: true,
    // With c₁ = 1 − β₁ᵗ and c₂ = 1 − β₂ᵗ the step rate · (mean / c₁) / (√(squares / c₂) + ε) is
    // (rate · √c₂ / c₁) · mean / (root + ε · √c₂): the corrections are left to scalars.
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

import type { Value } from '../../../onnx/index.ts';

/** Tensors by name, each of the parameter's shape; with a `byRow` rule, one number per row. */
export type State = Readonly<Record<string, Value>>;

export type Scalars = Readonly<Record<string, Value>>;

/** What changes from step to step: vectors over all steps, or scalars of one step. */
export interface Hyperparameters {
  readonly learningRate: Value;
  readonly momentum: Value;
  /** Counted from 1. */
  readonly step: Value;
}

/** Defaults of training with an optimizer. */
export interface TrainingDefaults {
  readonly schedule: 'one-cycle' | 'cosine' | 'constant';
  batchSize(ratings: number): number;
  /**
   * The highest learning rate, tuned for dot-bias on MovieLens 100K.
   *
   * @param use `dense`: whether the model has parameters that are of neither users nor items, such as layers
   */
  learningRate(use: {
    readonly ratings: number;
    readonly batchSize: number;
    readonly dense: boolean;
  }): number;
}

/** The update of a table's rows by single ratings. */
export interface RowRule {
  /** Weight decay per unit that is added to the state of a row. It applies to matrices, not to biases. */
  readonly weightDecay: number;
  /**
   * What each rating adds to the state of its row, float[n].
   *
   * @param square the square of the gradient of the row's bias; for a row without bias, the mean square of its gradient
   */
  contributions(square: Value): State;
  /**
   * The negated learning rate of each row, float[rows], or of all, a scalar. Gradients are multiplied by it.
   *
   * @param besideBias whether it is for factors of a row that has a bias
   */
  negatedRate(state: State, scalars: Scalars, besideBias: boolean): Value;
}

/**
 * An optimizer is an update rule in three elementwise functions: a step is `decay` the state, `accumulate` the gradient in
 * it, and `update` the parameter from it. Because they are separate, tables of embeddings can be updated at low cost.
 */
export interface Optimizer {
  readonly name: string;
  /** All its hyperparameters, defaults included. */
  readonly config: Readonly<Record<string, number>>;
  readonly defaults: TrainingDefaults;
  /** Names of the tensors of its state. */
  readonly state: readonly string[];
  /** Rule that takes a step for each rating, with one number of state per row. Default: a step for each batch */
  readonly byRow?: RowRule;
  /** Weight decay as part of the gradient, as in SGD; 0 without weight decay, or if it is decoupled. */
  readonly l2: number;
  /** Whether a row also moves in steps in which it has no gradient. */
  readonly inertia: boolean;
  /**
   * Whether it uses the gradient of the sum over a batch, not of the mean, so that the batch size does not matter. The loss
   * is then scaled as if ratings were from 1 to 5. @default false
   */
  readonly summed?: boolean;
  /** The scalars of a step that `decay`, `accumulate` and `update` need, computed elementwise for all steps. */
  scalars(hyperparameters: Hyperparameters): Scalars;
  decay(state: State, scalars: Scalars): State;
  accumulate(state: State, gradient: Value, scalars: Scalars): State;
  /** `gradient` is only given to optimizers without inertia. */
  update(parameter: Value, state: State, gradient: Value | undefined, scalars: Scalars): Value;
}

export const oneCycleAt = (learningRate: number): TrainingDefaults => ({
  schedule: 'one-cycle',
  batchSize: () => 64,
  learningRate: () => learningRate,
});

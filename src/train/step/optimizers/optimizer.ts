import type { Value } from '../../../onnx/index.ts';

/** Tensors by name, each of its parameter's shape; or, of an optimizer by rows, one number a row. */
export type State = Readonly<Record<string, Value>>;

export type Scalars = Readonly<Record<string, Value>>;

/** What changes from step to step; as vectors over the steps, or as the scalars of one. */
export interface Hyperparameters {
  readonly learningRate: Value;
  readonly momentum: Value;
  /** Counted from 1. */
  readonly step: Value;
}

/** What training takes with an optimizer where nothing else is chosen. */
export interface UsualTraining {
  readonly schedule: 'one-cycle' | 'cosine' | 'constant';
  batchSize(ratings: number): number;
  /**
   * The highest learning rate: the one that served dot-bias well on MovieLens 100K.
   *
   * @param dense whether the model has layers that belong to neither users nor items
   */
  learningRate(use: {
    readonly ratings: number;
    readonly batchSize: number;
    readonly dense: boolean;
  }): number;
}

/** How a row of a table steps for single ratings. */
export interface RowRule {
  /** Weight decay for as much as is added to the state of a row; of matrices alone, not of biases. */
  readonly weightDecay: number;
  /**
   * What a rating adds to the state of a row, by the square of its bias's gradient, or, of a row without a bias, by the
   * mean square of its gradient: float[n].
   */
  contributions(square: Value): State;
  /**
   * By what gradients are multiplied, float[rows] or a scalar: the learning rate, below zero.
   *
   * @param besideBias of factors in a row with a bias
   */
  downhill(state: State, scalars: Scalars, besideBias: boolean): Value;
}

/**
 * An optimizer is an update rule of pure functions, whose split lets a table of embeddings be updated at low cost: a step is
 * `decay` the state, `accumulate` the gradient into it, `update` the parameter from it. All are elementwise.
 */
export interface Optimizer {
  readonly name: string;
  /** All its choices, defaults included. */
  readonly config: Readonly<Record<string, number>>;
  readonly usual: UsualTraining;
  readonly state: readonly string[];
  /**
   * A rule for tables of rows, which takes a step for each rating. Its state is one number a row, and not one for each
   * element. Absent: a step for each batch.
   */
  readonly byRow?: RowRule;
  /** Weight decay as a part of the gradient, as in SGD; 0 where there is none or it is decoupled. */
  readonly l2: number;
  /** Whether a row still moves in steps in which it has no gradient. */
  readonly inertia: boolean;
  /**
   * Whether its steps are along the gradient of the sum over a batch, not of the mean, so that the batch's size does not
   * matter; with errors as if ratings went over four units, as from 1 to 5.
   */
  readonly summed?: boolean;
  /** What `decay`, `accumulate` and `update` need of a step, elementwise over the steps. */
  scalars(hyperparameters: Hyperparameters): Scalars;
  decay(state: State, scalars: Scalars): State;
  accumulate(state: State, gradient: Value, scalars: Scalars): State;
  /** `gradient` is there only for optimizers without inertia. */
  update(parameter: Value, state: State, gradient: Value | undefined, scalars: Scalars): Value;
}

export const oneCycleAt = (learningRate: number): UsualTraining => ({
  schedule: 'one-cycle',
  batchSize: () => 64,
  learningRate: () => learningRate,
});

import type { Tensors } from '../../../graphs/heads/serving.ts';
import type { Dataset } from '../../data/dataset/dataset.ts';
import type { Runtime } from '../../run/runtime.ts';
import type { EngineName } from '../recipe/engines.ts';
import type { Resolved } from '../recipe/plan.ts';

/** Takes the steps of training: with an ONNX graph for many steps at once, or with ONNX Runtime's training API. */
export interface Engine {
  /** The library that runs it, and its version. Default: the runtime */
  readonly library?: { readonly name: string; readonly version: string };
  prepare(task: TrainingTask): Promise<PreparedTraining>;
}

/** Engines by name. Each is loaded when it is needed. */
export type Engines = Readonly<Partial<Record<EngineName, () => Engine | Promise<Engine>>>>;

export interface TrainingTask extends Resolved {
  readonly data: Dataset;
  readonly runtime: Runtime;
  /** Maximum number of threads that train in parallel. The result does not depend on it. @default 1 */
  readonly workers?: number | undefined;
  /** Ratings per run of the training graph. Between runs it yields to the event loop. @default 262_144 */
  readonly ratingsPerRun?: number;
}

export interface PreparedTraining {
  /** The bytes of the graph, by which a checkpoint recognizes the training. */
  readonly graph: Uint8Array;
  /** @param from number of epochs done, and the tensors after them; before the first epoch, only the parameters */
  start(from: { readonly epochs: number; readonly carried: Tensors }): Promise<Training>;
}

export interface Training {
  /** Trains for one epoch. Yields after every few steps. */
  epoch(number: number): AsyncIterable<StepsDone>;
  /** The tensors from which the next epoch starts: the parameters, and the optimizer's state if the engine gives it. */
  carried(): Promise<Tensors>;
  /** Goes on from other values of the same tensors. Absent for an engine with an optimizer that pulls nothing. */
  replace?(carried: Tensors): void;
  release(): Promise<void>;
}

export interface StepsDone {
  /** Mean loss of each step. */
  readonly losses: ArrayLike<number>;
  /** Index of each step's first rating, and the number of ratings at the end. */
  readonly starts: readonly number[];
}

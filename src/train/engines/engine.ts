import type { Tensors } from '../../../graphs/heads/serving.ts';
import type { Dataset } from '../../data/dataset/dataset.ts';
import type { Runtime } from '../../run/runtime.ts';
import type { EngineName } from '../recipe/engines.ts';
import type { Resolved } from '../recipe/plan.ts';

/** What takes the steps of training: one ONNX graph for many of them, or ONNX Runtime's training API. */
export interface Engine {
  /** The library that it runs in, where that is not the runtime, and its version. */
  readonly library?: { readonly name: string; readonly version: string };
  prepare(task: TrainingTask): Promise<PreparedTraining>;
}

/** Engines by name, each loaded when it is needed. */
export type Engines = Readonly<Partial<Record<EngineName, () => Engine | Promise<Engine>>>>;

export interface TrainingTask extends Resolved {
  readonly data: Dataset;
  readonly runtime: Runtime;
  /** Ratings that are run at once: between runs there is time for a progress bar, and for Ctrl-C. @default 262_144 */
  readonly ratingsPerRun?: number;
}

export interface PreparedTraining {
  /** The bytes of what is run, which tell this training from others. */
  readonly graph: Uint8Array;
  /** @param from the epochs done, and what they left: before the first, the parameters alone */
  start(from: { readonly epochs: number; readonly carried: Tensors }): Promise<Training>;
}

export interface Training {
  /** Goes once through the ratings, in an order of its own; gives what was done, some steps at a time. */
  epoch(number: number): AsyncIterable<StepsDone>;
  /** All that goes on to the next epoch, and can be told: the parameters, and whatever else the engine carries. */
  carried(): Promise<Tensors>;
  release(): Promise<void>;
}

export interface StepsDone {
  /** The mean loss of each. */
  readonly losses: ArrayLike<number>;
  /** Where the ratings of each begin; last, how many ratings there are. */
  readonly starts: readonly number[];
}

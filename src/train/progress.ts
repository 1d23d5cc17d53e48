import type { Tensors } from '../../graphs/heads/serving.ts';
import type { Metrics } from '../evaluate/metrics.ts';

export interface EpochRecord {
  /** The mean training loss over the epoch, dropout included. */
  readonly loss: number;
  readonly valid?: Metrics;
}

/** Where training is; told after every part of an epoch that is run at once. */
export interface Progress {
  /** Counted from 0. */
  readonly epoch: number;
  readonly epochs: number;
  /** Ratings of this epoch done, of `ratings`. */
  readonly done: number;
  readonly ratings: number;
  /** The mean loss over this epoch so far. */
  readonly loss: number;
  readonly valid?: Metrics;
}

/**
 * What training goes on from after an epoch, as if it had never stopped. But ONNX Runtime's training API cannot tell its
 * optimizer's state: by that engine it goes on from the parameters alone.
 */
export interface Checkpoint {
  /** What is trained, on which data, and how: only the same training may go on. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly history: readonly EpochRecord[];
  readonly carried: Tensors;
  /** The parameters of the best epoch so far, where a validation set chooses. */
  readonly best?: Tensors;
}

export interface CheckpointStore {
  /** Undefined to begin anew. @throws UserError if it is broken, or of a training with other settings */
  read(settings: Checkpoint['settings']): Promise<Checkpoint | undefined>;
  write(checkpoint: Checkpoint): Promise<void>;
  remove(): Promise<void>;
}

/** How many epochs ago the validation error was lowest: 0 for the last epoch, or where there is no validation set. */
export function epochsSinceBest(history: readonly EpochRecord[]): number {
  if (history[0]?.valid === undefined) return 0;
  const errors = history.map(({ valid }) => valid?.rmse ?? 0);
  return errors.length - 1 - errors.indexOf(Math.min(...errors));
}

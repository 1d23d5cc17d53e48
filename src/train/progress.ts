import type { Tensors } from '../../graphs/heads/serving.ts';
import type { Metrics } from '../evaluate/metrics.ts';

export interface EpochRecord {
  /** Mean training loss of the epoch, with dropout. */
  readonly loss: number;
  /** Errors on the validation ratings, if there are any. */
  readonly valid?: Metrics;
}

/** How far training has come. */
export interface Progress {
  /** The current epoch, counted from 0. */
  readonly epoch: number;
  /** Number of epochs. */
  readonly epochs: number;
  /** Number of ratings of this epoch that are done. */
  readonly done: number;
  /** Number of ratings per epoch. */
  readonly ratings: number;
  /** Mean loss of this epoch so far. */
  readonly loss: number;
  /** Errors on the validation ratings, at the end of an epoch. */
  readonly valid?: Metrics;
}

/**
 * The state after an epoch, from which training resumes as if it had not stopped. With ONNX Runtime's training API the
 * state of the optimizer is lost, because the API does not give it.
 */
export interface Checkpoint {
  /** Model, data and settings. Only the same training may resume. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly history: readonly EpochRecord[];
  /** Parameters and optimizer state. */
  readonly carried: Tensors;
  /** The parameters of the best epoch so far, if there are validation ratings. */
  readonly best?: Tensors;
}

export interface CheckpointStore {
  /** The checkpoint; undefined to start from the beginning. @throws UserError if it is broken or of another training */
  read(settings: Checkpoint['settings']): Promise<Checkpoint | undefined>;
  write(checkpoint: Checkpoint): Promise<void>;
  remove(): Promise<void>;
}

/** Number of epochs since the lowest validation error; 0 without validation ratings. */
export function epochsSinceBest(history: readonly EpochRecord[]): number {
  if (history[0]?.valid === undefined) return 0;
  const errors = history.map(({ valid }) => valid?.rmse ?? 0);
  return errors.length - 1 - errors.indexOf(Math.min(...errors));
}

import type { Tensors } from '../../graphs/heads/serving.ts';
import type { Objective } from '../../graphs/models/model.ts';

/** Measures on validation ratings: of predictions `rmse` and `mae`; of rankings `ndcg` and `precision`, both at 10. */
export interface ValidMetrics {
  readonly rmse?: number | undefined;
  readonly mae?: number | undefined;
  readonly ndcg?: number | undefined;
  readonly precision?: number | undefined;
}

/** Measures of a model that was trained for one objective. */
export interface PartMetrics {
  /** The error on the training ratings; absent for a model that ranks. */
  readonly train?: { readonly rmse: number } | undefined;
  /** Present if there are validation ratings. */
  readonly valid?: ValidMetrics | undefined;
}

export interface EpochRecord {
  /**
   * Mean training loss of the epoch: of a rating, with dropout, or of a positive. Of a model in closed form, the squared error
   * of its scores on the training data and its penalty, for each positive.
   */
  readonly loss: number;
  /** Measures on the validation ratings, if there are any. */
  readonly valid?: ValidMetrics | undefined;
}

/** How far training has come. */
export interface Progress {
  /**
   * What the training is for: `judging` trains on a part of the data, to judge it on the rest; `training` trains what is saved.
   * @default 'training'
   */
  readonly phase?: 'judging' | 'training' | undefined;
  /** What is being trained. With the objective `both`, `rating` comes before `ranking`. */
  readonly objective: Objective;
  /** The current epoch, counted from 0. */
  readonly epoch: number;
  /** Number of epochs. */
  readonly epochs: number;
  /** Number of ratings, or of positives, of this epoch that are done. */
  readonly done: number;
  /** Number of ratings, or of positives, per epoch. */
  readonly ratings: number;
  /** Mean loss of this epoch so far; absent while a model is computed in closed form. */
  readonly loss?: number | undefined;
  /** Measures on the validation ratings, at the end of an epoch. */
  readonly valid?: ValidMetrics | undefined;
}

/** The state of one objective's training after an epoch. */
export interface PartCheckpoint {
  readonly history: readonly EpochRecord[];
  /** Parameters and optimizer state. */
  readonly carried: Tensors;
  /** The parameters of the best epoch so far, if there are validation ratings. */
  readonly best?: Tensors | undefined;
}

/**
 * The state after an epoch, from which training resumes as if it had not stopped. With ONNX Runtime's training API the
 * state of the optimizer is lost, because the API does not give it.
 */
export interface Checkpoint {
  /** Models, data and settings. Only the same training may resume. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The objectives whose training has begun. */
  readonly parts: Readonly<Partial<Record<Objective, PartCheckpoint>>>;
}

export interface CheckpointStore {
  /** The checkpoint; undefined to start from the beginning. @throws UserError if it is broken or of another training */
  read(settings: Checkpoint['settings']): Promise<Checkpoint | undefined>;
  write(checkpoint: Checkpoint): Promise<void>;
  remove(): Promise<void>;
}

/** The checkpoints of all objectives of a training. */
export interface CheckpointProgress {
  of(objective: Objective): PartCheckpoint | undefined;
  write(objective: Objective, part: PartCheckpoint): Promise<void>;
}

/** Reads a checkpoint, if there is one, and writes it whenever one of its parts changes. */
export async function progressIn(
  store: CheckpointStore | undefined,
  settings: Checkpoint['settings'],
): Promise<CheckpointProgress> {
  const parts: Partial<Record<Objective, PartCheckpoint>> = { ...(await store?.read(settings))?.parts };
  return {
    of: (objective) => parts[objective],
    async write(objective, part) {
      parts[objective] = part;
      await store?.write({ settings, parts });
    },
  };
}

/** Number of epochs since the best validation measure, RMSE or NDCG; 0 without validation ratings. */
export function epochsSinceBest(history: readonly EpochRecord[]): number {
  if (history[0]?.valid === undefined) return 0;
  const errors = history.map(({ valid }) => valid?.rmse ?? -(valid?.ndcg ?? 0));
  return errors.length - 1 - errors.indexOf(Math.min(...errors));
}

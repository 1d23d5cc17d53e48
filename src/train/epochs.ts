import type { Tensors } from '../../graphs/heads/serving.ts';
import type { Model, Objective } from '../../graphs/models/model.ts';
import { option, UserError } from '../errors.ts';
import { mapValues } from '../util/map-values.ts';
import { sumOfLosses } from './engines/batches.ts';
import type { PreparedTraining, Training } from './engines/engine.ts';
import {
  type CheckpointProgress,
  type EpochRecord,
  epochsSinceBest,
  type PartMetrics,
  type Progress,
} from './progress.ts';
import type { RankingPlan, RatingPlan, Resolved } from './recipe/plan.ts';

/** Training diverged: the loss or the error is not finite. The learning rate is too high. */
export class DivergedError extends UserError {
  constructor({ schedule, plan }: Resolved<RatingPlan | RankingPlan>, epoch: number) {
    const { learningRate } = schedule.config;
    super(
      'training',
      plan.training.objective === 'ranking'
        ? `the training of the ranking diverged in epoch ${epoch}; give a lower ${option('rankingLearningRate')} than ${learningRate}`
        : `training diverged in epoch ${epoch}: the error is not a finite number; use a lower learning rate than ${learningRate}`,
    );
  }
}

/** The training of a model for one objective. */
export interface Part {
  readonly resolved: Resolved<RatingPlan | RankingPlan>;
  readonly prepared: PreparedTraining;
  /** Number of ratings, or of positives, of an epoch. */
  readonly size: number;
  initial(): Promise<Tensors>;
  /** Pulls parameters to their priors after an epoch, which is counted from 0. */
  pull?(carried: Tensors, epoch: number): Promise<Tensors>;
  /** A mean loss above this means that training has diverged. Default: any that is finite */
  readonly most?: number;
  /** Measures on the validation ratings; undefined if these have nothing to measure. */
  judge?(parameters: Tensors): Promise<PartMetrics['valid']>;
}

/** What epochs of training gave. */
export interface Trained {
  /** The parameters, without optimizer state. */
  readonly parameters: Tensors;
  readonly history: readonly EpochRecord[];
  /** The epoch of the parameters, counted from 1. */
  readonly epoch: number;
  readonly metrics: PartMetrics;
}

export interface EpochOptions {
  /** Stops training at the end of the current epoch. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each run and each epoch. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Trains for all epochs that are left. @throws UserError if training diverges, or is stopped before its first epoch ends */
export async function fitPart(
  part: Part,
  objective: Objective,
  checkpoints: CheckpointProgress,
  options: EpochOptions,
): Promise<Trained> {
  const { resolved, prepared, size, judge } = part;
  const { model, plan } = resolved;
  const { epochs, patience = Number.POSITIVE_INFINITY } = plan.training;
  const resumed = checkpoints.of(objective);
  const history = [...(resumed?.history ?? [])];
  const { signal, onProgress } = options;
  const fail = (error: unknown): never => {
    throw signal?.aborted ? stoppedEarly() : error;
  };
  let carried = resumed?.carried ?? (await part.initial().catch(fail));
  let best = resumed?.best;
  if (history.length < epochs && !signal?.aborted && epochsSinceBest(history) < patience) {
    const training = await prepared.start({ epochs: history.length, carried });
    try {
      do {
        const record = await oneEpoch(part, training, {
          objective,
          epoch: history.length,
          epochs,
          onProgress,
        });
        carried = await training.carried();
        if (part.pull && training.replace) {
          carried = await part.pull(carried, history.length);
          training.replace(carried);
        }
        const parameters = parametersOf(model, carried);
        if (hasDiverged(part, record, parameters)) throw new DivergedError(resolved, history.length + 1);
        const valid = await judge?.(parameters);
        if (valid && !Object.values(valid).every(Number.isFinite))
          throw new DivergedError(resolved, history.length + 1);
        history.push({ ...record, ...(valid && { valid }) });
        if (valid && epochsSinceBest(history) === 0) best = parameters;
        const epoch = history.length - 1;
        onProgress?.({ objective, epoch, epochs, ratings: size, done: size, ...history[epoch] });
        await checkpoints.write(objective, { history, carried, best });
      } while (history.length < epochs && !signal?.aborted && epochsSinceBest(history) < patience);
    } finally {
      await training.release();
    }
  }
  if (history.length === 0) throw stoppedEarly();
  const epoch = history.length - epochsSinceBest(history);
  const { valid } = history[epoch - 1];
  return {
    parameters: best ?? parametersOf(model, carried),
    history,
    epoch,
    metrics: valid ? { valid } : {},
  };
}

const stoppedEarly = (): UserError =>
  new UserError('training', 'training was stopped before the end of its first epoch, so there is no model');

/** A parameter above this makes scores that are not finite. */
const LARGEST = 1e9;

/**
 * Whether a ranking is worse than one by chance, or has numbers that are not finite: Adagrad and log softmax keep the loss finite
 * for long. Of ratings, the error on the training ratings tells.
 */
function hasDiverged({ most }: Part, { loss }: EpochRecord, parameters: Tensors): boolean {
  if (most === undefined) return false;
  return (
    loss > most ||
    Object.values(parameters).some(({ data }) => !data.every((value) => Math.abs(value) < LARGEST))
  );
}

async function oneEpoch(
  { resolved, size }: Part,
  training: Training,
  { onProgress, ...at }: Pick<Progress, 'objective' | 'epoch' | 'epochs'> & Pick<EpochOptions, 'onProgress'>,
): Promise<EpochRecord> {
  let sum = 0;
  let done = 0;
  for await (const steps of training.epoch(at.epoch)) {
    sum += sumOfLosses(steps);
    done += steps.starts[steps.starts.length - 1];
    if (!Number.isFinite(sum)) throw new DivergedError(resolved, at.epoch + 1);
    if (done < size) onProgress?.({ ...at, ratings: size, done, loss: sum / done });
  }
  return { loss: sum / size };
}

/** The parameters, without optimizer state. */
const parametersOf = (model: Model, carried: Tensors): Tensors =>
  mapValues(model.parameters, (_, name) => carried[name]);

import type { Tensors } from '../../graphs/heads/serving.ts';
import type { Model } from '../../graphs/models/model.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { isStored, type StoredRatings } from '../data/dataset/stored.ts';
import { UserError } from '../errors.ts';
import { type Metrics, metrics } from '../evaluate/metrics.ts';
import type { Runtime } from '../run/runtime.ts';
import { sha256 } from '../util/hash.ts';
import { mapValues } from '../util/map-values.ts';
import { VERSION } from '../version.ts';
import { epochOf, stepsOf, sumOfLosses } from './engines/batches.ts';
import type { Engine, OwnTraining, Training } from './engines/engine.ts';
import { epochEngine } from './engines/epoch/engine.ts';
import { initialParameters } from './parameters/initial.ts';
import { createScorer, type Scorer } from './parameters/score.ts';
import type { Pairs } from './parameters/spectral.ts';
import type { Settings } from './recipe/settings.ts';

/** What one epoch came to. */
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

/** Where a checkpoint is kept. */
export interface CheckpointStore {
  /**
   * @returns what to go on from; undefined to begin anew
   * @throws UserError if it is broken, or belongs to a training with other settings
   */
  read(settings: Checkpoint['settings']): Promise<Checkpoint | undefined>;
  write(checkpoint: Checkpoint): Promise<void>;
  remove(): Promise<void>;
}

export interface FitOptions {
  readonly model: Model;
  readonly ratings: Ratings | StoredRatings;
  readonly settings: Settings;
  readonly runtime: Runtime;
  /** What takes the steps; the epoch graph, in the runtime, unless told otherwise. */
  readonly engine?: Engine | Engine<OwnTraining>;
  /** Ratings by the same row numbers, which choose the best epoch. */
  readonly valid?: Ratings;
  readonly checkpoint?: CheckpointStore;
  /** What is trained, on which data, and how, for the checkpoint. */
  readonly described?: Readonly<Record<string, unknown>>;
  /** Ends training after the running epoch. */
  readonly signal?: AbortSignal;
  /** Ratings that are run at once: between runs there is time for a progress bar, and for Ctrl-C. */
  readonly ratingsARun?: number;
  onProgress?(progress: Progress): void;
}

export interface Fitted {
  /** The parameters alone. */
  readonly parameters: Tensors;
  readonly history: readonly EpochRecord[];
  /** The epoch, counted from 1, that the values are from. */
  readonly epoch: number;
  readonly scorer: Scorer;
  readonly seconds: { readonly build: number; readonly train: number };
}

/** Numbers are no longer finite: the learning rate is too high, and to go on would end in the same way. */
export class DivergedError extends UserError {
  constructor({ schedule }: Settings, epoch: number) {
    super(
      `training diverged in epoch ${epoch}: the error is not a finite number; use a lower learning rate than ${schedule.config.learningRate}`,
    );
  }
}

/**
 * Trains a model's parameters.
 *
 * @throws UserError if training diverges, or is stopped before its first epoch.
 */
export async function fitParameters(options: FitOptions): Promise<Fitted> {
  const {
    model,
    ratings,
    settings,
    runtime,
    engine = epochEngine,
    valid,
    checkpoint,
    described,
    signal,
    ratingsARun = 2 ** 18,
    onProgress,
  } = options;
  const { epochs, seed, patience = Number.POSITIVE_INFINITY } = settings;
  const count = isStored(ratings) ? ratings.count : ratings.ratings.length;
  const started = performance.now();
  const prepared = await engine.prepare({
    model,
    settings,
    runtime,
    steps: stepsOf(count, settings.batch),
  });
  const scorer = await createScorer(model, runtime);
  // The graph says what no configuration need say: the formula of a model of one's own.
  const initial = Object.values(model.parameters).map((parameter) => parameter.initial);
  const identity = { ...described, cofactor: VERSION, initial, graph: await sha256(prepared.graph) };
  const resumed = await checkpoint?.read(identity);
  const history = [...(resumed?.history ?? [])];
  let carried = resumed?.carried ?? initialParameters(model, seed, await pairsOf(ratings));
  const training = await prepared.start({ epochs: history.length, carried });
  const built = performance.now();
  let best = resumed?.best;

  try {
    while (history.length < epochs && !signal?.aborted && epochsSinceBest(history) < patience) {
      const number = history.length;
      const progress = { epoch: number, epochs, ratings: count };
      let sum = 0;
      let done = 0;
      const pieces =
        'ownEpoch' in training
          ? training.ownEpoch(number)
          : stepByStep(training, epochOf(ratings as Ratings, settings, number, ratingsARun));
      for await (const piece of pieces) {
        sum += piece.loss;
        done += piece.ratings;
        if (!Number.isFinite(sum)) throw new DivergedError(settings, number + 1);
        if (done < count) onProgress?.({ ...progress, done, loss: sum / done });
      }
      carried = await training.carried();
      const parameters = parametersOf(model, carried);
      const error = valid && metrics(await scorer.score(parameters, valid.users, valid.items), valid.ratings);
      if (error && !Number.isFinite(error.rmse)) throw new DivergedError(settings, number + 1);
      const record: EpochRecord = { loss: sum / count, ...(error && { valid: error }) };
      history.push(record);
      const isBest = valid !== undefined && epochsSinceBest(history) === 0;
      if (isBest) best = parameters;
      onProgress?.({ ...progress, done: count, ...record });
      await checkpoint?.write({ settings: identity, history, carried, best });
    }
  } finally {
    await training.release();
  }
  if (history.length === 0)
    throw new UserError('training was stopped before its first epoch: there is no model');
  return {
    parameters: best ?? parametersOf(model, carried),
    history,
    epoch: history.length - epochsSinceBest(history),
    scorer,
    seconds: { build: (built - started) / 1000, train: (performance.now() - built) / 1000 },
  };
}

/** Ratings above which who rated what is not looked at. */
export const MOST_PAIRS = 2 ** 20;

/** Who rated what, unless that is too much. */
async function pairsOf(ratings: Ratings | StoredRatings): Promise<Pairs | undefined> {
  if (!isStored(ratings)) return ratings.ratings.length <= MOST_PAIRS ? ratings : undefined;
  return ratings.count <= MOST_PAIRS ? ratings.sample(MOST_PAIRS) : undefined;
}

/** One time through the ratings by an engine that takes the steps that it is given. */
async function* stepByStep(
  training: Training,
  { epoch, parts }: ReturnType<typeof epochOf>,
): AsyncGenerator<{ ratings: number; loss: number }> {
  const take = training.epoch(epoch);
  for (const part of parts) {
    yield { ratings: part.ratings.length, loss: sumOfLosses(await take(part), part.starts) };
    await pause();
  }
}

/** Lets whatever waits have its turn: a progress bar, Ctrl-C, a message to the worker. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** 0: the last epoch is the best, or there is no validation set. */
function epochsSinceBest(history: readonly EpochRecord[]): number {
  const errors = history.map(({ valid }) => valid?.rmse ?? 0);
  return errors[0] === undefined || history[0].valid === undefined
    ? 0
    : errors.length - 1 - errors.indexOf(Math.min(...errors));
}

/** The parameters alone. */
const parametersOf = (model: Model, carried: Tensors): Tensors =>
  mapValues(model.parameters, (_, name) => carried[name]);

import { type InferenceSession, Tensor } from 'onnxruntime-common';
import type { Model } from '../../graphs/model.ts';
import type { Tensors } from '../../graphs/serving.ts';
import { sha256 } from '../artifact/hash.ts';
import { generator, normals, type RandomGenerator, shuffled, uniforms } from '../data/random.ts';
import type { Ratings } from '../data/ratings.ts';
import { UserError } from '../errors.ts';
import { type Metrics, metrics } from '../evaluate/metrics.ts';
import { encodeModel } from '../onnx/index.ts';
import type { Runtime } from '../run/runtime.ts';
import { VERSION } from '../version.ts';
import { carriedNames, type EpochGraph, epochGraph, stateName } from './epoch.ts';
import { losses } from './losses.ts';
import type { Optimizer } from './optimizers.ts';
import { createScorer, type Scorer } from './score.ts';
import type { Settings } from './settings.ts';

/** What one epoch came to. */
export interface EpochRecord {
  /** The mean training loss over the epoch, dropout included. */
  readonly loss: number;
  readonly valid?: Metrics;
}

/** Where training is; told after every run of the epoch graph. */
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

/** All that training needs to go on after an epoch as if it had never stopped. */
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
  readonly ratings: Ratings;
  readonly settings: Settings;
  readonly runtime: Runtime;
  /** Ratings by the same row numbers, which choose the best epoch. */
  readonly valid?: Ratings;
  readonly checkpoint?: CheckpointStore;
  /** What is trained, on which data, and how, for the checkpoint. */
  readonly described?: Readonly<Record<string, unknown>>;
  /** Ends training after the running epoch. */
  readonly signal?: AbortSignal;
  /** Ratings in one run of the graph: between runs there is time for a progress bar, and for Ctrl-C. */
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

/** Numbers for dropout masks, shared by all steps of a run; masks begin anywhere in them. */
const NOISE = 2 ** 20;

/** One seed gives independent generators for all that is random. */
const STREAMS = { initial: 1, epoch: 1000 };

/**
 * Trains a model's parameters: one run of the epoch graph an epoch, or several for large data.
 *
 * @throws UserError if training diverges, or is stopped before its first epoch.
 */
export async function fitParameters(options: FitOptions): Promise<Fitted> {
  const {
    model,
    ratings,
    settings,
    runtime,
    valid,
    checkpoint,
    described,
    signal,
    ratingsARun = 2 ** 18,
    onProgress,
  } = options;
  const { epochs, optimizer, seed, patience = Number.POSITIVE_INFINITY } = settings;
  const started = performance.now();
  const graph = epochGraph(model, { optimizer, loss: losses[settings.loss], lazy: settings.lazy });
  const file = encodeModel(graph.file);
  const session = await runtime.createSession(file, { threads: 1 });
  const scorer = await createScorer(model, runtime);
  const built = performance.now();

  // The graph says what no configuration need say: the formula of a model of one's own.
  const initial = Object.values(model.parameters).map((parameter) => parameter.initial);
  const identity = { ...described, cofactor: VERSION, initial, graph: await sha256(file) };
  const resumed = await checkpoint?.read(identity);
  let carried = toTensors(
    resumed?.carried ?? initialTensors(model, optimizer, generator(seed, STREAMS.initial)),
  );
  let best = resumed?.best;
  const history = [...(resumed?.history ?? [])];

  while (history.length < epochs && !signal?.aborted && epochsSinceBest(history) < patience) {
    const epoch = history.length;
    const feed = epochFeeds(ratings, settings, graph, epoch, ratingsARun);
    const progress = { epoch, epochs, ratings: ratings.ratings.length };
    let sum = 0;
    for (let done = 0; done < ratings.ratings.length; ) {
      const run = feed(done);
      const results = await session.run({ ...carried, ...run.feeds });
      carried = Object.fromEntries(
        carriedNames(model, optimizer).map((name) => [name, results[`${name}.next`]]),
      );
      sum += run.sizes.reduce((total, size, step) => total + size * Number(results.loss.data[step]), 0);
      done = run.end;
      if (!Number.isFinite(sum)) throw new DivergedError(settings, epoch + 1);
      if (done < ratings.ratings.length) onProgress?.({ ...progress, done, loss: sum / done });
      await pause();
    }
    const loss = sum / ratings.ratings.length;
    const error =
      valid &&
      metrics(await scorer.score(fromTensors(model, carried), valid.users, valid.items), valid.ratings);
    if (error && !Number.isFinite(error.rmse)) throw new DivergedError(settings, epoch + 1);
    const record: EpochRecord = { loss, ...(error && { valid: error }) };
    history.push(record);
    const isBest = valid !== undefined && epochsSinceBest(history) === 0;
    if (isBest) best = fromTensors(model, carried);
    onProgress?.({ ...progress, done: progress.ratings, ...record });
    await checkpoint?.write({ settings: identity, history, carried: plain(carried), best });
  }
  await session.release();
  if (history.length === 0)
    throw new UserError('training was stopped before its first epoch: there is no model');
  return {
    parameters: best ?? fromTensors(model, carried),
    history,
    epoch: history.length - epochsSinceBest(history),
    scorer,
    seconds: { build: (built - started) / 1000, train: (performance.now() - built) / 1000 },
  };
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

type Feeds = Record<string, Tensor>;

/** The inputs of an epoch's runs: from a place in the epoch's order to the feeds of the run that begins there. */
function epochFeeds(
  ratings: Ratings,
  settings: Settings,
  graph: EpochGraph,
  epoch: number,
  ratingsARun: number,
) {
  const { epochs, seed, schedule } = settings;
  const count = ratings.ratings.length;
  const batch = Math.min(settings.batch, count);
  const random = generator(seed, STREAMS.epoch + epoch);
  const order = shuffled(count, random);
  const steps = Math.ceil(count / batch);
  // Batches of nearly equal size, so that none is too small to be told from noise.
  const startOf = (step: number): number => Math.floor((step * count) / steps);
  const stepsARun = Math.max(1, Math.floor(ratingsARun / batch));
  // Drawn for the whole epoch, so that it does not matter how many runs it is cut into.
  const noise = epochNoise(graph.dropoutWidths, batch, steps, random);
  let step = 0;

  return (begin: number): { feeds: Feeds; end: number; sizes: number[] } => {
    const first = step;
    const last = Math.min(steps, first + stepsARun);
    step = last;
    const end = startOf(last);
    const rows = order.subarray(begin, end);
    const starts = Array.from({ length: last - first + 1 }, (_, at) => startOf(first + at) - begin);
    const settingsOfSteps = starts
      .slice(1)
      .map((_, at) => schedule.at((epoch * steps + first + at) / (epochs * steps)));
    const feeds = {
      user: new Tensor(
        'int32',
        rows.map((row) => ratings.users[row]),
      ),
      item: new Tensor(
        'int32',
        rows.map((row) => ratings.items[row]),
      ),
      actual: new Tensor(
        'float32',
        Float32Array.from(rows, (row) => ratings.ratings[row]),
      ),
      batch_start: new Tensor('int64', BigInt64Array.from(starts, BigInt)),
      learning_rate: new Tensor(
        'float32',
        Float32Array.from(settingsOfSteps, ({ learningRate }) => learningRate),
      ),
      momentum: new Tensor(
        'float32',
        Float32Array.from(settingsOfSteps, ({ momentum }) => momentum),
      ),
      first_step: new Tensor('float32', [epoch * steps + first + 1], []),
      ...noise(first, last),
    };
    return { feeds, end, sizes: starts.slice(1).map((start, at) => start - starts[at]) };
  };
}

/** The inputs of an epoch's dropout: from a run's first step and the one after its last to its feeds. */
function epochNoise(widths: readonly number[], batch: number, steps: number, random: RandomGenerator) {
  if (widths.length === 0) return () => ({});
  const size = Math.max(NOISE, 2 * batch * Math.max(...widths));
  const noise = new Tensor('float32', uniforms(size, random));
  const starts = widths.map((width) =>
    BigInt64Array.from(uniforms(steps, random), (start) =>
      BigInt(Math.floor(start * (size - batch * width))),
    ),
  );
  return (first: number, last: number): Feeds => ({
    noise,
    ...Object.fromEntries(
      starts.map((all, place) => [`noise_start_${place + 1}`, new Tensor('int64', all.slice(first, last))]),
    ),
  });
}

function initialTensors(model: Model, optimizer: Optimizer, random: RandomGenerator): Tensors {
  return Object.fromEntries(
    Object.entries(model.parameters).flatMap(([name, { dims, initial }]) => {
      const size = dims.reduce((product, dim) => product * dim, 1);
      const { center = 0 } = initial;
      const data =
        'normal' in initial
          ? normals(size, initial.normal, random).map((value) => center + value)
          : uniforms(size, random).map((value) => center + (2 * value - 1) * initial.uniform);
      const state = optimizer.state.map(
        (part) => [stateName(name, part), { dims, data: new Float32Array(size) }] as const,
      );
      return [[name, { dims, data }] as const, ...state];
    }),
  );
}

function toTensors(tensors: Tensors): Feeds {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dims, data }]) => [name, new Tensor('float32', data, dims)]),
  );
}

function plain(tensors: Readonly<Record<string, InferenceSession.OnnxValueMapType[string]>>): Tensors {
  return Object.fromEntries(
    Object.entries(tensors as Feeds).map(([name, { dims, data }]) => [
      name,
      { dims, data: data as Float32Array },
    ]),
  );
}

/** The parameters alone. */
function fromTensors(model: Model, tensors: Feeds): Tensors {
  return plain(Object.fromEntries(Object.keys(model.parameters).map((name) => [name, tensors[name]])));
}

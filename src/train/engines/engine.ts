import type { Tensors } from '../../../graphs/heads/serving.ts';
import type { Model } from '../../../graphs/models/model.ts';
import type { Runtime } from '../../run/runtime.ts';
import type { RandomGenerator } from '../../util/random.ts';
import type { Settings, SettingsOptions } from '../recipe/settings.ts';

/** What takes the steps of training: one ONNX graph for many of them, or ONNX Runtime's training API. */
export interface Engine<Kind extends Training | OwnTraining = Training> {
  /** The library that it runs in, where that is not the runtime, and its version. */
  readonly library?: { readonly name: string; readonly version: string };
  /** What is chosen with it where nothing else is asked for. */
  readonly defaults?: SettingsOptions;
  /**
   * What it trains with where some settings are wanted.
   *
   * @param asked those that were chosen, and not left to their defaults
   * @throws UserError if it cannot train with them
   */
  adopt?(wanted: Settings, asked: SettingsOptions): Settings;
  prepare(task: TrainingTask): Promise<PreparedTraining<Kind>>;
}

export interface TrainingTask {
  readonly model: Model;
  readonly settings: Settings;
  readonly runtime: Runtime;
  /** Steps of an epoch. */
  readonly steps: number;
}

export interface PreparedTraining<Kind extends Training | OwnTraining = Training> {
  /** The bytes of what is run, which tell this training from others. */
  readonly graph: Uint8Array;
  /** @param from the epochs done, and what they left: before the first, the parameters alone */
  start(from: { readonly epochs: number; readonly carried: Tensors }): Promise<Kind>;
}

/** A training that is under way. */
export interface Training extends UnderWay {
  /** @returns what takes some steps of an epoch, after those that it took before, and gives the loss of each */
  epoch(epoch: Epoch): (steps: Steps) => Promise<ArrayLike<number>>;
}

/** A training by an engine that was made for its ratings, and takes them in an order of its own. */
export interface OwnTraining extends UnderWay {
  /**
   * Goes once through the ratings.
   *
   * @param number counted from 0
   * @returns what was done, piece by piece: how many ratings, and the sum of their losses
   */
  ownEpoch(number: number): AsyncIterable<{ readonly ratings: number; readonly loss: number }>;
}

interface UnderWay {
  /** All that goes on to the next epoch, and can be told: the parameters, and whatever else the engine carries. */
  carried(): Promise<Tensors>;
  release(): Promise<void>;
}

/** One time through the ratings. */
export interface Epoch {
  /** Counted from 0. */
  readonly number: number;
  readonly steps: number;
  /** The most ratings in a step. */
  readonly batch: number;
  /** For all else that is drawn in it. */
  readonly random: RandomGenerator;
}

/** Some steps of an epoch: their ratings, in the order of training. */
export interface Steps {
  /** The first step, counted from 0 in its epoch. */
  readonly first: number;
  readonly users: Int32Array;
  readonly items: Int32Array;
  readonly ratings: Float32Array;
  /** Where each step begins in these; last, how many there are. */
  readonly starts: readonly number[];
}

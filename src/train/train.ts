import { availableParallelism } from 'node:os';
import type { ModelDefinition } from '../../graphs/models/model.ts';
import { writeArtifact } from '../artifact/artifact.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { isStored, LARGE, type StoredRatings } from '../data/dataset/stored.ts';
import { countsOf, strataOf } from '../data/dataset/strata.ts';
import { UserError } from '../errors.ts';
import { Recommender } from '../recommend/recommender.ts';
import { type NodeRuntimeOptions, nodeRuntime } from '../run/node.ts';
import type { Runtime } from '../run/runtime.ts';
import { checkpointFile } from './checkpoint.ts';
import type { Engine, OwnTraining } from './engines/engine.ts';
import { strataEngine } from './engines/strata/engine.ts';
import { Trained, type TrainerOptions, trainModel } from './trainer.ts';

export interface TrainOptions extends Omit<TrainerOptions, 'runtime' | 'checkpoint'> {
  /** ONNX Runtime in Node unless told otherwise. */
  readonly runtime?: Runtime;
  /** What ONNX Runtime in Node computes on, in place of `runtime`: the CPU unless told otherwise. */
  readonly device?: NodeRuntimeOptions['device'];
  /**
   * A file that is written after each epoch, and whether to go on from it. It stays after the training, for whoever
   * saves the model to remove.
   */
  readonly checkpoint?: { readonly path: string; readonly resume?: boolean };
  /** By strata: threads that train side by side; as many as there are cores unless told otherwise. */
  readonly workers?: number;
  /**
   * Trains by strata: into how many blocks users, and items, are cut; `auto` has them chosen by the data. Many ratings
   * are trained so unless told otherwise.
   */
  readonly blocks?: readonly [users: number, items: number] | 'auto';
}

/**
 * Trains a model: `await train(await readRatings('ratings.csv'), dotBias({ factors: 50 }))`.
 *
 * @throws UserError if the ratings or the settings cannot train a model, training diverges, or it is stopped before its
 * first epoch.
 */
export async function train(
  ratings: Ratings | StoredRatings,
  definition: ModelDefinition,
  { checkpoint, device, workers, blocks, ...options }: TrainOptions = {},
): Promise<TrainedModel> {
  if (options.runtime && device !== undefined)
    throw new UserError(
      'runtime and device exclude one another; give the runtime of that device, or the device',
    );
  if (typeof ratings !== 'object' || ratings === null)
    throw new UserError('the ratings are none; give what readRatings or readTraining returns');
  if (options.engine && isStored(ratings))
    throw new UserError(
      'ratings in a file are trained by strata; leave out the engine, or read them with readRatings',
    );
  const runtime = options.runtime ?? (await nodeRuntime({ device }));
  const trained = await trainModel(ratings, definition, {
    ...options,
    engine: options.engine ?? strataFor(ratings, runtime, { ...options, workers, blocks }),
    runtime,
    checkpoint: checkpoint && checkpointFile(checkpoint.path, checkpoint.resume),
  });
  return new TrainedModel(trained);
}

/** Whether ratings are trained by strata, unless another engine is asked for. */
export const goesByStrata = (
  ratings: Ratings | StoredRatings,
  device = 'cpu',
  { blocks, lazy }: Pick<TrainOptions, 'blocks' | 'lazy'> = {},
): boolean =>
  isStored(ratings) ||
  blocks !== undefined ||
  (ratings.ratings.length >= LARGE && device === 'cpu' && lazy !== false);

/** The engine for many ratings, and where blocks are asked for; undefined where the usual one is better. */
function strataFor(
  ratings: Ratings | StoredRatings,
  { device = 'cpu' }: Runtime,
  options: TrainOptions,
): Engine<OwnTraining> | undefined {
  const { workers = availableParallelism(), blocks, seed = 1 } = options;
  if (!Number.isSafeInteger(workers) || workers < 1)
    throw new UserError(`workers is ${workers}; give a whole number from 1`);
  if (!goesByStrata(ratings, device, options)) return undefined;
  if (device !== 'cpu')
    throw new UserError(
      `training by strata is for the CPU, not for ${device}; leave out the device, or blocks`,
    );
  const wanted = blocks === 'auto' ? undefined : blocks;
  if (isStored(ratings)) {
    const is = [ratings.strata.users, ratings.strata.items].map(({ starts }) => starts.length - 1);
    if (wanted && String(wanted) !== String(is))
      throw new UserError(
        `blocks is ${wanted}, but the ratings are stored in ${is}; say so when they are read`,
      );
    return strataEngine(ratings.strata, workers);
  }
  const sizes = {
    users: ratings.userIds.length,
    items: ratings.itemIds.length,
    ratings: ratings.ratings.length,
  };
  return strataEngine(strataOf(ratings, countsOf(sizes, workers, wanted), seed), workers);
}

/** A trained model, ready to be asked or saved. */
export class TrainedModel extends Trained {
  constructor(trained: Trained) {
    super(trained.parts);
  }

  /** Answers by string ids, from the very bytes that `save` writes. */
  async recommender(runtime?: Runtime): Promise<Recommender> {
    return Recommender.create(this.artifact, runtime ?? (await nodeRuntime()));
  }

  /** Writes the files and `manifest.json`; a kill at any moment leaves what was there, or this. */
  async save(directory: string): Promise<void> {
    await writeArtifact(directory, this.artifact);
  }
}

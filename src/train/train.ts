import type { ModelDefinition } from '../../graphs/model.ts';
import { writeArtifact } from '../artifact/artifact.ts';
import type { Ratings } from '../data/ratings.ts';
import { UserError } from '../errors.ts';
import { Recommender } from '../recommend/recommender.ts';
import { type NodeRuntimeOptions, nodeRuntime } from '../run/node.ts';
import type { Runtime } from '../run/runtime.ts';
import { checkpointFile } from './checkpoint.ts';
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
}

/**
 * Trains a model: `await train(await readRatings('ratings.csv'), dotBias({ factors: 50 }))`.
 *
 * @throws UserError if the ratings or the settings cannot train a model, training diverges, or it is stopped before its
 * first epoch.
 */
export async function train(
  ratings: Ratings,
  definition: ModelDefinition,
  { checkpoint, device, ...options }: TrainOptions = {},
): Promise<TrainedModel> {
  if (options.runtime && device !== undefined)
    throw new UserError(
      'runtime and device exclude one another; give the runtime of that device, or the device',
    );
  const trained = await trainModel(ratings, definition, {
    ...options,
    runtime: options.runtime ?? (await nodeRuntime({ device })),
    checkpoint: checkpoint && checkpointFile(checkpoint.path, checkpoint.resume),
  });
  return new TrainedModel(trained);
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

import { availableParallelism } from 'node:os';
import { writeArtifact } from '../artifact/artifact.ts';
import type { Artifact } from '../artifact/manifest.ts';
import { checkVocabulary, type Dataset } from '../data/dataset/dataset.ts';
import { Ratings } from '../data/dataset/ratings.ts';
import { UserError } from '../errors.ts';
import type { Metrics } from '../evaluate/metrics.ts';
import { Recommender } from '../recommend/recommender.ts';
import { type NodeRuntimeOptions, nodeRuntime } from '../run/node.ts';
import type { Runtime } from '../run/runtime.ts';
import { artifactOf, type ExportOptions } from './artifact.ts';
import { checkpointFile } from './checkpoint.ts';
import { nodeEngines } from './engines/node.ts';
import { errorOn, type FitOptions, type FitResult, fitModel } from './fit.ts';
import type { ProgramRecipe } from './recipe/recipe.ts';

export interface TrainOptions extends Pick<FitOptions, 'valid' | 'signal' | 'ratingsPerRun' | 'onProgress'> {
  /** @default ONNX Runtime in Node */
  readonly runtime?: Runtime;
  /** What ONNX Runtime in Node computes on, in place of `runtime`. @default 'cpu' */
  readonly device?: NodeRuntimeOptions['device'];
  /**
   * A file that is written after each epoch, and whether to go on from it. It stays after the training, for whoever
   * saves the model to remove.
   */
  readonly checkpoint?: { readonly path: string; readonly resume?: boolean };
  /** By strata: threads that train side by side. @default the number of cores */
  readonly workers?: number;
}

/**
 * Trains a model: `await train(ratings, { model: 'dot-bias', factors: 50 })`.
 *
 * @throws UserError if the ratings or the recipe cannot train a model, training diverges, or it is stopped before its
 * first epoch.
 */
export async function train(
  data: Dataset,
  recipe: ProgramRecipe = {},
  options: TrainOptions = {},
): Promise<Fitted> {
  const { checkpoint, device, workers = availableParallelism(), ...others } = options;
  if (others.runtime && device !== undefined)
    throw new UserError(
      'argument',
      'runtime and device exclude one another; give the runtime of that device, or the device',
    );
  if (typeof data?.sample !== 'function')
    throw new UserError('argument', 'the ratings are none; give the ratings of readRatings, or new Ratings');
  if (typeof recipe !== 'object' || recipe === null)
    throw new UserError(
      'argument',
      "the recipe is no object; give { model: 'mlp' }, or { model: definition }, say",
    );
  if (!Number.isSafeInteger(workers) || workers < 1)
    throw new UserError('argument', `workers is ${workers}; give a whole number from 1`);
  const runtime = others.runtime ?? (await nodeRuntime({ device }));
  return new Fitted(
    await fitModel(data, recipe, {
      ...others,
      workers,
      runtime,
      engines: nodeEngines,
      checkpoint: checkpoint && checkpointFile(checkpoint.path, checkpoint.resume),
    }),
  );
}

/** A model that has been trained: ready to be judged, asked, or saved. */
export class Fitted {
  /** Every choice made. */
  readonly plan: FitResult['plan'];
  readonly history: FitResult['history'];
  /** The errors on the training ratings, and on the held-out ratings that chose the epoch. */
  readonly metrics: FitResult['metrics'];
  /** What building the graphs and training took. */
  readonly seconds: FitResult['seconds'];

  constructor(private readonly result: FitResult) {
    ({ plan: this.plan, history: this.history, metrics: this.metrics, seconds: this.seconds } = result);
  }

  /**
   * The errors of the model's predictions on ratings that have the same ids as the training ratings, such as a held-out
   * part. `evaluate` judges a saved model in more ways, on any ratings.
   *
   * @throws UserError if the ratings have other ids
   */
  async errors(actual: Ratings): Promise<Metrics> {
    if (!(actual instanceof Ratings))
      throw new UserError('argument', 'errors takes Ratings, such as the valid of readRatings');
    checkVocabulary(actual, this.result.data, actual.name);
    return errorOn(this.result, this.result.parameters, actual);
  }

  /** The files that serve it, and the manifest that lists them. */
  artifact(options?: ExportOptions): Promise<Artifact> {
    return artifactOf(this.result, options);
  }

  /** Answers by string ids, from the very bytes that `save` writes. */
  async recommender(options?: ExportOptions): Promise<Recommender> {
    return Recommender.create(await this.artifact(options), this.result.runtime);
  }

  /** Writes the files and `manifest.json`; a kill at any moment leaves what was there, or this. */
  async save(directory: string, options?: ExportOptions): Promise<Artifact> {
    const artifact = await this.artifact(options);
    await writeArtifact(directory, artifact);
    return artifact;
  }
}

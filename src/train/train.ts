import { createHash } from 'node:crypto';
import type { DataFacts, Model, ModelDefinition } from '../../graphs/model.ts';
import { predictGraph, type Vocabulary } from '../../graphs/predict.ts';
import { type Artifact, sha256, writeArtifact } from '../artifact/artifact.ts';
import type { Manifest } from '../artifact/manifest.ts';
import { checkTrainable, type Ratings } from '../data/ratings.ts';
import { UserError } from '../errors.ts';
import { type Metrics, metrics } from '../evaluate/metrics.ts';
import { encodeModel } from '../onnx/index.ts';
import { Recommender } from '../recommend/recommender.ts';
import { nodeRuntime } from '../run/node.ts';
import type { Runtime } from '../run/runtime.ts';
import { VERSION } from '../version.ts';
import { removeCheckpoint } from './checkpoint.ts';
import { DivergedError, type Fitted, fitParameters, type Progress } from './fit.ts';
import { describeSettings, type SettingsOptions, settingsFor } from './settings.ts';

export interface TrainOptions extends SettingsOptions {
  /** Held-out ratings by the same row numbers as the training ratings (see the splits); they choose the best epoch. */
  readonly valid?: Ratings;
  /**
   * A file that is written after each epoch, and whether to go on from it. It stays after the training, for whoever
   * saves the model to remove.
   */
  readonly checkpoint?: { readonly path: string; readonly resume?: boolean };
  /** Ends training after the running epoch, and keeps what is trained. */
  readonly signal?: AbortSignal;
  readonly runtime?: Runtime;
  onProgress?(progress: Progress): void;
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
  options: TrainOptions = {},
): Promise<TrainedModel> {
  checkRows(ratings, 'the ratings', 0);
  checkTrainable(ratings, 'the ratings');
  if (options.valid) {
    checkRows(options.valid, 'the validation ratings', 1);
    checkVocabulary(options.valid, ratings, 'the validation ratings');
  }
  const facts = factsOf(ratings);
  const model = definition(facts);
  const settings = settingsFor(model, options);
  if (settings.patience !== undefined && !options.valid)
    throw new UserError('patience needs validation ratings; give valid, or leave patience out');
  const runtime = options.runtime ?? (await nodeRuntime());
  const data = { ...facts, fingerprint: fingerprint(ratings, options.valid) };
  const described = {
    model: { name: model.name, config: model.config as Record<string, unknown> },
    data,
    training: describeSettings(settings),
  };
  const { checkpoint } = options;
  try {
    const fitted = await fitParameters({
      ...options,
      model,
      ratings,
      settings,
      runtime,
      checkpoint: checkpoint && {
        path: checkpoint.path,
        resume: checkpoint.resume ?? false,
        settings: described,
      },
    });
    const libraries = { [runtime.name]: runtime.version };
    const trained = await TrainedModel.create(ratings, model, fitted, { ...described, libraries });
    if (!Number.isFinite(trained.manifest.metrics.train.rmse))
      throw new DivergedError(settings, fitted.epoch);
    return trained;
  } catch (error) {
    if (error instanceof DivergedError && checkpoint) await removeCheckpoint(checkpoint.path);
    throw error;
  }
}

/** @param unknown 1 where ratings of the unknown row are welcome, else 0 */
function checkRows(ratings: Ratings, name: string, unknown: 0 | 1): void {
  const count = ratings.ratings.length;
  if (count === 0) throw new UserError(`${name}: there are none`);
  for (const [kind, ids, rows] of [
    ['user', ratings.userIds, ratings.users],
    ['item', ratings.itemIds, ratings.items],
  ] as const) {
    if (rows.length !== count)
      throw new UserError(`${name}: ${count} ratings, but ${rows.length} ${kind} rows`);
    const at = rows.findIndex((row) => !(row >= 0 && row < ids.length + unknown));
    if (at >= 0)
      throw new UserError(
        `${name}: number ${at + 1} has ${kind} row ${rows[at]}, but there are ${ids.length} ${kind} ids`,
      );
  }
  const at = ratings.ratings.findIndex((rating) => !Number.isFinite(rating));
  if (at >= 0)
    throw new UserError(`${name}: number ${at + 1} is ${ratings.ratings[at]}, not a finite number`);
}

/** Row numbers mean nothing with other ids. */
function checkVocabulary(ratings: Vocabulary, known: Vocabulary, name: string): void {
  for (const key of ['userIds', 'itemIds'] as const) {
    const [ids, others] = [ratings[key], known[key]];
    if (ids !== others && !(ids.length === others.length && ids.every((id, row) => id === others[row])))
      throw new UserError(
        `${name}: their ${key} are not those of training; split the ratings, or read with { vocabulary }`,
      );
  }
}

function factsOf({ userIds, itemIds, ratings }: Ratings): DataFacts {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const rating of ratings) {
    if (rating < low) low = rating;
    if (rating > high) high = rating;
  }
  const mean = ratings.reduce((sum, rating) => sum + rating, 0) / ratings.length;
  return { users: userIds.length, items: itemIds.length, ratings: ratings.length, low, high, mean };
}

function fingerprint(...parts: (Ratings | undefined)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    if (!part) continue;
    hash.update(JSON.stringify([part.userIds, part.itemIds]));
    for (const column of [part.users, part.items, part.ratings])
      hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  return hash.digest('hex');
}

/** A trained model, ready to be asked or saved. */
export class TrainedModel {
  private constructor(
    readonly manifest: Manifest,
    /** `predict.onnx`, self-contained. */
    readonly predictFile: Uint8Array,
    /** What building the graphs, training, and laying out the file took. */
    readonly seconds: Fitted['seconds'] & { readonly export: number },
    private readonly model: Fitted,
    private readonly known: Vocabulary,
  ) {}

  /** Lays out the files of a model that has been fitted. */
  static async create(
    ratings: Ratings,
    model: Model,
    fitted: Fitted,
    described: Pick<Manifest, 'model' | 'data' | 'training' | 'libraries'>,
  ): Promise<TrainedModel> {
    const started = performance.now();
    const metadata = { cofactor: VERSION, model: model.name, config: JSON.stringify(model.config) };
    const predictFile = encodeModel(predictGraph(model, fitted.parameters, ratings, metadata));
    const seconds = { ...fitted.seconds, export: (performance.now() - started) / 1000 };
    const predicted = await fitted.scorer.score(fitted.parameters, ratings.users, ratings.items);
    const { valid } = fitted.history[fitted.epoch - 1];
    const manifest: Manifest = {
      format: 1,
      cofactor: VERSION,
      ...described,
      history: [...fitted.history],
      metrics: { train: { rmse: metrics(predicted, ratings.ratings).rmse }, ...(valid && { valid }) },
      files: { 'predict.onnx': { bytes: predictFile.length, sha256: sha256(predictFile) } },
    };
    const { userIds, itemIds } = ratings;
    return new TrainedModel(manifest, predictFile, seconds, fitted, { userIds, itemIds });
  }

  /**
   * How well the model predicts ratings given by the row numbers it was trained with (see the splits).
   *
   * @throws UserError if they have other ids.
   */
  async evaluate(actual: Ratings): Promise<Metrics> {
    checkRows(actual, 'the ratings', 1);
    checkVocabulary(actual, this.known, 'the ratings');
    const { users, items, ratings } = actual;
    return metrics(await this.model.scorer.score(this.model.parameters, users, items), ratings);
  }

  private get artifact(): Artifact {
    return { manifest: this.manifest, files: { 'predict.onnx': this.predictFile } };
  }

  /** Predictions by string ids, from the very bytes that `save` writes. */
  async recommender(runtime?: Runtime): Promise<Recommender> {
    return Recommender.create(this.artifact, runtime ?? (await nodeRuntime()));
  }

  /** Writes `predict.onnx` and `manifest.json`; a kill at any moment leaves what was there, or this. */
  async save(directory: string): Promise<void> {
    await writeArtifact(directory, this.artifact);
  }
}

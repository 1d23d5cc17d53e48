import { availableParallelism } from 'node:os';
import { isSolved } from '../../graphs/models/index.ts';
import { writeArtifact } from '../artifact/artifact.ts';
import { HELD_OUT_BY, type Judgement } from '../artifact/judgement.ts';
import { type Artifact, someReading } from '../artifact/manifest.ts';
import { checkKind, checkVocabulary, type Dataset } from '../data/dataset/dataset.ts';
import { type Ratings, someRatings } from '../data/dataset/ratings.ts';
import { option, UserError } from '../errors.ts';
import type { Metrics } from '../evaluate/metrics.ts';
import type { RankingOptions } from '../evaluate/ranking.ts';
import { PRECISIONS } from '../onnx/compress.ts';
import { Recommender } from '../recommend/recommender.ts';
import { type NodeRuntimeOptions, nodeRuntime } from '../run/node.ts';
import type { Runtime } from '../run/runtime.ts';
import * as expected from '../util/options.ts';
import { checkArgument, checkOptions, type OptionTable } from '../util/options.ts';
import { artifactOf, type ExportOptions } from './artifact.ts';
import { checkpointFile } from './checkpoint.ts';
import { trainInShards } from './engines/lists/shards.ts';
import { nodeEngines } from './engines/node.ts';
import { errorOn, type FitOptions, type FitResult, fitModel, partsOf, rankingOf } from './fit.ts';
import { type ItemItemAhead, itemItemAhead } from './item-item-ahead.ts';
import { bestEpochs, type JudgeOptions, judgementOf } from './judge.ts';
import { patternsOf } from './parameters/patterns.ts';
import type { EpochRecord, PartMetrics, ValidMetrics } from './progress.ts';
import { rankingJudge } from './ranking-judge.ts';
import type { Plan } from './recipe/plan.ts';
import { type ProgramRecipe, someRecipe } from './recipe/recipe.ts';
import type { reductionOf } from './recipe/resolve-ranking.ts';

export interface TrainOptions
  extends Pick<FitOptions, 'valid' | 'signal' | 'memory' | 'ratingsPerRun' | 'onProgress'> {
  /** Runtime that trains the model. @default nodeRuntime() */
  readonly runtime?: Runtime | undefined;
  /** Device that trains the model; not together with `runtime`. @default 'cpu' */
  readonly device?: NodeRuntimeOptions['device'];
  /**
   * File for a checkpoint, which is written after each epoch; with `resume: true`, training resumes from it. The file stays
   * after training: remove it once the model is saved. Default: no checkpoint
   */
  readonly checkpoint?: { readonly path: string; readonly resume?: boolean | undefined } | undefined;
  /** Number of threads that train many ratings. The model does not depend on it. @default the number of cores */
  readonly workers?: number | undefined;
}

const TRAIN_OPTIONS: OptionTable<TrainOptions> = {
  valid: someRatings,
  signal: expected.abortSignal,
  memory: expected.count,
  ratingsPerRun: expected.count,
  onProgress: expected.callback,
  runtime: expected.runtime,
  device: expected.checkedLater,
  checkpoint: expected.checkedLater,
  workers: expected.count,
};

const CHECKPOINT_OPTIONS: OptionTable<NonNullable<TrainOptions['checkpoint']>> = {
  path: expected.path,
  resume: expected.flag,
};

const JUDGE_OPTIONS: OptionTable<JudgeOptions> = {
  by: expected.oneOf(HELD_OUT_BY),
  isSaved: expected.flag,
};

const EXPORT_OPTIONS: OptionTable<ExportOptions> = {
  precision: expected.oneOf(PRECISIONS),
  seen: expected.flag,
  reading: someReading,
  noun: expected.text,
  judged: expected.checkedLater,
  titles: expected.mapOf('a Map from item id to title, such as that of readItems', expected.text.fits),
  genres: expected.mapOf(
    'a Map from item id to a list of genres, such as that of readItems',
    (genres) => Array.isArray(genres) && genres.every(expected.text.fits),
  ),
};

/**
 * Trains a model: `await train(ratings, { model: 'dot-bias', factors: 50 })`.
 *
 * @param data ratings of `readRatings`, or `new Ratings`
 * @param recipe the model and its training. Default: everything has a default
 * @throws UserError if the ratings or the recipe cannot train a model, if training diverges, or if it is stopped before the
 *   end of its first epoch
 */
export async function train(
  data: Dataset,
  recipe: ProgramRecipe = {},
  options: TrainOptions = {},
): Promise<Fitted> {
  checkOptions(options, TRAIN_OPTIONS);
  if (options.checkpoint !== undefined) {
    checkOptions(options.checkpoint, CHECKPOINT_OPTIONS, 'checkpoint is');
    checkArgument('the path of the checkpoint is', options.checkpoint.path, expected.path);
  }
  const { checkpoint, device, workers = availableParallelism(), ...others } = options;
  if (others.runtime && device !== undefined)
    throw new UserError('argument', 'runtime and device cannot be given together; give only one of them');
  if (typeof data?.sample !== 'function')
    throw new UserError(
      'argument',
      'this is not a dataset to train on; give the ratings of readRatings, or new Ratings',
    );
  checkArgument('the recipe is', recipe, someRecipe);
  const runtime = others.runtime ?? (await nodeRuntime({ device }));
  return new Fitted(
    await fitModel(data, recipe, {
      ...others,
      workers,
      runtime,
      engines: nodeEngines,
      inShards: trainInShards,
      patternsOf,
      checkpoint: checkpoint && checkpointFile(checkpoint.path, checkpoint.resume),
    }),
  );
}

/** The plan by which `train` ranks. */
export const rankingPlan = async (data: Dataset, recipe: ProgramRecipe): Promise<Plan> =>
  (await rankingOf(data, recipe, { inShards: trainInShards, patternsOf })).resolved.plan;

/** A model that was trained for one objective. */
export interface TrainedModel {
  /** The recipe with all defaults. */
  readonly plan: Plan;
  /** Loss and validation measures of each epoch. */
  readonly history: readonly EpochRecord[];
  /** The error on the training ratings, and the measures on the validation ratings if there are any. */
  readonly metrics: PartMetrics;
}

/** Measures of a model's rankings, and of the same lists for everybody, of the most popular items. */
export interface RankedOn extends ValidMetrics {
  readonly popular: ValidMetrics;
}

/** A trained model. With the objective `both`, `plan`, `history` and `metrics` are of the part that predicts ratings. */
export class Fitted implements TrainedModel {
  readonly plan: Plan;
  readonly history: readonly EpochRecord[];
  readonly metrics: PartMetrics;
  /** The part that ranks, of a model that also predicts ratings. */
  readonly ranking?: TrainedModel;
  /** Seconds that building the graphs took, and training. */
  readonly seconds: FitResult['seconds'];

  constructor(private readonly result: FitResult) {
    const [{ plan, history, metrics }, ranking] = partsOf(result);
    [this.plan, this.history, this.metrics] = [plan, history, metrics];
    if (ranking) this.ranking = { plan: ranking.plan, history: ranking.history, metrics: ranking.metrics };
    this.seconds = result.seconds;
  }

  /**
   * The errors of the model's predictions on ratings that have the same ids as the training ratings, such as a held-out
   * part. `evaluate` judges a saved model in more ways, on any ratings.
   *
   * @throws UserError if the ratings have other ids, or the model predicts no ratings
   */
  async errors(actual: Ratings): Promise<Metrics> {
    checkArgument('the ratings are', actual, someRatings);
    checkKind(actual, this.result.data.facts.kind);
    checkVocabulary(actual, this.result.data, actual.name);
    const { rating } = this.result;
    if (!rating)
      throw new UserError(
        'model',
        isSolved(this.plan.model.name)
          ? `${this.plan.model.name} ranks, and predicts no ratings`
          : `the model ranks, and predicts no ratings; train it with ${option("objective: 'both'")}`,
      );
    return errorOn(rating, rating.parameters, actual);
  }

  /**
   * NDCG and precision of the model's rankings, on ratings that have the same ids as the training ratings, beside those
   * of the most popular items; undefined if no user has a relevant item.
   *
   * @param options `threshold`: the lowest rating of a relevant item. Default: the start of the last quarter of the scale,
   *   whatever counts as a positive; all interactions. `k`: length of the lists. Default: 10
   * @throws UserError if the ratings have other ids, or the model does not rank
   */
  async rankingOn(
    actual: Ratings,
    options: Pick<RankingOptions, 'threshold'> & { readonly k?: number | undefined } = {},
  ): Promise<RankedOn | undefined> {
    checkOptions(options, { threshold: expected.number, k: expected.length });
    checkArgument('the ratings are', actual, someRatings);
    checkKind(actual, this.result.data.facts.kind);
    checkVocabulary(actual, this.result.data, actual.name);
    const { ranking, data, runtime } = this.result;
    if (!ranking)
      throw new UserError(
        'model',
        `the model was not trained to rank; train it with ${option("objective: 'both'")}`,
      );
    const { counts } = ranking.positives;
    const judge = await rankingJudge({ data, valid: actual, counts, ...options });
    const measures = await judge.of(await ranking.ranker(runtime));
    return measures && { ...measures, popular: (await judge.popular()) ?? {} };
  }

  /**
   * How item-item, computed from the same data, ranks what is held out, if it ranks it clearly better than this model: the 95 %
   * interval of the difference in NDCG@10, over users, is above 0.
   *
   * @param seconds what the try may take; a try that would take longer is not made
   * @returns its NDCG@10, and the interval of the difference; undefined if it is not clearly better, or was not tried
   * @throws UserError if the ratings have other ids
   */
  async itemItemAhead(actual: Ratings, seconds: number): Promise<ItemItemAhead | undefined> {
    checkArgument('the ratings are', actual, someRatings);
    checkArgument('the seconds are', seconds, expected.number);
    checkKind(actual, this.result.data.facts.kind);
    checkVocabulary(actual, this.result.data, actual.name);
    return itemItemAhead(this.result, actual, seconds);
  }

  /**
   * Judges the model on ratings that have the same ids as the training ratings, and were not trained on, beside baselines that are
   * made from the training ratings: the mean, damped means of users and items, and the most popular items. `verdictOf` says it in
   * words, and `save` stores it.
   *
   * @throws UserError if the ratings have other ids
   */
  async judge(heldOut: Ratings, options: JudgeOptions = {}): Promise<Judgement> {
    checkArgument('the ratings are', heldOut, someRatings);
    checkOptions(options, JUDGE_OPTIONS);
    checkKind(heldOut, this.result.data.facts.kind);
    checkVocabulary(heldOut, this.result.data, heldOut.name);
    return judgementOf(this.result, heldOut, options);
  }

  /**
   * The epochs that were best on the validation ratings, for a recipe to train on everything: `train(all, { ...recipe,
   * ...fitted.epochs })`.
   */
  get epochs(): Pick<ProgramRecipe, 'epochs' | 'rankingEpochs'> {
    return bestEpochs(this.result);
  }

  /** What the part that ranks has less of, because of the size of the data; undefined if it has all. */
  get reduction(): ReturnType<typeof reductionOf> {
    return this.result.ranking?.reduction;
  }

  /** The files that serve the model, and their manifest. */
  async artifact(options: ExportOptions = {}): Promise<Artifact> {
    checkOptions(options, EXPORT_OPTIONS);
    return artifactOf(this.result, options);
  }

  /** A recommender on the same bytes that `save` writes. */
  async recommender(options?: ExportOptions): Promise<Recommender> {
    return Recommender.create(await this.artifact(options), this.result.runtime);
  }

  /**
   * Writes the files and `manifest.json`. After a kill, the folder has the old files or the new ones.
   *
   * @throws UserError if the folder cannot be written, holds files of others, or another process writes in it
   */
  async save(directory: string, options?: ExportOptions): Promise<Artifact> {
    checkArgument('the folder is', directory, expected.path);
    const artifact = await this.artifact(options);
    await writeArtifact(directory, artifact);
    return artifact;
  }
}

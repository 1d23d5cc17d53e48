/** The public API of `cofactor` in Node. */
export type { Vocabulary } from '../graphs/heads/serving.ts';
export { type DotBiasConfig, dotBias } from '../graphs/models/dot-bias.ts';
export type { ModelName } from '../graphs/models/index.ts';
export { type MlpConfig, mlp } from '../graphs/models/mlp.ts';
export {
  type DataFacts,
  type DataKind,
  type Dropout,
  defaultRange,
  type Initial,
  type Model,
  type ModelDefinition,
  type Parameter,
  type Range,
} from '../graphs/models/model.ts';
export { readArtifact } from './artifact/artifact.ts';
export type { FetchProgress } from './artifact/fetch.ts';
export type { Judgement } from './artifact/judgement.ts';
export type { Artifact, Manifest } from './artifact/manifest.ts';
export { writeTritonRepository } from './artifact/triton.ts';
export { type Verdict, verdictOf } from './artifact/verdict.ts';
export type { Dataset } from './data/dataset/dataset.ts';
export { Ratings, type RatingsParts } from './data/dataset/ratings.ts';
export {
  dateSplit,
  folds,
  type HoldOut,
  leaveLastOut,
  randomSplit,
  type Split,
  timeSplit,
} from './data/dataset/split.ts';
export { type DataSet, download } from './data/movielens.ts';
export type { ItemTable } from './data/read/item-table.ts';
export { readItems } from './data/read/items.ts';
export {
  type Exclusions,
  type ReadOptions,
  readExclusions,
  readOwnItems,
  readOwnRatings,
  readPairs,
  readRatings,
  readUsers,
  understandRatings,
} from './data/read/read.ts';
export type { Reading, ReadReport } from './data/read/reading.ts';
export type { StoreOptions } from './data/read/store.ts';
export type { Understanding, UnderstoodFile } from './data/read/understanding.ts';
export { writeRatings } from './data/write-ratings.ts';
export { type ErrorCode, UserError } from './errors.ts';
export type { Baseline, Scorer, Skipped } from './evaluate/baseline.ts';
export { baselines, rankingBaselines } from './evaluate/baselines.ts';
export type { Interval } from './evaluate/bootstrap.ts';
export { type EvaluateOptions, type Evaluation, evaluate, type Quality } from './evaluate/evaluate.ts';
export {
  type BaselineJudgement,
  type BaselineOptions,
  evaluateBaselines,
} from './evaluate/evaluate-baselines.ts';
export type { Group } from './evaluate/groups.ts';
export { type Metrics, metrics } from './evaluate/metrics.ts';
export type { Ranking, RankingAt, RankingOptions } from './evaluate/ranking.ts';
export type { Precision } from './onnx/compress.ts';
export { isKnown } from './recommend/known.ts';
export { load, type NodeLoadOptions } from './recommend/load.ts';
export type { LoadOptions } from './recommend/load-options.ts';
export {
  type FoldedIn,
  type Item,
  type ItemRating,
  type ListOptions,
  type Own,
  type Recommended,
  Recommender,
  type RecommendOptions,
  type Rows,
  type Similar,
} from './recommend/recommender.ts';
export type { Device } from './run/device-names.ts';
export { type DeviceReport, devices } from './run/devices.ts';
export { type NodeRuntime, type NodeRuntimeOptions, nodeRuntime } from './run/node.ts';
export type { Runtime } from './run/runtime.ts';
export type { ExportOptions } from './train/artifact.ts';
export {
  type TrainingExportOptions,
  trainingFiles,
  writeTrainingFiles,
} from './train/engines/ort-training/export.ts';
export { findLearningRate, type PartRangeTest, type RangeTest } from './train/find-learning-rate.ts';
export type { EpochRecord, PartMetrics, Progress, ValidMetrics } from './train/progress.ts';
export type { Plan, RankingPlan, RatingPlan } from './train/recipe/plan.ts';
export type { ProgramRecipe, Recipe } from './train/recipe/recipe.ts';
export type { CofactorConfig } from './train/recipe/run-choices.ts';
export { type Fitted, type RankedOn, type TrainedModel, type TrainOptions, train } from './train/train.ts';

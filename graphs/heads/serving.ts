import { initializer, max, min, type Value } from '../../src/onnx/index.ts';
import { mapValues } from '../../src/util/map-values.ts';
import type { ItemWeights } from '../models/item-item.ts';
import type { Decay } from '../models/list-loss.ts';
import { type DataKind, type Model, type Range, ratingFromScore } from '../models/model.ts';

/** The ids of users and items, in the order of their rows. */
export interface Vocabulary {
  readonly userIds: readonly string[];
  readonly itemIds: readonly string[];
}

export type Tensors = Readonly<
  Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>
>;

/** A model that was trained to predict ratings. */
export interface RatingPart {
  readonly model: Model;
  readonly trained: Tensors;
  /** Expected root mean square error of predictions. */
  readonly error: number;
  /** Ratings that are served are clipped to this range. Default: they are not clipped */
  readonly clip?: Range | undefined;
}

/** A model of ratings, and what its ratings are clipped to. */
export type Rates = Pick<RatingPart, 'model' | 'clip'>;

/** The ratings that are served for scores, of the same shape. Training has those of `ratingFromScore`, which are not clipped. */
export function servedRating({ model, clip }: Rates, score: Value): Value {
  const rating = ratingFromScore(model, score);
  return clip ? max(min(rating, clip[1]), clip[0], 'clipped_rating') : rating;
}

/** A model that ranks, however it was made. */
interface Ranks {
  /** Lowest rating that counts as positive, or all. */
  readonly positive: number | 'all';
  /** What it was trained on. Of interactions a person gives a list of items, without ratings. @default 'ratings' */
  readonly kind?: DataKind | undefined;
  /** Positives of each item in the training data, by row. */
  readonly counts: ArrayLike<number>;
}

/** A model that learned to rank by gradients. */
export interface LearnedRanking extends Ranks {
  readonly model: Model;
  readonly trained: Tensors;
  /** Weight decay of a user's row. */
  readonly userDecay: Decay;
}

/** A model that ranks by weights between items. */
export interface WeightsRanking extends Ranks {
  readonly model: Pick<Model, 'name' | 'config'>;
  readonly weights: ItemWeights;
  /** The positives of all users: those of user u are from starts[u] to before starts[u + 1]. */
  readonly lists: { readonly starts: Int32Array; readonly items: Int32Array };
}

export type RankingPart = LearnedRanking | WeightsRanking;

export const isByWeights = (part: RankingPart | RatingPart): part is WeightsRanking => 'weights' in part;

/** The models of an artifact: one of them, or both. */
export type Parts = { readonly rating?: RatingPart; readonly ranking?: RankingPart } & (
  | { readonly rating: RatingPart }
  | { readonly ranking: RankingPart }
);

/** What lists come from. */
export const ranker = (parts: Parts): RankingPart | RatingPart =>
  parts.ranking ?? (parts.rating as RatingPart);

/** What numbers for pairs come from. */
export const predictor = (parts: Parts): RankingPart | RatingPart =>
  parts.rating ?? (parts.ranking as RankingPart);

/** Whether a model has parameters of users. Without them it gives all users the same. */
export const knowsUsers = ({ parameters }: Model): boolean =>
  Object.values(parameters).some(({ rowsOf }) => rowsOf === 'user');

/** The parameters for serving: each table of users or items gets one more row, the average row, for unknown ids. */
export function servingParameters(model: Model, trained: Tensors): Tensors {
  return mapValues(model.parameters, ({ rowsOf }, name) =>
    rowsOf ? withAverageRow(trained[name]) : trained[name],
  );
}

/** The serving parameters as initializers of a graph. */
export function servingTables(model: Model, trained: Tensors): Readonly<Record<string, Value>> {
  return mapValues(servingParameters(model, trained), ({ dims, data }, name) =>
    initializer(name, 'float', dims, data),
  );
}

function withAverageRow({ dims: [rows, ...rest], data }: Tensors[string]): Tensors[string] {
  const width = data.length / rows;
  const extended = new Float32Array(data.length + width);
  extended.set(data);
  const sums = new Float64Array(width);
  for (let row = 0, at = 0; row < rows; row++)
    for (let column = 0; column < width; column++) sums[column] += data[at++];
  for (let column = 0; column < width; column++) extended[data.length + column] = sums[column] / rows;
  return { dims: [rows + 1, ...rest], data: extended };
}

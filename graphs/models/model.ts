import { add, type Dim, describe, GraphError, mul, sigmoid, type Value } from '../../src/onnx/index.ts';

/** Facts about the training data that a model definition may use. */
export interface DataFacts {
  readonly users: number;
  readonly items: number;
  readonly ratings: number;
  readonly low: number;
  readonly high: number;
  readonly mean: number;
}

/**
 * Distribution of a parameter's initial values around `center`: normal with a standard deviation of `normal`, or uniform in
 * ±`uniform`.
 */
export type Initial = ({ readonly normal: number } | { readonly uniform: number }) & {
  /** @default 0 */
  readonly center?: number;
  /** Scale of the spectral initialisation of a table of users or items, see `src/train/parameters/spectral.ts`. */
  readonly spectral?: number;
};

/**
 * A trainable tensor of a model.
 *
 * @typeParam Size type of an axis's size: also a name, in a graph for any number of users and items
 */
export interface Parameter<Size extends Dim = number> {
  readonly dims: readonly Size[];
  readonly initial: Initial;
  /** Whether the first axis is that of users or items. @default neither, as in a dense layer */
  readonly rowsOf?: 'user' | 'item';
}

/** A table of user or item vectors, float[users or items, width]. */
export const embedding = (
  rowsOf: 'user' | 'item',
  facts: DataFacts,
  width: number,
  initial: Initial,
): Parameter => ({ dims: [facts[`${rowsOf}s`], width], initial, rowsOf });

/** In training, zeroes elements at this rate and scales up the rest; in serving, returns `x`. */
export type Dropout = (x: Value, rate: number) => Value;

/** A model of ratings for one set of users and items: parameters and a formula. */
export interface Model<Size extends Dim = number> {
  readonly name: string;
  /** All hyperparameters, defaults included, as plain JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly parameters: Readonly<Record<string, Parameter<Size>>>;
  /**
   * The formula: builds the graph that predicts ratings.
   *
   * @param parameters the tensors of `this.parameters`, by name
   * @param user row numbers of the user tables, int32 or int64 [batch]
   * @param item row numbers of the item tables, int32 or int64 [batch]
   * @param dropout applies dropout in training; the identity in serving
   * @returns the predicted ratings, float[batch]
   */
  rating(parameters: Readonly<Record<string, Value>>, user: Value, item: Value, dropout: Dropout): Value;
}

/**
 * Applies a model's formula, and checks the shape of its result.
 *
 * @throws GraphError if the result is not one number per rating. A [batch, 1] would broadcast with the actual ratings to
 *   [batch, batch], and the model would train on nonsense.
 */
export function ratingOf(
  model: Model<Dim>,
  parameters: Readonly<Record<string, Value>>,
  { user, item }: { readonly user: Value; readonly item: Value },
  dropout: Dropout = noDropout,
): Value {
  const rating = model.rating(parameters, user, item, dropout);
  const wanted = { dtype: 'float', dims: user.dims } as const;
  if (describe(rating) !== describe(wanted)) {
    throw new GraphError(
      `model "${model.name}": its rating is ${describe(rating)}, but must be ${describe(wanted)}`,
    );
  }
  return rating;
}

/** A model whose hyperparameters are chosen: makes the model from facts about the data. */
export type ModelDefinition = (facts: DataFacts) => Model;

/** The lowest and the highest rating that a model can predict. */
export type Range = readonly [low: number, high: number];

/**
 * A range a little wider than the data, because a sigmoid never reaches its limits: 1 to 5 gives 0 to 5.5. The lower end
 * gets more room, because in nearly all rating data the lowest rating is further from the mean than the highest.
 */
export function defaultRange({ low, high }: Pick<DataFacts, 'low' | 'high'>): Range {
  return [low - (high - low) / 4, high + (high - low) / 8];
}

/** The inverse of `scaledSigmoid`: the score that gives a rating. Training starts at the score of the mean. */
export function scoreOf(rating: number, [low, high]: Range): number {
  // A range that the user chose may not contain the mean.
  const part = Math.min(0.99, Math.max(0.01, (rating - low) / (high - low)));
  return Math.log(part / (1 - part));
}

/** low + (high − low) · σ(score), of the shape of `score`. */
export function scaledSigmoid(score: Value, [low, high]: Range): Value {
  return add(mul(sigmoid(score, 'probability'), high - low, 'scaled'), low, 'rating');
}

/** The identity: for serving. */
export const noDropout: Dropout = (x) => x;

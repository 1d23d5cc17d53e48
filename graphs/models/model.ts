import { add, type Dim, describe, GraphError, mul, sigmoid, type Value } from '../../src/onnx/index.ts';

/** What a model needs to know of the data that it will be trained on. */
export interface DataFacts {
  readonly users: number;
  readonly items: number;
  readonly ratings: number;
  readonly low: number;
  readonly high: number;
  readonly mean: number;
}

/** How a parameter's elements are drawn at the start: normal of a standard deviation, or uniform in ±, around a center. */
export type Initial = ({ readonly normal: number } | { readonly uniform: number }) & {
  readonly center?: number;
  /** Scale of the spectral initialisation of a table of users or items, see `src/train/parameters/spectral.ts`. */
  readonly spectral?: number;
};

/** @typeParam Size what an axis’s size may be: a name, too, in a model of any number of users and items */
export interface Parameter<Size extends Dim = number> {
  readonly dims: readonly Size[];
  readonly initial: Initial;
  /** Whether the parameter has a row for each user or each item; a dense layer has neither. */
  readonly rowsOf?: 'user' | 'item';
}

/** A table of user or item vectors. */
export const embedding = (
  rowsOf: 'user' | 'item',
  facts: DataFacts,
  width: number,
  initial: Initial,
): Parameter => ({ dims: [facts[`${rowsOf}s`], width], initial, rowsOf });

/** While training, drops elements at this rate and scales up the rest; when serving, the identity. */
export type Dropout = (x: Value, rate: number) => Value;

/** A model of ratings for one set of users and items: its parameters, and its formula. */
export interface Model<Size extends Dim = number> {
  readonly name: string;
  /** All choices made, defaults included; plain JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly parameters: Readonly<Record<string, Parameter<Size>>>;
  /**
   * The formula.
   *
   * @param parameters a tensor for each of `this.parameters`
   * @param user int[batch], rows of the user tables
   * @param item int[batch]
   * @returns the predicted ratings, float[batch]
   */
  rating(parameters: Readonly<Record<string, Value>>, user: Value, item: Value, dropout: Dropout): Value;
}

/**
 * A model's formula, used once.
 *
 * @throws GraphError if it gives anything but one number a rating: a [batch, 1] would be broadcast with the actual
 *   ratings to [batch, batch], and train on nonsense.
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

/** A model with its own choices made, waiting for the data. */
export type ModelDefinition = (facts: DataFacts) => Model;

/** The lowest and the highest rating that a model can give. */
export type Range = readonly [low: number, high: number];

/**
 * A little wider than the data, since a sigmoid never reaches its ends: 1 to 5 gives 0 to 5.5. The lower end gets more
 * room, because the lowest ratings are further from the mean in nearly all rating data.
 */
export function defaultRange({ low, high }: Pick<DataFacts, 'low' | 'high'>): Range {
  return [low - (high - low) / 4, high + (high - low) / 8];
}

/** The score at which `scaledSigmoid` gives a rating: where training had better begin, at the mean. */
export function scoreOf(rating: number, [low, high]: Range): number {
  // A range that one chose need not hold the mean.
  const part = Math.min(0.99, Math.max(0.01, (rating - low) / (high - low)));
  return Math.log(part / (1 - part));
}

/** low + (high − low) · σ(score) */
export function scaledSigmoid(score: Value, [low, high]: Range): Value {
  return add(mul(sigmoid(score, 'probability'), high - low, 'scaled'), low, 'rating');
}

/** Serves a formula as it is, without dropout. */
export const noDropout: Dropout = (x) => x;

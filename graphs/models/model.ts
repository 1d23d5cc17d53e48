import { UserError } from '../../src/errors.ts';
import { add, type Dim, describe, GraphError, mul, sigmoid, type Value } from '../../src/onnx/index.ts';

/**
 * What a model learns: `rating` predicts the ratings, `ranking` puts the items that a user has above all others.
 */
export type Objective = 'rating' | 'ranking';

/** From so many ratings, training has settings of its own, and uses all cores. */
export const MANY = 500_000;

/**
 * What a model is trained on: ratings on a scale; or interactions, such as clicks, plays and purchases, which say that a user
 * has an item.
 */
export type DataKind = 'ratings' | 'interactions';

/** Facts about the training data that a model definition may use. */
export interface DataFacts {
  /** @default 'ratings' */
  readonly kind?: DataKind | undefined;
  readonly users: number;
  readonly items: number;
  /** Number of ratings, or of interactions: pairs of a user and an item. */
  readonly ratings: number;
  /** Of the ratings, or of the strengths of interactions. */
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
  /**
   * Adds this multiple of the logarithm of an item's popularity, log(count + 1) less its mean over items, to each row of a
   * table of items. @default 0
   */
  readonly popularity?: number;
  /**
   * Adds what the bias of each user or item, at its posterior mean, adds to the score of the mean rating, to a vector of users or
   * items, see `src/solve/biases.ts`. @default false
   */
  readonly posterior?: boolean;
};

/** Item biases that start at the items' popularity. */
export const POPULARITY: Initial = { normal: 0, popularity: 1 };

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
  /** Factor of the learning rate with row-adagrad. @default 1 */
  readonly rate?: number;
  /**
   * How strongly row-adagrad pulls each row to where it started, in ratings: the precision of a prior whose mean is the start. Of
   * biases, `prior`: each is pulled to the mean of its prior, by its precision. @default 0
   */
  readonly pull?: number | 'prior';
  /** Whether the optimizer keeps a state for this parameter alone, not one for all parameters of its rows. @default false */
  readonly ownState?: boolean;
}

/**
 * Biases of users or items, float[users or items], for predicting ratings: they start at their posterior. On MovieLens a higher
 * rate makes them follow chance.
 */
export const biases = (
  rowsOf: 'user' | 'item',
  facts: DataFacts,
  { range, center = 0 }: { readonly range: Range; readonly center?: number },
): Parameter => ({
  dims: [facts[`${rowsOf}s`]],
  initial: { normal: 0, center, posterior: true },
  rowsOf,
  rate: 0.25 * evennessIn(facts, range),
  pull: 'prior',
});

/**
 * How far data tell patterns of users and items from chance, from 0 to 1: a singular vector is noise where users or items have few
 * ratings.
 */
export const trustIn = ({ users, items, ratings }: Pick<DataFacts, 'users' | 'items' | 'ratings'>): number =>
  Math.max(0, 1 - Math.sqrt(users / ratings) - Math.sqrt(items / ratings));

const LEAST_TRUST = 0.05;

interface Vectors {
  /** Widths of a user's and of an item's vector. */
  readonly widths: readonly [user: number, item: number];
  readonly initialStd: number;
  /** Scales of the spectral initialisation. */
  readonly spectral: readonly [user: number, item: number];
  /** Precision of the prior, in ratings, where the data tell all patterns from chance. */
  readonly pull: number;
}

/** Tables of user and item vectors, float[users, width] and float[items, width]. */
export function vectors(facts: DataFacts, { widths, initialStd, spectral, pull }: Vectors) {
  const table = (rowsOf: 'user' | 'item', at: 0 | 1): Parameter => ({
    dims: [facts[`${rowsOf}s`], widths[at]],
    initial: { normal: initialStd, spectral: spectral[at] },
    rowsOf,
    // The less the data tell patterns from chance, the stronger.
    pull: pull / Math.max(LEAST_TRUST, trustIn(facts)) ** 2,
  });
  return { user_factors: table('user', 0), item_factors: table('item', 1) };
}

/** In training, zeroes elements at this rate and scales up the rest; in serving, returns `x`. */
export type Dropout = (x: Value, rate: number) => Value;

type Tables = Readonly<Record<string, Value>>;

/** Row numbers of users and items: int32 or int64 [batch]. */
interface Pairs {
  readonly user: Value;
  readonly item: Value;
}

/** A model for one set of users and items: parameters and a formula. */
export interface Model<Size extends Dim = number> {
  readonly name: string;
  /** All hyperparameters, defaults included, as plain JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly parameters: Readonly<Record<string, Parameter<Size>>>;
  /**
   * The lowest and the highest rating of the model, before clipping: rating = low + (high − low) · σ(score). Default: the
   * rating is the score itself
   */
  readonly range?: Range;
  /**
   * The formula: builds the graph that scores pairs of a user and an item. The higher the score, the more the user likes
   * the item.
   *
   * @param parameters the tensors of `this.parameters`, by name
   * @param user row numbers of the user tables, int32 or int64 [batch]
   * @param item row numbers of the item tables, int32 or int64 [batch]
   * @param dropout applies dropout in training; the identity in serving
   * @returns the scores, float[batch]
   */
  score(parameters: Tables, user: Value, item: Value, dropout: Dropout): Value;
}

/**
 * Applies a model's formula, and checks the shape of its result.
 *
 * @throws GraphError if the result is not one number per pair. A [batch, 1] would broadcast with the actual ratings to
 *   [batch, batch], and the model would train on nonsense.
 */
export function scoreOf(
  model: Model<Dim>,
  parameters: Tables,
  { user, item }: Pairs,
  dropout: Dropout = noDropout,
): Value {
  if (typeof model.score !== 'function')
    throw new UserError(
      'argument',
      `model "${model.name}" has no function score; a model gives a score, and cofactor makes the rating of it`,
    );
  const score = model.score(parameters, user, item, dropout);
  const wanted = { dtype: 'float', dims: user.dims } as const;
  if (describe(score) !== describe(wanted)) {
    throw new GraphError(
      `model "${model.name}": its score is ${describe(score)}, but must be ${describe(wanted)}`,
    );
  }
  return score;
}

/** The ratings that a model predicts for pairs of rows, float[batch]. */
export const ratingOf = (
  model: Model<Dim>,
  parameters: Tables,
  pairs: Pairs,
  dropout: Dropout = noDropout,
): Value => ratingFromScore(model, scoreOf(model, parameters, pairs, dropout));

/** The ratings that scores stand for, of the same shape. */
export const ratingFromScore = ({ range }: Model<Dim>, score: Value): Value =>
  range ? scaledSigmoid(score, range) : score;

/**
 * A model whose hyperparameters are chosen: makes the model from facts about the data. It may start from other values, or
 * have other parameters, if the objective is to rank.
 */
export type ModelDefinition = (facts: DataFacts, objective?: Objective) => Model;

/** A lowest and a highest rating. */
export type Range = readonly [low: number, high: number];

/**
 * A range a little wider than the data, because a sigmoid never reaches its limits: 1 to 5 gives 0 to 5.5. The lower end
 * gets more room, because in nearly all rating data the lowest rating is further from the mean than the highest.
 */
export function defaultRange({ low, high }: Pick<DataFacts, 'low' | 'high'>): Range {
  return [low - (high - low) / 4, high + (high - low) / 8];
}

/** The inverse of `scaledSigmoid`: the score that gives a rating. Training starts at the score of the mean. */
export function scoreAt(rating: number, [low, high]: Range): number {
  // A range that the user chose may not contain the mean.
  const part = Math.min(0.99, Math.max(0.01, (rating - low) / (high - low)));
  return Math.log(part / (1 - part));
}

/**
 * How far the mean rating is from the ends of a range: 1 in the middle, 0 where the sigmoid is half as steep. Where most ratings are
 * at an end of the scale, steps that follow the errors of the few others would move all predictions towards them.
 */
export const evennessIn = ({ mean }: Pick<DataFacts, 'mean'>, range: Range): number =>
  Math.max(0, (8 * slopeAt(mean, range)) / (range[1] - range[0]) - 1);

/** How fast a rating rises with the score, where it is the given one. */
export function slopeAt(rating: number, range?: Range): number {
  if (!range) return 1;
  const part = 1 / (1 + Math.exp(-scoreAt(rating, range)));
  return (range[1] - range[0]) * part * (1 - part);
}

/** low + (high − low) · σ(score), of the shape of `score`. */
export function scaledSigmoid(score: Value, [low, high]: Range): Value {
  return add(mul(sigmoid(score, 'probability'), high - low, 'scaled'), low, 'rating');
}

/** The identity: for serving. */
export const noDropout: Dropout = (x) => x;

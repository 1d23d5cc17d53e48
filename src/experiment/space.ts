import { UserError } from '../errors.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import { normals, type RandomGenerator, uniforms } from '../util/random.ts';
import { type Dimension, logarithmic, oneOf } from './dimension.ts';

type Dimensions = Partial<Record<keyof Recipe, Dimension>>;

/** Of row-adagrad, by which dot-bias comes to the same in batches of any size. */
const common: Dimensions = {
  factors: logarithmic(16, 128, { whole: true }),
  epochs: logarithmic(3, 12, { whole: true }),
  learningRate: logarithmic(0.02, 0.2),
  weightDecay: logarithmic(0.01, 0.1),
  spread: logarithmic(3e-3, 0.1),
};

/** Where each model's hyperparameters are looked for; what is not here keeps its default. */
const SPACES: Readonly<Record<NonNullable<Recipe['model']>, Dimensions>> = {
  'dot-bias': common,
  mlp: {
    ...common,
    batch: oneOf(64, 256, 1024),
    hidden: oneOf([32], [64], [128], [64, 32], [128, 64]),
    // On the embeddings, and after the first hidden layer.
    dropout: oneOf(
      [0, 0],
      [0, 0.1],
      [0, 0.3],
      [0.1, 0],
      [0.1, 0.1],
      [0.1, 0.3],
      [0.2, 0],
      [0.2, 0.1],
      [0.2, 0.3],
    ),
  },
};

/** The hyperparameters that a search may choose. */
export interface Space {
  readonly dimensions: ReadonlyMap<keyof Recipe, Dimension>;
  random(random: RandomGenerator): Recipe;
  /** A recipe like another: about half of the hyperparameters a little away. */
  near(recipe: Recipe, random: RandomGenerator): Recipe;
}

/** How far a hyperparameter is moved: the standard deviation, as a part of all values. */
const STEP = 0.15;

/**
 * @param fixed choices that are not searched
 * @throws UserError if nothing is left to search, or for another optimizer than row-adagrad
 */
export function spaceBeside(fixed: Recipe): Space {
  const { model = 'dot-bias', optimizer = 'row-adagrad' } = fixed;
  if (optimizer !== 'row-adagrad')
    throw new UserError(
      `no search is known for the optimizer ${optimizer}; give row-adagrad, or leave it out`,
    );
  const entries = Object.entries(SPACES[model]).filter(([name]) => !(name in fixed)) as [
    keyof Recipe,
    Dimension,
  ][];
  if (entries.length === 0)
    throw new UserError(
      'all hyperparameters are given, so there are none to search; leave some out, or give --no-config',
    );

  const recipeAt = (places: ArrayLike<number>): Recipe => ({
    ...fixed,
    model,
    ...Object.fromEntries(entries.map(([name, dimension], turn) => [name, dimension.valueAt(places[turn])])),
  });
  return {
    dimensions: new Map(entries),
    random: (random) => recipeAt(uniforms(entries.length, random)),
    near(other, random) {
      const anywhere = uniforms(entries.length, random);
      const moves = uniforms(entries.length, random);
      const steps = normals(entries.length, STEP, random);
      const places = entries.map(([name, dimension], turn) => {
        const place = dimension.placeOf(other[name]);
        return Number.isNaN(place) ? anywhere[turn] : within(place + (moves[turn] < 0.5 ? steps[turn] : 0));
      });
      return recipeAt(places);
    },
  };
}

/** Turned back at either end, so that values there are not drawn too often. */
const within = (place: number): number =>
  Math.max(0, Math.min(1 - Number.EPSILON, place < 0 ? -place : place > 1 ? 2 - place : place));

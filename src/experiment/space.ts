import type { SearchRange } from '../../graphs/models/built-in.ts';
import { models } from '../../graphs/models/index.ts';
import { UserError } from '../errors.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import { normals, type RandomGenerator, uniforms } from '../util/random.ts';
import { type Dimension, logarithmic, oneOf } from './dimension.ts';

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
  const { model = trainingChoices.model.default, optimizer = 'row-adagrad' } = fixed;
  if (optimizer !== 'row-adagrad')
    throw new UserError(
      'argument',
      `no search is known for the optimizer ${typeof optimizer === 'string' ? optimizer : optimizer.name}; give row-adagrad, or leave it out`,
    );
  // A schedule may have a learning rate of its own.
  const given = { ...(typeof fixed.schedule === 'object' && fixed.schedule), ...fixed };
  const search: Readonly<Record<string, SearchRange>> = models[model].search;
  const entries = Object.entries(search)
    .filter(([name]) => !(name in given))
    .map(([name, range]) => [name as keyof Recipe, dimensionOf(range)] as const);
  if (entries.length === 0)
    throw new UserError(
      'argument',
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

const dimensionOf = (range: SearchRange): Dimension =>
  'from' in range ? logarithmic(range.from, range.to, range) : oneOf(...range);

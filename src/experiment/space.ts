import { normals, type RandomGenerator, uniforms } from '../data/random.ts';
import { UserError } from '../errors.ts';
import type { Recipe } from '../train/recipe.ts';
import { type Dimension, linear, listOf, logarithmic, oneOf } from './dimension.ts';

/** What depends on the optimizer has one for each. */
type Entry = Dimension | Readonly<Record<string, Dimension>>;

const common: Partial<Record<keyof Recipe, Entry>> = {
  // First, since others depend on it.
  optimizer: oneOf('adamw', 'row-adagrad'),
  factors: logarithmic(16, 256, { whole: true }),
  epochs: logarithmic(3, 40, { whole: true }),
  batch: { adamw: oneOf(32, 64, 128, 256, 512), 'row-adagrad': oneOf(64, 256, 1024) },
  learningRate: { adamw: logarithmic(1e-3, 2e-2), 'row-adagrad': logarithmic(3e-2, 0.3) },
  weightDecay: { adamw: logarithmic(1e-2, 1), 'row-adagrad': logarithmic(1e-2, 0.3) },
  spread: logarithmic(1e-3, 0.3),
};

/**
 * Where each model's hyperparameters are looked for; what is not here keeps its default. An ensemble of more members is
 * no matter of a search: it costs as many trainings, and helps every recipe.
 */
const SPACES: Readonly<Record<NonNullable<Recipe['model']>, typeof common>> = {
  'dot-bias': common,
  mlp: {
    ...common,
    hidden: oneOf([10], [32], [64], [128], [64, 32], [128, 64], [128, 64, 32]),
    dropout: listOf(linear(0, 0.5)),
  },
};

/** The hyperparameters that a search may choose. */
export interface Space {
  readonly names: readonly (keyof Recipe)[];
  /** What a hyperparameter may be beside the optimizer of a recipe; undefined where that is not searched. */
  dimension(name: keyof Recipe, optimizer: Recipe['optimizer']): Dimension | undefined;
  random(random: RandomGenerator): Recipe;
  /** A recipe like another: about half of the hyperparameters a little away. */
  near(recipe: Recipe, random: RandomGenerator): Recipe;
}

/** How far a hyperparameter is moved: the standard deviation, as a part of all values. */
const STEP = 0.15;

/**
 * @param fixed choices that are not searched
 * @throws UserError if nothing is left to search, or the optimizer has no place in it
 */
export function spaceBeside(fixed: Recipe): Space {
  const { model = 'dot-bias' } = fixed;
  const entries = Object.entries(SPACES[model]).filter(([name]) => !(name in fixed)) as [
    keyof Recipe,
    Entry,
  ][];
  if (entries.length === 0)
    throw new UserError(
      'all hyperparameters are given, so there are none to search; leave some out, or give --no-config',
    );
  const dimension: Space['dimension'] = (name, optimizer) => {
    const entry = SPACES[model][name];
    return entry === undefined || isDimension(entry) ? entry : entry[String(optimizer)];
  };
  if (fixed.optimizer !== undefined && !dimension('batch', fixed.optimizer))
    throw new UserError(
      `no search is known for the optimizer ${fixed.optimizer}; give one of ${Object.keys(common.batch as object).join(', ')}, or leave it out`,
    );

  function recipeAt(places: ArrayLike<number>): Recipe {
    const chosen: Record<string, unknown> = { ...fixed, model };
    for (const [turn, [name]] of entries.entries())
      chosen[name] = dimension(name, chosen.optimizer as Recipe['optimizer'])?.valueAt(places[turn]);
    return chosen as Recipe;
  }
  return {
    names: entries.map(([name]) => name),
    dimension,
    random: (random) => recipeAt(uniforms(entries.length, random)),
    near(other, random) {
      const anywhere = uniforms(entries.length, random);
      const moves = uniforms(entries.length, random);
      const steps = normals(entries.length, STEP, random);
      const places = entries.map(([name], turn) => {
        // Of another optimizer, it is as far along its own values.
        const place = dimension(name, other.optimizer)?.placeOf(other[name]) ?? Number.NaN;
        return Number.isNaN(place) ? anywhere[turn] : within(place + (moves[turn] < 0.5 ? steps[turn] : 0));
      });
      return recipeAt(places);
    },
  };
}

/** Turned back at either end, so that values there are not drawn too often. */
const within = (place: number): number =>
  Math.max(0, Math.min(1 - Number.EPSILON, place < 0 ? -place : place > 1 ? 2 - place : place));

const isDimension = (entry: Entry): entry is Dimension => typeof entry.valueAt === 'function';

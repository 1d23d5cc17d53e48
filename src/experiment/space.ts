import type { BuiltInModel, SearchRange, SolvedModel } from '../../graphs/models/built-in.ts';
import { isSolved, learned, models } from '../../graphs/models/index.ts';
import { option, UserError } from '../errors.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import { normals, type RandomGenerator, uniforms } from '../util/random.ts';
import { type Dimension, logarithmic, oneOf } from './dimension.ts';

/** The hyperparameters that a search may choose. */
export interface Space {
  readonly dimensions: ReadonlyMap<keyof Recipe, Dimension>;
  /** A random recipe. */
  random(random: RandomGenerator): Recipe;
  /** A recipe near another: about half of the hyperparameters are moved a little. */
  near(recipe: Recipe, random: RandomGenerator): Recipe;
}

/** The choices from which those of ranking follow where they are not given. */
const GENERAL: Readonly<Record<string, keyof Recipe>> = {
  rankingFactors: 'factors',
  rankingEpochs: 'epochs',
  rankingLearningRate: 'learningRate',
};

/** Standard deviation of a move, as a fraction of all values. */
const STEP = 0.15;

/**
 * The space of a part of a model: of ranking if that is the objective, else of predicting ratings.
 *
 * @param fixed choices that are not searched
 * @param options `beside`: whether the other part has the same recipe, so that what both parts share is not searched
 * @throws UserError if nothing is left to search, or for another optimizer than row-adagrad
 */
export function spaceBeside(fixed: Recipe, { beside = false }: { readonly beside?: boolean } = {}): Space {
  const { model = trainingChoices.model.default, objective, optimizer = 'row-adagrad' } = fixed;
  if (optimizer !== 'row-adagrad')
    throw new UserError(
      'argument',
      `the optimizer ${typeof optimizer === 'string' ? optimizer : optimizer.name} has no search space; give row-adagrad, or leave out ${option('optimizer')}`,
    );
  // A schedule may have its own learning rate.
  const given = { ...(typeof fixed.schedule === 'object' && fixed.schedule), ...fixed };
  const { rankingSearch, choices }: BuiltInModel | SolvedModel = models[model];
  const ranks = objective === 'ranking' || isSolved(model);
  const isShared = (name: string): boolean =>
    name !== 'factors' && choices[name] !== undefined && choices[name].objective === undefined;
  const entries = Object.entries(ranks ? rankingSearch : (learned(model)?.search ?? {}))
    .filter(([name]) => !(name in given) && !((GENERAL[name] ?? name) in given))
    .filter(([name]) => !(beside && isShared(name)))
    .map(([name, range]) => [name as keyof Recipe, dimensionOf(range)] as const);
  if (entries.length === 0)
    throw new UserError(
      'argument',
      beside
        ? `all hyperparameters of the objective ${objective} are given, so there are none to search; leave some out, or search those of the other one with ${option(`objective: '${objective === 'ranking' ? 'rating' : 'ranking'}'`)}`
        : 'all hyperparameters are given, so there are none to search; leave some out',
    );

  const recipeAt = (positions: ArrayLike<number>): Recipe => ({
    ...fixed,
    model,
    ...Object.fromEntries(
      entries.map(([name, dimension], turn) => [name, dimension.valueAt(positions[turn])]),
    ),
  });
  return {
    dimensions: new Map(entries),
    random: (random) => recipeAt(uniforms(entries.length, random)),
    near(other, random) {
      const anywhere = uniforms(entries.length, random);
      const moves = uniforms(entries.length, random);
      const steps = normals(entries.length, STEP, random);
      const positions = entries.map(([name, dimension], turn) => {
        const position = dimension.positionOf(other[name]);
        return Number.isNaN(position)
          ? anywhere[turn]
          : within(position + (moves[turn] < 0.5 ? steps[turn] : 0));
      });
      return recipeAt(positions);
    },
  };
}

/** Reflects a position at both ends, so that values there are not drawn too often. */
const within = (position: number): number =>
  Math.max(
    0,
    Math.min(1 - Number.EPSILON, position < 0 ? -position : position > 1 ? 2 - position : position),
  );

const dimensionOf = (range: SearchRange): Dimension =>
  'from' in range ? logarithmic(range.from, range.to, range) : oneOf(...range);

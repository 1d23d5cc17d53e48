import type { DataFacts } from '../../graphs/models/model.ts';
import { type Positives, positivesOf } from '../data/dataset/positives.ts';
import type { Rows } from '../data/dataset/rows.ts';
import { followTastes } from './parameters/tastes.ts';
import type { ProgramRecipe } from './recipe/recipe.ts';
import { positiveOf, weightingOf } from './recipe/resolve-ranking.ts';

/** The positives of a training, and the recipe with their weighting decided: all alike if counts do not follow tastes. */
export function weightedPositives(
  recipe: ProgramRecipe,
  rows: Rows,
  facts: DataFacts,
): { readonly positives: Positives; readonly recipe: ProgramRecipe } {
  const positives = positivesOf(rows, facts, positiveOf(recipe, facts), weightingOf(recipe));
  const { weights, ...alike } = positives;
  return facts.kind !== 'interactions' || recipe.weights || followTastes(positives)
    ? { positives, recipe }
    : { positives: alike, recipe: { ...recipe, weights: 'none' } };
}

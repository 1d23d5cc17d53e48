import type { Objective } from '../../graphs/models/model.ts';
import { recipeChoices } from '../train/recipe/choices.ts';
import { checkRecipe, type Recipe } from '../train/recipe/recipe.ts';

/** The recipe of one part of a model alone: without the choices for the other part. */
export function partOf(recipe: Recipe, objective: Objective): Recipe {
  const isOfBoth = checkRecipe(recipe).objectives.length > 1;
  const kept = Object.entries(recipe).filter(
    ([name]) =>
      (recipeChoices[name]?.objective ?? objective) === objective &&
      // With both objectives, the learning rate is that of predicting ratings.
      !(isOfBoth && objective === 'ranking' && name === 'learningRate'),
  );
  return { ...Object.fromEntries(kept), objective };
}

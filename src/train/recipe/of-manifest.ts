import { isSolved, learned } from '../../../graphs/models/index.ts';
import type { ModelDefinition } from '../../../graphs/models/model.ts';
import { MANIFEST, type Manifest } from '../../artifact/manifest.ts';
import { UserError } from '../../errors.ts';
import { recipeChoices, trainingChoices } from './choices.ts';
import type { Resolved } from './plan.ts';
import type { Recipe } from './recipe.ts';
import { resolve } from './resolve.ts';

/**
 * Resolves the plan in a manifest of the part that predicts ratings, with some choices changed. A plan can be resolved because it is a recipe too.
 *
 * @param definition the definition of a model of your own, which is not in its files
 * @throws UserError if it is needed and missing, or the model only ranks
 */
export function resolveManifest(
  { model: { name, config }, data, training }: Manifest,
  changed: Recipe,
  definition?: ModelDefinition,
): Resolved {
  if (isSolved(name))
    throw new UserError(
      'model',
      `${name} is computed in closed form, and has no training graph; train another model to export one`,
    );
  if (training.objective === 'ranking')
    throw new UserError(
      'model',
      'the model was trained to rank, and these files train ratings, not rankings; export a model with the objective both or rating, or train with train.onnx',
    );
  const model = definition ?? learned(name)?.define(config);
  if (!model)
    throw new UserError(
      'model',
      `the model is "${name}", whose formula its files do not tell; export it from a program: writeTrainingFiles(folder, artifact, { definition })`,
    );
  const choices = Object.entries(training).filter(
    ([name]) => Object.hasOwn(trainingChoices, name) && !recipeChoices[name].only,
  );
  try {
    // Older models, which do not say, do not clip.
    return resolve({ clip: false, ...Object.fromEntries(choices), ...changed, model }, data);
  } catch (error) {
    throw error instanceof UserError ? new UserError('model', `${MANIFEST}: ${error.marked}`) : error;
  }
}

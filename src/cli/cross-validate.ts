import { Command } from 'commander';
import { trainingChoices } from '../train/recipe/choices.ts';
import { checkRecipe } from '../train/recipe/recipe.ts';
import { RECIPE, recipeOf } from './choice-options.ts';
import { withConfig } from './config.ts';
import { type FoldFlags, readFolds, withFoldChoices, withPool } from './fold-data.ts';
import { count, error, plural, printJson, printLine, printTable, seconds } from './output.ts';

export function crossValidateCommand(): Command {
  const command = new Command('cross-validate').description(
    'Cross-validate a model: train on several folds of the ratings, and report the errors on the held-out parts.',
  );
  return withConfig(withFoldChoices(command, RECIPE), ['workers']).action(run);
}

async function run(files: string[], flags: FoldFlags): Promise<void> {
  const recipe = recipeOf(flags);
  checkRecipe(recipe);
  const folds = await readFolds(files, flags);
  // Imported here because its statistics load slowly.
  const { crossValidate } = await import('../experiment/cross-validate.ts');
  const { results, rmse, mae } = await withPool(
    { folds, workers: flags.workers },
    'fold {value}/{total} {bar}',
    folds.length,
    (pool, onResult) => crossValidate(pool, recipe, { onResult }),
  );
  if (flags.json) {
    const parts = results.map(({ rmse, mae, seconds }, fold) => ({
      ...{ fold: fold + 1, train: folds[fold].train.ratings.length, test: folds[fold].valid.ratings.length },
      ...{ rmse, mae, seconds },
    }));
    const { model = trainingChoices.model.default } = recipe;
    printJson({ model, folds: parts, rmse, mae });
    return;
  }
  printTable([
    ['fold', 'trained on', 'tested on', 'RMSE', 'MAE', 'time'],
    ...results.map((result, fold) => [
      ...[`${fold + 1}`, count(folds[fold].train.ratings.length), count(folds[fold].valid.ratings.length)],
      ...[error(result.rmse), error(result.mae), seconds(result.seconds)],
    ]),
  ]);
  for (const [name, { mean, deviation, interval }] of [
    ['RMSE', rmse],
    ['MAE', mae],
  ] as const)
    printLine(
      interval
        ? `${name} ${error(mean)} ± ${error(deviation)} over ${plural(folds.length, 'fold')}; 95 % interval of the mean ${interval.map(error).join(' – ')}`
        : `${name} ${error(mean)}; with one fold there is no interval`,
    );
}

import { Command } from 'commander';
import { overlapOf } from '../evaluate/overlap.ts';
import { itemsOfUsers } from '../evaluate/rankers.ts';
import type { Estimate } from '../experiment/statistics.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import { checkRecipe } from '../train/recipe/recipe.ts';
import { RECIPE, recipeOf } from './choice-options.ts';
import { withConfig } from './config.ts';
import { columnsAt, type FoldFlags, readFolds, withFoldChoices, withPool } from './fold-data.ts';
import { count, error, plural, printJson, printLine, printTable, seconds } from './output.ts';
import { overlapInWords } from './overlap.ts';

export function crossValidateCommand(): Command {
  const command = new Command('cross-validate').description(
    'Cross-validate a model: train on several folds of the ratings, and report the errors and the ranking on the held-out parts.',
  );
  return withConfig(withFoldChoices(command, RECIPE), ['workers']).action(run);
}

async function run(files: string[], flags: FoldFlags): Promise<void> {
  const recipe = recipeOf(flags);
  checkRecipe(recipe);
  const folds = await readFolds(files, flags);
  const warnings = folds.flatMap(({ train, valid }, at) =>
    overlapInWords(overlapOf(valid, itemsOfUsers(train), train.facts), valid.ratings.length, train.facts).map(
      (warning) => `fold ${at + 1}: ${warning}`,
    ),
  );
  // Imported here because its statistics load slowly.
  const { crossValidate } = await import('../experiment/cross-validate.ts');
  const { results, ...validation } = await withPool(
    { folds, workers: flags.workers },
    'fold {value}/{total} {bar}',
    folds.length,
    (pool, onResult) => crossValidate(pool, recipe, { k: flags.k, onResult }),
  );
  if (flags.json) {
    const parts = results.map(({ took: _, recipe: __, ...result }, fold) => ({
      ...{ fold: fold + 1, train: folds[fold].train.ratings.length, test: folds[fold].valid.ratings.length },
      ...result,
    }));
    const { model = trainingChoices.model.default } = recipe;
    const { seconds: _, bytes: __, ...measures } = validation;
    printJson({ model, folds: parts, ...measures, warnings });
    return;
  }
  const shown = columnsAt(flags.k).filter(([key]) => validation[key]);
  printTable([
    ['fold', 'trained on', 'tested on', ...shown.map(([, name]) => name), 'time'],
    ...results.map((result, fold) => [
      ...[`${fold + 1}`, count(folds[fold].train.ratings.length), count(folds[fold].valid.ratings.length)],
      ...shown.map(([key]) => error(result[key] as number)),
      seconds(result.seconds),
    ]),
  ]);
  for (const [key, name] of shown) {
    const { mean, deviation, interval } = validation[key] as Estimate;
    printLine(
      interval
        ? `${name} ${error(mean)} ± ${error(deviation)} over ${plural(folds.length, 'fold')}; 95 % interval of the mean ${interval.map(error).join(' – ')}`
        : `${name} ${error(mean)}; with one fold there is no interval`,
    );
  }
  if (!validation.ndcg && checkRecipe(recipe, folds[0].train.kind).objectives.includes('ranking'))
    printLine('No ranking: in some fold, no user has a relevant item that is held out');
  for (const warning of warnings) printLine(`Warning: ${warning}`);
}

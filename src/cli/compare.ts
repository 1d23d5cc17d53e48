import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { type ModelName, modelNames } from '../../graphs/models/index.ts';
import { UserError } from '../errors.ts';
import { baselines } from '../evaluate/baselines.ts';
import type { Comparison } from '../experiment/compare.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import { checkRecipe, type Recipe } from '../train/recipe/recipe.ts';
import { recipeOf } from './choice-options.ts';
import { readConfig } from './config.ts';
import { type FoldFlags, readFolds, withFoldChoices, withPool } from './fold-data.ts';
import { error, plural, printJson, printLine, printTable, seconds, size } from './output.ts';

type CompareFlags = FoldFlags & { readonly [config: string]: unknown };

export function compareCommand(): Command {
  const command = new Command('compare').description(
    'Cross-validate all models and simple baselines on the same folds, and test which differences are significant.',
  );
  for (const model of modelNames)
    command.option(
      `--config-${model} <file>`,
      `choices for ${model}, such as the best.json of cofactor tune`,
    );
  return withFoldChoices(command, ['seed']).action(run);
}

/** The key of a flag in commander: `configDotBias` for `--config-dot-bias`. */
const configKey = (model: ModelName): string =>
  `config-${model}`.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

async function run(files: string[], flags: CompareFlags): Promise<void> {
  const { seed = trainingChoices.seed.default } = flags;
  const recipes: Record<string, Recipe> = {};
  for (const model of modelNames)
    recipes[model] = await recipeFrom(model, flags[configKey(model)] as string | undefined, seed);
  const predictors = {
    ...recipes,
    ...Object.fromEntries(baselineNames().map((name) => [name, name] as const)),
  };
  const pairs = modelNames.flatMap((one, at) =>
    modelNames.slice(at + 1).map((other) => [one, other] as const),
  );
  const folds = await readFolds(files, flags);
  // Imported here because its statistics load slowly.
  const { compare } = await import('../experiment/compare.ts');
  const { workers = availableParallelism() } = flags;
  const comparison = await withPool(
    { folds, workers },
    '{value} of {total} trained {bar}',
    Object.keys(predictors).length * folds.length,
    (pool, onResult) => compare(pool, predictors, pairs, onResult),
  );
  if (flags.json) printJson({ folds: folds.length, ...comparison });
  else print(comparison, folds.length, workers);
}

/** The baselines without `most-popular`, whose predictions are those of `user-item-means`. */
const baselineNames = () =>
  (Object.keys(baselines) as (keyof typeof baselines)[]).filter((name) => name !== 'most-popular');

async function recipeFrom(model: ModelName, file: string | undefined, seed: number): Promise<Recipe> {
  if (file === undefined) return { model, seed };
  const config = await readConfig(file);
  if ((config.model ?? model) !== model)
    throw new UserError(
      'argument',
      `${file}: is for the model ${config.model}; give it as --config-${config.model}`,
    );
  // The flag's seed replaces that of the file, because it is also the seed of the folds.
  const recipe = { ...recipeOf(config), seed, model };
  checkRecipe(recipe);
  return recipe;
}

function print({ predictors, pairs }: Comparison, folds: number, workers: number): void {
  printTable([
    ['', 'RMSE', 'MAE', 'training', 'files'],
    ...Object.entries(predictors).map(([name, { rmse, mae, seconds: took, bytes }]) => [
      ...[name, error(rmse.mean), error(mae.mean), seconds(took)],
      bytes === undefined ? '–' : size(bytes),
    ]),
  ]);
  printLine(
    `Means over ${plural(folds, 'fold')}; ${workers === 1 ? 'one training' : `${workers} trainings`} at a time`,
  );
  printLine('');
  for (const { name, than, difference, real } of pairs) {
    const { mean, interval, p = 1 } = difference;
    const much = `${name} is ${error(mean)} above ${than}`;
    printLine(
      interval
        ? `${much} (95 % interval ${interval.map(error).join(' to ')}, p ${p < 1e-4 ? '< 0.0001' : `= ${p.toFixed(4)}`}): ${real ? 'significant' : 'not significant'}`
        : `${much}; with one fold there is no test`,
    );
  }
  if (folds > 1)
    printLine(
      'Paired t-tests of RMSE over folds, with the variance of Nadeau and Bengio (2003), because folds share training ratings; p-values are not corrected for several tests',
    );
}

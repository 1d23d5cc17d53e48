import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { isSolved, type ModelName, modelNames } from '../../graphs/models/index.ts';
import type { Objective } from '../../graphs/models/model.ts';
import { UserError } from '../errors.ts';
import { baselines, rankingBaselines } from '../evaluate/baselines.ts';
import type { ComparedPair, Comparison } from '../experiment/compare.ts';
import { MEASURES, type Measure } from '../experiment/measures.ts';
import { partOf } from '../experiment/parts.ts';
import type { BaselineName } from '../experiment/trial.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import { checkRecipe, type Recipe } from '../train/recipe/recipe.ts';
import { recipeOf } from './choice-options.ts';
import { readConfig } from './config.ts';
import { columnsAt, type FoldFlags, readFolds, withFoldChoices, withPool } from './fold-data.ts';
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
  return withFoldChoices(command, ['seed', 'objective', 'positive', 'weights']).action(run);
}

/** The key of a flag in commander: `configDotBias` for `--config-dot-bias`. */
const configKey = (model: ModelName): string =>
  `config-${model}`.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

async function run(files: string[], flags: CompareFlags): Promise<void> {
  const { seed = trainingChoices.seed.default, objective, positive, weights } = flags;
  const shared = { seed, objective, positive, weights };
  const recipes: Record<string, Recipe> = {};
  const named = modelNames.filter((model) => objective !== 'rating' || !isSolved(model));
  for (const model of named)
    recipes[model] = await recipeFrom(model, flags[configKey(model)] as string | undefined, shared);
  const folds = await readFolds(files, flags);
  const { kind } = folds[0].train;
  const objectives = new Set(
    Object.values(recipes).flatMap((recipe) => checkRecipe(recipe, kind).objectives),
  );
  const predictors = {
    ...recipes,
    ...Object.fromEntries(baselineNames(objectives).map((name) => [name, name] as const)),
  };
  const pairs = named.flatMap((one, at) => named.slice(at + 1).map((other) => [one, other] as const));
  // Imported here because its statistics load slowly.
  const { compare } = await import('../experiment/compare.ts');
  const { workers = availableParallelism() } = flags;
  const comparison = await withPool(
    { folds, workers },
    '{value} of {total} trained {bar}',
    Object.keys(predictors).length * folds.length,
    (pool, onResult) => compare(pool, predictors, pairs, { k: flags.k, onResult }),
  );
  if (flags.json) printJson({ folds: folds.length, ...comparison });
  else print(comparison, { folds: folds.length, workers, k: flags.k });
}

/**
 * The baselines that add something: `global-mean` does not rank, `most-popular` predicts as `user-item-means` does, and `ease` is
 * the model item-item.
 */
const baselineNames = (objectives: ReadonlySet<Objective>) =>
  (Object.keys({ ...baselines, ...rankingBaselines }) as BaselineName[]).filter((name) =>
    objectives.has('ranking')
      ? name !== 'ease' && (name !== 'global-mean' || objectives.has('rating'))
      : name in baselines && name !== 'most-popular',
  );

async function recipeFrom(
  model: ModelName,
  file: string | undefined,
  { seed, objective, positive, weights }: Pick<Recipe, 'seed' | 'objective' | 'positive' | 'weights'>,
): Promise<Recipe> {
  const own = {
    model,
    seed,
    ...(objective && !isSolved(model) && { objective }),
    ...(positive !== undefined && { positive }),
    ...(weights && { weights }),
  };
  if (file === undefined) {
    checkRecipe(own);
    return own;
  }
  const config = await readConfig(file);
  if ((config.model ?? model) !== model)
    throw new UserError(
      'argument',
      `${file}: is for the model ${config.model}; give it as --config-${config.model}`,
    );
  const chosen: Recipe = { ...recipeOf(config), model };
  // The flag's seed replaces that of the file, because it is also the seed of the folds.
  const recipe = {
    ...(objective === 'rating' || objective === 'ranking' ? partOf(chosen, objective) : chosen),
    ...own,
  };
  checkRecipe(recipe);
  return recipe;
}

function print(
  { predictors, pairs }: Comparison,
  { folds, workers, k }: { readonly folds: number; readonly workers: number; readonly k: number },
): void {
  const columns = columnsAt(k);
  const shown = columns.filter(([key]) => Object.values(predictors).some((of) => of[key]));
  printTable([
    ['', ...shown.map(([, title]) => title), 'training', 'files'],
    ...Object.entries(predictors).map(([name, of]) => [
      ...[name, ...shown.map(([key]) => (of[key] ? error(of[key].mean) : '–')), seconds(of.seconds)],
      of.bytes === undefined ? '–' : size(of.bytes),
    ]),
  ]);
  for (const [name, { skipped }] of Object.entries(predictors))
    if (skipped !== undefined) printLine(`${name} was skipped: ${skipped}`);
  printLine(
    `Means over ${plural(folds, 'fold')}; ${workers === 1 ? 'one training' : `${workers} trainings`} at a time`,
  );
  const compared = Object.values(MEASURES).filter(({ key }) => pairs.some(({ measure }) => measure === key));
  for (const { key, sign } of compared) {
    const title = columns.find(([name]) => name === key)?.[1];
    printLine('');
    printLine(`${title}, ${sign > 0 ? 'lower' : 'higher'} is better:`);
    printLine(`  ${bestInWords(predictors, { key, sign })}`);
    for (const pair of pairs) if (pair.measure === key) printLine(`  ${inWords(pair, sign)}`);
  }
  if (folds > 1 && compared.length > 0) {
    printLine('');
    printLine(
      'Paired t-tests over folds, with the variance of Nadeau and Bengio (2003), because folds share training ratings; p-values are not corrected for several tests',
    );
  }
}

/** The best predictor by a measure, with the interval of its mean. */
function bestInWords(
  predictors: Comparison['predictors'],
  { key, sign }: Pick<Measure, 'key' | 'sign'>,
): string {
  const [best] = Object.entries(predictors)
    .flatMap(([name, { [key]: of }]) => (of ? [{ name, of }] : []))
    .sort((one, other) => sign * (one.of.mean - other.of.mean));
  const { mean, interval } = best.of;
  return `the best is ${best.name}, ${error(mean)}${interval ? ` (95 % interval ${interval.map(error).join(' to ')})` : ''}`;
}

function inWords(
  { name, than, difference: { mean, interval, p = 1 }, real }: ComparedPair,
  sign: 1 | -1,
): string {
  const much = `${name} is ${error(sign * mean)} ${sign > 0 ? 'above' : 'below'} ${than}`;
  if (!interval) return `${much}; with one fold there is no test`;
  const ends = (sign > 0 ? interval : [-interval[1], -interval[0]]).map(error).join(' to ');
  return `${much} (95 % interval ${ends}, p ${p < 1e-4 ? '< 0.0001' : `= ${p.toFixed(4)}`}): ${real ? 'significant' : 'not significant'}`;
}

import { extname } from 'node:path';
import { Command } from 'commander';
import { nodeRuntime } from '../run/node.ts';
import {
  findLearningRate,
  type PartRangeTest,
  type RangeTest,
  rangeChoices,
} from '../train/find-learning-rate.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import { checkLearned } from '../train/recipe/recipe.ts';
import { type Choices, fileIn } from '../util/choices.ts';
import { replaceFile } from '../util/files.ts';
import {
  chosenDevice,
  type Flags,
  JSON_OBJECT,
  READING,
  RECIPE,
  recipeOf,
  withChoices,
} from './choice-options.ts';
import { withConfig } from './config.ts';
import { lossRange, pageOf, plotOf, rounded } from './find-lr-plot.ts';
import { flagOf } from './flag-names.ts';
import { count, plural, printJson, printLine, seconds } from './output.ts';
import { checkOutputs } from './outputs.ts';
import { readInMemory, reportReading } from './train-data.ts';

const own = {
  out: {
    kind: fileIn('.html', '.svg'),
    help: 'file for a chart of the loss by learning rate: .html or .svg',
  },
  ...rangeChoices,
  ...JSON_OBJECT,
} as const satisfies Choices;

/** Choices that the range test makes itself. */
const CHOSEN: readonly string[] = [
  ...['epochs', 'learningRate', 'schedule', 'engine'],
  ...['rankingEpochs', 'rankingLearningRate'],
];

export function findLrCommand(): Command {
  const command = new Command('find-lr')
    .description(
      'Suggest a learning rate, by a learning-rate range test: train for some steps while the rate rises, until the loss grows. It tests predicting ratings and ranking, and writes no model.',
    )
    .argument('<file...>', 'ratings: files or patterns');
  const recipe = RECIPE.filter((name) => !CHOSEN.includes(name));
  return withConfig(withChoices(command, [...recipe, 'device', ...READING], own)).action(run);
}

async function run(files: string[], flags: Flags<'device', typeof own>, command: Command): Promise<void> {
  const { out, from, to, steps, json } = flags;
  await checkOutputs(command, { files: { out } });
  const recipe = recipeOf(flags);
  checkLearned(recipe);
  const runtime = await nodeRuntime({ device: await chosenDevice(flags) });

  const began = performance.now();
  const { ratings, report: read } = await readInMemory(files, flags);
  const found = performance.now();
  if (!json) reportReading(read, files, (found - began) / 1000);
  const test = await findLearningRate(ratings, recipe, { runtime, from, to, steps });
  const took = (performance.now() - found) / 1000;
  if (out !== undefined) {
    const text = await (extname(out) === '.svg' ? plotOf(test) : pageOf(test));
    await replaceFile(out, new TextEncoder().encode(text), 'the plot');
  }
  const { model = trainingChoices.model.default } = recipe;
  if (json) printJson({ model, ...test, seconds: took, ...(out !== undefined && { out }) });
  else report(test, took, out);
}

function report({ ranking, ...test }: RangeTest, took: number, out: string | undefined): void {
  const time = `in ${seconds(took)}${ranking ? ' for both tests' : ''}`;
  reportPart(test, time);
  if (ranking) reportPart(ranking);
  if (out !== undefined) printLine(`Wrote ${out}`);
}

function reportPart(test: PartRangeTest, time?: string): void {
  const { objective, rates, diverged, suggestion, usual, valley } = test;
  const [first, last] = [rates[0], rates[rates.length - 1]].map(rounded);
  const ranks = objective === 'ranking';
  const on = `${count(test.ratings)} ${ranks ? 'positives' : 'ratings'}`;
  const flag = flagOf(ranks ? 'rankingLearningRate' : 'learningRate');
  printLine(
    `Tried ${plural(rates.length, 'learning rate')} ${ranks ? 'of ranking ' : ''}from ${first} to ${last} on ${on}${time === undefined ? '' : ` ${time}`}${diverged ? ', until the loss grew too much' : ''}`,
  );
  printLine(`  loss ${curve(test)}`);
  printLine(
    `Suggested: ${flag} ${rounded(suggestion)}, a tenth of the rate at which the loss stops falling; the middle of the fall is at ${rounded(valley)}`,
  );
  printLine(
    `  This is a starting point, because the test only sees the training loss. The default is ${rounded(usual)}; compare both with cofactor cross-validate`,
  );
}

const BARS = '▁▂▃▄▅▆▇█';
const WIDTH = 60;

/** The smoothed loss by learning rate, as a line of block characters. */
function curve(test: PartRangeTest): string {
  const [low, high] = lossRange(test);
  const { length } = test.smoothed;
  return Array.from({ length: Math.min(WIDTH, length) }, (_, column) => {
    const loss = test.smoothed[Math.floor(((column + 0.5) * length) / Math.min(WIDTH, length))];
    const height = Math.round(((loss - low) / (high - low)) * (BARS.length - 1));
    return BARS[Math.min(BARS.length - 1, height)];
  }).join('');
}

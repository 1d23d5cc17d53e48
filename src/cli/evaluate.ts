import { Command } from 'commander';
import { readRatings } from '../data/read.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { load } from '../recommend/load.ts';
import {
  chosenDevice,
  type DeviceFlags,
  deviceOption,
  type ReadFlags,
  readFlags,
  withReadOptions,
} from './options.ts';
import { error, plural, printJson, printLine } from './output.ts';

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description('Say how well a model predicts the ratings in a file.')
    .argument('<folder>', 'a trained model')
    .argument('<file...>', 'ratings: files or patterns')
    .addOption(deviceOption())
    .option('--json', 'print one JSON object');
  return withReadOptions(command).action(run);
}

async function run(
  directory: string,
  files: string[],
  flags: ReadFlags & DeviceFlags & { json?: boolean },
): Promise<void> {
  const recommender = await load(directory, undefined, { device: await chosenDevice(flags) });
  const result = await evaluate(recommender, await readRatings(files, readFlags(flags)));
  if (flags.json) {
    printJson(result);
    return;
  }
  printLine(`RMSE ${error(result.rmse)}, MAE ${error(result.mae)} on ${plural(result.ratings, 'rating')}`);
  printLine(
    `${plural(result.unknownUsers, 'user')} and ${plural(result.unknownItems, 'item')} were unknown to the model and counted as average`,
  );
}

import { join } from 'node:path';
import { Argument, Command } from 'commander';
import { type DataSet, dataSets, download } from '../data/movielens.ts';
import { printLine, printText, shellWord, size } from './output.ts';
import { bar } from './progress.ts';

export function downloadCommand(): Command {
  return new Command('download')
    .description('Download a MovieLens data set from GroupLens, and check its MD5 sum.')
    .addArgument(new Argument('<name>', 'name of the data set').choices(Object.keys(dataSets)))
    .option('--into <folder>', 'folder in which to make the folder of the data set', '.')
    .action(run);
}

async function run(name: DataSet, { into }: { into: string }): Promise<void> {
  const progress = bar(`${name} {bar} {done}`);
  let shown = false;
  const { path, existed, notice } = await download(name, into, {
    onProgress(received, total) {
      if (!shown) progress.start(total ?? received, 0, { done: '' });
      shown = true;
      progress.update(received, { done: size(received) });
    },
  }).finally(() => progress.stop());
  printLine(existed ? `${path} is already there` : `Downloaded ${path}`);
  printText(notice);
  printLine(`Train on it: npx cofactor train ${shellWord(join(path, FILES[name]))}`);
}

const FILES: Record<DataSet, string> = {
  'ml-latest-small': 'ratings.csv',
  'ml-100k': 'u.data',
  'ml-1m': 'ratings.dat',
  'ml-25m': 'ratings.csv',
  'ml-32m': 'ratings.csv',
};

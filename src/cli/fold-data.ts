import { type Command, InvalidArgumentError } from 'commander';
import { checkTrainable } from '../data/dataset/dataset.ts';
import { folds, type Split } from '../data/dataset/split.ts';
import { readRatings } from '../data/read/read.ts';
import { UserError } from '../errors.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import { type Flags, readingOf } from './choice-options.ts';
import { number } from './options.ts';
import { readInMemory } from './train-data.ts';

export interface FoldFlags extends Pick<Flags<'workers'>, 'seed' | 'workers'> {
  readonly folds?: number;
  readonly fold?: readonly [base: string, test: string][];
}

/** The flags that say on which folds predictors are tried, and how many at once. */
export function withFoldOptions(command: Command): Command {
  return command
    .option(
      '--folds <number>',
      'into how many random parts the ratings are cut, each held out once (default: 5)',
      number({ whole: true, from: 2 }),
    )
    .option(
      '--fold <train:test>',
      'two files that are a fold, in place of random ones; repeat it for each',
      (text: string, before: [string, string][] = []) => [...before, pairOf(text)],
    );
}

/** The colon of a Windows drive is none between files. */
function pairOf(text: string): [string, string] {
  const [, base, test] = /^(.+?):(?!\\)(.+)$/.exec(text) ?? [];
  if (test === undefined)
    throw new InvalidArgumentError('Give two files with a colon between them, such as u1.base:u1.test.');
  return [base, test];
}

/**
 * Reads the ratings, and cuts them into folds.
 *
 * @throws UserError as `readRatings` does, and for flags that do not go together
 */
export async function readFolds(files: readonly string[], flags: FoldFlags): Promise<Split[]> {
  const { folds: count = 5, fold: pairs, seed = trainingChoices.seed.default } = flags;
  if (pairs && (files.length > 0 || flags.folds !== undefined))
    throw new UserError(
      `--fold says what to train on and what to hold out; leave out ${files.length > 0 ? files[0] : '--folds'}`,
    );
  if (!pairs && files.length === 0)
    throw new UserError('there are no ratings; name a file, or give folds with --fold u1.base:u1.test');
  if (!pairs) return folds((await readInMemory(files, flags)).ratings, count, seed);
  const read: Split[] = [];
  for (const [base, test] of pairs) {
    const { ratings: train } = await readRatings(base, readingOf(flags));
    checkTrainable(train);
    const { ratings: valid } = await readRatings(test, { ...readingOf(flags), vocabulary: train });
    read.push({ train, valid });
  }
  return read;
}

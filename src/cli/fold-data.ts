import { type Command, InvalidArgumentError } from 'commander';
import { checkTrainable } from '../data/dataset/dataset.ts';
import { folds, type Split } from '../data/dataset/split.ts';
import { readRatings } from '../data/read/read.ts';
import { UserError } from '../errors.ts';
import { type TrialPool, trialPool } from '../experiment/pool.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import { type Choices, kinds } from '../util/choices.ts';
import {
  type Flags,
  JSON_OBJECT,
  READING,
  readingOf,
  readingToTrain,
  withChoices,
} from './choice-options.ts';
import { bar } from './progress.ts';
import { readInMemory } from './train-data.ts';

const own = {
  folds: {
    kind: kinds.whole(2),
    help: 'number of folds: random parts of the data, each held out once (default: 5)',
  },
  k: { kind: kinds.length, help: 'length of the ranked lists', default: 10 },
  ...JSON_OBJECT,
} as const satisfies Choices;

/** Columns of tables of what predictors are judged by: those of rankings are at `k` items. */
export const columnsAt = (k: number) =>
  [
    ['rmse', 'RMSE'],
    ['mae', 'MAE'],
    ['ndcg', `NDCG@${k}`],
    ['precision', `P@${k}`],
  ] as const;

export type FoldFlags = Flags<'workers', typeof own> & {
  readonly fold?: readonly [base: string, test: string][];
};

export function withFoldChoices(command: Command, shared: Parameters<typeof withChoices>[1]): Command {
  command
    .argument('[file...]', 'ratings: files or patterns')
    .option(
      '--fold <train:test>',
      'two files that are a fold, instead of random folds; may be repeated',
      (text: string, before: [string, string][] = []) => [...before, pairOf(text)],
    );
  return withChoices(command, [...shared, 'workers', ...READING], own);
}

/** Runs `work` with a pool of trials, and shows on a bar how many of `total` are done. */
export async function withPool<T>(
  { folds, workers }: { readonly folds: readonly Split[]; readonly workers?: number },
  format: string,
  total: number,
  work: (pool: TrialPool, onResult: () => void) => Promise<T>,
): Promise<T> {
  const pool = trialPool(folds, workers);
  const progress = bar(format);
  progress.start(total, 0);
  let done = 0;
  try {
    return await work(pool, () => progress.update(++done));
  } finally {
    progress.stop();
    await pool.close();
  }
}

/** Splits two paths at their colon, which is not the colon of a Windows drive. */
function pairOf(text: string): [string, string] {
  const [, base, test] = /^(.+?):(?!\\)(.+)$/.exec(text) ?? [];
  if (test === undefined)
    throw new InvalidArgumentError('Give two files with a colon between them, such as u1.base:u1.test.');
  return [base, test];
}

/** @throws UserError as `readRatings` does, and for flags that cannot be combined */
export async function readFolds(files: readonly string[], flags: FoldFlags): Promise<Split[]> {
  const { folds: count = 5, fold: pairs, seed = trainingChoices.seed.default } = flags;
  if (pairs && (files.length > 0 || flags.folds !== undefined))
    throw new UserError(
      'argument',
      `--fold names the ratings of all folds; leave out ${files.length > 0 ? files[0] : '--folds'}`,
    );
  if (!pairs && files.length === 0)
    throw new UserError(
      'argument',
      'there are no ratings; name a file, or give folds with --fold u1.base:u1.test',
    );
  if (!pairs) return folds((await readInMemory(files, flags)).ratings, count, seed);
  const read: Split[] = [];
  for (const [base, test] of pairs) {
    // The first fold decides what the values of all mean.
    const kind = read[0]?.train.kind;
    const { ratings: train } = await readRatings(base, { ...readingToTrain(flags), ...(kind && { kind }) });
    checkTrainable(train);
    const { ratings: valid } = await readRatings(test, {
      ...readingOf(flags),
      kind: train.kind,
      vocabulary: train,
    });
    read.push({ train, valid });
  }
  return read;
}

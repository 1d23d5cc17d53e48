import { mkdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { checkTrainable, type Dataset } from '../data/dataset/dataset.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { readRatings } from '../data/read/read.ts';
import type { Reading, ReadReport } from '../data/read/reading.ts';
import { UserError } from '../errors.ts';
import type { OwnFolder } from '../util/own-folder.ts';
import { type Flags, type READING, readingToTrain } from './choice-options.ts';
import { sentenceWithFlags } from './flag-names.ts';
import { nounOf, plural, printLine, seconds } from './output.ts';

export type DataFlags = Flags<(typeof READING)[number] | 'test' | 'valid' | 'split' | 'memory' | 'out'>;

/** @throws UserError as `readRatings` does, or if the ratings cannot train a model */
export async function readInMemory(files: readonly string[], flags: object): Promise<Reading> {
  const reading = await readRatings(files, readingToTrain(flags));
  checkTrainable(reading.ratings);
  return reading;
}

/** What a training is of. */
export interface TrainingData {
  /** What the saved model is trained on. */
  readonly data: Dataset;
  /** What the recipe is judged on first: ratings that are held out, and the rest. */
  readonly trial?: { readonly data: Dataset; readonly valid: Ratings } | undefined;
  /** Why the recipe is not judged, where nobody said that it should not be. */
  readonly notJudged?: string | undefined;
  readonly report: ReadReport;
}

/**
 * Reads ratings to train on, and holds some out, to judge the recipe on.
 *
 * @param out folder of the model, in which many ratings may be kept in a file. Default: all are kept in memory
 * @throws UserError as `readRatings` does, or if the ratings cannot train a model
 */
export async function readToTrain(
  files: readonly string[],
  flags: DataFlags,
  out?: OwnFolder,
): Promise<TrainingData> {
  const { seed, valid: wanted, split, memory, blocks, test } = flags;
  const holdsOut = wanted !== false && test === undefined;
  const options = {
    ...{ ...readingToTrain(flags), seed },
    ...(holdsOut && { valid: wanted ?? ('auto' as const), split, whole: true }),
  };
  const rows = out?.hidden('rows');
  if (rows !== undefined) await mkdir(rows, { recursive: true });
  const store = rows === undefined ? false : { folder: rows, memory, blocks };
  const { ratings, valid, whole, report } = await readRatings(files, { ...options, store });
  const data = whole ?? ratings;
  checkTrainable(data);
  if (!holdsOut) return { data, report };
  if (!valid)
    return {
      data,
      report,
      notJudged: `${plural(report.ratings, nounOf(report.kind))} are too few to hold some out`,
    };
  try {
    checkTrainable(ratings);
  } catch (error) {
    // Of few ratings, a part may be no data to train on.
    if (!(error instanceof UserError)) throw error;
    if (wanted !== undefined || !whole)
      throw new UserError(
        error.code,
        `what is held out leaves too little to train on: ${error.message}; hold out less`,
      );
    return { data, report, notJudged: `without a tenth of them, ${error.message}` };
  }
  return { data, trial: { data: ratings, valid }, report };
}

/** @throws UserError for flags that cannot be combined */
export function checkHeldOut({ test, valid, split, patience }: DataFlags): void {
  if (test !== undefined && (valid || split !== undefined))
    throw new UserError(
      'argument',
      `--test and --${valid ? 'valid' : 'split'} cannot be combined; give only one of them`,
    );
  if (split !== undefined && valid === false)
    throw new UserError(
      'argument',
      `--split ${split} says what to hold out, and --no-valid to hold out nothing; give only one of them`,
    );
  if (split === 'leave-last-out' && valid !== undefined)
    throw new UserError('argument', '--split leave-last-out holds out one item per user; leave out --valid');
  if (patience !== undefined && (test !== undefined || valid === false))
    throw new UserError(
      'argument',
      `--patience needs held-out ratings or interactions; leave out ${test === undefined ? '--no-valid' : '--test'}`,
    );
}

export function reportReading(report: ReadReport, files: readonly string[], took: number): void {
  const from = files.length === 1 ? files[0] : `${files.length} files`;
  printLine(
    `Read ${plural(report.ratings, nounOf(report.kind))} of ${plural(report.items, 'item')} by ${plural(report.users, 'user')} from ${from} in ${seconds(took)}`,
  );
  const { duplicates, withoutUser, withoutStrength, kind } = report;
  if (duplicates > 0 && kind === 'ratings')
    printLine(`  ${plural(duplicates, 'rating')} replaced by a later one of the same user and item`);
  if (duplicates > 0 && kind === 'interactions')
    printLine(`  ${plural(duplicates, 'row')} with the same user and item as an earlier one, added to it`);
  if (withoutUser > 0) printLine(`  ${plural(withoutUser, 'row')} without a user left out`);
  if (withoutStrength > 0)
    printLine(`  ${plural(withoutStrength, 'pair')} returned, or of no weight: known, but nobody has them`);
  for (const assumption of report.assumptions) printLine(`  ${sentenceWithFlags(assumption)}`);
}

/** The name of a file up to the first special character: `ratings` for `data/ratings-*.csv.gz`. */
export const stem = (file: string): string =>
  /^[\p{L}\p{N}_-]*[\p{L}\p{N}]/u.exec(basename(file))?.[0] ?? 'ratings';

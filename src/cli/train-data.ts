import { existsSync, rmSync } from 'node:fs';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { INCOMING } from '../artifact/artifact.ts';
import { checkTrainable, type Ratings } from '../data/dataset/ratings.ts';
import { leaveLastOut, randomSplit, timeSplit } from '../data/dataset/split.ts';
import { readRatings } from '../data/read/read.ts';
import { readTraining, type Training } from '../data/read/store.ts';
import { UserError } from '../errors.ts';
import { type ReadFlags, readFlags } from './options.ts';
import { plural, printLine, seconds } from './output.ts';

export interface HeldOutFlags {
  test?: string;
  valid?: number;
  split?: 'random' | 'time' | 'leave-last-out';
  patience?: number;
}

export interface DataFlags extends ReadFlags, HeldOutFlags {
  seed: number;
  workers?: number;
  blocks?: number[];
  memory?: number;
}

/**
 * Reads ratings to train with, and holds some out.
 *
 * @param store whether many ratings may be kept in a file, instead of in memory
 * @param out a folder in which it may lie
 * @throws UserError as `readRatings` does
 */
export async function readData(
  files: string[],
  flags: DataFlags,
  out: string,
  store: boolean,
): Promise<Training> {
  if (!store || (flags.split !== undefined && flags.split !== 'random')) {
    const all = await readRatings(files, readFlags(flags));
    checkTrainable(all, files.join(', '));
    const read = { ratings: all.ratings.length, users: all.userIds.length, items: all.itemIds.length };
    return { ...holdOut(all, flags), read };
  }
  const existed = existsSync(out);
  const folder = join(out, `${INCOMING}${process.pid}`);
  await mkdir(folder, { recursive: true });
  // Whoever ends the program while it reads does not mean to keep what was read.
  const end = (signal: NodeJS.Signals): void => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  try {
    const { seed, valid, workers, memory } = flags;
    const blocks = flags.blocks as [number, number] | undefined;
    return await readTraining(files, { ...readFlags(flags), seed, valid, workers, blocks, memory, folder });
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    // Windows keeps a file that is open; whoever writes the model removes it.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    // Of a folder that is not empty, such as that of a model, nothing is removed.
    if (!existed) await rmdir(out).catch(() => undefined);
  }
}

function holdOut(ratings: Ratings, { valid, split, seed }: DataFlags): Pick<Training, 'train' | 'valid'> {
  if (split === 'leave-last-out') return leaveLastOut(ratings);
  if (valid === undefined) return { train: ratings };
  return split === 'time' ? timeSplit(ratings, valid) : randomSplit(ratings, valid, seed);
}

/** @throws UserError for flags that do not go together */
export function checkHeldOut({ test, valid, split, patience }: HeldOutFlags): void {
  const holding = valid !== undefined || split === 'leave-last-out';
  if (test !== undefined && holding)
    throw new UserError('--test and --valid exclude one another; give one of them');
  if (split !== undefined && !holding)
    throw new UserError(`--split ${split} says what --valid holds out; give --valid 0.2, say`);
  if (split === 'leave-last-out' && valid !== undefined) {
    throw new UserError('--split leave-last-out holds out one rating a user; leave out --valid');
  }
  if (patience !== undefined && !holding)
    throw new UserError('--patience needs a validation set; give --valid 0.2, say');
}

export function reportReading(
  { read, train: { duplicates, assumptions } }: Training,
  files: readonly string[],
  took: number,
): void {
  const from = files.length === 1 ? files[0] : `${files.length} files`;
  printLine(
    `Read ${plural(read.ratings, 'rating')} of ${plural(read.items, 'item')} by ${plural(read.users, 'user')} from ${from} in ${seconds(took)}`,
  );
  if (duplicates > 0)
    printLine(`  ${plural(duplicates, 'rating')} replaced by a later one of the same user and item`);
  for (const assumption of assumptions) printLine(`  ${assumption}`);
}

/** `ratings` for `data/ratings-*.csv.gz`: what comes before the first character that a folder had better not have. */
export const stem = (file: string): string =>
  /^[\p{L}\p{N}_-]*[\p{L}\p{N}]/u.exec(basename(file))?.[0] ?? 'ratings';

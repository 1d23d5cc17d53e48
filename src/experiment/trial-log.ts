import { appendFileSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { option, UserError } from '../errors.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import { codeOf, replaceFile } from '../util/files.ts';
import type { Outcome } from './trial.ts';

/** A finished trial. */
export type LoggedTrial = Outcome & {
  /** Number of its candidate; 0 is the default recipe. */
  readonly number: number;
  readonly tried: Recipe;
  /** Counted from 0. */
  readonly fold: number;
  /** Seconds of search when it finished, over all starts. */
  readonly elapsed: number;
};

/** Settings of the search and the ratings, which must be equal for trials to be comparable. */
export type About = Readonly<Record<string, unknown>>;

/** A file of finished trials, in JSON lines, from which a search resumes. */
export interface TrialLog {
  /** The trials of earlier starts. */
  readonly trials: readonly LoggedTrial[];
  append(trial: LoggedTrial): void;
}

/**
 * Opens or creates a log. An incomplete last line is dropped.
 *
 * @throws UserError if the file is the log of another search, is not a log, or cannot be written
 */
export async function trialLog(path: string, about: About): Promise<TrialLog> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new UserError(
      'file',
      `${path}: cannot be read (${error.code}); name another folder with ${option('out')}`,
    );
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const [first, ...trials] = whole
    .split('\n')
    .slice(0, -1)
    .map((line, index) => parsed(line, `${path}, line ${index + 1}`));
  if (first) checkSame(first as About, about, path);
  for (const [index, trial] of trials.entries()) checkTrial(trial, `${path}, line ${index + 2}`);
  const append = (entry: unknown) => {
    try {
      appendFileSync(path, `${JSON.stringify(entry)}\n`);
    } catch (error) {
      throw new UserError('file', `${path}: cannot be written (${codeOf(error)})`);
    }
  };
  // A new file, without an incomplete line, so that a backup by hard links keeps its own.
  if (first) await replaceFile(path, Buffer.from(whole), 'the log');
  if (!first) {
    await mkdir(dirname(path), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      throw new UserError(
        'file',
        `${dirname(path)}: cannot be made (${codeOf(error)}); name another folder with ${option('out')}`,
      );
    });
    // A first line that is not complete.
    if (/^(?!\{)./.test(text)) parsed(text, `${path}, line 1`);
    await rm(path, { force: true });
    append(about);
  }
  return { trials: trials as LoggedTrial[], append };
}

function checkTrial(trial: object, where: string): void {
  const { number, tried, fold, elapsed } = trial as Partial<LoggedTrial>;
  const isRecipe = typeof tried === 'object' && tried !== null;
  if ([number, fold].every(Number.isSafeInteger) && Number.isFinite(elapsed) && isRecipe) return;
  throw new UserError(
    'file',
    `${where}: is not a trial; remove the line, or name another folder with ${option('out')}`,
  );
}

function parsed(line: string, where: string): object {
  try {
    const value = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch {}
  throw new UserError(
    'file',
    `${where}: is not a JSON object; remove the line, or name another folder with ${option('out')}`,
  );
}

function checkSame(was: About, is: About, path: string): void {
  const changed = Object.keys({ ...was, ...is }).filter((key) => !isDeepStrictEqual(was[key], is[key]));
  if (changed.length === 0) return;
  const told = changed.map((key) =>
    key === 'data' ? 'the ratings are different' : `${key} was ${shown(was[key])}, is ${shown(is[key])}`,
  );
  throw new UserError(
    'file',
    `${path}: belongs to another search: ${told.join('; ')}; give the same, or another folder with ${option('out')}`,
  );
}

const shown = (value: unknown): string => JSON.stringify(value) ?? 'not given';

import { appendFileSync } from 'node:fs';
import { mkdir, readFile, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../errors.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import type { Outcome } from './trial.ts';

/** A trial that is done. */
export type LoggedTrial = Outcome & {
  /** The number of its recipe: 0 is the default. */
  readonly number: number;
  readonly tried: Recipe;
  /** Counted from 0. */
  readonly fold: number;
  /** Seconds of searching until then, over all starts. */
  readonly elapsed: number;
};

/** What trials must have in common to be compared: settings of the search, and the ratings. */
export type About = Readonly<Record<string, unknown>>;

/** A file of finished trials, a line of JSON each, from which a search goes on after whatever ended it. */
export interface TrialLog {
  /** The trials of earlier starts. */
  readonly trials: readonly LoggedTrial[];
  append(trial: LoggedTrial): void;
}

/**
 * Opens a log, or begins one. A last line that was cut off is dropped.
 *
 * @throws UserError if the file is of a search about something else, is no log, or cannot be written
 */
export async function trialLog(path: string, about: About): Promise<TrialLog> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new UserError('file', `${path}: cannot be read (${error.code}); name another folder with --out`);
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const [first, ...trials] = whole
    .split('\n')
    .slice(0, -1)
    .map((line, place) => parsed(line, `${path}, line ${place + 1}`));
  if (first) checkSame(first as About, about, path);
  const append = (entry: unknown) => {
    try {
      appendFileSync(path, `${JSON.stringify(entry)}\n`);
    } catch (error) {
      throw new UserError('file', `${path}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
    }
  };
  if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole));
  if (!first) {
    await mkdir(dirname(path), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      throw new UserError(
        'file',
        `${dirname(path)}: cannot be made (${error.code}); name another folder with --out`,
      );
    });
    append(about);
  }
  return { trials: trials as LoggedTrial[], append };
}

function parsed(line: string, place: string): object {
  try {
    const value = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch {}
  throw new UserError(
    'file',
    `${place}: is no JSON object; remove the line, or name another folder with --out`,
  );
}

function checkSame(was: About, is: About, path: string): void {
  const changed = Object.keys({ ...was, ...is }).filter((key) => !isDeepStrictEqual(was[key], is[key]));
  if (changed.length === 0) return;
  const told = changed.map((key) =>
    key === 'data' ? 'the ratings are others' : `${key} was ${shown(was[key])}, is ${shown(is[key])}`,
  );
  throw new UserError(
    'file',
    `${path}: is of another search: ${told.join('; ')}; give the same, or another folder with --out`,
  );
}

const shown = (value: unknown): string => JSON.stringify(value) ?? 'not given';

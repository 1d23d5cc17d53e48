import type { Command } from 'commander';
import { type UserError, withOptions } from '../errors.ts';
import { allChoices } from '../train/recipe/run-choices.ts';

/** The flag of an option: `--batch-size` for `batchSize`, `-k` for `k`. */
export const flagOf = (name: string): string =>
  name.length === 1 ? `-${name}` : `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The flag that sets an option to false: `--no-sparse-updates` for `sparseUpdates`. */
export const noFlagOf = (name: string): string => `--no-${flagOf(name).slice(2)}`;

/** Names of options: those of the choices of a training, and those of all commands. */
export const optionNames = ({ commands }: Command): ReadonlySet<string> =>
  new Set([
    ...Object.keys(allChoices),
    ...commands.flatMap(({ options }) => options.map((option) => option.attributeName())),
  ]);

/**
 * The message of an error with its options as flags: `encoding: 'latin-1'` becomes `--encoding latin-1`, `batchSize` becomes
 * `--batch-size`, and `sparseUpdates: false` becomes `--no-sparse-updates`.
 */
export const withFlags = ({ marked }: UserError, names: ReadonlySet<string>): string =>
  withOptions(marked, (text) => {
    const [, name = '', value] = /^(\w+)(?:: (.*))?$/.exec(text) ?? [];
    if (!names.has(name)) return `\`${text}\``;
    return flagFor(name, value);
  });

/** An option with its value as a flag. */
function flagFor(name: string, value: string | undefined): string {
  if (value === 'false') return noFlagOf(name);
  return value === undefined || value === 'true' ? flagOf(name) : `${flagOf(name)} ${argument(value)}`;
}

/** A sentence in which options are in backticks, with their flags. */
export const sentenceWithFlags = (sentence: string): string =>
  sentence.replace(/`(\w+)(?:: ([^`]*))?`/g, (text, name: string, value?: string) =>
    Object.hasOwn(allChoices, name) ? flagFor(name, value) : text,
  );

/** A value as a program writes it, as an argument: `latin-1` for `'latin-1'`, `4,4` for `[4, 4]`, `""` for `''`. */
const argument = (value: string): string => {
  const text = value
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/, /g, ',')
    .replace(/^'(.+)'$/, '$1')
    .replace(/^''$/, '""');
  // A shell would take these characters for its own.
  return /[^\w.,:/@%+=-]/.test(text) && text !== '""' ? `'${text}'` : text;
};

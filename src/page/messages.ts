import { models } from '../../graphs/models/index.ts';
import { withOptions } from '../errors.ts';
import { recipeChoices } from '../train/recipe/choices.ts';
import { readingChoices } from '../train/recipe/reading-choices.ts';
import { capital, words } from '../util/format.ts';
import { UserError } from '../web.ts';

/** The label of a choice in the form. */
export const labelOf = (name: string): string => capital(words(name));

/** Options of a program that are not in the form as they are, in the words of the page. */
const OPTIONS: Readonly<Record<string, string>> = {
  memory: 'this page',
  "model: 'dot-bias'": `“${models['dot-bias'].title}”`,
};
const VALUES: Readonly<Record<string, string>> = { true: 'Yes', false: 'No', "''": '""' };

/** An option with its value as the field of the form: `“Encoding”: latin-1`. One without a field stays as it is. */
function fieldOf(option: string): string {
  const [, name = '', value] = /^(\w+)(?:: (.*))?$/.exec(option) ?? [];
  const hasField = Object.hasOwn(readingChoices, name) || recipeChoices[name]?.field !== undefined;
  if (!hasField) return OPTIONS[option] ?? `\`${option}\``;
  const label = `“${labelOf(name)}”`;
  return value === undefined ? label : `${label}: ${VALUES[value] ?? value.replace(/^'(.*)'$/, '$1')}`;
}

/** A sentence in which options are in backticks, with the fields of the form. */
export const sentenceInForm = (sentence: string): string =>
  sentence.replace(/`(\w+(?:: [^`]*)?)`/g, (_, option: string) => fieldOf(option));

/** Advice that a page has no field for. */
const NEIGHBORS = /allow more, keep fewer weights with [^,]*, /;

/** The message of an error for a visitor. */
export function messageOf(error: unknown): string {
  if (error instanceof UserError) return withOptions(error.marked.replace(NEIGHBORS, ''), fieldOf);
  const text = error instanceof Error ? error.message : String(error);
  return `there was an unexpected error: ${text.split('\n')[0]}`;
}

export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

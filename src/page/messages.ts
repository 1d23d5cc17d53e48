import { models } from '../../graphs/models/index.ts';
import { UserError } from '../web.ts';

/** Options of a program, in the words of the page. */
const OPTIONS: readonly (readonly [string, string])[] = [
  ['allow more, keep fewer weights with `neighbors`, ', ''],
  ['`memory`', 'this page'],
  ["`model: 'dot-bias'`", `“${models['dot-bias'].title}”`],
];

/** The message of an error for a visitor. */
export function messageOf(error: unknown): string {
  if (error instanceof UserError)
    return OPTIONS.reduce((message, [option, word]) => message.replaceAll(option, word), error.message);
  const text = error instanceof Error ? error.message : String(error);
  return `there was an unexpected error: ${text.split('\n')[0]}`;
}

export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

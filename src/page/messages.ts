import { UserError } from '../web.ts';

/** What to tell a visitor of an error: its own words if they are meant for people. */
export function messageOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  const text = error instanceof Error ? error.message : String(error);
  return `something went wrong that should not: ${text.split('\n')[0]}`;
}

const whole = new Intl.NumberFormat('en');

export const count = (number: number): string => whole.format(number);

/** `1 rating`, `2 ratings` */
export const counted = (number: number, noun: string): string =>
  `${count(number)} ${noun}${number === 1 ? '' : 's'}`;

/** A rating of a step between steps: 4.27 → 4.3 */
export const rounded = (number: number, digits = 1): string => number.toFixed(digits).replace('-', '−');

export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

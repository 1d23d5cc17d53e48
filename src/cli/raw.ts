import { type Choices, kinds } from '../util/choices.ts';
import { plural, printNote } from './output.ts';

/** The flag of the commands that write CSV. */
export const RAW = {
  raw: {
    kind: kinds.flag,
    help: 'in CSV, write ids that begin like a formula (=, +, -, @) as they are, without an apostrophe before them',
  },
} as const satisfies Choices;

/** Prints a note about texts that begin like a formula. */
export function noteGuarded(count: number): void {
  if (count > 0)
    printNote(
      `${plural(count, 'cell')} that a spreadsheet would run as a formula ${count === 1 ? 'has' : 'have'} an apostrophe before the id; --raw writes ids as they are`,
    );
}

import stringWidth from 'string-width';
import { lineOf, oneLine, printable, printableJson } from '../errors.ts';
import { type EpochRecord, epochsSinceBest, type ValidMetrics } from '../train/progress.ts';
import { plural } from '../util/format.ts';

export { count, nounOf, plural, size } from '../util/format.ts';

// All that the command line writes goes through here, and the progress bars: texts of models and data may have characters that a
// terminal must not get.

/** The one JSON object of `--json`. */
export const printJson = (value: unknown): void => printText(jsonOf(value));

/** JSON that a terminal may get. */
export const jsonOf = (value: unknown, indent?: number): string =>
  printableJson(JSON.stringify(value, null, indent));

export const printLine = (line: string): void => printText(lineOf(line));

/** Prints a text that may have several lines. */
export function printText(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

/** Prints a note for people to stderr. */
export function printNote(line: string): void {
  process.stderr.write(`${lineOf(line)}\n`);
}

/** Prints what is wrong. */
export const printFault = (message: string): void => printNote(`cofactor: ${oneLine(message)}`);

/** A path in a command that is printed to be copied. */
export const shellWord = (path: string): string =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;

/** A duration such as `0.25 s`. */
export const seconds = (value: number): string => `${value.toFixed(2)} s`;

/** Three significant digits: scores have no unit. */
export const significant = (value: number): string => String(Number(value.toPrecision(3)));

/** An error of predictions, with four decimals: further digits depend on the seed. */
export const error = (value: number): string => value.toFixed(4);

/** Measures in words: of predictions in rating points, of rankings from 0 to 1. */
export function measured({ rmse, mae, ndcg, precision }: ValidMetrics): string {
  const of = (name: string, value: number | undefined): string[] =>
    value === undefined ? [] : [`${name} ${error(value)}`];
  return [
    ...of('RMSE', rmse),
    ...of('MAE', mae),
    ...of('NDCG@10', ndcg),
    ...of('precision@10', precision),
  ].join(', ');
}

/** How many epochs there were, and of which the model is if that is not the last. */
export function epochsInWords(history: readonly EpochRecord[]): string {
  const best = history.length - epochsSinceBest(history);
  return `${plural(history.length, 'epoch')}${best < history.length ? ` (the best: ${best})` : ''}`;
}

/** Prints the heading of a list, with an empty line before all but the first. */
export function printHeading(heading: string, at: number): void {
  if (at > 0) printLine('');
  printLine(heading);
}

/** Prints a table with aligned columns. The last column is aligned right. */
export function printTable(table: readonly (readonly string[])[]): void {
  const rows = table.map((row) => row.map(lineOf));
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => stringWidth(row[column])))) ?? [];
  for (const row of rows) {
    const cells = row.map((cell, column) => {
      const space = ' '.repeat(widths[column] - stringWidth(cell));
      return column === row.length - 1 ? space + cell : cell + space;
    });
    printLine(cells.join('  '));
  }
}

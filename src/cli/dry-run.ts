import { tmpdir } from 'node:os';
import { contentInWords, fileInWords, firstRowsInWords } from '../data/read/in-words.ts';
import { understandRatings } from '../data/read/read.ts';
import type { Understanding } from '../data/read/understanding.ts';
import { capital } from '../util/format.ts';
import { readingToTrain } from './choice-options.ts';
import { sentenceWithFlags } from './flag-names.ts';
import { printJson, printLine, printTable } from './output.ts';
import type { DataFlags } from './train-data.ts';

/** Prints how files are understood, and trains nothing. */
export async function dryRun(
  files: readonly string[],
  flags: DataFlags & { readonly json?: boolean | undefined },
): Promise<void> {
  const { memory, json } = flags;
  const store = { folder: tmpdir(), memory };
  const understanding = await understandRatings(files, { ...readingToTrain(flags), store });
  if (json) printJson(understanding);
  else print(understanding);
}

function print(of: Understanding): void {
  for (const file of of.files) printRows(file.file, fileInWords(file));
  printLine('First rows');
  printTable(firstRowsInWords(of).map((row) => ['', ...row]));
  printRows('In all', contentInWords(of));
  if (of.assumptions.length > 0)
    printRows(
      'Assumed',
      of.assumptions.map((sentence) => [sentenceWithFlags(sentence)]),
    );
}

function printRows(title: string, rows: readonly (readonly string[])[]): void {
  printLine(title);
  const width = Math.max(...rows.map(([name, value]) => (value === undefined ? 0 : name.length)));
  for (const [name, value] of rows)
    printLine(value === undefined ? `  ${name}` : `  ${capital(name).padEnd(width)}  ${value}`);
}

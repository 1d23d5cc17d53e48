import { basename } from 'node:path';
import { Command } from 'commander';
import { MADE_BY } from '../document/html.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { type ReportOptions, report } from '../report/report.ts';
import { type Choices, fileIn } from '../util/choices.ts';
import { replaceFile } from '../util/files.ts';
import { type Flags, JSON_OBJECT, READING, withChoices } from './choice-options.ts';
import { readForModel } from './model-data.ts';
import { OPENING, openModel } from './open-model.ts';
import { printJson, printLine, size } from './output.ts';
import { checkDefault, checkOutputs } from './outputs.ts';

const own = {
  ...OPENING,
  out: { kind: fileIn('.html'), help: 'HTML file for the report', default: 'report.html' },
  ...JSON_OBJECT,
} as const satisfies Choices;

type ReportFlags = Flags<'device', typeof own> & { readonly data?: readonly string[] };

export function reportCommand(): Command {
  const command = new Command('report')
    .description(
      'Write a report on a trained model: how it was trained, how accurate it is, what it has learned.',
    )
    .argument('<folder>', 'a trained model')
    .option(
      '--data <file...>',
      'ratings to evaluate it on, if possible not those it was trained on: files or patterns',
    );
  return withChoices(command, ['device', ...READING], own).action(run);
}

async function run(
  directory: string,
  { data, out, json, ...flags }: ReportFlags,
  command: Command,
): Promise<void> {
  if (command.getOptionValueSource('out') === 'default') await checkDefault(out, MADE_BY, '--out');
  await checkOutputs(command, { files: { out } });
  const recommender = await openModel(directory, flags);
  const ratings = data && {
    data: await readForModel(recommender, data, flags, 'held-out'),
    source: data.map((path) => basename(path)).join(', '),
  };
  const bytes = await writeReport(recommender, out, ratings);
  if (json) printJson({ out, bytes });
  else printLine(reportWritten(out, bytes));
}

/** Writes a report. @returns its number of bytes */
export async function writeReport(
  recommender: Recommender,
  out: string,
  options?: ReportOptions,
): Promise<number> {
  const bytes = Buffer.from(await report(recommender, options));
  await replaceFile(out, bytes, 'the report');
  return bytes.length;
}

export const reportWritten = (out: string, bytes: number): string =>
  `Wrote ${out} (${size(bytes)}): open it in a browser`;

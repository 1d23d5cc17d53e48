import { basename } from 'node:path';
import { Command } from 'commander';
import { replaceFile } from '../artifact/artifact.ts';
import { readRatings } from '../data/read.ts';
import { load } from '../recommend/load.ts';
import { report } from '../report/report.ts';
import {
  chosenDevice,
  type DeviceFlags,
  deviceOption,
  type ReadFlags,
  readFlags,
  withReadOptions,
} from './options.ts';
import { printJson, printLine, size } from './output.ts';

interface ReportFlags extends ReadFlags, DeviceFlags {
  data?: string[];
  out: string;
  json?: boolean;
}

export function reportCommand(): Command {
  const command = new Command('report')
    .description(
      'Write a page about a trained model: how it was trained, how good it is, what it has learned.',
    )
    .argument('<folder>', 'a trained model')
    .option('--data <file...>', 'ratings to judge it by, best ones it was not trained on: files or patterns')
    .option('--out <file>', 'where the page goes, one HTML file', 'report.html')
    .addOption(deviceOption())
    .option('--json', 'print one JSON object');
  return withReadOptions(command).action(run);
}

async function run(directory: string, { data, out, json, ...flags }: ReportFlags): Promise<void> {
  const recommender = await load(directory, undefined, { device: await chosenDevice(flags) });
  const page = await report(recommender, {
    ...(data && {
      data: await readRatings(data, readFlags(flags)),
      source: data.map((path) => basename(path)).join(', '),
    }),
  });
  const bytes = Buffer.from(page);
  await replaceFile(out, bytes, 'the report');
  if (json) printJson({ out, bytes: bytes.length });
  else printLine(`Wrote ${out} (${size(bytes.length)}): open it in a browser`);
}

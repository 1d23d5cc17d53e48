#!/usr/bin/env node
import { Command } from 'commander';
import { oneLine, UserError } from '../errors.ts';
import { VERSION } from '../version.ts';
import { batchCommand } from './batch.ts';
import { compareCommand } from './compare.ts';
import { crossValidateCommand } from './cross-validate.ts';
import { doctorCommand } from './doctor.ts';
import { downloadCommand } from './download.ts';
import { evaluateCommand } from './evaluate.ts';
import { exportCommand } from './export.ts';
import { findLrCommand } from './find-lr.ts';
import { inspectCommand } from './inspect.ts';
import { pageCommand } from './page.ts';
import { predictCommand } from './predict.ts';
import { recommendCommand } from './recommend.ts';
import { reportCommand } from './report.ts';
import { serveCommand } from './serve.ts';
import { similarCommand } from './similar.ts';
import { trainCommand } from './train.ts';
import { tuneCommand } from './tune.ts';

const program = new Command('cofactor')
  .description('Train a recommender from a file of ratings; serve it anywhere ONNX runs.')
  .version(VERSION)
  .configureOutput({
    outputError: (text, write) => write(`cofactor: ${oneLine(text.replace(/^error: /, ''))}\n`),
  });
for (const command of [
  trainCommand,
  findLrCommand,
  crossValidateCommand,
  tuneCommand,
  compareCommand,
  evaluateCommand,
  reportCommand,
  predictCommand,
  recommendCommand,
  similarCommand,
  batchCommand,
  exportCommand,
  serveCommand,
  pageCommand,
  inspectCommand,
  downloadCommand,
  doctorCommand,
])
  program.addCommand(command().copyInheritedSettings(program));

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`cofactor: standard output cannot be written (${error.code})\n`);
  process.exit(1);
});

try {
  await program.parseAsync();
} catch (error) {
  const message =
    error instanceof UserError ? error.message : `this is a bug in cofactor: ${oneLine(String(error))}`;
  process.stderr.write(`cofactor: ${message}\n`);
  if (process.env.COFACTOR_DEBUG) process.stderr.write(`${(error as Error).stack}\n`);
  process.exitCode = 1;
}

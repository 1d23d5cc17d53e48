import { Command, CommanderError } from 'commander';
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
import { optionNames, withFlags } from './flag-names.ts';
import { inspectCommand } from './inspect.ts';
import { pageCommand } from './page.ts';
import { predictCommand } from './predict.ts';
import { recommendCommand } from './recommend.ts';
import { reportCommand } from './report.ts';
import { serveCommand } from './serve.ts';
import { similarCommand } from './similar.ts';
import { trainCommand } from './train.ts';
import { tuneCommand } from './tune.ts';

const COMMANDS = [
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
];

/** Runs the command line. @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const program = new Command('cofactor')
    .description('Train a recommender from a file of ratings; serve it anywhere ONNX runs.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`cofactor: ${oneLine(text.replace(/^error: /, ''))}\n`),
    });
  for (const command of COMMANDS) program.addCommand(command().copyInheritedSettings(program));
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has printed help, the version or what is wrong.
    if (error instanceof CommanderError) return error.exitCode;
    const message =
      error instanceof UserError
        ? withFlags(error, optionNames(program))
        : `this is a bug in cofactor: ${oneLine(String(error))}`;
    process.stderr.write(`cofactor: ${message}\n`);
    if (process.env.COFACTOR_DEBUG) process.stderr.write(`${(error as Error).stack}\n`);
    return 1;
  }
}

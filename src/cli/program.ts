import { Command, CommanderError } from 'commander';
import { UserError } from '../errors.ts';
import { nameNow } from '../util/former-names.ts';
import { VERSION } from '../version.ts';
import { batchCommand } from './batch.ts';
import { compareCommand } from './compare.ts';
import { crossValidateCommand } from './cross-validate.ts';
import { doctorCommand } from './doctor.ts';
import { downloadCommand } from './download.ts';
import { evaluateCommand } from './evaluate.ts';
import { exportCommand } from './export.ts';
import { findLrCommand } from './find-lr.ts';
import { flagOf, noFlagOf, optionNames, withFlags } from './flag-names.ts';
import { inspectCommand } from './inspect.ts';
import { printFault, printNote } from './output.ts';
import { pageCommand } from './page.ts';
import { predictCommand } from './predict.ts';
import { recommendCommand } from './recommend.ts';
import { reportCommand } from './report.ts';
import { serveCommand } from './serve.ts';
import { similarCommand } from './similar.ts';
import { splitCommand } from './split.ts';
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
  splitCommand,
  downloadCommand,
  doctorCommand,
];

/** Runs the command line. @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const program = new Command('cofactor')
    .description('Train a recommender from a file of ratings; serve it anywhere ONNX runs.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ outputError: (text) => printFault(withoutPrefix(text)) });
  for (const make of COMMANDS) {
    const command = make().copyInheritedSettings(program);
    const names = command.options.map((option) => option.attributeName());
    command.configureOutput({ outputError: (text) => printFault(withoutPrefix(withNameNow(text, names))) });
    program.addCommand(command);
  }
  try {
    checkEncoding(args);
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has printed help, the version or what is wrong.
    if (error instanceof CommanderError) return error.exitCode;
    printFault(
      error instanceof UserError
        ? withFlags(error, optionNames(program))
        : `this is a bug in cofactor: ${error}`,
    );
    if (process.env.COFACTOR_DEBUG)
      for (const line of String((error as Error).stack).split('\n')) printNote(line);
    return 1;
  }
}

/** Two names that are no UTF-8 may be one for Node. @throws UserError for such an argument */
function checkEncoding(args: readonly string[]): void {
  const odd = args.find((arg) => arg.includes('\ufffd'));
  if (odd !== undefined)
    throw new UserError('argument', `${odd}: is not in UTF-8; rename the file or the folder`);
}

const withoutPrefix = (text: string): string => text.replace(/^error: /, '');

/** Adds the new name to commander's message about a flag that has another name now. */
const withNameNow = (text: string, names: readonly string[]): string =>
  text.replace(/^(error: unknown option '--(no-)?(\w+)(?:=.*)?')[\s\S]*/, (all, fault, no, former) => {
    const now = nameNow(former, names);
    if (now === undefined) return all;
    return `${fault}; it is called ${no ? noFlagOf(now) : flagOf(now)} now`;
  });

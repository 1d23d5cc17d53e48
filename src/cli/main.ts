#!/usr/bin/env node
import { endWithParent, needsOwnProcess, runInOwnProcess } from './own-process.ts';

const args = process.argv.slice(2);
if (needsOwnProcess(args)) await runInOwnProcess();
else await runHere();

async function runHere(): Promise<void> {
  endWithParent();
  // A reader that closes early, such as `head`, is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    process.stderr.write(`cofactor: standard output cannot be written (${error.code})\n`);
    process.exit(1);
  });
  // Imported here, so that a process that only starts another stays small.
  const { run } = await import('./program.ts');
  process.exitCode = await run(args);
}

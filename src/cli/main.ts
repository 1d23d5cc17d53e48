#!/usr/bin/env node
import { endWithParent, needsOwnProcess, runInOwnProcess } from './own-process.ts';

const args = process.argv.slice(2);
if (needsOwnProcess(args)) await runInOwnProcess();
else await runHere();

async function runHere(): Promise<void> {
  endWithParent();
  let failed = false;
  // The command goes on, because it may be training, and has files to write.
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    // A reader that closes early, such as `head`, is not an error.
    if (failed || code === 'EPIPE') return;
    failed = true;
    process.stderr.write(`cofactor: standard output cannot be written (${code})\n`);
  });
  process.stderr.on('error', () => undefined);
  // Imported here, so that a process that only starts another stays small.
  const { run } = await import('./program.ts');
  const code = await run(args);
  process.exitCode = failed ? 1 : code;
}

#!/usr/bin/env node
import { run } from './program.ts';

// A reader that closes early, such as `head`, is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`cofactor: standard output cannot be written (${error.code})\n`);
  process.exit(1);
});

process.exitCode = await run(process.argv.slice(2));

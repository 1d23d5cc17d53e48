import { execFileSync } from 'node:child_process';

/** Builds dist/ before the tests that run it, except where it was built from the same sources. */
export default function setup(): void {
  execFileSync(process.execPath, ['scripts/build.mjs', '--if-changed'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

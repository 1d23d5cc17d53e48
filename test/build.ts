import { execFileSync } from 'node:child_process';

/** Builds dist/ once before the tests that run it, so that none runs an old one. */
export default function setup(): void {
  for (const [script, ...args] of [
    ['scripts/build.mjs'],
    ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'],
  ])
    execFileSync(process.execPath, [script, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
}

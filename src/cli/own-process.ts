import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { endBy } from '../util/end-by.ts';

/**
 * With these, glibc gives large blocks back to the system when they are freed. By default it keeps more and more of them: after a few
 * new models, a server had 680 MB in place of 400. They only count in the environment with which a process starts.
 */
const GIVE_BACK = { MALLOC_MMAP_THRESHOLD_: '4194304', MALLOC_TRIM_THRESHOLD_: '67108864' };

/** With a budget, V8 collects garbage more often, in place of taking more memory. */
const COLLECT_OFTEN = ['--max-semi-space-size=4', '--heap-growing-percent=20'];

const hasBudget = process.argv.some((argument) => /^--memory(=|$)/.test(argument));

/** Whether a command runs so long that it needs a process with `GIVE_BACK`, and this is none. */
export const needsOwnProcess = ([command]: readonly string[]): boolean =>
  command === 'serve' &&
  process.platform === 'linux' &&
  !Object.keys(GIVE_BACK).some((name) => name in process.env) &&
  !process.execArgv.some((flag) => flag.startsWith('--inspect'));

/** Runs the same command line in a process of its own: passes signals on to it, and ends as it ends. */
export async function runInOwnProcess(): Promise<void> {
  const flags = [...(hasBudget ? COLLECT_OFTEN : []), ...process.execArgv];
  const child = spawn(process.execPath, [...flags, ...process.argv.slice(1)], {
    env: { ...process.env, ...GIVE_BACK },
    // By the channel it notices when this process is killed.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      // A terminal sends Ctrl-C to both, and a second one ends a server at once.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  const [code, signal]: [number | null, NodeJS.Signals | null] = (await once(child, 'exit')) as never;
  if (code !== null) {
    process.exitCode = code;
    return;
  }
  endBy(signal as NodeJS.Signals);
}

/** Ends this process when the one that started it has ended. */
export function endWithParent(): void {
  if (!process.channel) return;
  // Not by exit, which waits for threads.
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel.unref();
}

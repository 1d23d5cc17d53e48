import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { built } from '../util/built.ts';

/** The result of a process, or its error. */
export type Found<T> = { readonly value: T } | { readonly error: string };

export interface Trial<T> {
  /** What the process reported; undefined if it ended before. */
  readonly found?: Found<T>;
  /** How it ended: exit code or signal. */
  readonly end: string;
  /** The end of its standard error. */
  readonly log: string;
}

/** Characters of the log that are kept, from its end. */
const MOST_LOG = 100_000;

/**
 * Tries something in a separate process, which may crash, run out of memory, hang, or write to the terminal.
 *
 * @param process a file of `dist` that calls {@link report}
 * @param options timeout in milliseconds
 */
export async function tryInProcess<T>(
  process: string,
  args: readonly string[],
  { timeout, signal }: { readonly timeout: number; readonly signal?: AbortSignal },
): Promise<Trial<T>> {
  const child = fork(fileURLToPath(built(process)), args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    killSignal: 'SIGKILL',
    timeout,
    signal,
  });
  let log = '';
  child.stderr?.on('data', (text) => {
    log = (log + text).slice(-MOST_LOG);
  });
  // Waits for 'close', which comes after all output. A report counts even if a driver crashes the process as it exits.
  let found: Found<T> | undefined;
  child.on('message', (message: Found<T>) => {
    found = message;
  });
  const [code, killed] = await once(child, 'close');
  return { found, end: String(killed ?? code), log };
}

/** Called by such a process: runs `find`, reports its result or error, and exits. It exits at once if its parent has ended. */
export async function report<T>(find: () => Promise<T>): Promise<void> {
  process.once('disconnect', () => process.exit());
  const found = await find().then(
    (value): Found<T> => ({ value }),
    ({ message }: Error): Found<T> => ({ error: message }),
  );
  process.send?.(found, () => process.exit());
}

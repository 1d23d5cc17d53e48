import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { built } from '../util/built.ts';

/** What a process found out, or why it could not. */
export type Found<T> = { readonly value: T } | { readonly error: string };

export interface Trial<T> {
  /** What the process said; undefined where it ended without a word. */
  readonly found?: Found<T>;
  /** How it ended: a code or a signal. */
  readonly end: string;
  readonly log: string;
}

/**
 * Tries something out in a process of its own, which may end, take all its memory, run for ever, or write to the
 * terminal.
 *
 * @param process a file of `dist` that calls {@link report}
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
    log += text;
  });
  // What it has said counts, even if a driver ends the process while it exits; what it has written comes before its end.
  let found: Found<T> | undefined;
  child.on('message', (message: Found<T>) => {
    found = message;
  });
  const [code, killed] = await once(child, 'close');
  return { found, end: String(killed ?? code), log };
}

/** In such a process: finds something out, says what that was, and ends the process. */
export async function report<T>(find: () => Promise<T>): Promise<void> {
  const found = await find().then(
    (value): Found<T> => ({ value }),
    ({ message }: Error): Found<T> => ({ error: message }),
  );
  process.send?.(found, () => process.exit());
}

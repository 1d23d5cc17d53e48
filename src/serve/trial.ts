import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { UserError } from '../errors.ts';
import type { Device } from '../run/device-names.ts';

/** What a trial process says: the manifest of what it has asked, or why that cannot be asked. */
export type TrialAnswer = { readonly manifest: string } | { readonly error: string };

/** The built process, beside the built library. Node 20 runs no TypeScript, so it serves the sources too. */
const PROCESS = import.meta.url.endsWith('.ts') ? '../../dist/trial-process.js' : './trial-process.js';

/** The first start of a GPU compiles its programs. */
const TIMEOUT_MS = { cpu: 30_000, cuda: 120_000, webgpu: 120_000 };

/**
 * Opens the artifact in a folder and asks it, in a process of its own: there are files that ONNX Runtime takes, and
 * that then end the process (a division by zero), take all its memory, or run for ever.
 *
 * @returns the manifest of the artifact that was tried, as JSON
 * @throws UserError if it cannot be asked
 */
export async function tryOutInProcess(
  directory: string,
  signal: AbortSignal,
  device: Device = 'cpu',
): Promise<string> {
  const child = fork(fileURLToPath(new URL(PROCESS, import.meta.url)), [directory, device], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    timeout: TIMEOUT_MS[device],
    killSignal: 'SIGKILL',
    signal,
  });
  const exit = once(child, 'exit').then(([code, signal]): [TrialAnswer] => [
    { error: `${directory}: the process that tried it out ended (${signal ?? code}); train the model again` },
  ]);
  const [answer] = await Promise.race([once(child, 'message') as Promise<[TrialAnswer]>, exit]);
  if ('error' in answer) throw new UserError(answer.error);
  return answer.manifest;
}

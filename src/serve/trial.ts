import { option, UserError } from '../errors.ts';
import type { Device } from '../run/device-names.ts';
import { reasonIn } from '../run/guard.ts';
import { tryInProcess } from '../run/trial-process.ts';

/**
 * By the clock, so long that a busy machine refuses no good model. Longer for GPUs, because the first start compiles their
 * programs.
 */
const TIMEOUT_MS = { cpu: 120_000, cuda: 300_000, webgpu: 300_000 };

export interface TrialOptions {
  readonly signal: AbortSignal;
  /** @default 'cpu' */
  readonly device?: Device | undefined;
  /** Leaves out the checks of what a stranger could have made. @default false */
  readonly trust?: boolean | undefined;
}

/**
 * Loads and runs the artifact in a folder in a separate process. A file that ONNX Runtime loads may still crash the process
 * (with a division by zero), take all memory, or run forever. A guard ends the process if it takes more than the size of
 * the files explains.
 *
 * @returns the manifest of the artifact that was tried, as JSON
 * @throws UserError if it cannot be run
 */
export async function tryOutInProcess(
  directory: string,
  { signal, device = 'cpu', trust = false }: TrialOptions,
): Promise<string> {
  const args = [directory, device, ...(trust ? ['trust'] : [])];
  const options = { timeout: TIMEOUT_MS[device], signal };
  const { found, end, log } = await tryInProcess<string>('trial-process.js', args, options);
  if (found && 'value' in found) return found.value;
  if (found) throw new UserError('model', found.error);
  const reason = reasonIn(log);
  if (reason !== undefined)
    throw new UserError(
      'model',
      `${directory}: the model was tried, and ${reason}; train it again, or give ${option('trust')} if you made it yourself`,
    );
  throw new UserError(
    'model',
    `${directory}: the process that tried the model ended (${end}): it is broken, or needs more time or memory than there is; free some, or train it again`,
  );
}

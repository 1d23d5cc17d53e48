import { UserError } from '../errors.ts';
import type { Device } from '../run/device-names.ts';
import { tryInProcess } from '../run/trial-process.ts';

/** Longer for GPUs, because the first start compiles their programs. */
const TIMEOUT_MS = { cpu: 30_000, cuda: 120_000, webgpu: 120_000 };

/**
 * Loads and runs the artifact in a folder in a separate process. A file that ONNX Runtime loads may still crash the process
 * (with a division by zero), take all memory, or run forever.
 *
 * @returns the manifest of the artifact that was tried, as JSON
 * @throws UserError if it cannot be run
 */
export async function tryOutInProcess(
  directory: string,
  signal: AbortSignal,
  device: Device = 'cpu',
): Promise<string> {
  const options = { timeout: TIMEOUT_MS[device], signal };
  const { found, end } = await tryInProcess<string>('trial-process.js', [directory, device], options);
  if (!found)
    throw new UserError(
      'model',
      `${directory}: the process that tried the model ended (${end}): it is broken, or needs more time or memory than there is; free some, or train it again`,
    );
  if ('error' in found) throw new UserError('model', found.error);
  return found.value;
}

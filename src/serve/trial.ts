import { UserError } from '../errors.ts';
import type { Device } from '../run/device-names.ts';
import { tryInProcess } from '../run/trial-process.ts';

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
  const options = { timeout: TIMEOUT_MS[device], signal };
  const { found, end } = await tryInProcess<string>('trial-process.js', [directory, device], options);
  if (!found)
    throw new UserError(
      'model',
      `${directory}: the process that tried it out ended (${end}); train the model again`,
    );
  if ('error' in found) throw new UserError('model', found.error);
  return found.value;
}

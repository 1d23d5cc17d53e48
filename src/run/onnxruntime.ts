import { isMainThread } from 'node:worker_threads';
import { UserError } from '../errors.ts';

const VARIABLE = 'ORT_DISABLE_TELEMETRY';

/** ONNX Runtime for Node, without its telemetry. The first call loads the native library. */
export async function onnxRuntime(): Promise<typeof import('onnxruntime-node')> {
  disableTelemetry();
  return import('onnxruntime-node');
}

/**
 * Keeps ONNX Runtime from sending telemetry: with its first session it would write an id of the machine into the home
 * folder and look up a server, unless a variable is set in the environment of the process. Only the main thread can set
 * it; the others have a copy of the environment. So this is called before a thread starts.
 *
 * @throws UserError in a thread where the variable is not set
 */
export function disableTelemetry(): void {
  if (isMainThread) process.env[VARIABLE] = '1';
  else if (process.env[VARIABLE] !== '1')
    throw new UserError(
      'device',
      `ONNX Runtime would send telemetry from this thread; set process.env.${VARIABLE} = '1' in the main thread before it starts`,
    );
}

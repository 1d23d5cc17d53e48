import { UserError } from '../errors.ts';

/** The thread that uses WebGPU. With two such threads ONNX Runtime 1.30 crashes the process. */
let holder: object | undefined;

/** Stands for the current thread. It never releases WebGPU, because nothing tells when its last session is gone. */
export const THIS_THREAD = {};

/**
 * Reserves WebGPU for a thread.
 *
 * @throws UserError if another thread uses it
 */
export function holdWebgpu(thread: object): void {
  if (holder !== undefined && holder !== thread)
    throw new UserError(
      'device',
      'device webgpu runs in one thread of a process, and another has it; use device cpu, or another process',
    );
  holder = thread;
}

export function releaseWebgpu(thread: object): void {
  if (holder === thread) holder = undefined;
}

import { UserError } from '../errors.ts';

/** The thread of this process that runs models on WebGPU: ONNX Runtime 1.30 ends the process where two do. */
let holder: object | undefined;

/** Stands for the thread that this code runs in, which keeps WebGPU: nobody says when its last session is gone. */
export const THIS_THREAD = {};

/** @throws UserError if another thread has it */
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

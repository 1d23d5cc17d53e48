import type { Device } from './device-names.ts';
import { chooseDevice } from './devices.ts';
import type { Runtime } from './runtime.ts';
import { holdWebgpu, THIS_THREAD } from './webgpu-thread.ts';

export interface NodeRuntimeOptions {
  /**
   * What runs models. `auto` is a GPU if one is available, and otherwise the CPU. Default: the CPU, on which one seed
   * gives the same bytes each time.
   */
  readonly device?: Device | 'auto';
}

/** ONNX Runtime in Node. */
export interface NodeRuntime extends Runtime {
  /** What runs models. */
  readonly device: Device;
}

/**
 * ONNX Runtime in Node. Its native library is loaded at the first call. A device other than the CPU is tried first, in
 * a process of its own.
 *
 * @throws UserError if the device is not available: why, and how to get it
 */
export async function nodeRuntime({ device }: NodeRuntimeOptions = {}): Promise<NodeRuntime> {
  const chosen = (await chooseDevice(device)).device;
  if (chosen === 'webgpu') holdWebgpu(THIS_THREAD);
  return runtimeOn(chosen);
}

/** ONNX Runtime on a device that has been tried. WebGPU may run in one thread of a process alone. */
export async function runtimeOn(device: Device): Promise<NodeRuntime> {
  const { env, InferenceSession } = await import('onnxruntime-node');
  // On a GPU it warns of duplicate rows, which are equal here, and of graphs that are not on it as a whole, and none
  // is: strings stay on the CPU. The first level is for all sessions, and counts before there is one.
  if (device !== 'cpu') env.logLevel = 'error';
  return {
    name: 'onnxruntime-node',
    version: env.versions.node ?? env.versions.common,
    device,
    createSession: (model, { threads } = {}) =>
      InferenceSession.create(model, {
        executionProviders: [device],
        interOpNumThreads: 1,
        ...(threads && { intraOpNumThreads: threads }),
        ...(device !== 'cpu' && { logSeverityLevel: ERROR }),
      }),
  };
}

const ERROR = 3;

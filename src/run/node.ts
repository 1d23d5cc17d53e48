import { checkedLater, checkOptions, type OptionTable } from '../util/options.ts';
import type { Device } from './device-names.ts';
import { chooseDevice } from './devices.ts';
import { onnxRuntime } from './onnxruntime.ts';
import type { Runtime } from './runtime.ts';
import { holdWebgpu, THIS_THREAD } from './webgpu-thread.ts';

export interface NodeRuntimeOptions {
  /**
   * Device that executes models. `auto` is a GPU if one is available, else the CPU. On the CPU, training with the same seed
   * gives the same bytes each time.
   *
   * @default 'cpu'
   */
  readonly device?: Device | 'auto' | undefined;
}

const RUNTIME_OPTIONS: OptionTable<NodeRuntimeOptions> = { device: checkedLater };

/** ONNX Runtime in Node. */
export interface NodeRuntime extends Runtime {
  /** Device that executes models. */
  readonly device: Device;
}

/**
 * Gives the ONNX Runtime of Node. The first call loads its native library. A device other than the CPU is tried first, in a
 * separate process.
 *
 * @throws UserError if the device is not available: why, and what to install
 */
export async function nodeRuntime(options: NodeRuntimeOptions = {}): Promise<NodeRuntime> {
  checkOptions(options, RUNTIME_OPTIONS);
  const chosen = (await chooseDevice(options.device)).device;
  if (chosen === 'webgpu') holdWebgpu(THIS_THREAD);
  return runtimeOn(chosen);
}

/** ONNX Runtime on a device that was tried before. WebGPU may run in only one thread of a process. */
export async function runtimeOn(device: Device): Promise<NodeRuntime> {
  const { env, InferenceSession } = await onnxRuntime();
  // Hides two warnings of GPUs: about duplicate rows in a scatter, which are equal here, and about nodes that stay on the
  // CPU, as all nodes with strings do. This level also applies before there is a session.
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
        logSeverityLevel: FATAL,
      }),
  };
}

/** Errors are thrown. A line of its log could have any name in it that a stranger's model has. */
const FATAL = 4;

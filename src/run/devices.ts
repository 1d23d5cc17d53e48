import { UserError } from '../errors.ts';
import { DEVICES, type Device } from './device-names.ts';
import { explain } from './device-obstacles.ts';
import { onnxRuntime } from './onnxruntime.ts';
import { tryInProcess } from './trial-process.ts';

export interface DeviceReport {
  readonly device: Device;
  /** Whether the device runs here and computes the same as the CPU. */
  readonly usable: boolean;
  /** Speed of a matrix product as a multiple of one CPU thread; only if the device is usable. */
  readonly speed?: number;
  /** The reason why it is not usable, in one line. */
  readonly reason?: string;
  /** The command that installs what is missing, if there is one. */
  readonly command?: string;
}

/** Long, because the first start of a GPU compiles its programs. */
const TIMEOUT_MS = 120_000;

/** Results for this process: what is installed does not change while a program runs. */
const trials = new Map<Device, Promise<DeviceReport>>();

/** Tries every device: says which are usable here and, for the others, why not and what to install. */
export const devices = (): Promise<DeviceReport[]> => Promise.all(DEVICES.map(tryDevice));

/**
 * Chooses the device to run on. A device other than the CPU is tried first. `auto` is CUDA if it is usable, else WebGPU if
 * it is usable and faster than the CPU, else the CPU.
 *
 * @returns the device, and a note if `auto` did not find CUDA
 * @throws UserError if the device is not available: why, and what to install
 */
export async function chooseDevice(
  device: Device | 'auto' = 'cpu',
): Promise<{ readonly device: Device; readonly note?: string }> {
  if (device === 'cpu') return { device };
  if (device === 'auto') return choose(await tryDevice('cuda'), () => tryDevice('webgpu'));
  if (!DEVICES.includes(device))
    throw new UserError(
      'argument',
      `there is no device "${device}"; give one of auto, ${DEVICES.join(', ')}`,
    );
  const { usable, reason, command } = await tryDevice(device);
  if (usable) return { device };
  const remedy = command === undefined ? 'use' : `install it with \`${command}\`, or use`;
  throw new UserError('device', `device ${device} is not available: ${reason}; ${remedy} device cpu`);
}

/** What `auto` stands for. */
export async function choose(
  cuda: DeviceReport,
  tryWebgpu: () => Promise<DeviceReport>,
): Promise<{ readonly device: Device; readonly note?: string }> {
  if (cuda.usable) return { device: 'cuda' };
  const webgpu = await tryWebgpu();
  // A graphics driver without a GPU computes the right numbers, but many times slower than the CPU.
  if (webgpu.usable && (webgpu.speed ?? 0) > 1)
    return {
      device: 'webgpu',
      note: 'Running on WebGPU: CUDA is not available; `npx cofactor doctor` says why',
    };
  return { device: 'cpu', note: 'Running on the CPU: no GPU is available; `npx cofactor doctor` says why' };
}

/** Tries a device once, in a separate process: a failing driver may crash it, or write to the terminal. */
function tryDevice(device: Device): Promise<DeviceReport> {
  const known = trials.get(device) ?? tryAnew(device);
  trials.set(device, known);
  return known;
}

async function tryAnew(device: Device): Promise<DeviceReport> {
  // The CPU is the reference for all others.
  if (device === 'cpu') return { device, usable: true, speed: 1 };
  const { listSupportedBackends } = await onnxRuntime();
  if (!listSupportedBackends().some(({ name }) => name === device)) {
    const reason = `onnxruntime-node does not have it for ${process.platform} on ${process.arch}`;
    return { device, usable: false, reason };
  }
  const { found, end, log } = await tryInProcess<number>('device-trial.js', [device], {
    timeout: TIMEOUT_MS,
  });
  if (found && 'value' in found) return { device, usable: true, speed: found.value };
  const error = found?.error ?? `the process that tried it ended (${end})`;
  const { platform } = process;
  return { device, usable: false, ...explain(device, { error, log, platform, folder: process.cwd() }) };
}

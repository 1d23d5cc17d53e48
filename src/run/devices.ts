import { UserError } from '../errors.ts';
import { DEVICES, type Device } from './device-names.ts';
import { explain } from './device-obstacles.ts';
import { tryInProcess } from './trial-process.ts';

export interface DeviceReport {
  readonly device: Device;
  /** It runs here, and gives what the CPU gives. */
  readonly usable: boolean;
  /** How many times as fast as one thread of the CPU it multiplies matrices; only of one that is usable. */
  readonly speed?: number;
  /** Why it is not usable, in one line. */
  readonly reason?: string;
  /** The command that gets it, where there is one. */
  readonly command?: string;
}

/** The first start of a GPU compiles its programs. */
const TIMEOUT_MS = 120_000;

/** Of this process: what is installed on a machine does not change while a program runs. */
const trials = new Map<Device, Promise<DeviceReport>>();

/** Every device, tried: which are usable here and, for each that is not, why, and how to get it. */
export const devices = (): Promise<DeviceReport[]> => Promise.all(DEVICES.map(tryDevice));

/**
 * The device to run on. The CPU is taken as it is; any other is tried first. `auto` is CUDA, or else WebGPU where it is
 * faster than the CPU, or else the CPU.
 *
 * @returns with a note, where `auto` had to fall back
 * @throws UserError if the device is not available: why, and how to get it
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
  const remedy = command === undefined ? 'use' : `get it by \`${command}\`, or use`;
  throw new UserError('device', `device ${device} is not available: ${reason}; ${remedy} device cpu`);
}

export async function choose(
  cuda: DeviceReport,
  tryWebgpu: () => Promise<DeviceReport>,
): Promise<{ readonly device: Device; readonly note?: string }> {
  if (cuda.usable) return { device: 'cuda' };
  const webgpu = await tryWebgpu();
  // A driver that draws with the CPU is right, and many times slower than the CPU itself.
  if (webgpu.usable && (webgpu.speed ?? 0) > 1)
    return { device: 'webgpu', note: 'Running on WebGPU: CUDA is not available; `cofactor doctor` says why' };
  return { device: 'cpu', note: 'Running on the CPU: no GPU is available; `cofactor doctor` says why' };
}

/** Tries a device once, in a process of its own: a driver that fails may end the process, or write to the terminal. */
function tryDevice(device: Device): Promise<DeviceReport> {
  const known = trials.get(device) ?? tryAnew(device);
  trials.set(device, known);
  return known;
}

async function tryAnew(device: Device): Promise<DeviceReport> {
  // What all others are compared with.
  if (device === 'cpu') return { device, usable: true, speed: 1 };
  const { listSupportedBackends } = await import('onnxruntime-node');
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

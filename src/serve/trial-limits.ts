import type { Device } from '../run/device-names.ts';
import type { GuardLimits } from '../run/guard.ts';

const MEGABYTE = 1e6;

/**
 * What the trial of a model may take, by the bytes of its files. Trained models take up to two thirds of it; those of int8 the
 * most, because their tables are restored. A GPU's library alone has gigabytes, and compiles its programs.
 */
export const trialLimits = (bytes: number, device: Device): GuardLimits => {
  const isCpu = device === 'cpu';
  return {
    memory: (isCpu ? 400 : 4000) * MEGABYTE + 10 * bytes,
    seconds: (isCpu ? 4 : 60) + bytes / (20 * MEGABYTE),
  };
};

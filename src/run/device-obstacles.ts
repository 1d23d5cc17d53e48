import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import type { Device } from './device-names.ts';

/** The reason why a device is not available, in one line, and the command that installs what is missing, if there is one. */
export interface Obstacle {
  readonly reason: string;
  readonly command?: string;
}

export interface Symptoms {
  /** Message of ONNX Runtime's error. */
  readonly error: string;
  /** Standard error of ONNX Runtime and the drivers. Only this names a missing library. */
  readonly log: string;
  readonly platform: string;
  /** Working directory: paths in commands are relative to it. */
  readonly folder: string;
}

/** Explains why a device is not available. */
export function explain(device: Device, symptoms: Symptoms): Obstacle {
  const find = { cpu: () => undefined, cuda: cudaObstacle, webgpu: webgpuObstacle }[device];
  return find(symptoms) ?? { reason: brief(symptoms.error) };
}

/** Device files of an NVIDIA GPU: in Linux, and in WSL. */
const GPU_FILES = ['/dev/nvidia0', '/dev/dxg'];

function cudaObstacle({ log, error, folder }: Symptoms): Obstacle | undefined {
  if (/libonnxruntime_providers_\w+\.so: cannot open shared object file/.test(log)) {
    const gpu = GPU_FILES.some((file) => existsSync(file));
    return {
      reason: `onnxruntime-node’s CUDA libraries are not installed${gpu ? '' : ', and there is no sign of an NVIDIA GPU here'}`,
      // Not `npm rebuild`, which skips packages that allowScripts in package.json does not allow.
      command: `ONNXRUNTIME_NODE_INSTALL=cuda12 node ${installScript(folder)}`,
    };
  }
  if (/libcuda\.so\S*: cannot open shared object file/.test(log))
    return { reason: 'there is no NVIDIA driver (libcuda.so.1); install the one for your system' };
  const [, library] = /(lib(?:cu|nv)\w+\.so\S*): cannot open shared object file/.exec(log) ?? [];
  // ONNX Runtime loads cuDNN when it first needs it, so the loader does not name it.
  const missing = library ?? (/libcudnn|cudnn.*(?:not found|cannot)/i.test(error) ? 'cuDNN 9' : undefined);
  if (missing !== undefined) {
    // The libraries that onnxruntime-node 1.30 downloads need CUDA 13, although its script calls them cuda12.
    const major = missing.endsWith('.so.12') ? 12 : 13;
    return {
      reason: `the CUDA ${major} libraries or cuDNN 9 are not found (${missing}); LD_LIBRARY_PATH says where they are`,
      command: `pip install --target cuda ${wheels(major)} && export LD_LIBRARY_PATH=$(echo $PWD/cuda/nvidia/*/lib | tr ' ' :)`,
    };
  }
  const [, failure] = /CUDA failure \d+: (.*?) *(?:;|$)/m.exec(error) ?? [];
  if (failure !== undefined) return { reason: `CUDA: ${failure}` };
  const [, cause] = /Failed to load library \S+ with error: (.*)/.exec(log) ?? [];
  return cause === undefined ? undefined : { reason: brief(cause) };
}

/** Packages of PyPI. Their libraries also work without Python. */
const wheels = (major: 12 | 13): string =>
  major === 12
    ? 'nvidia-cublas-cu12 nvidia-cuda-runtime-cu12 nvidia-curand-cu12 nvidia-cudnn-cu12'
    : 'nvidia-cublas~=13.0 nvidia-cuda-runtime~=13.0 nvidia-curand nvidia-cudnn-cu13';

function webgpuObstacle({ error, log, platform }: Symptoms): Obstacle | undefined {
  if (!error.includes('Failed to get a WebGPU adapter')) return undefined;
  if (platform !== 'linux') return { reason: 'there is no graphics driver that WebGPU can use' };
  const [, lacking] = /(Vulkan \w+.*? required)/.exec(log.replaceAll('*', '')) ?? [];
  if (lacking !== undefined)
    return { reason: `the Vulkan driver is too old (${lacking}); Mesa 25 is new enough` };
  return { reason: 'there is no Vulkan driver', command: 'sudo apt-get install mesa-vulkan-drivers' };
}

/** The install script of onnxruntime-node, which downloads the CUDA libraries. */
function installScript(folder: string): string {
  const home = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const path = join(home, 'script', 'install.js');
  const short = relative(folder, path);
  return short.startsWith('..') ? path : short;
}

/** A message of ONNX Runtime without the position in its sources, in one line of at most 200 characters. */
function brief(error: string): string {
  const line = error.replace(/\s+/g, ' ').trim();
  const cut = line.replace(/^\/\S+ .*? was false\. /, '');
  return cut.length > 200 ? `${cut.slice(0, 200)}…` : cut;
}

import { Tensor } from 'onnxruntime-common';
import { beforeAll, describe, expect, test } from 'vitest';
import { modelNames } from '../../graphs/models/index.ts';
import { UserError } from '../../src/errors.ts';
import type { Device } from '../../src/run/device-names.ts';
import { explain } from '../../src/run/device-obstacles.ts';
import { choose, type DeviceReport, devices } from '../../src/run/devices.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import { difference, probeFeeds, probeModel } from '../../src/run/probe.ts';
import { holdWebgpu, releaseWebgpu } from '../../src/run/webgpu-thread.ts';
import { workerRuntime } from '../../src/run/worker.ts';
import { train } from '../../src/train/train.ts';
import { lowRank } from '../support/low-rank.ts';

let reports: Record<Device, DeviceReport>;
beforeAll(async () => {
  const all = await devices();
  reports = Object.fromEntries(all.map((report) => [report.device, report])) as typeof reports;
});

const GPUS = ['cuda', 'webgpu'] as const;

// Before this thread takes it.
test('webgpu is for one thread of a process', () => {
  const [pool, other] = [{}, {}];
  holdWebgpu(pool);
  holdWebgpu(pool);
  expect(() => holdWebgpu(other)).toThrow(UserError);
  releaseWebgpu(other);
  expect(() => holdWebgpu(other)).toThrow(/in one thread of a process, and another has it; use device cpu/);
  releaseWebgpu(pool);
  holdWebgpu(other);
  releaseWebgpu(other);
});

describe('each device', () => {
  test('is tried, and says why where it is not available', () => {
    expect(Object.keys(reports)).toEqual(['cpu', 'cuda', 'webgpu']);
    expect(reports.cpu).toEqual({ device: 'cpu', usable: true, speed: 1 });
    for (const { usable, speed, reason, command = 'none' } of Object.values(reports)) {
      if (usable) expect(speed).toBeGreaterThan(0);
      else expect(reason).toMatch(/^[^\n]{10,250}$/);
      expect(command).not.toContain('\n');
    }
  });

  test.each(GPUS)('%s is an error in one line, or runs', async (device) => {
    const { usable, reason, command } = reports[device];
    if (usable) {
      expect((await nodeRuntime({ device })).device).toBe(device);
      return;
    }
    const error = await nodeRuntime({ device }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(/^device \w+ is not available: [^\n]*device cpu$/);
    expect(error.message).toContain(reason);
    expect(error.message).toContain(command ?? '');
  });

  test.for(GPUS)('%s trains to what the CPU comes to', async (device, { skip }) => {
    if (!reports[device].usable) skip(`${device} is not available here: ${reports[device].reason}`);
    const ratings = lowRank();
    for (const model of modelNames) {
      const [there, here] = await Promise.all(
        [device, 'cpu' as const].map(async (name) =>
          train(ratings, { model, factors: 5, optimizer: 'adamw', epochs: 2 }, { device: name }),
        ),
      );
      for (const [epoch, { loss }] of here.history.entries())
        expect(there.history[epoch].loss).toBeCloseTo(loss, 2);
    }
  });

  test('is one of those there are', async () => {
    const device = 'npu' as Device;
    await expect(nodeRuntime({ device })).rejects.toThrow(
      new UserError('argument', 'there is no device "npu"; give one of auto, cpu, cuda, webgpu'),
    );
  });

  test('webgpu runs in one worker', async () => {
    const message = reports.webgpu.usable ? /in one worker alone, not in 2/ : /is not available/;
    await expect(workerRuntime({ device: 'webgpu', workers: 2 })).rejects.toThrow(message);
  });
});

describe('auto', () => {
  const cuda = (usable: boolean): DeviceReport => ({ device: 'cuda', usable, ...(usable && { speed: 30 }) });
  const webgpu = (speed?: number): DeviceReport => ({
    device: 'webgpu',
    usable: speed !== undefined,
    ...(speed && { speed }),
  });

  test('is CUDA before WebGPU, and a driver without a GPU is none', async () => {
    const untried = () => expect.fail('it need not be tried');
    expect(await choose(cuda(true), untried)).toEqual({ device: 'cuda' });
    expect(await choose(cuda(false), async () => webgpu(20))).toEqual({
      device: 'webgpu',
      note: expect.stringMatching(/^Running on WebGPU: .*doctor/),
    });
    for (const none of [webgpu(), webgpu(0.05)])
      expect(await choose(cuda(false), async () => none)).toEqual({
        device: 'cpu',
        note: expect.stringMatching(/^Running on the CPU: .*doctor/),
      });
  });

  test('is always something', async () => {
    const { device } = await nodeRuntime({ device: 'auto' });
    expect(reports[device].usable).toBe(true);
  });
});

describe('what is wrong', () => {
  const library = (name: string): string =>
    `[E:onnxruntime:onnxruntime-node, provider_bridge_ort.cc:2146 Create] Failed to load library /app/libonnxruntime_providers_cuda.so with error: ${name}: cannot open shared object file: No such file or directory`;
  const failed = 'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library';
  const of = (device: Device, error: string, log = '', platform = 'linux') =>
    explain(device, { error, log, platform, folder: process.cwd() });

  test('with CUDA: its provider, its libraries, the driver, the GPU', () => {
    const provider = of('cuda', failed, library('/app/libonnxruntime_providers_shared.so'));
    expect(provider.reason).toMatch(/^onnxruntime-node’s CUDA libraries are not installed/);
    expect(provider.command).toMatch(
      /^ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules.onnxruntime-node.script.install\.js$/,
    );
    for (const [name, version] of [
      ['libcublasLt.so.12', 12],
      ['libcublasLt.so.13', 13],
      ['libcurand.so.10', 13],
    ]) {
      const { reason, command } = of('cuda', failed, library(String(name)));
      expect(reason).toContain(`the CUDA ${version} libraries or cuDNN 9 are not found (${name})`);
      expect(command).toMatch(new RegExp(`^pip install .*nvidia-cudnn-cu${version} .*LD_LIBRARY_PATH`));
    }
    expect(of('cuda', failed, library('libcuda.so.1'))).toEqual({
      reason: 'there is no NVIDIA driver (libcuda.so.1); install the one for your system',
    });
    const call = (text: string): string =>
      `/onnxruntime_src/core/providers/cuda/cuda_call.cc:146 std::conditional_t<THRW, void, common::Status> CUDA failure ${text} ; GPU=-1 ; hostname=vm ; file=cuda_execution_provider.cc`;
    expect(of('cuda', call('100: no CUDA-capable device is detected'))).toEqual({
      reason: 'CUDA: no CUDA-capable device is detected',
    });
    expect(of('cuda', call('35: CUDA driver version is insufficient for CUDA runtime version'))).toEqual({
      reason: 'CUDA: CUDA driver version is insufficient for CUDA runtime version',
    });
    const symbol =
      'Failed to load library /app/libonnxruntime_providers_cuda.so with error: undefined symbol: cublasLt';
    expect(of('cuda', failed, symbol)).toEqual({ reason: 'undefined symbol: cublasLt' });
  });

  test('with WebGPU: no driver, or one that is too old', () => {
    const error =
      '/onnxruntime_src/core/providers/webgpu/webgpu_context.cc:136 Initialize adapter_result.status == Success was false. Failed to get a WebGPU adapter: No supported adapters\n';
    expect(of('webgpu', error, 'Warning: vkCreateInstance: Found no drivers!')).toEqual({
      reason: 'there is no Vulkan driver',
      command: 'sudo apt-get install mesa-vulkan-drivers',
    });
    const old = of(
      'webgpu',
      error,
      'Warning: Vulkan shaderUniform*ArrayDynamicIndexing required.\n - While …',
    );
    expect(old).toEqual({
      reason:
        'the Vulkan driver is too old (Vulkan shaderUniformArrayDynamicIndexing required); Mesa 25 is new enough',
    });
    expect(of('webgpu', error, '', 'darwin')).toEqual({
      reason: 'there is no graphics driver that WebGPU can use',
    });
  });

  test('otherwise is what ONNX Runtime says, in one line', () => {
    const { reason } = of(
      'webgpu',
      `/src/context.cc:1 f() x was false. Device lost:\n ${'very '.repeat(100)}sad`,
    );
    expect(reason).toMatch(/^Device lost: very very .{150,}…$/);
  });
});

describe('the probe', () => {
  test('tells a device that gives wrong rows, or no numbers', async () => {
    const session = await (await nodeRuntime()).createSession(probeModel(), { threads: 1 });
    const expected = (await session.run(probeFeeds())) as Record<string, Tensor>;
    await session.release();
    expect(Object.keys(expected)).toEqual(['rows', 'loss', 'scores', 'best', 'top']);
    // A device that leaves the tables as they were is told too.
    const first = probeFeeds().user_factors.data as Float32Array;
    const moved = first.subarray(0, 8).map((value, at) => Math.abs(value - Number(expected.rows.data[at])));
    expect(Math.max(...moved)).toBeGreaterThan(0.02);
    expect(difference(expected, expected)).toBeUndefined();

    const changed = (name: string, place: number, value: number): Record<string, Tensor> => {
      const { type, data, dims } = expected[name];
      const copy = Float32Array.from(data as Float32Array);
      copy[place] = value;
      return { ...expected, [name]: new Tensor('float32', copy, dims) ?? type };
    };
    const { rows } = expected;
    expect(difference(expected, changed('rows', 40, Number(rows.data[24])))).toMatch(/^rows differ by /);
    expect(difference(expected, changed('scores', 3, Number.NaN))).toMatch(/^scores differ by NaN/);
    expect(difference(expected, changed('best', 3, Number(expected.best.data[3]) + 1e-4))).toBeUndefined();
    const top = BigInt64Array.from(expected.top.data as BigInt64Array).reverse();
    expect(difference(expected, { ...expected, top: new Tensor('int64', top, [10]) })).toMatch(/^top differ/);
  });
});

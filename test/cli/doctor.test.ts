import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { VERSION } from '../../src/version.ts';
import { workplace } from '../support/cli.ts';

const { at, text, json, failure, cofactor } = workplace();

/** Whatever drivers this machine has, none is found there. */
const NO_DRIVER = '/nowhere.json';
/** A driver that draws with the CPU, and comes with Chromium. */
const SOFTWARE = '/usr/lib/chromium/vk_swiftshader_icd.json';

const withDriver = async <Result>(icd: string, work: () => Promise<Result>): Promise<Result> => {
  const names = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES'];
  const before = names.map((name) => process.env[name]);
  for (const name of names) process.env[name] = icd;
  try {
    return await work();
  } finally {
    for (const [index, name] of names.entries()) {
      if (before[index] === undefined) delete process.env[name];
      else process.env[name] = before[index];
    }
  }
};

const bytes = (folder: string): Promise<Buffer> => readFile(at(folder, 'predict.onnx'));

test('doctor lists the devices and says why one is not available and how to get it', async () => {
  const { devices, training, ...about } = await json('doctor');
  expect(about).toEqual({
    cofactor: VERSION,
    node: process.version,
    platform: process.platform,
    architecture: process.arch,
    processor: expect.any(String),
    onnxruntime: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    providers: expect.arrayContaining(['cpu']),
  });
  expect(devices.map(({ device }: { device: string }) => device)).toEqual(['cpu', 'cuda', 'webgpu']);
  expect(devices[0]).toEqual({ device: 'cpu', usable: true, speed: 1 });
  const command = 'npm install onnxruntime-training@npm:onnxruntime-web@1.19.2';
  expect(training).toEqual({
    package: 'onnxruntime-training',
    installed: expect.any(Boolean),
    ...(!training.installed && { command }),
  });

  const lines = (await text('doctor')).split('\n');
  expect(lines[0]).toMatch(new RegExp(`^cofactor ${VERSION}, Node v`));
  expect(lines[2]).toMatch(/^✓ cpu +usable, and the default$/);
  for (const { device, usable, reason, command } of devices.slice(1)) {
    const at = lines.findIndex((line) => line.slice(2).startsWith(device));
    expect(lines[at]).toMatch(usable ? /^✓ .* usable: matrix products are / : /^✗ .* not usable: /);
    if (!usable) expect(lines[at]).toContain(reason);
    if (command) expect(lines[at + 1]).toBe(`${' '.repeat(24)}install: ${command}`);
  }
});

test.runIf(process.platform === 'linux')('without a Vulkan driver there is no WebGPU', async () => {
  await withDriver(NO_DRIVER, async () => {
    const { devices } = await json('doctor');
    expect(devices[2]).toMatchObject({ device: 'webgpu', usable: false });
    if (!devices[2].command) return;
    expect(devices[2]).toMatchObject({
      reason: 'there is no Vulkan driver',
      command: 'sudo apt-get install mesa-vulkan-drivers',
    });
    const train = ['train', 'ratings.csv', '--out', 'none'];
    expect(await failure(...train, '--device', 'webgpu')).toBe(
      'cofactor: device webgpu is not available: there is no Vulkan driver; install it with `sudo apt-get install mesa-vulkan-drivers`, or use device cpu',
    );
    expect(existsSync(at('none'))).toBe(false);
  });
});

test.runIf(process.platform === 'linux')(
  'auto falls back to the CPU, says so, and gives its bytes',
  async () => {
    await withDriver(NO_DRIVER, async () => {
      const train = async (device: string) =>
        cofactor('train', 'ratings.csv', '--out', device, '--device', device);
      const { devices } = await json('doctor');
      if (devices[1].usable) {
        expect((await train('auto')).stderr).toBe('');
        return;
      }
      expect(await train('auto')).toMatchObject({
        code: 0,
        stderr: 'Running on the CPU: no GPU is available; `npx cofactor doctor` says why\n',
      });
      expect(await train('cpu')).toMatchObject({ code: 0, stderr: '' });
      expect((await bytes('auto')).equals(await bytes('cpu'))).toBe(true);
    });
  },
);

test('every command that runs models refuses cuda in one line where it is not available', async () => {
  const { devices } = await json('doctor');
  const [, { usable, reason }] = devices;
  await text('train', 'ratings.csv', '--out', 'model');
  const commands = [
    ['train', 'ratings.csv', '--out', 'gpu'],
    ['evaluate', 'model', 'ratings.csv'],
    ['predict', 'model', '--user', 'u1', '--item', 'i1'],
    ['recommend', 'model', '--user', 'u1'],
    ['similar', 'model', '--item', 'i1'],
    ['batch', 'model', '--out', 'top.csv'],
    ...(usable ? [] : [['serve', 'model', '--port', '0']]),
  ];
  for (const command of commands) {
    if (usable) expect(await cofactor(...command, '--device', 'cuda')).toMatchObject({ code: 0, stderr: '' });
    else
      expect(await failure(...command, '--device', 'cuda')).toContain(
        `device cuda is not available: ${reason}`,
      );
  }
  expect(existsSync(at('top.csv'))).toBe(usable);
});

test('on WebGPU models train, predict and recommend as on the CPU', async ({ skip }) => {
  if (!existsSync(SOFTWARE)) skip('there is no Chromium, whose Vulkan driver this takes');
  await withDriver(SOFTWARE, async () => {
    const { devices } = await json('doctor');
    if (!devices[2].usable) skip(`Chromium’s Vulkan driver does not do: ${devices[2].reason}`);
    const answer = async (...args: string[]) => {
      const { code, stdout } = await cofactor(...args, '--json');
      expect(code).toBe(0);
      return JSON.parse(stdout);
    };
    const train = (device: string) =>
      answer('train', 'ratings.csv', '--out', `on-${device}`, '--epochs', '2', '--device', device);
    const { train: there } = await train('webgpu');
    const { train: here } = await train('cpu');
    expect(there.rmse).toBeCloseTo(here.rmse, 4);
    const ask = (device: string) =>
      answer('recommend', 'on-cpu', '--user', 'u1', '-k', '3', '--device', device);
    const [gpu, cpu] = [await ask('webgpu'), await ask('cpu')];
    for (const [index, { rating }] of cpu.entries()) expect(gpu[index].rating).toBeCloseTo(rating, 4);
    expect(await failure('serve', 'on-cpu', '--port', '0', '--device', 'webgpu', '--workers', '2')).toBe(
      'cofactor: device webgpu runs in one worker alone, not in 2; give workers 1',
    );
  });
});

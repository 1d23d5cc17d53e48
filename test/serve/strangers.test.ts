import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { writeArtifact } from '../../src/artifact/artifact.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import {
  add,
  buildModel,
  cast,
  concat,
  constant,
  encodeModel,
  gather,
  initializer,
  input,
  labelEncoder,
  loop,
  matmul,
  mul,
  reduceSum,
  topK,
  unsqueeze,
  type Value,
} from '../../src/onnx/index.ts';
import { load } from '../../src/recommend/load.ts';
import { serve } from '../../src/serve/serve.ts';
import { tryOutInProcess } from '../../src/serve/trial.ts';
import { program, ratingsCsv, runHere } from '../support/cli.ts';
import { temporaryFolder, userError } from '../support/files.ts';
import { withLimits } from '../support/limits.ts';
import { smallModel } from '../support/served.ts';
import { sha256 } from '../support/sha256.ts';
import { withTableIn } from './hostile-models.ts';

withLimits({ refreshInterval: 50 });

const folder = temporaryFolder();
let artifact: Artifact;
beforeAll(async () => {
  artifact = await smallModel(await folder.write('ratings.csv', ratingsCsv()));
});

/** A folder whose `predict.onnx` is another file, and whose manifest agrees. */
async function modelWith(name: string, bytes: Uint8Array): Promise<string> {
  const directory = join(folder.path, name);
  const { files, ...manifest } = artifact.manifest;
  const entry = { bytes: bytes.length, sha256: sha256(bytes) };
  await writeArtifact(directory, {
    files: { ...artifact.files, 'predict.onnx': bytes },
    manifest: { ...manifest, files: { ...files, 'predict.onnx': entry } },
  });
  return directory;
}

/** A `predict.onnx` that computes something beside its rating. */
function predicting(more: (row: Value) => Value): Uint8Array {
  const [user, item] = ['user', 'item'].map((name) => input(name, 'string', ['n']));
  const row = cast(
    add(labelEncoder(user, ['u0'], 'user_row'), labelEncoder(item, ['i0'], 'item_row')),
    'float',
  );
  const rating = add(row, mul(reduceSum(more(row)), 0));
  return encodeModel(buildModel({ name: 'strange', inputs: [user, item], outputs: { rating } }));
}

const hungry = (): Uint8Array =>
  predicting((row) => {
    let large = reduceSum(row, { keepDims: true });
    for (let times = 0; times < 28; times++) large = concat([large, large], 0);
    return large;
  });

const busy = (): Uint8Array =>
  predicting((row) => {
    const table = initializer('table', 'float', [400, 400], new Float32Array(400 * 400).fill(1e-3));
    const start = add(initializer('start', 'float', [400, 400], new Float32Array(400 * 400)), reduceSum(row));
    const { state } = loop(constant(10_000, 'int64'), [start], (_, [x]) => ({
      state: [matmul(x, table)],
      scan: [],
    }));
    return state[0];
  });

const hungryOfRows = (): Uint8Array =>
  predicting((row) => {
    const square = matmul(unsqueeze(row, [1]), unsqueeze(row, [0]));
    return reduceSum(concat(Array<Value>(16).fill(square), 1));
  });

test('a model with a tensor in another file is refused by every way to open it', async () => {
  const directory = await modelWith('external', withTableIn(artifact.files['predict.onnx'], 'package.json'));
  const message =
    /predict.onnx: is not an ONNX model that cofactor makes: the initializer has its numbers in another file \(external data\); train the model again, or give `trust` if you made the file yourself$/;
  expect(await userError(load(directory, { heads: ['predict'] }))).toMatch(message);
  expect(await userError(load(directory))).toMatch(message);
  expect(await userError(serve(directory, { port: 0 }))).toMatch(message);
  const { code, stderr } = await runHere(folder.path, [
    'predict',
    'external',
    '--user',
    'u1',
    '--item',
    'i1',
  ]);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(
      /^cofactor: predict.onnx: .*, or give --trust if you made the file yourself\n$/,
    ),
  });
});

test('a model of one’s own may have more, and be linked, with trust', async () => {
  const long = predicting((row) => {
    const { state } = loop(constant(20_000, 'int64'), [row], (_, [x]) => ({ state: [add(x, 1)], scan: [] }));
    return state[0];
  });
  const directory = await modelWith('own', long);
  await rename(join(directory, 'predict.onnx'), join(folder.path, 'own.onnx'));
  await symlink(join(folder.path, 'own.onnx'), join(directory, 'predict.onnx'));
  expect(await userError(load(directory))).toMatch(/predict.onnx: is a link/);
  expect(await (await load(directory, { trust: true })).predict('u0', 'i0')).toBe(0);
  const ask = ['predict', 'own', '--user', 'u0', '--item', 'i0'];
  expect(await runHere(folder.path, [...ask, '--trust'])).toMatchObject({ code: 0, stdout: '0\n' });
  expect(await userError(serve(directory, { port: 0 }))).toMatch(/predict.onnx: is a link/);
  const server = await serve(directory, { port: 0, trust: true, logLevel: 'silent' });
  expect((await fetch(`${server.url}/v2/health/ready`)).status).toBe(200);
  await server.close();
});

test.each([
  [
    'memory',
    hungry,
    /memory: the model was tried, and it took more memory than \d+ MB; train it again, or give `trust`/,
  ],
  [
    'memory for many rows',
    hungryOfRows,
    /rows: the model was tried, and it took more memory than \d+ MB; train it again, or give `trust`/,
  ],
  ['time', busy, /time: the model was tried, and it took more than \d s; train it again, or give `trust`/],
] as const)(
  'a model that takes too much %s is refused, and only its trial ends',
  async (name, make, message) => {
    const directory = await modelWith(name, make());
    const { signal } = new AbortController();
    expect(await userError(tryOutInProcess(directory, { signal }))).toMatch(message);
    expect(await userError(serve(directory, { port: 0, logLevel: 'silent' }))).toMatch(message);
  },
);

test('a model that dies of an empty request dies in its trial', async () => {
  const directory = await modelWith(
    'empty',
    predicting((row) => {
      const table = initializer('table', 'float', [30, 2], new Float32Array(60));
      return topK(gather(table, cast(row, 'int64')), constant([1], 'int64'), 'k').values;
    }),
  );
  const { signal } = new AbortController();
  expect(await userError(tryOutInProcess(directory, { signal }))).toMatch(
    /empty: the process that tried the model ended \(\w+\)/,
  );
});

test('pipes in a folder hold up neither the start, nor a reload, nor the end', async () => {
  const directory = join(folder.path, 'piped');
  await writeArtifact(directory, artifact);
  const server = await serve(directory, { port: 0, logLevel: 'silent' });
  const refusals = async (): Promise<boolean> =>
    /cofactor_reloads_total\{model="piped",result="refused"\} [1-9]/.test(
      await (await fetch(`${server.url}/metrics`)).text(),
    );
  for (const name of await readdir(directory)) {
    await rm(join(directory, name), { recursive: true });
    execFileSync('mkfifo', [join(directory, name)]);
  }
  await rm(join(directory, '.cofactor'));
  await mkdir(join(directory, '.cofactor'));
  execFileSync('mkfifo', [join(directory, '.cofactor/pending')]);
  await expect.poll(refusals).toBe(true);
  expect(await userError(serve(directory, { port: 0 }))).toMatch(/manifest.json: is a pipe or a device/);
  const start = performance.now();
  await server.close();
  expect(performance.now() - start).toBeLessThan(5000);
});

test('a server that ends while it tries a model leaves no process', async () => {
  const directory = await modelWith('endless', busy());
  const server = spawn(process.execPath, [program, 'serve', directory, '--port', '0'], { stdio: 'ignore' });
  /** Seconds on processors, the last that were seen. */
  let spent = 0;
  const trials = async (): Promise<number> => {
    let count = 0;
    for (const pid of await readdir('/proc')) {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (!command.includes('trial-process.js') || !command.includes(directory)) continue;
      const numbers = (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')).split(' ');
      spent = (Number(numbers[13]) + Number(numbers[14])) / 100 || spent;
      count++;
    }
    return count;
  };
  await expect.poll(trials).toBe(1);
  await setTimeout(300);
  server.kill('SIGTERM');
  await once(server, 'exit');
  await expect.poll(trials, { interval: 20 }).toBe(0);
  // It did not end because its guard ends it after 4 s.
  expect(spent).toBeLessThan(3);
});

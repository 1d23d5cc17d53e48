import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeArtifact } from '../../src/artifact/artifact.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import {
  add,
  buildModel,
  cast,
  constant,
  encodeModel,
  gather,
  initializer,
  input,
  labelEncoder,
  reduceSum,
  slice,
  topK,
} from '../../src/onnx/index.ts';
import { type Server, serve } from '../../src/serve/serve.ts';
import { tryOutInProcess } from '../../src/serve/trial.ts';
import { ratingsCsv } from '../support/cli.ts';
import { temporaryFolder, userError } from '../support/files.ts';
import { withLimits } from '../support/limits.ts';
import { smallModel } from '../support/served.ts';
import { sha256 } from '../support/sha256.ts';

withLimits({ refreshInterval: 100 });

const folder = temporaryFolder();
/** Two models that answer differently. */
let artifacts: Artifact[];
let directory: string;
let server: Server;

beforeAll(async () => {
  const ratings = await folder.write('ratings.csv', ratingsCsv());
  artifacts = [await smallModel(ratings), await smallModel(ratings, { model: 'mlp', hidden: [8] })];
  directory = join(folder.path, 'movies');
  await writeArtifact(directory, artifacts[0]);
  server = await serve([directory], { port: 0, workers: 1, logLevel: 'silent' });
});
afterAll(() => server?.close());

const predict = async () => {
  const user = { name: 'user', shape: [1], datatype: 'BYTES', data: ['u1'] };
  const response = await fetch(`${server.url}/v2/models/movies.predict/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [user, { ...user, name: 'item', data: ['i1'] }] }),
  });
  const { model_version, outputs, error } = JSON.parse(await response.text());
  return { status: response.status, version: Number(model_version), rating: outputs?.[0].data[0], error };
};

/** How many artifacts that came were taken, and how many refused. */
async function reloads(): Promise<{ taken: number; refused: number }> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const count = (result: string) => {
    const line = new RegExp(`^cofactor_reloads_total\\{model="movies",result="${result}"\\} (\\d+)`, 'm');
    return Number(line.exec(text)?.[1] ?? 0);
  };
  return { taken: count('taken'), refused: count('refused') };
}

/** Does something to the folder, and waits until the server has taken or refused what it finds there. */
async function expectResult(result: 'taken' | 'refused', change: () => Promise<unknown>): Promise<void> {
  const before = await reloads();
  await change();
  await expect.poll(async () => (await reloads())[result], { interval: 50 }).toBeGreaterThan(before[result]);
}

test('a new artifact replaces the old one without a failed request, several times', async () => {
  let written = false;
  const seen = new Map<number, number>();
  const client = async () => {
    while (!written) {
      const { status, version, rating, error } = await predict();
      expect({ status, error }).toEqual({ status: 200, error: undefined });
      // One version always gives one answer: none is a mixture.
      expect(seen.get(version) ?? rating).toBe(rating);
      seen.set(version, rating);
    }
  };
  const clients = Promise.all(Array.from({ length: 8 }, client));
  for (const [index, artifact] of [artifacts[1], artifacts[0], artifacts[1]].entries()) {
    await expect.poll(() => seen.size).toBe(index + 1);
    await expectResult('taken', () => writeArtifact(directory, artifact));
  }
  await expect.poll(() => seen.size).toBe(4);
  written = true;
  await clients;
  expect([...seen.keys()]).toEqual([1, 2, 3, 4]);
  expect(seen.get(1)).toBe(seen.get(3));
  expect(seen.get(2)).toBe(seen.get(4));
  expect(seen.get(1)).not.toBe(seen.get(2));
  const { versions } = JSON.parse(await (await fetch(`${server.url}/v2/models/movies.similar`)).text());
  expect(versions).toEqual(['4']);
});

/** Takes the place of `predict.onnx`, and the manifest is made to agree. */
async function replacePredict(bytes: Uint8Array, folder = directory): Promise<void> {
  const { files, ...manifest } = artifacts[1].manifest;
  const agreed = { ...files, 'predict.onnx': { bytes: bytes.length, sha256: sha256(bytes) } };
  await writeFile(join(folder, 'predict.onnx'), bytes);
  await writeFile(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, files: agreed }));
}

/** A file that ends the process which asks it: ONNX Runtime's TopK divides by the number of rows, of which there are none. */
function deadly(): Uint8Array {
  const [user, item] = ['user', 'item'].map((name) => input(name, 'string', ['n']));
  const row = cast(
    add(labelEncoder(user, ['u0'], 'user_row'), labelEncoder(item, ['i0'], 'item_row')),
    'float',
  );
  const nothing = slice(labelEncoder(user, ['u0'], 'nothing'), 0, 0, { dim: 'none' });
  const none = gather(initializer('table', 'float', [1, 2], Float32Array.of(1, 2)), nothing);
  const rating = add(row, reduceSum(topK(none, constant([1], 'int64'), 'k').values));
  return encodeModel(buildModel({ name: 'deadly', inputs: [user, item], outputs: { rating } }));
}

test('a broken artifact is refused, and the old one is still served', async () => {
  const before = await predict();
  const good = artifacts[1].files['predict.onnx'];
  const manifest = await readFile(join(directory, 'manifest.json'));
  const changed = Buffer.from(good);
  changed[changed.length >> 1] ^= 1;
  for (const change of [
    () => writeFile(join(directory, 'predict.onnx'), changed),
    () => replacePredict(Buffer.from('no model')),
    () => replacePredict(deadly()),
    () => writeFile(join(directory, 'manifest.json'), '{'),
    () => rm(join(directory, 'manifest.json')),
  ]) {
    await expectResult('refused', change);
    expect(await predict()).toEqual(before);
  }
  // What was served comes back, and nothing changes.
  const counts = await reloads();
  await writeFile(join(directory, 'predict.onnx'), good);
  // In one step, so that no half of it is seen.
  await writeFile(join(folder.path, 'manifest.json'), manifest);
  await rename(join(folder.path, 'manifest.json'), join(directory, 'manifest.json'));
  await setTimeout(500);
  expect([await predict(), await reloads()]).toEqual([before, counts]);
  await expectResult('taken', () => writeArtifact(directory, artifacts[0]));
  expect((await predict()).version).toBe(before.version + 1);
});

test('a model that crashes ends only the process that tries it', async () => {
  const place = join(folder.path, 'deadly');
  await writeArtifact(place, artifacts[1]);
  await replacePredict(deadly(), place);
  const message = await userError(tryOutInProcess(place, { signal: new AbortController().signal }));
  expect(message).toMatch(/deadly: the process that tried the model ended \(\w+\)/);
});

test('a model is served while its folder is away', async () => {
  const before = await predict();
  const away = join(folder.path, 'away');
  await expectResult('refused', () => rename(directory, away));
  expect(await predict()).toEqual(before);
  await rename(away, directory);
  await expectResult('taken', () => writeArtifact(directory, artifacts[1]));
  expect((await predict()).version).toBe(before.version + 1);
});

test('folders without a model, and two of the same name, are refused at the start', async () => {
  const other = join(folder.path, 'other', 'movies');
  await mkdir(other, { recursive: true });
  expect(await userError(serve([directory, other]))).toMatch(/both would have the name movies/);
  expect(await userError(serve([]))).toMatch(/^the folders are \[\]; give a path, or a list of paths$/);
  expect(await userError(serve(other))).toMatch(/no manifest.json/);
  expect(await userError(serve([other]))).toMatch(/no manifest.json/);
  expect(await userError(serve([join(folder.path, 'none')]))).toMatch(/no such folder/);
});

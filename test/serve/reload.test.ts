import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { mlp } from '../../graphs/mlp.ts';
import { type Artifact, sha256, writeArtifact } from '../../src/artifact/artifact.ts';
import { type Server, serve } from '../../src/serve/serve.ts';
import { ratingsCsv } from '../cli/cli.ts';
import { temporaryFolder, userError } from '../data/files.ts';
import { smallModel } from './served.ts';

vi.mock('../../src/serve/limits.ts', async (original) => {
  const { LIMITS } = await original<typeof import('../../src/serve/limits.ts')>();
  return { LIMITS: { ...LIMITS, refreshInterval: 100 } };
});

const folder = temporaryFolder();
/** Two models that answer differently. */
let artifacts: Artifact[];
let directory: string;
let server: Server;

beforeAll(async () => {
  const ratings = await folder.write('ratings.csv', ratingsCsv());
  artifacts = [
    (await smallModel(ratings)).artifact,
    (await smallModel(ratings, mlp({ factors: 4, hidden: [8] }))).artifact,
  ];
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

/** Waits until the server has looked at the folder, twice. */
const looked = () => setTimeout(400);

async function reloads(result: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(
    new RegExp(`^cofactor_reloads_total\\{model="movies",result="${result}"\\} (\\d+)`, 'm').exec(
      text,
    )?.[1] ?? 0,
  );
}

test('a new artifact is taken up without a failed request, time after time', async () => {
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
  for (const artifact of [artifacts[1], artifacts[0], artifacts[1]]) {
    await setTimeout(300);
    await writeArtifact(directory, artifact);
    await setTimeout(700);
  }
  written = true;
  await clients;
  expect([...seen.keys()]).toEqual([1, 2, 3, 4]);
  expect(seen.get(1)).toBe(seen.get(3));
  expect(seen.get(2)).toBe(seen.get(4));
  expect(seen.get(1)).not.toBe(seen.get(2));
  expect(await reloads('taken')).toBe(3);
  expect(JSON.parse(await (await fetch(`${server.url}/v2/models/movies.similar`)).text()).versions).toEqual([
    '4',
  ]);
});

test('a broken one is refused once, and the old one goes on', async () => {
  const before = await predict();
  const manifest = await readFile(join(directory, 'manifest.json'));
  const good = await readFile(join(directory, 'predict.onnx'));
  const broken = Buffer.from(good);
  broken[broken.length >> 1] ^= 1;
  await writeFile(join(directory, 'predict.onnx'), broken);
  await looked();
  expect(await predict()).toEqual(before);
  expect(await reloads('refused')).toBe(1);
  // Of the right hash, and no model.
  const files = {
    ...JSON.parse(manifest.toString()).files,
    'predict.onnx': { bytes: 3, sha256: sha256(Buffer.from('no!')) },
  };
  await writeFile(join(directory, 'predict.onnx'), 'no!');
  await writeFile(
    join(directory, 'manifest.json'),
    JSON.stringify({ ...JSON.parse(manifest.toString()), files }),
  );
  await looked();
  expect(await predict()).toEqual(before);
  expect(await reloads('refused')).toBe(2);
  await writeFile(join(directory, 'manifest.json'), '{');
  await looked();
  await rm(join(directory, 'manifest.json'));
  await looked();
  expect(await predict()).toEqual(before);
  expect(await reloads('refused')).toBe(4);
  // What was served comes back, and nothing changes.
  await writeFile(join(directory, 'predict.onnx'), good);
  await writeFile(join(directory, 'manifest.json'), manifest);
  await looked();
  expect(await predict()).toEqual(before);
  expect([await reloads('refused'), await reloads('taken')]).toEqual([4, 3]);
});

test('a folder that goes away and comes back is served all the while', async () => {
  const before = await predict();
  const away = join(folder.path, 'away');
  await rename(directory, away);
  await looked();
  expect(await predict()).toEqual(before);
  await rename(away, directory);
  await writeArtifact(directory, artifacts[0]);
  await looked();
  expect((await predict()).version).toBe(before.version + 1);
});

test('what is no model, or of the name of another, is refused at the start', async () => {
  const other = join(folder.path, 'other', 'movies');
  await mkdir(other, { recursive: true });
  expect(await userError(serve([directory, other]))).toMatch(/both would be called movies/);
  expect(await userError(serve([]))).toMatch(/at least one folder/);
  expect(await userError(serve([other]))).toMatch(/no manifest.json/);
  expect(await userError(serve([join(folder.path, 'none')]))).toMatch(/no manifest.json/);
});

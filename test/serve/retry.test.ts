import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeArtifact } from '../../src/artifact/artifact.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { UserError } from '../../src/errors.ts';
import { type WorkerRuntime, workerRuntime } from '../../src/run/worker.ts';
import { ServedModel } from '../../src/serve/models.ts';
import { serve } from '../../src/serve/serve.ts';
import { ratingsCsv } from '../support/cli.ts';
import { temporaryFolder } from '../support/files.ts';
import { withLimits } from '../support/limits.ts';
import { smallModel } from '../support/served.ts';

withLimits({ refreshInterval: 20, mostRetryDelay: 200 });

const folder = temporaryFolder();
let artifacts: Artifact[];
let runtime: WorkerRuntime;
beforeAll(async () => {
  const ratings = await folder.write('ratings.csv', ratingsCsv());
  artifacts = [await smallModel(ratings), await smallModel(ratings, { seed: 2 })];
  runtime = await workerRuntime({ workers: 1 });
});
afterAll(() => runtime?.close());

/** A served folder with a second artifact in it, which is good, but whose trial fails as long as there is a reason. */
async function withReason(name: string) {
  const directory = join(folder.path, name);
  await writeArtifact(directory, artifacts[0]);
  const trial = { reason: '', count: 0 };
  const tryOut = async () => {
    trial.count++;
    if (trial.reason) throw new UserError('model', `${directory}: ${trial.reason}`);
    const { manifest } = artifacts[trial.count > 1 ? 1 : 0];
    return JSON.stringify(manifest);
  };
  const served = await ServedModel.open(directory, { runtime, tryOut });
  trial.count = 1;
  trial.reason = 'the process that tried the model was killed';
  await writeArtifact(directory, artifacts[1]);
  return { directory, served, trial };
}

test('an artifact that is refused for a reason that passes is taken later', async () => {
  const { served, trial } = await withReason('passing');
  expect(await served.refresh()).toMatchObject({ refused: expect.stringMatching(/was killed/) });
  expect(served.refused).toMatchObject({
    reason: 'passing: the process that tried the model was killed',
    tries: 1,
  });
  // It is said once.
  await expect.poll(() => served.refresh().then(() => served.refused?.tries), { interval: 5 }).toBe(3);
  trial.reason = '';
  await expect.poll(() => served.refresh(), { interval: 5 }).toBe('taken');
  expect(served.refused).toBeUndefined();
  expect(served.current.version).toBe(2);
});

test('it is tried less and less often', async () => {
  const { served, trial } = await withReason('often');
  const delays: number[] = [];
  while (delays.length < 6) {
    const before = trial.count;
    const outcome = await served.refresh();
    if (trial.count === before) continue;
    expect(outcome === undefined).toBe(delays.length > 0);
    delays.push((served.refused?.next.getTime() ?? 0) - Date.now());
  }
  for (const [index, delay] of delays.entries())
    expect(delay).toBeLessThanOrEqual(Math.min(200, 20 * 2 ** index));
  expect(delays[5]).toBeGreaterThan(100);
});

test('a change of permissions is a reason to try at once', async () => {
  const { directory, served, trial } = await withReason('mode');
  await expect.poll(() => served.refresh().then(() => served.refused?.tries), { interval: 5 }).toBe(4);
  trial.reason = '';
  await chmod(join(directory, 'predict.onnx'), 0o640);
  expect(await served.refresh()).toBe('taken');
});

test('what is served, and what is refused and why, is said', async () => {
  const directory = join(folder.path, 'movies');
  await writeArtifact(directory, artifacts[0]);
  const server = await serve([directory], { port: 0, workers: 1, logLevel: 'silent', page: false });
  const status = async () => (await fetch(`${server.url}/status`)).json();
  const metrics = async () => (await fetch(`${server.url}/metrics`)).text();
  expect(await status()).toMatchObject({
    version: expect.any(String),
    models: [{ name: 'movies', version: 1, since: expect.stringMatching(/^\d{4}-.*Z$/), refused: null }],
  });
  expect(await metrics()).toMatch(/^cofactor_model_version\{model="movies"\} 1$/m);
  expect(await metrics()).not.toMatch(/^cofactor_model_refused\{/m);
  await folder.write('movies/predict.onnx', 'no model');
  await expect.poll(status).toMatchObject({
    models: [
      {
        version: 1,
        refused: {
          reason: expect.stringMatching(/^movies\/predict\.onnx: has 8 of the/),
          next: expect.any(String),
        },
      },
    ],
  });
  expect(await metrics()).toMatch(
    /^cofactor_model_refused\{model="movies",reason="movies\/predict\.onnx: .*"\} \d+$/m,
  );
  const page = await (await fetch(`${server.url}/status`, { headers: { accept: 'text/html' } })).text();
  expect(page).toMatch(
    /A newer model in the folder is refused, for \d+ \w+ now: movies\/predict\.onnx: has 8 of the .*\. It was tried \d+ times?; the next try is (due|in \d+ \w+)\./,
  );
  await rm(join(directory, 'predict.onnx'));
  await writeArtifact(directory, artifacts[1]);
  await expect.poll(status).toMatchObject({ models: [{ version: 2, refused: null }] });
  expect(await metrics()).not.toMatch(/^cofactor_model_refused\{/m);
  await server.close();
});

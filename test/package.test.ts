import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import { FORMAT } from '../src/artifact/format.ts';
import { VERSION } from '../src/version.ts';
import { ratingsCsv } from './support/cli.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');

let folder: string;
/** The files of the tarball. */
let packed: string[];
/** Why the tarball could not be installed, where it could not. */
let noInstall: string | undefined;

const inFolder = (command: string, ...args: string[]) =>
  run(command, args, {
    cwd: folder,
    // As .npmrc of this project says: the install script would fetch GPU libraries from elsewhere.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    maxBuffer: 64 << 20,
  });

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'cofactor-package-')));
  // Not to build again under the feet of other tests: `test/build.ts` has built.
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
  });
  const [{ filename, files }] = JSON.parse(stdout);
  packed = files.map(({ path }: { path: string }) => path);
  await writeFile(join(folder, 'package.json'), '{"private": true}');
  await writeFile(join(folder, 'ratings.csv'), ratingsCsv());
  await inFolder('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', `./${filename}`).catch(
    (error) => {
      if (!/ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|network/.test(error.stderr)) throw error;
      noInstall = 'no network: npm cannot install the dependencies of the tarball';
    },
  );
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the tarball holds what is built, the notices, and no data', async () => {
  const places = new Set(
    packed.map((path) =>
      path
        .replace(/^(dist\/(?:page\/assets|standalone|types)\/).*/, '$1')
        .replace(/-[A-Z0-9]{8}\.js$/, '-HASH.js'),
    ),
  );
  expect([...places].sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist/THIRD-PARTY',
    'dist/app-HASH.js',
    'dist/chunk-HASH.js',
    'dist/cli.js',
    'dist/compare-HASH.js',
    'dist/cross-validate-HASH.js',
    'dist/device-trial.js',
    'dist/engine-HASH.js',
    'dist/index.js',
    'dist/metrics-HASH.js',
    'dist/onnx.js',
    'dist/page/THIRD-PARTY.txt',
    'dist/page/assets/',
    'dist/page/index.html',
    'dist/page/service-worker.js',
    'dist/report.js',
    'dist/serve.js',
    'dist/standalone/',
    'dist/trial-process.js',
    'dist/trial-thread.js',
    'dist/types/',
    'dist/web-worker.js',
    'dist/web.js',
    'dist/worker-thread.js',
    'package.json',
    'scripts/python/train_anywhere.py',
    'scripts/python/onnxruntime_training.py',
    'scripts/python/train.py',
  ]);
  const notices = await readFile(join(root, 'dist/THIRD-PARTY'), 'utf8');
  expect(notices).toMatch(/onnx-proto\n\nCopyright 2017 Christoph Koerner\n\nPermission is hereby granted/);
});

const needsInstall = (name: string, body: () => Promise<void>) =>
  test(name, async (context: TestContext) => {
    if (noInstall) context.skip(noInstall);
    await body();
  });

needsInstall('npx cofactor trains and predicts', async () => {
  const trained = await inFolder('npx', 'cofactor', 'train', 'ratings.csv', '--out', 'model', '--json');
  expect(JSON.parse(trained.stdout)).toMatchObject({ out: 'model', ratings: 360 });
  const { stdout } = await inFolder('npx', 'cofactor', 'predict', 'model', '--user', 'u1', '--item', 'i1');
  expect(Number(stdout)).toBeGreaterThan(0);
});

needsInstall('npx cofactor serves', async () => {
  const server = spawn('npx', ['cofactor', 'serve', 'model', '--port', '0'], { cwd: folder, detached: true });
  try {
    const [line] = await once(server.stdout, 'data');
    const [url] = /http:\S+(?=:\s)/.exec(line) as RegExpExecArray;
    expect(await (await fetch(`${url}/recommend/u1`)).json()).toMatchObject({ user: 'u1', known: true });
  } finally {
    process.kill(-(server.pid as number), 'SIGTERM');
  }
});

needsInstall('a program imports it', async () => {
  await writeFile(
    join(folder, 'program.mjs'),
    `import { readRatings, train } from 'cofactor';
     const { ratings } = await readRatings('ratings.csv');
     const fitted = await train(ratings, { factors: 2, epochs: 1 });
     await fitted.save('saved');
     const recommender = await fitted.recommender();
     console.log((await recommender.predict(['u1'], ['i1'])).length);`,
  );
  expect(await inFolder(process.execPath, 'program.mjs')).toEqual({ stdout: '1\n', stderr: '' });
  expect(JSON.parse(await readFile(join(folder, 'saved/manifest.json'), 'utf8'))).toMatchObject({
    format: FORMAT,
  });
});

needsInstall('a strict TypeScript program type checks against it, its libraries included', async () => {
  await writeFile(
    join(folder, 'program.mts'),
    `import { dotBias, type ModelDefinition, type Ratings, type Recipe, readRatings, scaledSigmoid, train, UserError } from 'cofactor';
     import { gather } from 'cofactor/onnx';
     import { report } from 'cofactor/report';
     import { type Server, serve } from 'cofactor/serve';
     const mine: ModelDefinition = ({ users }) => ({
       name: 'mine',
       config: {},
       parameters: { bias: { dims: [users], initial: { normal: 0.1 }, rowsOf: 'user' } },
       rating: ({ bias }, user) => scaledSigmoid(gather(bias, user), [0, 5]),
     });
     const { ratings, valid } = await readRatings('ratings.csv', { valid: 0.2 });
     const fitted = await train(ratings, { model: mine, epochs: 1 }, { valid });
     const rmse: number = fitted.metrics.train.rmse;
     const loss: number = (await fitted.artifact()).manifest.history[0].loss;
     const stored = await readRatings('ratings.csv', { store: { from: 100 } });
     await train(stored.ratings, { model: 'mlp', factors: [4, 2], optimizer: { name: 'adamw', beta2: 0.9 } });
     // @ts-expect-error a wrong type is seen, so the types are not any
     dotBias({ factors: 'many' });
     // @ts-expect-error of a recipe too
     const recipe: Recipe = { model: 'svd' };
     // @ts-expect-error ratings in a file are no Ratings
     const inMemory: Ratings = stored.ratings;
     // @ts-expect-error the same of a type from another package
     const predicted: string = await (await fitted.recommender()).predict([], []);
     const page: string = await report(await fitted.recommender());
     const server: Server = await serve(['movies']);
     export { page, server, inMemory, loss, predicted, recipe, rmse, UserError };`,
  );
  const strict = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'ES2022'];
  for (const [module, resolution] of [
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ]) {
    const flags = [...strict, '--module', module, '--moduleResolution', resolution];
    const { stdout } = await inFolder(process.execPath, tsc, ...flags, 'program.mts').catch((error) => error);
    expect(stdout, resolution).toBe('');
  }
});

test('the version is that of the package', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect(VERSION).toBe(version);
});

test('no dependency asks for a newer Node than the package does', async () => {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  /** The oldest major version of ranges such as `^20.19.0 || >=22`. */
  const oldest = (range: string) => Math.min(...range.split('||').map((one) => Number(/\d+/.exec(one))));
  const own = oldest(packages[''].engines.node);
  const newer = Object.entries<{ dev?: boolean; engines?: { node?: string } }>(packages).filter(
    ([, { dev, engines }]) => !dev && oldest(engines?.node ?? '0') > own,
  );
  expect(newer).toEqual([]);
});

needsInstall('there is one protobufjs, a current one', async () => {
  const { stdout } = await inFolder('npm', 'ls', 'protobufjs', '--all', '--parseable', '--long');
  const versions = stdout
    .trim()
    .split('\n')
    .map((line) => /protobufjs@([\d.]+)/.exec(line)?.[1]);
  expect(versions).toEqual([expect.stringMatching(/^([89]|\d\d)\./)]);
});

// The last: it installs another package.
needsInstall('the training API is an optional package, which the command line says how to get', async () => {
  const flags = ['train', 'ratings.csv', '--out', 'by-training-api', '--json', '--epochs', '1'];
  const training = (): Promise<{ stdout: string; stderr: string }> =>
    inFolder('npx', 'cofactor', ...flags, '--engine', 'ort-training');
  const { code, stdout, stderr } = await training().catch((error) => error);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  const told = /^cofactor: the package onnxruntime-training.* is not installed; npm (install \S+)$/m;
  expect(stderr).toMatch(told);
  const [, install = ''] = told.exec(stderr) ?? [];
  await inFolder('npm', ...install.split(' '), '--no-audit', '--no-fund', '--prefer-offline');
  expect(JSON.parse((await training()).stdout)).toMatchObject({ out: 'by-training-api', epochs: 1 });
});

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { FORMAT } from '../src/artifact/format.ts';
import { VERSION } from '../src/version.ts';
import { packedProject } from './support/packed.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');

const project = packedProject();
beforeAll(() => project.unpack());

const cofactor = (...args: string[]) =>
  project.run(process.execPath, 'node_modules/cofactor/dist/cli.js', ...args);

test('the tarball holds what is built, the notices, and no data', async () => {
  const places = new Set(
    project.files.map((path) =>
      path
        .replace(/^(dist\/(?:page\/assets|standalone|types)\/|docs\/).*/, '$1')
        .replace(/-[A-Z0-9]{8}\.js$/, '-HASH.js'),
    ),
  );
  expect([...places].sort()).toEqual([
    'ARCHITECTURE.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'LICENSE',
    'README.md',
    'SECURITY.md',
    'dist/THIRD-PARTY',
    'dist/app-HASH.js',
    'dist/chunk-HASH.js',
    'dist/cli.js',
    'dist/compare-HASH.js',
    'dist/cross-validate-HASH.js',
    'dist/device-trial.js',
    'dist/engine-HASH.js',
    'dist/guard-thread.js',
    'dist/index.js',
    'dist/item-item-HASH.js',
    'dist/metrics-HASH.js',
    'dist/onnx.js',
    'dist/page/THIRD-PARTY.txt',
    'dist/page/assets/',
    'dist/page/index.html',
    'dist/page/service-worker.js',
    'dist/program-HASH.js',
    'dist/read-thread.js',
    'dist/report.js',
    'dist/serve.js',
    'dist/standalone/',
    'dist/trial-process.js',
    'dist/trial-thread.js',
    'dist/types/',
    'dist/web-worker.js',
    'dist/web.js',
    'dist/worker-thread.js',
    'dist/zstd-HASH.js',
    'docs/',
    'package.json',
    'scripts/python/onnxruntime_training.py',
    'scripts/python/train.py',
    'scripts/python/train_anywhere.py',
    'scripts/python/train_ranking_anywhere.py',
  ]);
  const notices = await readFile(join(root, 'dist/THIRD-PARTY'), 'utf8');
  expect(notices).toMatch(/onnx-proto\n\nCopyright 2017 Christoph Koerner\n\nPermission is hereby granted/);
});

test('links between documents lead to files of the tarball', async () => {
  const missing: string[] = [];
  for (const path of project.files.filter((path) => path.endsWith('.md')))
    for (const [, linked, image] of (await readFile(join(root, path), 'utf8')).matchAll(
      /\]\(([^)#\s]+)|<img [^>]*src="([^"]+)"/g,
    )) {
      const link = linked ?? image;
      if (!/^(https?|mailto):/.test(link) && !project.files.includes(posix.join(posix.dirname(path), link)))
        missing.push(`${path}: ${link}`);
    }
  expect(missing).toEqual([]);
});

test('the command line trains and predicts', async () => {
  const { bin } = JSON.parse(
    await readFile(join(project.folder, 'node_modules/cofactor/package.json'), 'utf8'),
  );
  expect(bin).toEqual({ cofactor: 'dist/cli.js' });
  const trained = await cofactor('train', 'ratings.csv', '--out', 'model', '--json');
  expect(JSON.parse(trained.stdout)).toMatchObject({ out: 'model', ratings: 360 });
  const { stdout } = await cofactor('predict', 'model', '--user', 'u1', '--item', 'i1');
  expect(Number(stdout)).toBeGreaterThan(0);
});

test('a program imports it', async () => {
  await project.write(
    'program.mjs',
    `import { readRatings, train } from 'cofactor';
     const { ratings } = await readRatings('ratings.csv');
     const fitted = await train(ratings, { factors: 2, epochs: 1 });
     await fitted.save('saved');
     const recommender = await fitted.recommender();
     console.log((await recommender.predict(['u1'], ['i1'])).length);`,
  );
  expect(await project.run(process.execPath, 'program.mjs')).toEqual({ stdout: '1\n', stderr: '' });
  expect(JSON.parse(await readFile(join(project.folder, 'saved/manifest.json'), 'utf8'))).toMatchObject({
    format: FORMAT,
  });
});

test('a strict TypeScript program type checks against it, its libraries included', async () => {
  await project.write(
    'program.mts',
    `import { dotBias, evaluate, type ModelDefinition, type Ratings, type Recipe, readExclusions, readRatings, train, UserError } from 'cofactor';
     import { gather } from 'cofactor/onnx';
     import { report } from 'cofactor/report';
     import { type Server, serve } from 'cofactor/serve';
     const mine: ModelDefinition = ({ users }) => ({
       name: 'mine',
       config: {},
       parameters: { bias: { dims: [users], initial: { normal: 0.1 }, rowsOf: 'user' } },
       range: [0, 5],
       score: ({ bias }, user) => gather(bias, user),
     });
     const { ratings, valid } = await readRatings('ratings.csv', { valid: 0.2 });
     const fitted = await train(ratings, { model: mine, epochs: 1, seed: undefined }, { valid, signal: undefined });
     const { train: known, ...more }: { train?: Ratings; k?: number[] } = {};
     await evaluate(await fitted.recommender(), ratings, { train: known, ...more });
     await (await fitted.recommender()).recommend('u1', await readExclusions('owned.csv'));
     const rmse: number | undefined = fitted.metrics.train?.rmse;
     const ndcg: number | undefined = (await fitted.rankingOn(ratings))?.ndcg;
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
     export { page, server, inMemory, loss, ndcg, predicted, recipe, rmse, UserError };`,
  );
  const strict = [
    '--noEmit',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--skipLibCheck',
    'false',
    '--target',
    'ES2022',
  ];
  for (const [module, resolution] of [
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ]) {
    const flags = [...strict, '--module', module, '--moduleResolution', resolution];
    const { stdout } = await project
      .run(process.execPath, tsc, ...flags, 'program.mts')
      .catch((error) => error);
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

// The last, because it installs another package.
test('the training API is an optional package, which the command line says how to get', async () => {
  const flags = ['--out', 'by-training-api', '--json', '--epochs', '1', '--engine', 'ort-training'];
  const training = (): Promise<{ stdout: string; stderr: string }> =>
    cofactor('train', 'ratings.csv', ...flags);
  const { code, stdout, stderr } = await training().catch((error) => error);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^cofactor: the package onnxruntime-training.* is not installed; npm install onnxruntime-training@npm:\S+$/m,
  );
  await project.link('onnxruntime-training');
  expect(JSON.parse((await training()).stdout)).toMatchObject({ out: 'by-training-api', epochs: 1 });
});

test('a release has a bill of materials: what is installed with it, and what it bundles', async () => {
  const { stdout } = await execute(process.execPath, ['scripts/release.mjs', project.folder], {
    cwd: root,
    // As for the tarball above, nothing is built.
    env: { ...process.env, npm_config_ignore_scripts: 'true' },
  });
  const [tarball, path] = stdout.trim().split('\n');
  expect(tarball).toBe(project.tarball);
  const bill = JSON.parse(await readFile(path, 'utf8'));
  const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect(bill).toMatchObject({
    bomFormat: 'CycloneDX',
    metadata: { component: { name: 'cofactor', version: VERSION } },
  });
  const names: string[] = bill.components.map(({ name }: { name: string }) => name);
  expect(names).toEqual(
    expect.arrayContaining([...Object.keys(dependencies), 'zrender', 'preact', 'onnx-proto']),
  );
  for (const tool of ['vitest', 'typescript', 'esbuild']) expect(names).not.toContain(tool);
  const refs = [bill.metadata.component, ...bill.components].map((component) => component['bom-ref']);
  for (const { ref, dependsOn } of bill.dependencies)
    expect(refs).toEqual(expect.arrayContaining([ref, ...dependsOn]));
});

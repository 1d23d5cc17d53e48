import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { beforeAll, expect, type TestContext, test } from 'vitest';
import { fetchProgram } from '../support/fetched.ts';
import { packedProject } from '../support/packed.ts';

const project = packedProject();
/** Why the package could not be installed, where it could not. */
let noInstall: string | undefined;
/** What npm says of what it installs. */
let warnings: string;

/** Trains, saves, loads and recommends. Prints what came out as JSON. */
const program = `
  const { ratings } = await readRatings('ratings.csv');
  const fitted = await train(ratings, { factors: 2, epochs: 1 });
  await fitted.save('saved');
  const recommender = await load('saved');
  const rating = await recommender.predict('u1', 'i1');
  const recommended = await recommender.recommend('u1', { k: 3 });
  console.log(JSON.stringify({ rating, items: recommended.map(({ item }) => item) }));`;

beforeAll(async () => {
  await project.write('program.mjs', `import { load, readRatings, train } from 'cofactor';${program}`);
  await project.write(
    'program.cjs',
    `const { load, readRatings, train } = require('cofactor'); (async () => {${program}})();`,
  );
  const flags = ['--no-audit', '--no-fund', '--prefer-offline'];
  try {
    warnings = (await project.run('npm', 'install', ...flags, project.tarball)).stderr;
  } catch (error) {
    if (!/ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|network/.test((error as { stderr: string }).stderr))
      throw error;
    noInstall = 'no network: npm cannot install the dependencies of the tarball';
  }
});

const needsInstall = (name: string, body: (context: TestContext) => Promise<void>) =>
  test(name, async (context) => {
    if (noInstall) context.skip(noInstall);
    await body(context);
  });

needsInstall('all packages run on this Node', async () => {
  expect(warnings).not.toContain('EBADENGINE');
});

needsInstall('npx cofactor trains and predicts', async () => {
  const trained = await project.run('npx', 'cofactor', 'train', 'ratings.csv', '--out', 'model', '--json');
  expect(JSON.parse(trained.stdout)).toMatchObject({ out: 'model', ratings: 360 });
  const { stdout } = await project.run('npx', 'cofactor', 'predict', 'model', '--user', 'u1', '--item', 'i1');
  expect(Number(stdout)).toBeGreaterThan(0);
});

needsInstall('npx cofactor serves', async () => {
  const server = spawn('npx', ['cofactor', 'serve', 'model', '--port', '0'], {
    cwd: project.folder,
    detached: true,
  });
  try {
    const [line] = await once(server.stdout, 'data');
    const [url] = /http:\S+(?=:\s)/.exec(line) as RegExpExecArray;
    expect(await (await fetch(`${url}/recommend/u1`)).json()).toMatchObject({ user: 'u1', known: true });
  } finally {
    process.kill(-(server.pid as number), 'SIGTERM');
  }
});

needsInstall('there is one protobufjs, a current one', async () => {
  const { stdout } = await project.run('npm', 'ls', 'protobufjs', '--all', '--parseable', '--long');
  const versions = stdout
    .trim()
    .split('\n')
    .map((line) => /protobufjs@([\d.]+)/.exec(line)?.[1]);
  expect(versions).toEqual([expect.stringMatching(/^([89]|\d\d)\./)]);
});

needsInstall('the training API is installed by the command that the command line names', async () => {
  const flags = ['--out', 'by-training-api', '--json', '--epochs', '1', '--engine', 'ort-training'];
  const training = (): Promise<{ stdout: string; stderr: string }> =>
    project.run('npx', 'cofactor', 'train', 'ratings.csv', ...flags);
  const { stderr } = await training().catch((error) => error);
  const [, command = ''] = /^cofactor: .* is not installed; npm (install \S+)$/m.exec(stderr) ?? [];
  await project.run('npm', ...command.split(' '), '--no-audit', '--no-fund', '--prefer-offline');
  expect(JSON.parse((await training()).stdout)).toMatchObject({ out: 'by-training-api', epochs: 1 });
});

const { engines } = JSON.parse(await readFile('package.json', 'utf8'));
/** The oldest version of each range that the package allows, and the newest there is. */
const versions: string[] = [
  ...Array.from(engines.node.matchAll(/\d+\.\d+\.\d+/g), ([version]: RegExpMatchArray) => version),
  'latest',
];
const inDeno = ['run', '--allow-all', '--no-prompt', '--node-modules-dir=manual'];

test.for([
  ...versions.flatMap((version) => [
    { name: 'node', version, file: 'program.mjs', flags: [] },
    { name: 'node', version, file: 'program.cjs', flags: [] },
  ]),
  { name: 'deno', version: 'latest', file: 'program.mjs', flags: inDeno },
])('$file trains, saves, loads and recommends: $name $version', async (runtime, context) => {
  if (noInstall) context.skip(noInstall);
  const path = await fetchProgram(runtime.name, runtime.version).catch((error: Error) =>
    context.skip(error.message),
  );
  // What this process says, which a fetched runtime must say, too.
  const expected = await project.run(process.execPath, 'program.mjs');
  const { stdout, stderr } = await project.run(path as string, ...runtime.flags, runtime.file);
  // Node 22.12 warns of every program that requires an ES module.
  const warnings = stderr.replace(
    /^\(node:\d+\) ExperimentalWarning: CommonJS module [^(]*require\(\)\.\n.*\n.*\n/,
    '',
  );
  expect({ stdout, warnings }).toEqual({ stdout: expected.stdout, warnings: '' });
  expect(JSON.parse(stdout).items).toHaveLength(3);
});

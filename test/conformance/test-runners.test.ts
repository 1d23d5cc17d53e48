import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, type TestContext, test } from 'vitest';
import { ratingsCsv } from '../support/cli.ts';
import { temporaryFolder } from '../support/files.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = temporaryFolder();
/** A flag of both runners: their default of 5 s is not enough on a busy machine. */
const PATIENT = '--testTimeout=600000';

/** A test that a user of cofactor would write, for any runner. */
const program = (name: string) => `
  test('${name} runs cofactor', async () => {
    const { readRatings, train, load } = await import('cofactor');
    const { ratings } = await readRatings('ratings.csv');
    const fitted = await train(ratings, { factors: 2, epochs: 1 });
    await fitted.save('${name}');
    const recommender = await load('${name}');
    expect(await recommender.predict('u1', 'i1')).toBeGreaterThan(1);
    expect(await recommender.recommend('u1', { k: 3 })).toHaveLength(3);
  });`;

beforeAll(async () => {
  await folder.write('ratings.csv', ratingsCsv());
  await mkdir(join(folder.path, 'node_modules'));
  await symlink(root, join(folder.path, 'node_modules/cofactor'), 'junction');
});

test('Vitest needs no setting', async () => {
  await folder.write('one.test.mjs', `import { expect, test } from 'vitest';${program('vitest')}`);
  await symlink(join(root, 'node_modules/vitest'), join(folder.path, 'node_modules/vitest'), 'junction');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  await run(process.execPath, [vitest, 'run', PATIENT, '--root', folder.path, 'one.test.mjs'], {
    cwd: folder.path,
  });
});

test('Jest needs the environment of the documentation', async (context: TestContext) => {
  const jest = join(folder.path, 'jest');
  await mkdir(jest);
  const install = ['install', '--no-audit', '--no-fund', 'jest@30', 'jest-environment-node@30'];
  await writeFile(join(jest, 'package.json'), '{"private": true}');
  await run('npm', install, { cwd: jest }).catch(({ stderr }: { stderr: string }) => {
    if (!/ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|network/.test(stderr)) throw new Error(stderr);
    context.skip('no network: npm cannot install Jest');
  });
  const page = await readFile(join(root, 'docs/in-a-program.md'), 'utf8');
  const [, environment] = /^```js .*Jest\n([\s\S]*?)^```$/m.exec(page) as RegExpExecArray;
  const [, config] = /^```json .*Jest.*\n(.*"testEnvironment".*)\n```$/m.exec(page) as RegExpExecArray;
  await symlink(root, join(jest, 'node_modules/cofactor'), 'junction');
  await writeFile(join(jest, 'package.json'), JSON.stringify({ private: true, ...JSON.parse(config) }));
  await writeFile(join(jest, 'jest.environment.mjs'), environment);
  await writeFile(join(jest, 'ratings.csv'), ratingsCsv());
  // Two files, so that Jest starts workers.
  for (const name of ['one', 'two']) await writeFile(join(jest, `${name}.test.js`), program(name));
  await run(process.execPath, [join(jest, 'node_modules/jest/bin/jest.js'), '--maxWorkers=2', PATIENT], {
    cwd: jest,
    env: { ...process.env, NODE_OPTIONS: '--experimental-vm-modules' },
  });
});

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { program } from './support/cli.ts';
import { sample, temporaryFolder } from './support/files.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = temporaryFolder();
const options = () => ({ cwd: folder.path, env: { ...process.env, NODE: process.execPath, CLI: program } });

interface Block {
  readonly name: string;
  /** What stands after the fence: a language, then a word for this test. */
  readonly language: string;
  readonly code: string;
}

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = Array.from(
  readme.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm),
  ([, language, code], place): Block => {
    const line = code.split('\n').find((text) => text.trim() !== '');
    return { name: `${place + 1}, ${language}: ${line}`, language, code };
  },
);

beforeAll(async () => {
  const text = async (name: string) => gunzipSync(await readFile(join(root, sample, name))).toString();
  // Every fifth user is enough; the one that the README asks about is among them.
  const [header, ...lines] = (await text('ratings.csv.gz')).trim().split('\n');
  const some = lines.filter((line) => Number(line.split(',')[0]) % 5 === 414 % 5);
  await folder.write('ratings.csv', `${[header, ...some].join('\n')}\n`);
  await folder.write('movies.csv', await text('movies.csv.gz'));
  await mkdir(join(folder.path, 'node_modules'));
  await symlink(root, join(folder.path, 'node_modules/cofactor'), 'junction');
});

test('the README has commands and programs to try', () => {
  const languages = blocks.map(({ language }) => language);
  expect(languages).toContain('sh');
  expect(languages).toContain('ts');
});

test.each(blocks.filter(({ language }) => language === 'sh' || language === 'ts'))(
  'block $name',
  async ({ language, code }) => {
    if (language === 'sh') await runCommands(code);
    else await runProgram(code);
  },
);

/** In the shell, where npx finds the command line as it is built here. */
async function runCommands(code: string): Promise<void> {
  expect(code).toMatch(/^npx cofactor /m);
  await run('sh', ['-ec', `npx() { shift; "$NODE" "$CLI" "$@"; }\n${code}`], options());
}

/** Type checked against the package's types, then run. */
async function runProgram(code: string): Promise<void> {
  await folder.write('program.mts', code);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types'), '--skipLibCheck'];
  const flags = ['--strict', '--target', 'ES2022', '--module', 'NodeNext', ...types];
  const checked = await run(process.execPath, [tsc, ...flags, 'program.mts'], options()).catch(
    (error) => error,
  );
  expect(checked.stdout).toBe('');
  const { stderr } = await run(process.execPath, ['program.mjs'], options());
  expect(stderr).toBe('');
}

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { program } from '../support/cli.ts';
import { type Block, documents, isOfPage, isTested, root } from '../support/documents.ts';
import { sample, temporaryFolder } from '../support/files.ts';

const run = promisify(execFile);
const folder = temporaryFolder();
const at = (...names: string[]): string => join(folder.path, ...names);
const withBlocks = documents
  .map(({ name, blocks }) => ({
    name,
    blocks: blocks.filter(
      (block) => isTested(block) && !isOfPage(block) && ['sh', 'ts', 'text', 'csv'].includes(block.language),
    ),
  }))
  .filter(({ blocks }) => blocks.length > 0);
const folderOf = (document: string): string => at(document.replaceAll('/', '-'));
const programs = withBlocks.flatMap(({ name, blocks }) =>
  blocks.filter(({ language }) => language === 'ts').map((block) => ({ document: name, block })),
);
const hasCurl = spawnSync('curl', ['--version']).status === 0;
const fileOf = (block: Block): string => `${block.name.replace(/\W+/g, '-')}.mts`;

/** Whether a document shows figures, for which its commands need all of the data. */
const hasFigures = (blocks: readonly Block[]): boolean => blocks.some(({ language }) => language === 'text');

const GIVEN = ['ratings.csv', 'movies.csv', 'movies', 'orders.csv', 'articles.csv', 'plays.csv', 'shop'];

/** What the documents take for granted: the sample data, of which a part is mostly enough, and the models of the README and of a shop. */
beforeAll(async () => {
  const text = async (name: string) => gunzipSync(await readFile(join(root, sample, name))).toString();
  const all = await text('ratings.csv.gz');
  const [header, ...lines] = all.trim().split('\n');
  // Among them are the user and the items that the documents ask about.
  const some = lines.filter((line) => {
    const [user, item] = line.split(',').map(Number);
    return user % 10 === 414 % 10 && item <= 1500;
  });
  await folder.write('ratings.csv', `${[header, ...some].join('\n')}\n`);
  await folder.write('movies.csv', await text('movies.csv.gz'));
  await mkdir(at('node_modules'));
  await symlink(root, at('node_modules/cofactor'), 'junction');
  await symlink(join(root, 'node_modules/@types'), at('node_modules/@types'), 'junction');
  for (const name of ['shop/orders', 'shop/articles', 'plays/plays'])
    await folder.write(
      `${basename(name)}.csv`,
      gunzipSync(await readFile(join(root, dirname(sample), `${name}.csv.gz`))),
    );
  for (const [data, titles, out] of [
    ['ratings.csv', 'movies.csv', 'movies'],
    ['orders.csv', 'articles.csv', 'shop'],
  ])
    await run(process.execPath, [program, 'train', data, '--titles', titles, '--seen', '--out', out], {
      cwd: folder.path,
    });
  for (const { name, blocks } of withBlocks) {
    await mkdir(folderOf(name));
    for (const given of GIVEN) await cp(at(given), join(folderOf(name), given), { recursive: true });
    if (hasFigures(blocks)) await writeFile(join(folderOf(name), 'ratings.csv'), all);
  }
});

const ofPages = documents.flatMap(({ blocks }) =>
  blocks.filter((block) => isOfPage(block) && block.language === 'ts'),
);

const tsc = join(root, 'node_modules/typescript/bin/tsc');
const programFiles = (): string[] => [
  ...programs.map(({ document, block }) => join(folderOf(document), fileOf(block))),
  ...ofPages.map((block) => at(fileOf(block))),
];

/** Compiles all programs in a strict project. @returns what the compiler complains of */
async function compiled(resolution: string, module: string, ...more: string[]): Promise<string> {
  const flags = [
    ...['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes', '--skipLibCheck'],
    ...['--target', 'ES2022', '--lib', 'ES2023,DOM,DOM.Iterable', '--types', 'node', ...more],
    ...['--module', module, '--moduleResolution', resolution],
  ];
  const found = run(process.execPath, [tsc, ...flags, ...programFiles()], { cwd: folder.path });
  return (await found.catch((error) => error)).stdout;
}

/** What the compiler complains of; the programs that run are its output. */
let complaints = '';
beforeAll(async () => {
  for (const { document, block } of programs)
    await writeFile(join(folderOf(document), fileOf(block)), block.code);
  for (const block of ofPages) await folder.write(fileOf(block), block.code);
  complaints = await compiled('node16', 'Node16');
});

test('programs compile in a strict project with moduleResolution node16', () => {
  expect(complaints).toBe('');
});

test('programs compile in a strict project with moduleResolution bundler', async () => {
  expect(await compiled('bundler', 'ESNext', '--noEmit')).toBe('');
});

test.for(
  documents.flatMap(({ blocks }) => blocks.filter((block) => isTested(block) && block.language === 'json')),
)('programs compile with the settings of $name', async ({ code }) => {
  const { compilerOptions } = JSON.parse(code);
  // CommonJS in a project of its own, as `npm init` makes one.
  await folder.write(
    'common.cts',
    `import { load } from 'cofactor';\nexport const model = () => load('movies');\n`,
  );
  const files = [...programFiles(), at('common.cts')];
  await folder.write(
    'tsconfig.json',
    JSON.stringify({ files, compilerOptions: { ...compilerOptions, noEmit: true } }),
  );
  const found = run(process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: folder.path });
  expect((await found.catch((error) => error)).stdout).toBe('');
});

for (const { name, blocks } of withBlocks)
  describe(name, () => {
    const server = serving(folderOf.bind(undefined, name));
    /** By the last commands. */
    let printed = '';
    test.for(blocks)('$name', async (block, context) => {
      if (!hasCurl && /^curl /m.test(block.code)) return context.skip('no curl');
      const options = {
        cwd: folderOf(name),
        env: { ...process.env, NODE: process.execPath, CLI: program },
      };
      if (block.language === 'sh') {
        const code = await server.started(block.code);
        const { stdout } = await run(
          'sh',
          ['-ec', `npx() { shift; "$NODE" "$CLI" "$@"; }\n${code}`],
          options,
        );
        printed = stdout;
      } else if (block.language === 'text') {
        const lines = printed.split('\n');
        for (const line of block.code.trim().split('\n'))
          expect(
            lines.some((other) => isAlike(line, other)),
            `${line}\n  is not in\n${printed}`,
          ).toBe(true);
      } else if (block.language === 'csv') {
        const files = ['ratings.csv', 'orders.csv'].map((file) =>
          readFile(join(folderOf(name), file), 'utf8'),
        );
        const given = (await Promise.all(files)).join('\n').split('\n');
        for (const line of block.code.trim().split('\n'))
          expect(
            given.some((other) => other === line || other.startsWith(`${line},`)),
            line,
          ).toBe(true);
      } else {
        const { stderr } = await run(process.execPath, [fileOf(block).replace('.mts', '.mjs')], options);
        expect(stderr).toBe('');
      }
    });
  });

const NUMBER = /\d[\d,]*(?:\.\d+)?/g;
/** Whether two lines of output have the same words and numbers, whatever the seconds; another processor may round differently. */
function isAlike(...lines: [string, string]): boolean {
  const [one, other] = lines.map((line) => line.replace(/[\d.]+ s\b/g, 'N s').trim());
  const numbers = (line: string): number[] =>
    (line.match(NUMBER) ?? []).map((number) => Number(number.replaceAll(',', '')));
  const [some, others] = [numbers(one), numbers(other)];
  const words = (line: string): string => line.replace(NUMBER, '0').replace(/\s+/g, ' ');
  return (
    words(one) === words(other) && some.every((number, index) => Math.abs(number - others[index]) <= 0.0101)
  );
}

/** The server that a document starts with `npx cofactor serve`; it runs until the document ends, or starts another, on a port that is free. */
function serving(cwd: () => string) {
  let child: ChildProcess | undefined;
  let url = '';
  const end = async (): Promise<void> => {
    if (!child || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await ended;
  };
  afterAll(end);
  return {
    /** Starts what the code starts. @returns the other commands, which ask the server by the address that it has here */
    async started(code: string): Promise<string> {
      const [line, args] = /^npx cofactor (serve .*)\n/m.exec(code) ?? [];
      if (line && args) {
        await end();
        const flags = [...args.split(' '), '--port', '0'];
        child = spawn(process.execPath, [program, ...flags], {
          cwd: cwd(),
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        const ended = once(child, 'exit').then(() => expect.fail('the server does not start'));
        const [first] = await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended]);
        url = /http:\/\/[\d.]+:\d+/.exec(String(first))?.[0] ?? '';
      }
      return code
        .replace(line ?? '', '')
        .replaceAll('http://127.0.0.1:8080', url)
        .replaceAll('curl ', 'curl --silent --show-error --fail ');
    },
  };
}

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { load } from '../../src/recommend/load.ts';
import { type Server, serve } from '../../src/serve/serve.ts';
import { program } from '../support/cli.ts';
import { type Block, documents, isTested, root } from '../support/documents.ts';
import { sample, temporaryFolder } from '../support/files.ts';
import { pythonEnvironment } from '../support/python.ts';
import { pythonForOnnx } from './runtimes.ts';

const run = promisify(execFile);
const folder = temporaryFolder();
const blocks = documents
  .flatMap(({ blocks }) => blocks)
  .filter((block) => isTested(block) && block.language === 'python');
let server: Server;

/** The documents' model of the sample data, served as the page about the server does it. */
beforeAll(async () => {
  const ratings = join(root, sample, 'ratings.csv.gz');
  await run(process.execPath, [program, 'train', ratings, '--keep-seen', '--out', 'movies'], {
    cwd: folder.path,
  });
  server = await serve([join(folder.path, 'movies')], { port: 0, logLevel: 'silent', page: false });
});
afterAll(() => server?.close());

/** The Python that has what a program imports. */
const pythonFor = ({ code }: Block): Promise<string> =>
  code.includes('tritonclient')
    ? pythonEnvironment('triton', fileURLToPath(new URL('requirements-triton.txt', import.meta.url)))
    : pythonForOnnx();

test.for(blocks)('$name', async (block, context) => {
  const python = await pythonFor(block).catch((error: Error) => context.skip(error.message));
  const code = block.code.replaceAll('127.0.0.1:8080', new URL(server.url).host);
  const { stdout } = await run(python as string, ['-c', code], { cwd: folder.path });
  const recommender = await load(join(folder.path, 'movies'));
  // The server's heads of the protocol leave out only what they are told to.
  const includeSeen = code.includes('tritonclient');
  for (const { item } of await recommender.recommend('414', { k: 10, includeSeen }))
    expect(stdout).toMatch(new RegExp(`'${item}'`));
  await recommender.release();
});

test('the documents have programs in Python', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(3);
});

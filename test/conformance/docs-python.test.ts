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
  await run(process.execPath, [program, 'train', ratings, '--seen', '--out', 'movies'], {
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
  const wanted = await answersTo(code);
  expect(wanted).not.toEqual([]);
  for (const answer of wanted) expect(stdout).toMatch(answer);
});

/** What a program prints, by what it asks for. */
async function answersTo(code: string): Promise<RegExp[]> {
  const recommender = await load(join(folder.path, 'movies'));
  const text = ({ item }: { item: string }) => new RegExp(`'${item}'`);
  // Programs print a clipped rating, which is whole, with or without zeros.
  const number = (value: number) =>
    Number.isInteger(value)
      ? new RegExp(`\\b${value}(\\.0*)?(?![\\d.])`)
      : new RegExp((Math.floor(value * 1000) / 1000).toFixed(3).replace('.', '\\.'));
  const answers: RegExp[] = [];
  // The server's heads of the protocol leave out only what they are told to.
  const includeSeen = !/seen\.onnx|\/recommend\//.test(code);
  if (/recommend/.test(code))
    answers.push(...(await recommender.recommend('414', { includeSeen })).map(text));
  if (/similar/.test(code)) answers.push(...(await recommender.similar('296')).map(text));
  if (/predict'/.test(code)) answers.push(number(await recommender.predict('414', '296')));
  if (/item_factors/.test(code)) {
    const { item_factors: factors } = await recommender.factors('296');
    answers.push(new RegExp(`\\(${recommender.items.length}, ${factors.length}\\)`));
  }
  const { users } = recommender.artifact.manifest.data;
  // The last row is the average.
  if (/user_factors/.test(code)) answers.push(new RegExp(`\\(${users + 1}, \\d+\\)`));
  await recommender.release();
  return answers;
}

test('the documents have programs in Python', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(6);
});

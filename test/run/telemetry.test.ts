import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { program, ratingsCsv } from '../support/cli.ts';
import { temporaryFolder } from '../support/files.ts';

const run = promisify(execFile);
const library = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
const folder = temporaryFolder();

/** The home folder of the programs that a test starts. With telemetry, ONNX Runtime keeps an id and a database in it. */
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'cofactor-home-'));
  await folder.write('ratings.csv', ratingsCsv());
});
afterEach(async () => {
  try {
    expect(await readdir(home, { recursive: true })).toEqual([]);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});

/** Without what Vitest sets for all other tests. */
const surroundings = () => {
  const { ORT_DISABLE_TELEMETRY, XDG_CACHE_HOME, ...env } = process.env;
  return { cwd: folder.path, env: { ...env, HOME: home, USERPROFILE: home } };
};

const node = (...args: string[]) => run(process.execPath, args, surroundings());
const cofactor = (...args: string[]) => node(program, ...args);

test('commands write nothing into the home folder', async () => {
  const small = ['--factors', '2', '--epochs', '1'];
  await cofactor('train', 'ratings.csv', '--out', 'movies', ...small);
  await cofactor('train', 'ratings.csv', '--out', 'strata', ...small, '--engine', 'strata', '--workers', '2');
  await cofactor('cross-validate', 'ratings.csv', '--folds', '2', '--workers', '2', ...small);
  await cofactor('recommend', 'movies', '--user', 'u1');
  await cofactor('doctor');
});

test('a server writes nothing into the home folder', async () => {
  await cofactor('train', 'ratings.csv', '--out', 'movies', '--factors', '2', '--epochs', '1');
  const server = spawn(process.execPath, [program, 'serve', 'movies', '--port', '0'], {
    ...surroundings(),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(server, 'exit');
  try {
    const [line] = await once(server.stdout, 'data');
    const [url] = /http:\S+(?=:\s)/.exec(String(line)) as RegExpExecArray;
    expect((await fetch(`${url}/recommend/u1`)).status).toBe(200);
  } finally {
    server.kill('SIGINT');
    await ended;
  }
});

/** Trains in a worker thread of a program of one's own. */
const threaded = (inMainThread: string) => `
  import { isMainThread, Worker } from 'node:worker_threads';
  if (isMainThread) {
    ${inMainThread}
    new Worker(new URL(import.meta.url));
  } else {
    const { readRatings, train } = await import(${JSON.stringify(library)});
    const { ratings } = await readRatings('ratings.csv');
    await train(ratings, { factors: 2, epochs: 1 });
  }`;

test("a program's own thread runs no model with telemetry", async () => {
  const program = await folder.write('thread.mjs', threaded(''));
  await expect(node(program)).rejects.toMatchObject({
    stderr: expect.stringContaining(
      "ONNX Runtime would send telemetry from this thread; set process.env.ORT_DISABLE_TELEMETRY = '1' in the main thread before it starts",
    ),
  });
  await node(await folder.write('told.mjs', threaded("process.env.ORT_DISABLE_TELEMETRY = '1';")));
});

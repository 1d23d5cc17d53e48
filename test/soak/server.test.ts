import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, inject, test } from 'vitest';
import { generator, uniform } from '../../src/util/random.ts';
import { program } from '../support/cli.ts';
import { temporaryFolder, unzipped } from '../support/files.ts';
import { type Ended, type Kind, loadOf, send } from '../support/load.ts';

// The built server as a process of its own, with a model of the sample data, and a load of all kinds.
// `npm run test:soak:server` sends 100,000 requests.

const REQUESTS = Number(process.env.SOAK_REQUESTS ?? 10_000);
/** On an idle machine it also asks how long health checks take, and whether memory grows; others share CI's machine. */
const IS_LONG = REQUESTS >= 100_000;
const CONNECTIONS = 64;
const BUDGET = 512e6;
const REST_MS = IS_LONG ? 20_000 : 2000;

const folder = temporaryFolder();
let server: ChildProcess | undefined;
let probe: Worker | undefined;
afterAll(async () => {
  await probe?.terminate();
  server?.kill('SIGKILL');
});

/** Trains on the sample data, with ids as `requests.ts` has them. */
async function model(): Promise<{ users: string[]; items: string[] }> {
  const csv = String(await unzipped('ml-latest-small/ratings.csv')).replace(/^(\d+),(\d+)/gm, 'u$1,i$2');
  const file = await folder.write('ratings.csv', csv);
  // A small one, because what the model takes is not left for requests.
  const size = ['--factors', '32', '--epochs', '2'];
  await promisify(execFile)(
    process.execPath,
    [program, 'train', file, '--out', 'movies', '--seen', ...size],
    { cwd: folder.path },
  );
  const rows = csv
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(','));
  const [users, items] = [0, 1].map((column) => [...new Set(rows.map((row) => row[column]))]);
  return { users, items };
}

/** Starts the server. @returns its address */
async function start(): Promise<string> {
  const args = ['serve', 'movies', '--port', '0', '--log-level', 'error', '--memory', '512MB'];
  server = spawn(process.execPath, [program, ...args, '--feedback', 'feedback'], {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = once(server.stdout as NodeJS.ReadableStream, 'data');
  const [line] = await Promise.race([said, once(server, 'exit')]);
  return (/http:\S+(?=:\s)/.exec(String(line)) as RegExpExecArray)[0];
}

interface Report {
  readonly health: { readonly checks: number; readonly p99: number; readonly longest: number };
  readonly failures: readonly string[];
  readonly memory: { readonly now: number; readonly highest: number; readonly peak: number };
}

/** What the probe has seen up to now, after a rest in which garbage is collected. */
async function report(): Promise<Report> {
  await setTimeout(REST_MS);
  probe?.postMessage('report');
  const [report] = await once(probe as Worker, 'message');
  return report;
}

/** What may not end in another way than with an answer. */
function problem({ what, manner }: Kind, { status, retryAfter, text, cut }: Ended): string | undefined {
  const told = `a request ${what}: ${status ?? 'no answer'} ${cut ?? ''} ${text}`;
  if (manner !== 'reads') return undefined;
  // A server may close the connection while a body that it refuses is on its way.
  if (cut !== undefined) return what === 'with large bodies' ? undefined : told;
  if (status === undefined || (status >= 500 && status !== 503)) return told;
  if (status === 503 && retryAfter === undefined) return told;
  if (status >= 400 && !/^\{"error":"[^\n]{5,500}"\}$/.test(text)) return told;
  return undefined;
}

test(`a server with 512 MB outlives ${REQUESTS} requests of all kinds`, async () => {
  const { users, items } = await model();
  const pageFiles = (await readdir(join(program, '../page/assets'))).map((name) => `/assets/${name}`);
  const kinds = loadOf(users, items, ['/', ...pageFiles]);
  const url = await start();
  probe = new Worker(new URL('../support/probe.mjs', import.meta.url), {
    workerData: { url, pid: server?.pid },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const random = generator(inject('soak') ?? 0);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(uniform(random) * all.length)];
  const lots = kinds.flatMap((kind) => Array<Kind>(kind.share).fill(kind));
  const statuses: Record<string, number> = {};
  const problems: string[] = [];
  let left = 0;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const kind = pick(lots);
      const ended = await send(url, agent, pick(kind.requests), kind.manner);
      const status = ended.status ?? 'none';
      statuses[status] = (statuses[status] ?? 0) + 1;
      const found = problem(kind, ended);
      if (found) problems.push(found);
    }
  };
  const load = async (requests: number): Promise<void> => {
    left = requests;
    await Promise.all(Array.from({ length: CONNECTIONS }, client));
  };

  const begin = performance.now();
  await load(REQUESTS / 10);
  const early = await report();
  await load(REQUESTS - REQUESTS / 10);
  const seconds = (performance.now() - begin - REST_MS) / 1000;
  const { health, failures, memory } = await report();
  agent.destroy();

  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  console.log(
    [
      `${REQUESTS} requests in ${seconds.toFixed(0)} s`,
      `memory ${mb(early.memory.now)} after a tenth, ${mb(memory.now)} at the end, ${mb(memory.peak)} at most`,
      `${health.checks} health checks, p99 ${health.p99.toFixed(0)} ms, longest ${health.longest.toFixed(0)} ms`,
      `statuses ${JSON.stringify(statuses)}`,
    ].join('; '),
  );
  expect(problems).toEqual([]);
  expect(failures).toEqual([]);
  expect(server?.exitCode).toBeNull();
  expect(statuses[200]).toBeGreaterThan(REQUESTS / 5);
  expect(Math.max(memory.highest, memory.peak)).toBeLessThan(BUDGET);
  if (!IS_LONG) return;
  expect(memory.now).toBeLessThan(1.05 * early.memory.now);
  expect(health.p99).toBeLessThan(100);
});

/** Measures the built server under load; see docs/benchmarks.md. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import autocannon, { type Request } from 'autocannon';
import { describeMachine } from '../machine.ts';
import { writeResult } from '../result.ts';
import { markdownTable } from '../table.ts';

const CONNECTIONS = [1, 16, 64];
/** Numbers of requests after which memory is read: at once, and after a rest in which V8 collects garbage. */
const MEMORY_AT = [10_000, 100_000];
const REST_MS = 20_000;

const root = fileURLToPath(new URL('../../../', import.meta.url));
const program = join(root, 'dist/cli.js');
const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    save: { type: 'boolean', default: false },
  },
});

interface Running {
  readonly url: string;
  stop(): Promise<unknown>;
}

/** Starts a server as a process of its own. */
async function start(...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [line] = await Promise.race([once(child.stdout, 'data'), ended]);
  const url = /http:\S+(?=:\s)/.exec(String(line))?.[0];
  if (!url) throw new Error(`${args.join(' ')} does not start`);
  return {
    url,
    stop: () => {
      child.kill('SIGINT');
      return ended;
    },
  };
}

/** Reads a metric of the server. Reading resets the metrics of the event loop. */
async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}

const EVENT_LOOP = 'nodejs_eventloop_lag_p99_seconds';
const MEMORY = 'process_resident_memory_bytes';

interface Row {
  readonly what: string;
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
  /** Milliseconds, including the 10 ms of the measuring interval. */
  readonly eventLoop?: number;
}

async function measure(what: string, url: string, connections: number, requests: Request[]): Promise<Row> {
  const ours = what !== 'hello world';
  if (ours) await metric(url, EVENT_LOOP);
  const {
    requests: rate,
    latency,
    non2xx,
    errors,
    timeouts,
  } = await autocannon({
    url,
    connections,
    duration: Number(options.seconds),
    requests,
  });
  return {
    what,
    connections,
    requestsPerSecond: rate.average,
    p50: latency.p50,
    p99: latency.p99,
    failed: non2xx + errors + timeouts,
    ...(ours && { eventLoop: 1000 * (await metric(url, EVENT_LOOP)) }),
  };
}

/** Writes the sample data and, if none is given, trains a model. */
async function prepare(scratch: string): Promise<{ model: string; users: string[]; items: string[] }> {
  const sample = join(root, 'src/data/sample/ml-latest-small/ratings.csv.gz');
  const text = gunzipSync(await readFile(sample)).toString();
  const file = join(scratch, 'ratings.csv');
  await writeFile(file, text);
  const rows = text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
  const model = options.model ?? join(scratch, 'movies');
  if (!options.model)
    await promisify(execFile)(process.execPath, [program, 'train', file, '--out', model, '--keep-seen']);
  const some = (column: number) => [...new Set(rows.map((row) => row[column]))].slice(0, 500);
  return { model, users: some(0), items: some(1) };
}

const json = { 'content-type': 'application/json' };
const post = (path: string, body: object): Request => ({
  method: 'POST',
  path,
  headers: json,
  body: JSON.stringify(body),
});
const texts = (name: string, data: string[]) => ({ name, datatype: 'BYTES', shape: [data.length], data });

const scratch = await mkdtemp(join(tmpdir(), 'cofactor-bench-'));
try {
  const { model, users, items } = await prepare(scratch);
  const name = model.split(/[/\\]/).at(-1);
  const item = (index: number): string => items[index % items.length];
  const kinds: Record<string, Request[]> = {
    'GET /v2': [{ path: '/v2' }],
    'GET /recommend/{user}': users.map((user) => ({ path: `/recommend/${user}` })),
    'GET /similar/{item}': items.map((one) => ({ path: `/similar/${one}` })),
    'POST /recommend, 20 ratings': users.map((_, index) =>
      post('/recommend', {
        ratings: Array.from({ length: 20 }, (_, row) => ({ item: item(index + row), rating: 1 + (row % 5) })),
      }),
    ),
    'POST …predict/infer, 10 pairs': users.map((user, index) =>
      post(`/v2/models/${name}.predict/infer`, {
        inputs: [
          texts('user', Array(10).fill(user)),
          texts('item', items.slice(index % 400, (index % 400) + 10)),
        ],
      }),
    ),
  };
  const machine = describeMachine();

  const rows: Row[] = [];
  const take = (row: Row): void => {
    rows.push(row);
    console.error(
      `${row.what}, ${row.connections} connections: ${row.requestsPerSecond.toFixed(0)} requests/s`,
    );
  };
  const hello = await start(fileURLToPath(new URL('hello.mjs', import.meta.url)));
  for (const connections of CONNECTIONS)
    take(await measure('hello world', hello.url, connections, [{ path: '/' }]));
  await hello.stop();
  for (const [what, requests] of Object.entries(kinds)) {
    const server = await start(program, 'serve', model, '--port', '0');
    for (const connections of CONNECTIONS) take(await measure(what, server.url, connections, requests));
    await server.stop();
  }

  const server = await start(program, 'serve', model, '--port', '0');
  const memory: { requests: number; megabytes: number; atRest: number }[] = [];
  const mixed = Object.values(kinds).flatMap((requests) => requests.slice(0, 50));
  let sent = 0;
  for (const requests of MEMORY_AT) {
    await autocannon({ url: server.url, connections: 16, amount: requests - sent, requests: mixed });
    sent = requests;
    const megabytes = (await metric(server.url, MEMORY)) / 2 ** 20;
    await setTimeout(REST_MS);
    memory.push({ requests, megabytes, atRest: (await metric(server.url, MEMORY)) / 2 ** 20 });
  }
  await server.stop();

  const command = 'npm run bench:server';
  const show = async (name: string, columns: string[], rows: string[][]): Promise<void> => {
    console.log(`\n${markdownTable([columns, ...rows])}`);
    if (options.save) await writeResult(name, { command, machine, columns, rows });
  };
  console.log(machine);
  await show(
    'server',
    ['request', 'connections', 'requests/s', 'p50, ms', 'p99, ms', 'failed', 'event-loop delay p99, ms'],
    rows.map(({ what, connections, requestsPerSecond, p50, p99, failed, eventLoop }) => [
      what,
      ...[connections, requestsPerSecond.toFixed(0), p50, p99, failed, eventLoop?.toFixed(1) ?? ''].map(
        String,
      ),
    ]),
  );
  await show(
    'server-memory',
    ['requests', 'memory, MB', 'at rest, MB'],
    memory.map(({ requests, megabytes, atRest }) => [`${requests}`, megabytes.toFixed(1), atRest.toFixed(1)]),
  );
} finally {
  await rm(scratch, { recursive: true });
}

/** Measures the built server under load; see docs/benchmarks.md. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import autocannon, { type Request } from 'autocannon';
import { describeMachine } from '../machine.ts';
import { writeResult } from '../result.ts';
import { markdownTable } from '../table.ts';
import { compare } from './against.ts';
import { CONNECTIONS, prepare, start } from './load.ts';

/** Numbers of requests after which memory is read: at once, and after a rest in which V8 collects garbage. */
const MEMORY_AT = [10_000, 100_000];
const REST_MS = 20_000;

const program = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    against: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
});

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

if (options.against !== undefined) {
  await compare(program, join(options.against, 'dist/cli.js'), options.model, Number(options.seconds));
  process.exit();
}

const scratch = await mkdtemp(join(tmpdir(), 'cofactor-bench-'));
try {
  const { model, kinds } = await prepare(scratch, program, options.model);
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

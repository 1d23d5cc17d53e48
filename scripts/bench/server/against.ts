/** Compares the built server with that of another checkout, in turns within one run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon, { type Request, type Result } from 'autocannon';
import { describeMachine } from '../machine.ts';
import { markdownTable } from '../table.ts';
import { CONNECTIONS, prepare, start } from './load.ts';

const ROUNDS = 3;
/** Seconds for each kind of request before it is measured, in which V8 compiles what it runs. */
const WARM_UP = 1;

interface Measured {
  readonly requestsPerSecond: number;
  /** Milliseconds. autocannon's own percentiles are whole numbers. */
  readonly p99: number;
  readonly failed: number;
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1];

async function measure(
  url: string,
  requests: Request[],
  connections: number,
  duration: number,
): Promise<Measured> {
  const milliseconds: number[] = [];
  const {
    requests: rate,
    non2xx,
    errors,
    timeouts,
  } = await new Promise<Result>((resolve, reject) => {
    autocannon({ url, connections, duration, requests }, (error, result) =>
      error ? reject(error) : resolve(result),
    ).on('response', (_client, _status, _bytes, time) => milliseconds.push(time));
  });
  const sorted = Float64Array.from(milliseconds).sort();
  return {
    requestsPerSecond: rate.average,
    p99: sorted[Math.floor(sorted.length * 0.99)],
    failed: non2xx + errors + timeouts,
  };
}

/** What is measured of a server, by kind of request and number of connections. */
async function measureAll(
  program: string,
  model: string,
  kinds: Readonly<Record<string, Request[]>>,
  seconds: number,
): Promise<Map<string, Measured>> {
  const server = await start(program, 'serve', model, '--port', '0', '--log-level', 'error');
  const found = new Map<string, Measured>();
  for (const [what, requests] of Object.entries(kinds)) {
    await measure(server.url, requests, CONNECTIONS[1], WARM_UP);
    for (const connections of CONNECTIONS)
      found.set(`${what}\t${connections}`, await measure(server.url, requests, connections, seconds));
  }
  await server.stop();
  return found;
}

/**
 * Prints how fast a server answers, beside another: medians of several rounds, in which the two take turns, so that a
 * machine that becomes slower does so for both.
 *
 * @param before program of the other checkout; it trains the model, because the newer one can read it
 * @param given folder of a model. Default: one is trained
 */
export async function compare(
  now: string,
  before: string,
  given: string | undefined,
  seconds: number,
): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'cofactor-bench-'));
  try {
    const { model, kinds } = await prepare(scratch, before, given);
    const rounds: Map<string, Measured>[][] = [[], []];
    for (let round = 0; round < ROUNDS; round++)
      for (const [side, program] of [before, now].entries()) {
        rounds[side].push(await measureAll(program, model, kinds, seconds));
        console.error(`round ${round + 1} of ${ROUNDS}: ${program}`);
      }
    const rows = [...rounds[0][0].keys()].map((key) => {
      const of = (side: number, name: keyof Measured): number =>
        median(rounds[side].map((found) => (found.get(key) as Measured)[name]));
      const both = (name: keyof Measured, digits: number): string[] => {
        const [old, here] = [of(0, name), of(1, name)];
        return [old.toFixed(digits), here.toFixed(digits), (here / old).toFixed(3)];
      };
      const failed = rounds.flat().reduce((sum, found) => sum + (found.get(key) as Measured).failed, 0);
      return [...key.split('\t'), ...both('requestsPerSecond', 0), ...both('p99', 2), `${failed}`];
    });
    const columns = ['request', 'connections', 'requests/s before', 'now', 'ratio'];
    console.log(describeMachine());
    console.log(`\n${markdownTable([[...columns, 'p99 before, ms', 'now', 'ratio', 'failed'], ...rows])}`);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

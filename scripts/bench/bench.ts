/** Benchmarks of training against peers; README.md beside this file says what is measured and how. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { type Contender, measure, nameOf, type Run, summarize } from './measure.ts';
import { type Peer, peers } from './peers.ts';
import { type DataSet, dataSet, setNames } from './sets.ts';
import {
  flatness,
  flatnessTable,
  type Result,
  ratios,
  ratiosTable,
  rowsTable,
  speeds,
  speedsTable,
} from './summary.ts';

const RUNS = { small: 3, large: 1 };

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      sets: { type: 'string', default: setNames.join(',') },
      only: { type: 'string', default: Object.keys(peers).join(',') },
      runs: { type: 'string' },
      data: {
        type: 'string',
        default: fileURLToPath(new URL('../../../shared/data/ml-100k', import.meta.url)),
      },
      json: { type: 'string' },
    },
  });
  const names = chosen('only', options.only, Object.keys(peers) as Peer[]);
  const sets = chosen('sets', options.sets, setNames);
  if (options.runs !== undefined && !/^[1-9]\d*$/.test(options.runs))
    throw new Error(`--runs takes a whole number from 1 on; not ${options.runs}`);

  const machine = describeMachine();
  console.log(`${machine.cores} cores, ${machine.processor}, Node ${machine.node}`);
  const scratch = await mkdtemp(join(tmpdir(), 'cofactor-bench-'));
  const results: Result[] = [];
  const runs: (Run & { set: string })[] = [];
  const notAvailable: { [what: string]: string } = {};
  const fail = (what: string, { message }: Error): void => {
    notAvailable[what] = message;
    console.error(`${what}: not available: ${message}`);
  };
  try {
    for (const name of sets) {
      try {
        const set = await dataSet(name, options.data, scratch);
        const count = Number(options.runs ?? (set.isLarge ? RUNS.large : RUNS.small));
        const seeds = Array.from({ length: count }, (_, index) => index + 1);
        const failOnSet = (what: string, error: Error): void => fail(`${what}, on ${name}`, error);
        const ofSet = await runAll(set, names, seeds, scratch, failOnSet);
        runs.push(...ofSet.flat().map((run) => ({ set: name, ...run })));
        const rows = ofSet.map(summarize);
        results.push({ set, rows });
        console.log(`\n${titleOf(set)}\n\n${rowsTable(rows)}`);
      } catch (error) {
        fail(name, error as Error);
      }
    }
  } finally {
    await rm(scratch, { recursive: true });
  }

  const [small, large] = [false, true].map((isLarge) => results.filter(({ set }) => set.isLarge === isLarge));
  const summary = {
    ratios: small.map((result) => ({ set: result.set.name, ratios: ratios(result) })),
    speeds: large.flatMap(speeds),
    flatness: flatness(large),
  };
  for (const { set, ratios } of summary.ratios)
    if (ratios.length > 0) console.log(`\n${set}\n\n${ratiosTable(ratios)}`);
  if (summary.speeds.length > 0) console.log(`\nBeside LIBMF\n\n${speedsTable(summary.speeds)}`);
  if (summary.flatness.length > 0) {
    const names = large.map(({ set }) => set.name);
    console.log(`\nBy size\n\n${flatnessTable(summary.flatness, names)}`);
  }
  for (const [what, reason] of Object.entries(notAvailable)) console.log(`${what}: not available: ${reason}`);
  if (options.json) {
    const sets = results.map(({ set: { train: _, test: __, ...set }, rows }) => ({ ...set, rows }));
    await writeFile(
      options.json,
      `${JSON.stringify({ machine, sets, summary, notAvailable, runs }, null, 2)}\n`,
    );
  }
}

function chosen<Name extends string>(flag: string, value: string, all: readonly Name[]): Name[] {
  const names = value.split(',') as Name[];
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new Error(`--${flag} takes ${all.join(',')}; not ${unknown}`);
  return names;
}

function titleOf({ name, ratings, heldOut, noise }: DataSet): string {
  const [trained, tested] = [ratings, heldOut].map((count) => count.toLocaleString('en-US'));
  const least = noise === undefined ? '' : `; the RMSE of what they were made by: ${noise.toFixed(4)}`;
  return `${name}: ${trained} ratings, ${tested} held out${least}`;
}

/** The runs of each contender. */
async function runAll(
  set: DataSet,
  names: readonly Peer[],
  seeds: readonly number[],
  scratch: string,
  fail: (what: string, error: Error) => void,
): Promise<Run[][]> {
  const runs = new Map<Contender, Run[]>();
  for (const name of names)
    try {
      for (const contender of await peers[name](set, scratch)) runs.set(contender, []);
    } catch (error) {
      fail(name, error as Error);
    }
  // Seed by seed, so that whatever else the machine does falls on every contender alike.
  for (const seed of seeds)
    for (const [contender, ofContender] of runs)
      try {
        const run = await measure(contender, seed, scratch);
        ofContender.push(run);
        const seconds = `${run.seconds.train.toFixed(2)} s of ${run.seconds.process.toFixed(2)} s`;
        console.error(`${set.name}, ${nameOf(run)}, seed ${seed}: ${seconds}`);
      } catch (error) {
        runs.delete(contender);
        fail(nameOf(contender), error as Error);
      }
  return [...runs.values()];
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});

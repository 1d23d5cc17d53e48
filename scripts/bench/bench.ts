/** Compares training with other libraries; see docs/benchmarks.md. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { type Contender, measure, nameOf, type Row, type Run, summarize } from './measure.ts';
import { type Peer, peers } from './peers.ts';
import { writeResult } from './result.ts';
import { type DataSet, dataSet, setNames } from './sets.ts';
import { markdownTable } from './table.ts';

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
      save: { type: 'boolean', default: false },
    },
  });
  const names = chosen('only', options.only, Object.keys(peers) as Peer[]);
  const sets = chosen('sets', options.sets, setNames);
  if (options.runs !== undefined && !/^[1-9]\d*$/.test(options.runs))
    throw new Error(`--runs takes a whole number from 1 on; not ${options.runs}`);

  const machine = describeMachine();
  console.log(machine);
  const scratch = await mkdtemp(join(tmpdir(), 'cofactor-bench-'));
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
        const [columns, ...rows] = cellsOf(set, ofSet.map(summarize));
        console.log(`\n${titleOf(set)}\n\n${markdownTable([columns, ...rows])}`);
        const command = `npm run bench -- --sets ${name}`;
        if (options.save) await writeResult(`peers-${name}`, { command, machine, columns, rows });
      } catch (error) {
        fail(name, error as Error);
      }
    }
  } finally {
    await rm(scratch, { recursive: true });
  }

  for (const [what, reason] of Object.entries(notAvailable)) console.log(`${what}: not available: ${reason}`);
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

const STAGES = ['import', 'read', 'build', 'train', 'process'] as const;

/** The cells of the table, headings first. */
function cellsOf({ ratings }: DataSet, rows: readonly Row[]): string[][] {
  const speed = ({ epochs, seconds }: Row): number => (ratings * epochs) / seconds.train / 1e6;
  const heads = STAGES.map((stage) => `${stage}, s`);
  return [
    ['', 'version', 'threads', 'epochs', ...heads, 'M ratings/s', 'test RMSE', 'peak MB'],
    ...rows.map((row) => [
      row.label,
      row.version,
      `${row.threads ?? ''}`,
      `${row.epochs}`,
      ...STAGES.map((stage) => row.seconds[stage]?.toFixed(2) ?? ''),
      speed(row).toFixed(2),
      row.rmse?.toFixed(4) ?? '',
      row.peakMegabytes?.toFixed(0) ?? '',
    ]),
  ];
}

/** Runs each contender with each seed. */
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
  // Contenders take turns, so that other load on the machine affects all of them alike.
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

/** Benchmarks against peers; README.md beside this file says what is measured and how. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { describeMachine } from './machine.ts';
import { type Contender, type Peer, peers } from './peers.ts';
import { markdownTable } from './table.ts';

const SEEDS = [1, 2, 3];
const STAGES = ['import', 'read', 'build', 'train', 'process'] as const;
const GNU_TIME = '/usr/bin/time';

/** One process. `seconds.process` is the whole of it as seen from outside, the other stages as it reports them. */
interface Run {
  peer: Peer;
  label: string;
  seed: number;
  version: string;
  threads: number;
  seconds: { [stage: string]: number };
  rmse: number;
  peakMegabytes?: number;
}

/** A contender's runs in one: medians of seconds and memory, the mean error. */
type Row = Omit<Run, 'seed'>;

const projectRoot = fileURLToPath(new URL('../../', import.meta.url));
const { version } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8'));
const measuresMemory = process.platform === 'linux' && existsSync(GNU_TIME);

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      data: { type: 'string', default: join(projectRoot, '../shared/data/ml-100k') },
      only: { type: 'string', default: Object.keys(peers).join(',') },
      json: { type: 'string' },
    },
  });
  const split = { train: join(options.data, 'u1.base'), test: join(options.data, 'u1.test') };
  for (const file of Object.values(split)) {
    if (!existsSync(file)) throw new Error(`no ${file}: give the folder of MovieLens 100K with --data`);
  }
  const names = options.only.split(',');
  const unknown = names.find((name) => !Object.hasOwn(peers, name));
  if (unknown !== undefined) throw new Error(`--only takes ${Object.keys(peers).join(',')}; not ${unknown}`);

  const machine = describeMachine();
  const scratch = await mkdtemp(join(tmpdir(), 'cofactor-bench-'));
  const runs: Run[] = [];
  const notAvailable: { [peer: string]: string } = {};
  try {
    const contenders: [Peer, Contender][] = [];
    for (const peer of names as Peer[]) {
      try {
        for (const contender of await peers[peer](split, scratch)) contenders.push([peer, contender]);
      } catch (error) {
        notAvailable[peer] = (error as Error).message;
      }
    }
    // Seed by seed, so that whatever else the machine does falls on every contender alike.
    for (const seed of SEEDS) {
      for (const [peer, contender] of contenders) {
        if (peer in notAvailable) continue;
        try {
          const run = await measure(peer, contender, seed, scratch);
          runs.push(run);
          console.error(
            `${run.label}, threads: ${run.threads}, seed ${seed}: ${run.seconds.train.toFixed(2)} s`,
          );
        } catch (error) {
          notAvailable[peer] = (error as Error).message;
        }
      }
    }
  } finally {
    await rm(scratch, { recursive: true });
  }

  const rows = summarize(runs.filter(({ peer }) => !(peer in notAvailable)));
  const ratios = compare(rows);
  console.log(`${machine.cores} cores, ${machine.processor}, Node ${machine.node}\n\n${table(rows)}\n`);
  for (const [what, ratio] of Object.entries(ratios)) console.log(`${what}: ${ratio.toFixed(2)}`);
  for (const [peer, reason] of Object.entries(notAvailable)) console.log(`${peer}: not available: ${reason}`);
  if (options.json)
    await writeFile(
      options.json,
      `${JSON.stringify({ machine, rows, ratios, notAvailable, runs }, null, 2)}\n`,
    );
}

async function measure(
  peer: Peer,
  { label, command }: Contender,
  seed: number,
  scratch: string,
): Promise<Run> {
  const peak = join(scratch, 'peak');
  const [program, ...args] = [
    ...(measuresMemory ? [GNU_TIME, '--format=%M', `--output=${peak}`] : []),
    ...command(seed),
  ];
  const started = performance.now();
  const { stdout } = await promisify(execFile)(program, args, {
    maxBuffer: 64 << 20,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  }).catch((error: Error & { stderr?: string }) => {
    throw new Error((error.stderr?.trim() || error.message).split('\n').at(-1));
  });
  const seconds = (performance.now() - started) / 1000;
  const result = JSON.parse(stdout.trim().split('\n').at(-1) as string);
  return {
    peer,
    label,
    seed,
    version: result.version ?? version,
    threads: result.threads ?? 1,
    seconds: { ...result.seconds, process: seconds },
    rmse: result.rmse ?? result.valid.rmse,
    ...(measuresMemory && { peakMegabytes: Number(await readFile(peak, 'utf8')) / 1024 }),
  };
}

function summarize(runs: readonly Run[]): Row[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const key = `${run.label} ${run.threads}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map((group) => {
    const { seed: _, ...first } = group[0];
    return {
      ...first,
      seconds: Object.fromEntries(
        Object.keys(first.seconds).map((stage) => [
          stage,
          median(group.map(({ seconds }) => seconds[stage])),
        ]),
      ),
      rmse: group.reduce((sum, { rmse }) => sum + rmse, 0) / group.length,
      ...(measuresMemory && {
        peakMegabytes: median(group.map(({ peakMegabytes }) => peakMegabytes as number)),
      }),
    };
  });
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

/** cofactor's seconds over the fastest of a peer's contenders: below 1 cofactor is the faster. */
function compare(rows: readonly Row[]): { [what: string]: number } {
  const fastest = (label: string, stage: string): number =>
    Math.min(...rows.filter((row) => row.label.startsWith(label)).map(({ seconds }) => seconds[stage]));
  const against = ['torch', 'torch, default', 'fastai', 'libmf'];
  return Object.fromEntries(
    against
      .flatMap((peer) => ['train', 'process'].map((stage) => [peer, stage]))
      .map(([peer, stage]): [string, number] => [
        `${stage} seconds, cofactor / fastest ${peer}`,
        fastest('cofactor', stage) / fastest(peer, stage),
      ])
      .filter(([, ratio]) => Number.isFinite(ratio) && ratio > 0),
  );
}

function table(rows: readonly Row[]): string {
  const seconds = (value?: number): string => value?.toFixed(2) ?? '';
  return markdownTable([
    ['', 'version', 'threads', ...STAGES.map((stage) => `${stage}, s`), 'test RMSE', 'peak MB'],
    ...rows.map((row) => [
      row.label,
      row.version,
      `${row.threads}`,
      ...STAGES.map((stage) => seconds(row.seconds[stage])),
      row.rmse.toFixed(4),
      row.peakMegabytes?.toFixed(0) ?? '',
    ]),
  ]);
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});

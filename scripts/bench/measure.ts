/** Measures a training in a process of its own, and summarizes several such runs in one row. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const GNU_TIME = '/usr/bin/time';
const measuresMemory = process.platform === 'linux' && existsSync(GNU_TIME);
const project = new URL('../../package.json', import.meta.url);
const { version } = JSON.parse(await readFile(project, 'utf8'));

/** One way to train on a data set: a command whose last line of output is a JSON object. */
export interface Contender {
  label: string;
  /** Absent if the run reports it. */
  threads?: number;
  environment?: Readonly<Record<string, string>>;
  command(seed: number): string[];
}

/** One process. `seconds.process` is measured from outside; the process reports the other stages. */
export interface Run {
  label: string;
  threads?: number;
  seed: number;
  version: string;
  epochs: number;
  seconds: { [stage: string]: number };
  /** Absent if the model predicts no ratings. */
  rmse?: number;
  peakMegabytes?: number;
}

/** Summary of a contender's runs: medians of seconds and memory, mean of the error. */
export type Row = Omit<Run, 'seed'>;

export async function measure(
  { label, threads, environment, command }: Contender,
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
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...environment },
  }).catch((error: Error & { stderr?: string }) => {
    throw new Error((error.stderr?.trim() || error.message).split('\n').at(-1));
  });
  const seconds = (performance.now() - started) / 1000;
  const result = JSON.parse(stdout.trim().split('\n').at(-1) as string);
  return {
    label,
    threads: result.threads ?? threads,
    seed,
    version: result.version ?? version,
    epochs: result.epochs,
    seconds: { ...result.seconds, process: seconds },
    rmse: result.rmse ?? result.valid?.rmse,
    ...(measuresMemory && { peakMegabytes: Number(await readFile(peak, 'utf8')) / 1024 }),
  };
}

/** @param runs of one contender */
export function summarize(runs: readonly Run[]): Row {
  const { seed: _, ...first } = runs[0];
  const stages = Object.keys(first.seconds);
  const medianOf = (stage: string): number => median(runs.map(({ seconds }) => seconds[stage]));
  return {
    ...first,
    seconds: Object.fromEntries(stages.map((stage) => [stage, medianOf(stage)])),
    ...(first.rmse !== undefined && {
      rmse: runs.reduce((sum, { rmse }) => sum + (rmse as number), 0) / runs.length,
    }),
    ...(measuresMemory && {
      peakMegabytes: median(runs.map(({ peakMegabytes }) => peakMegabytes as number)),
    }),
  };
}

/** The name of a row, unique within a data set. */
export const nameOf = ({ label, threads }: Pick<Row, 'label' | 'threads'>): string =>
  threads === undefined ? label : `${label}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

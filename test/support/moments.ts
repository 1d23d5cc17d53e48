import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Workplace } from './writing.ts';

// Moments of a program, by its calls of the system that change files, and what strace does to it there.

/** Calls that change files, but `open`, which a program that loads makes too often to be counted. */
const CALLS = ['mkdir', 'rename', 'unlink', 'rmdir', 'fsync', 'write', 'pwrite64', 'ftruncate'] as const;
type Call = (typeof CALLS)[number];

/** A call that a thread makes for the `when`th time. */
export interface Moment {
  readonly call: Call | 'openat';
  readonly when: number;
  /** What it is about, relative to the folder in which the program runs. */
  readonly paths: readonly string[];
}

const FLAGS = ['-f', '--seccomp-bpf', '-qq'];

/** Why strace cannot do that here; undefined if it can. */
export function whyNoMoments(): string | undefined {
  if (process.platform !== 'linux') return 'strace is for Linux';
  const inject = [...FLAGS, '-e', 'trace=rmdir', '-e', 'inject=rmdir:error=EIO', '-o', '/dev/null', 'true'];
  const { error, status, stderr } = spawnSync('strace', inject, { encoding: 'utf8' });
  if (error) return 'strace is not installed';
  return status === 0 ? undefined : `strace does not work here (${stderr.trim().split('\n').at(-1)})`;
}

/** Runs a command to its end. @returns the moments at which it changes files of its workplace */
export async function momentsOf(place: Workplace, args: readonly string[]): Promise<Moment[]> {
  const trace = `${place.path}.trace`;
  const calls = `trace=openat,${CALLS.join()}`;
  await place.finish(args, [
    'strace',
    ...FLAGS,
    '-y',
    '-s',
    '300',
    '-e',
    'signal=none',
    '-e',
    calls,
    '-o',
    trace,
  ]);
  const counts = new Map<string, number>();
  const moments: Moment[] = [];
  for (const line of (await readFile(trace, 'utf8')).split('\n')) {
    const [, thread, call, rest] = /^(\d+) +(\w+)\((.*)/.exec(line) ?? [];
    if (call === undefined) continue;
    const key = `${thread} ${call}`;
    const when = (counts.get(key) ?? 0) + 1;
    counts.set(key, when);
    if (call === 'openat' && !/O_CREAT|O_WRONLY|O_RDWR/.test(rest)) continue;
    const [, opened] = /^\d+<([^>]+)>/.exec(rest) ?? [];
    const named = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, path]) => path);
    const paths = (opened === undefined || call === 'openat' ? named : [opened]).map((path) =>
      relative(place.work, resolve(place.work, path)),
    );
    const isOurs = paths.every((path) => !/:\[|^\.\.\/(?!temporary)/.test(path));
    if (isOurs && paths.length > 0) moments.push({ call: call as Call, when, paths });
  }
  return moments;
}

/** A program and its arguments, before those of another program, which gets a signal at the moment. */
export const signalAt = ({ call, when }: Moment, signal: 'KILL' | 'TERM' | 'INT'): string[] => [
  ...['strace', ...FLAGS, '-o', '/dev/null'],
  ...['-e', `trace=${call}`, '-e', 'signal=none', '-e', `inject=${call}:signal=${signal}:when=${when}`],
];

/** The same for a program in which the call fails: that one, or all from that one on. */
export const failAt = (call: Moment['call'], when: string, error: string): string[] => [
  ...['strace', ...FLAGS, '-o', '/dev/null', '-e', `trace=${call}`, '-e', 'signal=none'],
  ...['-e', `inject=${call}:error=${error}:when=${when}`],
];

/** Of all calls only those count that are about these paths, as the program names them or the system does. */
export const onlyAbout = ({ paths }: Moment, { work }: Workplace): string[] =>
  paths.flatMap((path) => ['-P', path, '-P', join(work, path)]);

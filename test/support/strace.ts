import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Calls that reach the network, or change files. Those with `?` are not in every kernel. */
const CALLS = `%network ?open openat ?openat2 ?creat ?mkdir mkdirat ?rename ?renameat ?renameat2 ?unlink unlinkat ?rmdir
  ?link linkat ?symlink symlinkat truncate ?mknod mknodat ?chmod fchmodat ?chown ?lchown fchownat utimensat setxattr chdir`;
const FLAGS = [
  '-f',
  '-qq',
  '-y',
  '-s',
  '4096',
  '-e',
  'signal=none',
  '-e',
  `trace=${CALLS.split(/\s+/).join(',')}`,
];

/** Why programs cannot be traced here; undefined if they can. */
export function whyNoTrace(): string | undefined {
  if (process.platform !== 'linux') return 'strace is for Linux';
  const { error, status, stderr } = spawnSync('strace', [...FLAGS, '-o', '/dev/null', 'true'], {
    encoding: 'utf8',
  });
  if (error) return 'strace is not installed';
  return status === 0 ? undefined : `strace does not work here (${stderr.trim().split('\n').at(-1)})`;
}

/** What a program did outside itself. */
export interface Deeds {
  /** Absolute paths of files and folders that it made, changed, moved or removed, or tried to. */
  readonly written: readonly string[];
  /** Addresses that it bound to, connected to or sent to, or tried to: `127.0.0.1:8080`, a path of a socket. */
  readonly addresses: readonly string[];
}

export interface Place {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The file that gets the trace. */
  readonly trace: string;
}

/** Runs a program of Node, and all processes and threads that it starts, under strace. @throws Error if it fails */
export async function traced(args: readonly string[], { trace, ...where }: Place): Promise<Deeds> {
  await run('strace', [...FLAGS, '-o', trace, process.execPath, ...args], where);
  return deedsIn(await readFile(trace, 'utf8'), where.cwd);
}

/** The same for a server, which gets SIGTERM when `ask` is done. */
export async function tracedServer(
  args: readonly string[],
  { trace, ...where }: Place,
  ask: (url: string) => Promise<void>,
): Promise<Deeds> {
  // The shell says which process gets the signal: not strace, which would let go of the server.
  const shell = ['sh', '-c', 'echo $$; exec "$@"', 'sh', process.execPath, ...args];
  const strace = spawn('strace', [...FLAGS, '-o', trace, ...shell], {
    ...where,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(strace, 'exit');
  let printed = '';
  for await (const chunk of strace.stdout as Readable) {
    printed += chunk;
    const [, pid, url] = /^(\d+)\n.*(http:\S+?):?\s/s.exec(printed) ?? [];
    if (url === undefined) continue;
    try {
      await ask(url);
    } finally {
      process.kill(Number(pid), 'SIGTERM');
    }
    break;
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`the server ended with ${code}: ${printed}`);
  return deedsIn(await readFile(trace, 'utf8'), where.cwd);
}

/** A path as strace writes it: a folder, if the call names one, and a text in quotes. */
const PATH = /(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g;
const ADDRESS = /sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)/;
const ADDRESS_6 = /sin6_port=htons\((\d+)\).*inet_pton\(AF_INET6, "([^"]+)"/;

function deedsIn(trace: string, cwd: string): Deeds {
  const written = new Set<string>();
  const addresses = new Set<string>();
  for (const line of trace.split('\n')) {
    const [, call, rest] = /^\d+ +(\w+)\((.*)/.exec(line) ?? [];
    if (call === undefined) continue;
    if (call === 'chdir') throw new Error(`${line}: paths would be relative to another folder`);
    const [, port, address] = ADDRESS.exec(rest) ?? ADDRESS_6.exec(rest) ?? [];
    if (address !== undefined && !['getsockname', 'getpeername', 'accept4', 'accept'].includes(call))
      addresses.add(`${address}:${port}`);
    const [, path] = /sun_path=@?"([^"]+)"/.exec(rest) ?? [];
    if (path !== undefined) addresses.add(path);
    if (
      /^(open|openat|openat2)$/.test(call)
        ? !/O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(rest)
        : NETWORK.test(call)
    )
      continue;
    for (const [, folder = cwd, name] of rest.matchAll(PATH)) written.add(resolve(folder, name));
  }
  return { written: [...written], addresses: [...addresses] };
}

const NETWORK = /^(socket|connect|bind|listen|accept|send|recv|get(sock|peer)|setsock|shutdown)/;

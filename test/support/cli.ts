import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { temporaryFolder } from './files.ts';
import { sha256 } from './sha256.ts';

/** The command line as it is built; see `test/build.ts`. */
export const program = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** How a run of the command line ended, and what it printed. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The mark of a folder that cofactor writes. */
const MARK = /\.cofactor\/(model|search|split|training|triton)$/;

let last: Promise<unknown> = Promise.resolve();

/** Runs the command line in this process, one run at a time; a process of its own takes several times as long to start. */
export function runHere(folder: string, args: readonly string[]): Promise<Run> {
  const turn = last.then(async (): Promise<Run> => {
    const home = process.cwd();
    const printed = { stdout: '', stderr: '' };
    const names = ['stdout', 'stderr'] as const;
    const writers = names.map((name) => process[name].write);
    for (const name of names)
      process[name].write = (text: string | Uint8Array) => {
        printed[name] += text;
        return true;
      };
    process.chdir(folder);
    try {
      const code = await run(args);
      return { code, ...printed };
    } finally {
      process.chdir(home);
      for (const [index, name] of names.entries()) process[name].write = writers[index];
    }
  });
  last = turn.catch(() => undefined);
  return turn;
}

/**
 * A folder for the tests of one file, with `ratings.csv` in it, and the command line run there: in this process, except
 * `cofactor`, which runs the built program.
 */
export function workplace() {
  const folder = temporaryFolder();
  beforeAll(async () => {
    await folder.write('ratings.csv', ratingsCsv());
  });
  const at = (...names: string[]) => join(folder.path, ...names);
  const here = (...args: string[]) => runHere(folder.path, args);

  const cofactor = (...args: string[]) =>
    new Promise<Run>((done) => {
      execFile(process.execPath, [program, ...args], { cwd: folder.path }, (error, stdout, stderr) =>
        done({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });

  /** What a run prints that succeeds, and that prints nothing on stderr. */
  async function text(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await here(...args);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    return stdout;
  }

  async function json(...args: string[]) {
    const stdout = await text(...args, '--json');
    expect(stdout).toMatch(/^[^\n]+\n$/);
    return JSON.parse(stdout);
  }

  /** The one line that a run prints which fails. */
  async function failure(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await here(...args);
    expect(stderr).toMatch(/^cofactor: (?!this is a bug)[^\n]{10,400}\n$/);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    return stderr.trim();
  }

  const manifest = async (directory: string) =>
    JSON.parse(await readFile(at(directory, 'manifest.json'), 'utf8'));

  /** Every file there is but marks, hidden ones too, with the sum of its bytes. */
  async function contents(directory = '.'): Promise<Record<string, string>> {
    const entries = await readdir(at(directory), { withFileTypes: true, recursive: true });
    const files = entries.filter((entry) => entry.isFile() && !MARK.test(join(entry.parentPath, entry.name)));
    const sums = files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path, sha256(await readFile(path))] as const;
    });
    return Object.fromEntries(await Promise.all(sums));
  }

  return {
    write: folder.write,
    names: folder.names,
    at,
    here,
    cofactor,
    text,
    json,
    failure,
    manifest,
    contents,
  };
}

/** Ratings from 1 to 5 that follow a pattern; every user rates at the same pace. */
export function ratingsCsv({ users = 30, items = 20, each = 12 } = {}): string {
  const lines = Array.from({ length: users * each }, (_, row) => {
    const [user, turn] = [Math.floor(row / each), row % each];
    const item = (user * 7 + turn * 3) % items;
    return `u${user},i${item},${1 + (((user % 5) + (item % 3) * 2) % 5)},${1_000_000 + turn * 1000 + user}`;
  });
  return `user,item,rating,timestamp\n${lines.join('\n')}\n`;
}

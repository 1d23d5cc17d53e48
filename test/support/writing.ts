import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { readArtifact } from '../../src/artifact/artifact.ts';
import { UserError } from '../../src/errors.ts';
import { zip } from '../data/zip.ts';
import { program, ratingsCsv } from './cli.ts';
import { sha256 } from './sha256.ts';

// Commands that write something, each with what it replaces, and how what it wrote is judged.

/** What a command writes. */
export type OutputKind = 'file' | 'model' | 'site' | 'training' | 'triton' | 'search' | 'folder';

export interface Writing {
  readonly name: string;
  /** Of the command line; or of Node, if it is another program. */
  readonly args: readonly string[];
  /** What it writes, by its path. */
  readonly outputs: Readonly<Record<string, OutputKind>>;
  /** Makes the older result in its place, if it replaces one. */
  readonly older?: readonly string[];
  /** Whether an interrupted run can be resumed. */
  readonly resumes?: boolean;
}

/** A training that takes half a second. */
export const SMALL = ['--factors', '4', '--ranking-factors', '4', '--epochs', '4'];

/** A search that takes seconds. */
export const TUNING = [
  ...['tune', 'ratings.csv', '--out', 'search', '--objective', 'rating'],
  ...['--valid', '0.3', '--factors', '2'],
];

const downloading = fileURLToPath(new URL('download.mjs', import.meta.url));

const train = (name: string, ...args: string[]): Writing => ({
  name,
  args: ['train', ...args, '--out', 'made'],
  outputs: { made: 'model' },
  // It has files that the new one lacks.
  older: ['train', 'ratings.csv', '--out', 'made', '--seen', '--titles', 'titles.csv', ...SMALL],
  resumes: true,
});

const one = (kind: OutputKind, out: string, args: readonly string[], older: readonly string[]): Writing => ({
  name: `${args[0]} ${out}`,
  args: [...args, out],
  outputs: { [out]: kind },
  older: [...older, out],
});

export const WRITING: readonly Writing[] = [
  // Long enough to be cut off between two checkpoints.
  train('train both', 'ratings.csv', ...SMALL, '--epochs', '15', '--ranking-epochs', '15'),
  { ...train('train item-item', 'ratings.csv', '--model', 'item-item'), resumes: false },
  train('train by strata', 'many.csv', '--objective', 'rating', '--factors', '2', '--epochs', '8'),
  train('train standard input', '-', ...SMALL),
  {
    ...train('train and report', 'ratings.csv', ...SMALL, '--valid', '0.1', '--report', 'report.html'),
    outputs: { made: 'model', 'report.html': 'file' },
  },
  {
    name: 'tune',
    args: [...TUNING, '--budget', '0.07'],
    outputs: { search: 'search' },
    older: [...TUNING, '--budget', '0.05'],
  },
  one('file', 'top.csv', ['batch', 'movies', '--out'], ['batch', 'movies', '-k', '3', '--out']),
  one('file', 'top.parquet', ['batch', 'movies', '--out'], ['batch', 'movies', '-k', '3', '--out']),
  one(
    'file',
    'pairs.csv',
    ['predict', 'movies', 'ratings.csv', '--out'],
    ['predict', 'plain', 'ratings.csv', '--out'],
  ),
  one('file', 'page.html', ['report', 'movies', '--out'], ['report', 'plain', '--out']),
  one('site', 'site', ['page', 'movies', '--out'], ['page', 'plain', '--out']),
  one('triton', 'repository', ['export', 'movies', '--triton'], ['export', 'movies', '--triton']),
  one(
    'training',
    'phone',
    ['export', 'movies', '--training'],
    ['export', 'movies', '--untrained', '--training'],
  ),
  one(
    'file',
    'blocks.onnx',
    ['export', 'movies', '--training-blocks'],
    ['export', 'plain', '--training-blocks'],
  ),
  one(
    'file',
    'rates.html',
    ['find-lr', 'ratings.csv', '--out'],
    ['find-lr', 'ratings.csv', '--steps', '20', '--out'],
  ),
  { name: 'download', args: [downloading], outputs: { 'data/ml-latest-small': 'folder' } },
];

/** How a program ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** A folder `work` in which a command runs, beside the folder of its temporary files. */
export class Workplace {
  readonly work: string;
  readonly temporary: string;

  constructor(readonly path: string) {
    this.work = join(path, 'work');
    this.temporary = join(path, 'temporary');
  }

  /** A copy of another workplace. */
  static async copyOf(other: Workplace, path: string): Promise<Workplace> {
    await cp(other.path, path, { recursive: true, preserveTimestamps: true });
    return new Workplace(path);
  }

  /** Makes what the commands read: ratings, titles, and two models. */
  async makeInputs(): Promise<void> {
    await mkdir(this.work, { recursive: true });
    await mkdir(this.temporary);
    await writeFile(join(this.work, 'ratings.csv'), ratingsCsv({ users: 100, items: 40, each: 15 }));
    await writeFile(join(this.work, 'titles.csv'), 'item,title\ni1,One\ni2,"Two, or more"\n');
    const files = ['ratings.csv', 'movies.csv', 'README.txt'].map((name) => [
      `ml-latest-small/${name}`,
      ratingsCsv(),
    ]);
    await writeFile(join(this.work, 'archive.zip'), zip(Object.fromEntries(files)));
    // More than are kept in memory.
    const many = Array.from({ length: 520_000 }, (_, row) => {
      const [user, turn] = [row % 4000, Math.floor(row / 4000)];
      return `u${user},i${(turn * 7 + user * 3) % 800},${1 + (((user % 5) + (turn % 3) * 2) % 5)}`;
    });
    await writeFile(join(this.work, 'many.csv'), `user,item,rating\n${many.join('\n')}\n`);
    await this.finish([
      'train',
      'ratings.csv',
      '--out',
      'movies',
      '--seen',
      '--titles',
      'titles.csv',
      ...SMALL,
    ]);
    await this.finish(['train', 'ratings.csv', '--out', 'plain', ...SMALL, '--factors', '3']);
  }

  /** Starts the command line, which gets the ratings as standard input. */
  start(args: readonly string[], before: readonly string[] = []) {
    const input = openSync(join(this.work, 'ratings.csv'), 'r');
    const [command, ...rest] = [
      ...before,
      process.execPath,
      ...(args[0] === downloading ? [] : [program]),
      ...args,
    ];
    const child = spawn(command, rest, {
      cwd: this.work,
      // libuv would write files by io_uring, which strace does not see. One thread counts its calls as they come.
      env: { ...process.env, TMPDIR: this.temporary, UV_USE_IO_URING: '0', UV_THREADPOOL_SIZE: '1' },
      stdio: [input, 'pipe', 'pipe'],
    }) as ChildProcessByStdio<null, Readable, Readable>;
    closeSync(input);
    child.stdout.resume();
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const ended = once(child, 'close').then(
      ([code, signal]): End => ({
        code: code as number | null,
        signal: signal as NodeJS.Signals | null,
        stderr,
      }),
    );
    return { child, ended };
  }

  /** Runs a command to its end. @throws Error if it fails */
  async finish(args: readonly string[], before: readonly string[] = []): Promise<void> {
    const { code, signal, stderr } = await this.start(args, before).ended;
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code ?? signal}: ${stderr}`);
  }

  /** Everything that is there, hidden or not: files with the sums of their bytes, links, folders. */
  tree(under = '.'): Promise<Record<string, string>> {
    return treeOf(join(this.path, under));
  }

  /** What a command was given to read. */
  async inputs({ outputs }: Pick<Writing, 'outputs'>): Promise<Record<string, string>> {
    const all = Object.entries(await treeOf(this.work));
    const made = Object.keys(outputs);
    const isInput = ([path]: [string, string]) =>
      /^(ratings|titles|many)\.csv$|^archive\.zip$|^(movies|plain)(\/|$)/.test(path) && !made.includes(path);
    return Object.fromEntries(all.filter(isInput));
  }

  /** The state of each result of a command: whatever tells the old one from the new one, or `none`. */
  async results({ outputs }: Writing): Promise<Record<string, string>> {
    const states = Object.entries(outputs).map(async ([path, kind]) => [
      path,
      await STATES[kind](join(this.work, path)),
    ]);
    return Object.fromEntries(await Promise.all(states));
  }
}

async function treeOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const found = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    const what = entry.isDirectory()
      ? 'folder'
      : entry.isSymbolicLink()
        ? await readlink(path)
        : sha256(await readFile(path));
    return [relative(folder, path), what] as const;
  });
  return Object.fromEntries((await Promise.all(found)).sort(([one], [other]) => (one < other ? -1 : 1)));
}

const NONE = 'none';

/** Names that a run gives to what is not complete yet. */
const isUnfinished = (path: string): boolean =>
  /(^|\/)(\.incoming|\.cofactor\/|\.[^/]*\.cofactor-(incoming|outgoing|lock))/.test(path);

async function visible(path: string): Promise<[string, string][]> {
  return Object.entries(await treeOf(path)).filter(
    ([name, what]) => !isUnfinished(name) && what !== 'folder',
  );
}

/** The state of an output, by its kind. @throws Error if it is neither whole nor absent */
const STATES: Readonly<Record<OutputKind, (path: string) => Promise<string>>> = {
  file: async (path) => readFile(path).then(sha256, () => NONE),
  async model(path) {
    try {
      const { manifest, files } = await readArtifact(path);
      return JSON.stringify([manifest, Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)])]);
    } catch (error) {
      if (error instanceof UserError && error.message.includes('is not a trained model')) return NONE;
      throw error;
    }
  },
  // Between two renames there is no site; the next command restores the old one.
  site: (path) => STATES.folder(path),
  // Without a checkpoint, which comes last, the files cannot train.
  async training(path) {
    const files = await visible(path);
    return files.some(([name]) => name === 'checkpoint') ? JSON.stringify(files) : NONE;
  },
  // A version of a head is there as a whole, or not at all. How many there are is no matter.
  async triton(path) {
    const files = await visible(path);
    for (const [name, sum] of files) {
      const head = /^movies\.([\w-]+)\/\d+\/model\.onnx$/.exec(name)?.[1];
      const expected = head && sha256(await readFile(join(path, `../movies/${head}.onnx`)));
      if (sum !== expected && !name.endsWith('/config.pbtxt'))
        throw new Error(`${name} is no version of a head`);
    }
    return files.length === 0 ? NONE : 'versions';
  },
  async folder(path) {
    const files = await visible(path);
    return files.length === 0 ? NONE : JSON.stringify(files);
  },
  // Trials take as long as they take, so no two searches are alike.
  async search(path) {
    const read = (name: string) => readFile(join(path, name), 'utf8').catch(() => undefined);
    const [best, page] = await Promise.all(['best.json', 'tune.html'].map(read));
    if (best !== undefined) JSON.parse(best);
    if (page !== undefined && !page.trimEnd().endsWith('</html>')) throw new Error('tune.html is cut off');
    return 'searched';
  },
};

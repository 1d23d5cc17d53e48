import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { literal, withDatabase } from '../../src/data/read/duckdb.ts';
import { generator, type RandomGenerator, uniform } from '../../src/util/random.ts';
import { temporaryFolder } from '../support/files.ts';
import { sha256 } from '../support/sha256.ts';
import { spoil } from '../support/spoil.ts';
import { differences } from '../support/undisturbed.ts';
import { SMALL, TUNING, Workplace } from '../support/writing.ts';

// Commands get spoilt files. COUNT says how many.

const FILES = Number(process.env.COUNT ?? 40);
const seed = inject('soak') ?? 1;
const folder = temporaryFolder();
const tally = { read: 0, refused: 0 };

let inputs: Workplace;
/** The path of the checkpoint of a training that was cut off. */
let checkpoint = '';

const SEARCHING = [...TUNING, '--budget', '0.05'];
const CUT_OFF = [
  'train',
  'ratings.csv',
  '--out',
  'cut-off',
  '--objective',
  'rating',
  '--epochs',
  '200',
  '--no-config',
];

async function leaveCheckpoint(): Promise<string> {
  const { child, ended } = inputs.start(CUT_OFF);
  for (;;) {
    const paths = Object.keys(await inputs.tree('work/cut-off').catch(() => ({})));
    const path = paths.find((path) => path.endsWith('checkpoint'));
    if (path !== undefined) {
      child.kill('SIGKILL');
      expect((await ended).signal).toBe('SIGKILL');
      return join('cut-off', path);
    }
    await setTimeout(5);
  }
}

beforeAll(async () => {
  inputs = new Workplace(join(folder.path, 'inputs'));
  await inputs.makeInputs();
  await rm(join(inputs.work, 'many.csv'));
  const at = (name: string): string => join(inputs.work, name);
  const csv = await readFile(at('ratings.csv'));
  await writeFile(at('packed.csv.gz'), gzipSync(csv));
  const copies = {
    'ratings.parquet': '(FORMAT parquet)',
    'ratings.jsonl': '(FORMAT json)',
    'ratings.json': '(FORMAT json, ARRAY true)',
    'packed.csv.zst': '(FORMAT csv, COMPRESSION zstd)',
    'packed.jsonl.gz': '(FORMAT json, COMPRESSION gzip)',
  };
  await withDatabase(async (connection) => {
    for (const [name, format] of Object.entries(copies))
      await connection.run(
        `COPY (FROM read_csv(${literal(at('ratings.csv'))})) TO ${literal(at(name))} ${format}`,
      );
  });
  await writeFile(
    at('users.csv'),
    `user\n${Array.from({ length: 30 }, (_, index) => `u${index}`).join('\n')}\n`,
  );
  await writeFile(at('cofactor.config.json'), JSON.stringify({ factors: 3, epochs: 2, range: [0, 6] }));
  checkpoint = await leaveCheckpoint();
  await inputs.finish(SEARCHING);
});
afterAll(() => console.info(`Spoilt files: ${JSON.stringify(tally)}`));

/** Files that hold ratings, and commands that read them. */
const RATINGS = ['csv', 'parquet', 'jsonl', 'json'].map((end) => `ratings.${end}`);
const PACKED = ['packed.csv.gz', 'packed.csv.zst', 'packed.jsonl.gz'];
const OF_RATINGS: readonly ((file: string) => string[])[] = [
  (file) => ['train', file, '--out', 'made', ...SMALL],
  (file) => ['train', file, '--out', 'made', ...SMALL, '--skip-bad-rows', '--valid', '0.1'],
  (file) => ['train', file, '--out', 'made', '--model', 'item-item'],
  (file) => ['train', file, '--dry-run'],
  (file) => ['train', 'ratings.csv', '--out', 'made', ...SMALL, '--test', file],
  (file) => ['evaluate', 'movies', file],
  (file) => ['report', 'movies', '--data', file, '--out', 'page.html'],
  (file) => ['predict', 'movies', file, '--out', 'pairs.csv'],
  (file) => ['batch', 'movies', file, '--out', 'top.csv'],
  (file) => ['batch', 'movies', '--exclude', file, '--out', 'top.parquet'],
  (file) => ['recommend', 'movies', '--ratings', file],
  (file) => ['find-lr', file, '--steps', '20'],
];
/** Other files, and commands that read them. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  'titles.csv': ['train', 'ratings.csv', '--out', 'made', '--titles', 'titles.csv', ...SMALL],
  'users.csv': ['batch', 'movies', 'users.csv', '--out', 'top.csv'],
  'search/trials.jsonl': SEARCHING,
  'cofactor.config.json': ['train', 'ratings.csv', '--out', 'made'],
};
const HEADS = ['predict', 'recommend', 'similar', 'fold-in', 'fold-in-many', 'factors', 'seen', 'train'];
const OF_MODEL = [
  'manifest.json',
  'manifest.json',
  'items.json',
  'titles.json',
  ...HEADS.map((head) => `${head}.onnx`),
];
const WITH_MODEL: readonly (readonly string[])[] = [
  ['recommend', 'movies', '--user', 'u1'],
  ['recommend', 'movies', '--ratings', 'ratings.csv'],
  ['predict', 'movies', '--user', 'u1', '--item', 'i1'],
  ['similar', 'movies', '--item', 'i1'],
  ['evaluate', 'movies', 'ratings.csv'],
  ['batch', 'movies', '--out', 'top.csv'],
  ['report', 'movies', '--out', 'page.html'],
  ['page', 'movies', '--out', 'site'],
  ['inspect', 'movies'],
  ['inspect', 'movies/predict.onnx'],
  ['export', 'movies', '--triton', 'repository'],
  ['export', 'movies', '--training', 'phone'],
  ['export', 'movies', '--training-blocks', 'blocks.onnx'],
  ['train', 'ratings.csv', '--out', 'movies', ...SMALL],
];

const one = <T>(random: RandomGenerator, all: readonly T[]): T =>
  all[Math.floor(uniform(random) * all.length)];

interface Spoilt {
  readonly name: string;
  readonly args: readonly string[];
}

/** Spoils a file of the workplace. @returns how */
async function spoilFile(place: Workplace, file: string, random: RandomGenerator): Promise<string> {
  const path = join(place.work, file);
  const { how, bytes } = spoil(await readFile(path), /\.json$/.test(file), random);
  await writeFile(path, bytes);
  return `${file}: ${how}`;
}

/** The manifest agrees with a spoilt file of its model, so that only its content can give it away. */
async function agree(place: Workplace, file: string): Promise<void> {
  const [path, bytes] = [
    join(place.work, 'movies/manifest.json'),
    await readFile(join(place.work, 'movies', file)),
  ];
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  manifest.files[file] = { bytes: bytes.length, sha256: sha256(bytes) };
  await writeFile(path, JSON.stringify(manifest));
}

async function spoilOne(place: Workplace, random: RandomGenerator): Promise<Spoilt> {
  const chosen = uniform(random);
  if (chosen < 0.5) {
    const file = one(random, [...RATINGS, ...PACKED]);
    return { name: await spoilFile(place, file, random), args: one(random, OF_RATINGS)(file) };
  }
  if (chosen < 0.6) {
    // What is packed is spoilt, and not the package.
    const name = await spoilFile(place, 'ratings.csv', random);
    await writeFile(
      join(place.work, 'inside.csv.gz'),
      gzipSync(await readFile(join(place.work, 'ratings.csv'))),
    );
    return { name: `inside.csv.gz, ${name}`, args: one(random, OF_RATINGS)('inside.csv.gz') };
  }
  if (chosen < 0.75) {
    const [file, args] = one(random, [
      ...Object.entries(OTHERS),
      [checkpoint, [...CUT_OFF, '--resume']] as const,
    ]);
    return { name: await spoilFile(place, file, random), args };
  }
  const file = one(random, OF_MODEL);
  const name = await spoilFile(place, `movies/${file}`, random);
  const agrees = file !== 'manifest.json' && uniform(random) < 0.7;
  if (agrees) await agree(place, file);
  return { name: `${name}${agrees ? ', and its hash with it' : ''}`, args: one(random, WITH_MODEL) };
}

async function tryOne(number: number): Promise<string | undefined> {
  const random = generator(seed, number);
  const place = await Workplace.copyOf(inputs, join(folder.path, `tried-${number}`));
  const { name, args } = await spoilOne(place, random);
  const before = await place.tree();
  const { child, ended } = place.start(args);
  const limit = setTimeout(120_000, 'hangs', { ref: false }).then(() => child.kill('SIGKILL'));
  const { code, signal, stderr } = await Promise.race([ended, limit.then(() => ended)]);
  try {
    expect([0, 1], stderr).toContain(code ?? signal);
    expect(stderr).not.toMatch(/this is a bug|^\s+at /m);
    const lines = stderr
      .trimEnd()
      .split('\n')
      .filter((line) => line.startsWith('cofactor: '));
    expect(lines, stderr).toHaveLength(code as number);
    const changes = differences(await place.tree(), before);
    // What is refused changes nothing; but what the killed training did not finish goes.
    const wrong = changes.filter(
      (line) =>
        (code === 1 || !isMade(args, line)) &&
        !/\/(lock|rows|\.checkpoint\.cofactor-\w+) is missing$/.test(line),
    );
    expect(wrong.join('; ')).toBe('');
    tally[code === 0 ? 'read' : 'refused']++;
  } catch (error) {
    return `${number}, ${name}; ${args.join(' ')}: ${(error as Error).message}`;
  } finally {
    await rm(place.path, { recursive: true, force: true });
  }
}

/** Whether a line is about what the command writes. */
function isMade(args: readonly string[], line: string): boolean {
  const out =
    args[
      Math.max(
        ...['--out', '--triton', '--training', '--training-blocks'].map((flag) => args.indexOf(flag)),
      ) + 1
    ];
  return line.startsWith(`work/${out}`);
}

test(`${FILES} spoilt files are read or refused, in one line`, async () => {
  const failures: string[] = [];
  let next = 0;
  // Side by side, because a program waits for the disk while it starts.
  const turns = [1, 2].map(async () => {
    while (next < FILES) {
      const failure = await tryOne(next++);
      if (failure) failures.push(failure);
    }
  });
  await Promise.all(turns);
  expect(failures).toEqual([]);
});

import { join } from 'node:path';
import { Command } from 'commander';
import type { Ratings } from '../data/dataset/ratings.ts';
import { heldAtRandom, heldByFold, heldLast, heldLatest, heldSince, SPLITS } from '../data/dataset/split.ts';
import { kindByValues } from '../data/read/meaning.ts';
import { spreadOf } from '../data/read/spread.ts';
import { numberInText, secondsOf, secondsOfDate } from '../data/read/values.ts';
import { fillRatings } from '../data/write-ratings.ts';
import { UserError } from '../errors.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import { type Choices, kinds, numeric } from '../util/choices.ts';
import { type Content, listed, OwnFolder } from '../util/own-folder.ts';
import { type Flags, JSON_OBJECT, READING, withChoices } from './choice-options.ts';
import { nounOf, plural, printJson, printLine, printNote, shellWord } from './output.ts';
import { checkOutputs } from './outputs.ts';
import { readInMemory, reportReading } from './train-data.ts';

const FORMATS = ['csv', 'parquet'] as const;
const TEST = 0.2;

const own = {
  out: { kind: kinds.text('folder'), help: 'folder for the parts: train.csv and test.csv' },
  by: {
    kind: kinds.oneOf(SPLITS, 'how'),
    help: 'what the test part is: random ones, the latest of all, or the last of each user (default: random)',
  },
  test: {
    kind: { ...kinds.fraction, placeholder: 'fraction' },
    help: `fraction of the test part, if it is random or the latest of all (default: ${TEST})`,
  },
  date: {
    kind: {
      ...numeric('give a date such as 2015-01-01, or Unix seconds', Number.isFinite),
      placeholder: 'date',
      parse: dateIn,
    },
    help: 'the test part is of this date and later: 2015-01-01, or Unix seconds',
  },
  folds: {
    kind: kinds.whole(2),
    help: 'write so many random folds: train-1.csv and test-1.csv, train-2.csv and test-2.csv, …',
  },
  format: { kind: kinds.oneOf(FORMATS, 'format'), help: 'format of the files', default: FORMATS[0] },
  ...JSON_OBJECT,
} as const satisfies Choices;

/** What recommendations leave out depends on events, which the parts lack. */
const READ = READING.filter((name) => name !== 'leaveOut');

type SplitFlags = Flags<never, typeof own>;

export function splitCommand(): Command {
  const command = new Command('split')
    .description(
      'Split ratings or interactions into a part to train on and a part to test on, and write them to files. All rows are read into memory: about 100 bytes each.',
    )
    .argument('<file...>', 'ratings or interactions: files or patterns');
  return withChoices(command, ['seed', ...READ], own).action(run);
}

function dateIn(text: string): number {
  const seconds = secondsOfDate(text.trim());
  return Number.isNaN(seconds) ? secondsOf(numberInText(text)) : seconds;
}

interface Pair {
  readonly train: string;
  readonly test: string;
  /** 1 for each row of the test part. */
  held(): Uint8Array;
}

async function run(files: string[], flags: SplitFlags, command: Command): Promise<void> {
  const { out, json } = flags;
  checkFlags(flags);
  if (out === undefined)
    throw new UserError('argument', 'there is no folder to write; give one, such as --out parts');
  await checkOutputs(command, { folders: { out } });
  const began = performance.now();
  const { ratings, report } = await readInMemory(files, flags);
  if (!json) reportReading(report, files, (performance.now() - began) / 1000);
  const pairs = pairsOf(ratings, flags);
  const folder = await OwnFolder.open(out, {
    ...listed('split', []),
    has: (name) => name === 'files.json' || FILE.test(name),
    mostBytes: 1e6,
  });
  try {
    const contents = pairs.flatMap(({ train, test, held }) => [
      [train, writing(ratings, train, () => held().map((one) => 1 - one))] as const,
      [test, writing(ratings, test, held)] as const,
    ]);
    await folder.replaceListed(Object.fromEntries(contents));
  } finally {
    folder.close();
  }
  const parts = pairs.map((pair) => summaryOf(ratings, pair, out));
  if (json) printJson({ kind: ratings.kind, by: byOf(flags), parts });
  else for (const part of parts) print(part, ratings);
  noteMeaning(ratings, pairs[0].held());
  if (!json) printNext(parts);
}

const FILE = /^(train|test)(-\d+)?\.(csv|parquet)$/;

/** @throws UserError for flags that cannot be combined */
function checkFlags({ by, test, date, folds }: SplitFlags): void {
  const refuse = (isSo: boolean, message: string): void => {
    if (isSo) throw new UserError('argument', message);
  };
  refuse(
    folds !== undefined && (by ?? test ?? date) !== undefined,
    '--folds makes random parts of equal size; leave out --by, --test and --date',
  );
  refuse(
    date !== undefined && ((by !== undefined && by !== 'time') || test !== undefined),
    '--date says which part is to test on; leave out --test, and --by, unless it is time',
  );
  refuse(
    by === 'leave-last-out' && test !== undefined,
    '--by leave-last-out holds out one of each user; leave out --test',
  );
}

const byOf = ({ by, date, folds }: SplitFlags): string =>
  folds !== undefined ? 'folds' : date !== undefined ? 'date' : (by ?? SPLITS[0]);

function pairsOf(ratings: Ratings, flags: SplitFlags): Pair[] {
  const { by = SPLITS[0], test = TEST, date, folds, format, seed = trainingChoices.seed.default } = flags;
  if (folds !== undefined)
    return Array.from(heldByFold(ratings, folds, seed), (held, fold) => ({
      train: `train-${fold + 1}.${format}`,
      test: `test-${fold + 1}.${format}`,
      held: () => held,
    }));
  const ways = {
    random: () => heldAtRandom(ratings, test, seed),
    time: () => heldLatest(ratings, test),
    'leave-last-out': () => heldLast(ratings),
  };
  const held = date === undefined ? ways[by]() : heldSince(ratings, date);
  return [{ train: `train.${format}`, test: `test.${format}`, held: () => held }];
}

const writing =
  (ratings: Ratings, name: string, taken: () => Uint8Array): Content =>
  (file, path) =>
    fillRatings(file, { path, name }, { ratings, taken: taken() });

interface PartSummary {
  readonly file: string;
  readonly ratings: number;
  readonly users: number;
  readonly items: number;
}

interface PairSummary {
  readonly train: PartSummary;
  /** With the numbers of its users and items that are not in the part to train on. */
  readonly test: PartSummary & { readonly newUsers: number; readonly newItems: number };
}

function summaryOf(ratings: Ratings, { train, test, held }: Pair, out: string): PairSummary {
  const flags = held();
  const seen = (rows: Int32Array, ids: number, part: 0 | 1): Uint8Array => {
    const present = new Uint8Array(ids);
    for (const [index, row] of rows.entries()) if (flags[index] === part) present[row] = 1;
    return present;
  };
  const count = (present: Uint8Array): number => present.reduce((sum, one) => sum + one, 0);
  const { users, items, userIds, itemIds } = ratings;
  const [ofUsers, ofItems] = [
    ([0, 1] as const).map((part) => seen(users, userIds.length, part)),
    ([0, 1] as const).map((part) => seen(items, itemIds.length, part)),
  ];
  const tested = count(flags);
  const part = (file: string, at: 0 | 1): PartSummary => ({
    file: join(out, file),
    ratings: at === 1 ? tested : flags.length - tested,
    users: count(ofUsers[at]),
    items: count(ofItems[at]),
  });
  const fresh = ([trained, tested]: Uint8Array[]): number =>
    count(tested.map((one, row) => one * (1 - trained[row])));
  return {
    train: part(train, 0),
    test: { ...part(test, 1), newUsers: fresh(ofUsers), newItems: fresh(ofItems) },
  };
}

function print({ train, test }: PairSummary, { kind }: Ratings): void {
  const inWords = ({ file, ratings, users, items }: PartSummary): string =>
    `Wrote ${file}: ${plural(ratings, nounOf(kind))} of ${plural(items, 'item')} by ${plural(users, 'user')}`;
  printLine(inWords(train));
  printLine(
    `${inWords(test)}; ${plural(test.newUsers, 'user')} and ${plural(test.newItems, 'item')} are only here`,
  );
}

/** Says if the part to train on, read without flags, would be of another kind. */
function noteMeaning({ kind, ratings }: Ratings, held: Uint8Array): void {
  if (kind === 'interactions') return;
  const spread = spreadOf(ratings.filter((_, index) => held[index] === 0));
  if (kindByValues(spread, { label: '"rating"', isNamed: false }).kind === kind) return;
  printNote(
    'The values of the part to train on look like counts; read the parts with --rating-column rating, as ratings',
  );
}

function printNext(parts: readonly PairSummary[]): void {
  const [{ train, test }] = parts;
  printLine(
    parts.length === 1
      ? `  npx cofactor train ${shellWord(train.file)} --test ${shellWord(test.file)} trains on the first, and judges on the second`
      : `  npx cofactor cross-validate ${parts.map((one) => `--fold ${shellWord(`${one.train.file}:${one.test.file}`)}`).join(' ')}`,
  );
}

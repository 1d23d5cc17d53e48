import { Command } from 'commander';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { type Exclusions, readExclusions, readUsers } from '../data/read/read.ts';
import { checkTable, writeTable } from '../data/write.ts';
import { UserError } from '../errors.ts';
import { decimal } from '../recommend/listed.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { type Choices, kinds } from '../util/choices.ts';
import { type Flags, LISTS, withChoices } from './choice-options.ts';
import { OPENING, openModel } from './open-model.ts';
import { plural, printLine, seconds } from './output.ts';
import { checkOutputs } from './outputs.ts';
import { bar } from './progress.ts';
import { noteGuarded, RAW } from './raw.ts';
import { listFlags, noteUnseen, RECOMMENDING } from './recommend.ts';
import { fateOfUsers, noteUnknown } from './unknown.ts';

const own = {
  ...OPENING,
  out: {
    kind: kinds.text('file'),
    help: 'file for the table of user, rank, item, score, rating: .csv or .parquet',
  },
  ...RECOMMENDING,
  ...RAW,
} as const satisfies Choices;

type BatchFlags = Flags<'device', typeof own>;

/** Users between two updates of the progress bar. */
const STEP = 256;

export function batchCommand(): Command {
  const command = new Command('batch')
    .description('Recommend items to many users at once, and write them to a file.')
    .argument('<folder>', 'a trained model')
    .argument('[users]', 'file of users (default: all users of the training data)');
  return withChoices(command, ['device', ...LISTS], own).action(run);
}

async function run(
  directory: string,
  file: string | undefined,
  flags: BatchFlags,
  command: Command,
): Promise<void> {
  const { out, k, exclude } = flags;
  if (out === undefined)
    throw new UserError('argument', 'there is no file to write; give one, such as --out top.parquet');
  await checkTable(out);
  await checkOutputs(command, { files: { out } });
  const recommender = await openModel(directory, flags);
  const { userIds } = readVocabulary(recommender.artifact);
  const users = file === undefined ? userIds : await readUsers(file, listFlags(flags));
  const exclusions = exclude === undefined ? {} : await readExclusions(exclude, listFlags(flags));
  const started = performance.now();
  const list = { user: 'VARCHAR', rank: 'INTEGER', item: 'VARCHAR', score: 'FLOAT' } as const;
  const types = recommender.objective === 'ranking' ? list : ({ ...list, rating: 'FLOAT' } as const);
  const guarded = await writeTable(out, types, recommendations(recommender, users, flags, exclusions), flags);
  noteGuarded(guarded);
  noteUnknown('user', users, userIds, fateOfUsers(recommender));
  if (!flags.includeSeen && exclude === undefined) noteUnseen(recommender);
  printLine(
    `Wrote the best ${k} for ${plural(users.length, 'user')} to ${out} in ${seconds((performance.now() - started) / 1000)}`,
  );
}

/** The rows of the table: user, rank, item, score and, if the model predicts ratings, rating. */
async function* recommendations(
  recommender: Recommender,
  users: readonly string[],
  { k, includeSeen }: BatchFlags,
  exclusions: Exclusions,
): AsyncGenerator<(string | number)[]> {
  const progress = bar('{bar} {value}/{total} users · {eta} s left');
  progress.start(users.length, 0);
  try {
    for (let from = 0; from < users.length; from += STEP) {
      const some = users.slice(from, from + STEP);
      const best = await recommender.recommend(some, { k, includeSeen, ...exclusions });
      for (const [row, items] of best.entries())
        for (const [index, { item, score, rating }] of items.entries())
          yield [
            some[row],
            index + 1,
            item,
            decimal(score),
            ...(rating === undefined ? [] : [decimal(rating)]),
          ];
      progress.update(Math.min(users.length, from + STEP));
    }
  } finally {
    progress.stop();
  }
}

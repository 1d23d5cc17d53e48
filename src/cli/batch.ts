import cliProgress from 'cli-progress';
import { Command } from 'commander';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { readUsers } from '../data/ratings.ts';
import { checkTable, writeTable } from '../data/write.ts';
import { load } from '../recommend/load.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { decimal, plural, printLine, seconds } from './output.ts';
import { howMany } from './recommend.ts';
import { noteUnknown } from './unknown.ts';

interface BatchFlags {
  out: string;
  k: number;
  seen?: boolean;
}

/** Users between two steps of the progress bar. */
const STEP = 256;

export function batchCommand(): Command {
  return new Command('batch')
    .description('Recommend items to many users at once, into a file.')
    .argument('<folder>', 'a trained model')
    .argument('[users]', 'a file of users (default: all that the model was trained on)')
    .requiredOption('--out <file>', 'where the table of user, rank, item, rating goes: .csv or .parquet')
    .option(...howMany)
    .option('--seen', 'recommend rated items too; they are left out where the model was trained with --seen')
    .action(run);
}

async function run(directory: string, file: string | undefined, { out, k, seen }: BatchFlags): Promise<void> {
  checkTable(out, file);
  const recommender = await load(directory, []);
  const { userIds } = readVocabulary(recommender.artifact);
  const users = file === undefined ? userIds : await readUsers(file);
  const started = performance.now();
  const types = { user: 'VARCHAR', rank: 'INTEGER', item: 'VARCHAR', rating: 'FLOAT' } as const;
  await writeTable(out, types, recommendations(recommender, users, { k, seen }));
  noteUnknown('user', users, userIds);
  printLine(
    `Wrote the best ${k} for ${plural(users.length, 'user')} to ${out} in ${seconds((performance.now() - started) / 1000)}`,
  );
}

/** user, rank, item, rating */
async function* recommendations(
  recommender: Recommender,
  users: readonly string[],
  options: { k: number; seen?: boolean },
): AsyncGenerator<(string | number)[]> {
  const bar = new cliProgress.SingleBar({
    format: '{bar} {value}/{total} users · {eta} s left',
    hideCursor: true,
    stream: process.stderr,
    noTTYOutput: false,
  });
  if (process.stderr.isTTY) bar.start(users.length, 0);
  try {
    for (let from = 0; from < users.length; from += STEP) {
      const some = users.slice(from, from + STEP);
      const best = await recommender.recommend(some, options);
      for (const [row, items] of best.entries())
        for (const [place, { item, rating }] of items.entries())
          yield [some[row], place + 1, item, decimal(rating)];
      bar.update(Math.min(users.length, from + STEP));
    }
  } finally {
    bar.stop();
  }
}

import { Command } from 'commander';
import { readVocabulary } from '../artifact/vocabulary.ts';
import { readPairs } from '../data/read/read.ts';
import { Guard } from '../data/spreadsheet.ts';
import { checkTable, csvLine, writeTable } from '../data/write.ts';
import { printable, UserError } from '../errors.ts';
import { decimal } from '../recommend/listed.ts';
import { type Choices, kinds } from '../util/choices.ts';
import { type Flags, LISTS, readingOf, withChoices } from './choice-options.ts';
import { ItemNames } from './item-names.ts';
import { OPENING, openModel } from './open-model.ts';
import { plural, printJson, printLine, printNote, printText } from './output.ts';
import { checkOutputs } from './outputs.ts';
import { noteGuarded, RAW } from './raw.ts';
import { noteUnknown } from './unknown.ts';

const own = {
  ...OPENING,
  user: { kind: kinds.texts('id'), help: 'user, if there is no file; may be repeated' },
  item: {
    kind: kinds.texts('item'),
    help: 'item, if there is no file: its id, or its title; may be repeated: each user with each item',
  },
  out: { kind: kinds.text('file'), help: 'file for the predictions: .csv or .parquet' },
  json: {
    kind: kinds.flag,
    help: 'print one JSON list of {user, item, rating, known: {user, item}}, or score for a model that ranks alone',
  },
  userColumn: {
    kind: kinds.text('column'),
    help: 'column of user ids in the file: its name, or its number from 1',
  },
  itemColumn: { kind: kinds.text('column'), help: 'column of item ids' },
  ...RAW,
} as const satisfies Choices;

type PredictFlags = Flags<'device', typeof own>;

export function predictCommand(): Command {
  const command = new Command('predict')
    .description(
      'Predict the rating of an item by a user, or of all pairs in a file; of a model that ranks, the score.',
    )
    .argument('<folder>', 'a trained model')
    .argument('[pairs]', 'file of users and items');
  return withChoices(command, ['device', ...LISTS], own).action(run);
}

async function run(
  directory: string,
  file: string | undefined,
  flags: PredictFlags,
  command: Command,
): Promise<void> {
  const { user, item, out, json } = flags;
  if ((file === undefined) === (user === undefined) || (user === undefined) !== (item === undefined)) {
    throw new UserError(
      'argument',
      'give either a file of pairs, whose columns --user-column and --item-column name, or pairs by --user and --item',
    );
  }
  if (out !== undefined && json)
    throw new UserError('argument', '--out and --json cannot be combined; give only one of them');
  if (out !== undefined) await checkTable(out);
  await checkOutputs(command, { files: { out } });
  const recommender = await openModel(directory, flags);
  const known = readVocabulary(recommender.artifact);
  const names = file === undefined ? new ItemNames(recommender) : undefined;
  const { users, items } = names
    ? pairsOf(user as readonly string[], names.idsOf(item as readonly string[]))
    : await readPairs(file as string, readingOf(flags));
  const ranks = recommender.objective === 'ranking';
  const name = ranks ? 'score' : 'rating';
  const numbers = Array.from(
    await (ranks ? recommender.score(users, items) : recommender.predict(users, items)),
    decimal,
  );

  if (out !== undefined) {
    const rows = users.map((user, row) => [user, items[row], numbers[row]]);
    const types = { user: 'VARCHAR', item: 'VARCHAR', [name]: 'FLOAT' } as const;
    noteGuarded(await writeTable(out, types, rows, flags));
  } else if (json) {
    const [isUser, isItem] = [known.userIds, known.itemIds].map((ids) => new Set(ids));
    printJson(
      users.map((user, row) => ({
        ...{ user, item: items[row], [name]: numbers[row] },
        known: { user: isUser.has(user), item: isItem.has(items[row]) },
      })),
    );
  } else if (file === undefined && numbers.length === 1) printLine(String(numbers[0]));
  else
    printCsv(
      name,
      users.map((user, row) => [user, items[row], numbers[row]]),
      flags,
    );
  if (ranks) printNote('The model ranks: these are scores, not ratings; the higher, the better');
  noteUnknown('user', users, known.userIds, ranks ? 'scored by what is popular' : undefined);
  noteUnknown('item', items, known.itemIds);
  names?.noteLike(items.filter((item) => !names.isKnown(item)));
  if (out !== undefined) printLine(`Wrote ${plural(users.length, 'prediction')} to ${out}`);
}

/** Each user with each item. */
const pairsOf = (users: readonly string[], items: readonly string[]) => ({
  users: users.flatMap((user) => items.map(() => user)),
  items: users.flatMap(() => items),
});

/** Prints predictions as CSV. */
function printCsv(
  name: string,
  rows: readonly (readonly [user: string, item: string, number])[],
  { raw = false }: PredictFlags,
): void {
  const guard = new Guard(raw);
  const hidden = new Set<string>();
  printLine(`user,item,${name}`);
  for (const [user, item, number] of rows) {
    printText(csvLine([guard.cell(user), guard.cell(item), number]));
    for (const id of [user, item]) if (id !== printable(id)) hidden.add(id);
  }
  noteGuarded(guard.count);
  if (hidden.size > 0)
    printNote(
      `${plural(hidden.size, 'id')} with characters that a terminal must not get, shown as �; --json and --out have them`,
    );
}

import { Command } from 'commander';
import { UserError } from '../errors.ts';
import { listed } from '../recommend/listed.ts';
import { type Choices, kinds } from '../util/choices.ts';
import { type Flags, withChoices } from './choice-options.ts';
import { ItemNames } from './item-names.ts';
import { OPENING, openModel } from './open-model.ts';
import { printHeading, printJson, printNote, printTable, significant } from './output.ts';
import { namesOf, RECOMMENDING } from './recommend.ts';

const own = {
  ...OPENING,
  item: { kind: kinds.texts('item'), help: 'item: its id, or its title; may be repeated' },
  k: RECOMMENDING.k,
  json: {
    kind: kinds.flag,
    help: 'print one JSON list of {item, title?, similarity}; of several items, a list of {item, title?, similar}',
  },
} as const satisfies Choices;

export function similarCommand(): Command {
  const command = new Command('similar')
    .description('List the items most similar to an item, or to each of several.')
    .argument('<folder>', 'a trained model');
  return withChoices(command, ['device'], own).action(run);
}

async function run(directory: string, flags: Flags<'device', typeof own>): Promise<void> {
  const { item: given, k, json } = flags;
  if (given === undefined)
    throw new UserError('argument', 'there is no item; give one, such as --item 296, or its title');
  const recommender = await openModel(directory, flags);
  const { titles } = recommender;
  const names = new ItemNames(recommender);
  const items = names.idsOf(given);
  const unknown = items.find((item) => !names.isKnown(item));
  if (unknown !== undefined) {
    names.noteLike([unknown]);
    throw new UserError(
      'argument',
      `${JSON.stringify(unknown)}: the model does not know this item; give an id of the training data${titles.size > 0 ? ' or a title' : ''}`,
    );
  }
  const lists = (await recommender.similar(items, { k })).map((list) => listed(titles, list));
  if (json) {
    printJson(
      lists.length === 1
        ? lists[0]
        : listed(
            titles,
            items.map((item) => ({ item })),
          ).map((one, at) => ({ ...one, similar: lists[at] })),
    );
    return;
  }
  for (const [at, list] of lists.entries()) {
    if (lists.length > 1) printHeading(namesOf(recommender, items[at]).join('  '), at);
    printTable(list.map(({ item, similarity }) => [...namesOf(recommender, item), significant(similarity)]));
    if (list.length === 0) printNote('Nothing is similar to this item: no other item goes with it');
  }
}

import { Command } from 'commander';
import { UserError } from '../errors.ts';
import { listed } from '../recommend/listed.ts';
import { type Choices, kinds } from '../util/choices.ts';
import { type Flags, withChoices } from './choice-options.ts';
import { OPENING, openModel } from './open-model.ts';
import { printJson, printNote, printTable, significant } from './output.ts';
import { namesOf, RECOMMENDING } from './recommend.ts';

const own = {
  ...OPENING,
  item: { kind: kinds.text('id'), help: 'item id' },
  k: RECOMMENDING.k,
  json: { kind: kinds.flag, help: 'print one JSON list of {item, title?, similarity}' },
} as const satisfies Choices;

export function similarCommand(): Command {
  const command = new Command('similar')
    .description('List the items most similar to an item.')
    .argument('<folder>', 'a trained model');
  return withChoices(command, ['device'], own).action(run);
}

async function run(directory: string, flags: Flags<'device', typeof own>): Promise<void> {
  const { item, k, json } = flags;
  if (item === undefined) throw new UserError('argument', 'there is no item; give one, such as --item 296');
  const recommender = await openModel(directory, flags);
  const nearest = await recommender.similar(item, { k });
  const isKnown = recommender.items.length > 0 && recommender.items.some((one) => one.item === item);
  if (nearest.length === 0 && isKnown && !json)
    printNote('Nothing is similar to this item: no other item goes with it');
  if (nearest.length === 0 && !isKnown)
    throw new UserError(
      'argument',
      `${JSON.stringify(item)}: the model does not know this item; give an id of the training data`,
    );
  const list = listed(recommender.titles, nearest);
  if (json) printJson(list);
  else
    printTable(list.map(({ item, similarity }) => [...namesOf(recommender, item), significant(similarity)]));
}

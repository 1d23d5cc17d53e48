import { Command } from 'commander';
import { UserError } from '../errors.ts';
import { listed } from '../recommend/listed.ts';
import { load } from '../recommend/load.ts';
import { oneLine } from '../util/text.ts';
import { chosenDevice, type Flags, withChoices } from './choice-options.ts';
import { printJson, printTable } from './output.ts';
import { howMany, namesOf } from './recommend.ts';

export function similarCommand(): Command {
  const command = new Command('similar')
    .description('List the items most like one.')
    .argument('<folder>', 'a trained model')
    .requiredOption('--item <id>', 'the item')
    .option(...howMany)
    .option('--json', 'print one JSON list of {item, title?, similarity}');
  return withChoices(command, ['device']).action(run);
}

async function run(
  directory: string,
  { item, k, json, device }: Flags<'device'> & { item: string; k: number; json?: boolean },
): Promise<void> {
  const recommender = await load(directory, [], { device: await chosenDevice({ device }) });
  const [nearest] = await recommender.similar([item], { k });
  if (nearest.length === 0)
    throw new UserError(
      oneLine(`${JSON.stringify(item)}: the model knows no such item; give an id as in training`),
    );
  const list = listed(recommender.titles, nearest, 'similarity');
  if (json) printJson(list);
  else printTable(list.map(({ item, similarity }) => [...namesOf(recommender, item), similarity.toFixed(3)]));
}

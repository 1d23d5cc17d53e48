import { Command } from 'commander';
import { isSolved } from '../../graphs/models/index.ts';
import type { Artifact } from '../artifact/manifest.ts';
import { writeSite } from '../artifact/site.ts';
import { UserError } from '../errors.ts';
import { itemsOf } from '../recommend/tables.ts';
import { readPage } from '../serve/page-files.ts';
import type { Given } from '../util/choices.ts';
import { withChoices } from './choice-options.ts';
import { OPENING, readModel } from './open-model.ts';
import { plural, printJson, printLine, shellWord, size } from './output.ts';
import { checkOutputs } from './outputs.ts';

export function pageCommand(): Command {
  const command = new Command('page')
    .description('Write a web page that recommends with a trained model, for any static host.')
    .argument('<folder>', 'a trained model')
    .requiredOption('--out <folder>', 'folder for the site: new, empty, or a site to replace')
    .option('--json', 'print one JSON object');
  return withChoices(command, [], OPENING).action(run);
}

/** With fewer people, what they share is no longer a matter of many. */
const FEW = 3;

const rareItems = (artifact: Artifact): number =>
  itemsOf(artifact).filter(({ count }) => count > 0 && count < FEW).length;

interface PageFlags extends Given<typeof OPENING> {
  readonly out: string;
  readonly json?: boolean;
}

async function run(directory: string, { out, json, trust }: PageFlags, command: Command): Promise<void> {
  await checkOutputs(command, { folders: { out } });
  const artifact = await readModel(directory, { trust });
  const page = await readPage();
  if (!page)
    throw new UserError(
      'argument',
      'the web page is not built; build it with npm run build, and run this command again',
    );
  const files = await writeSite(out, page, artifact);
  const bytes = Object.values(files).reduce((sum, file) => sum + file.length, 0);
  if (json) {
    printJson({ out, files: Object.keys(files).length, bytes });
    return;
  }
  printLine(
    `Wrote ${out}: ${plural(Object.keys(files).length, 'file')}, ${size(bytes)}; upload it to any static host`,
  );
  const rare = isSolved(artifact.manifest.model.name) ? rareItems(artifact) : 0;
  if (rare > 0)
    printLine(
      `It has no ids of users. But one or two people have each of ${plural(rare, 'item')}, whose weights tell what else these people have; leave out such items before training if that must not be known`,
    );
  else
    printLine(
      artifact.manifest.data.kind === 'ratings'
        ? 'It only has data about items: no ids, factors or ratings of users'
        : 'It only has data about items, such as how many users have each, and nothing about single users',
    );
  printLine(
    `To view it: python3 -m http.server --directory ${shellWord(out)} 8000, then http://127.0.0.1:8000`,
  );
  printLine(`npx cofactor serve ${shellWord(directory)} serves the same page without writing it`);
}

import { Command } from 'commander';
import { writeSite } from '../artifact/site.ts';
import { UserError } from '../errors.ts';
import { readPage } from '../serve/page-files.ts';
import type { Given } from '../util/choices.ts';
import { withChoices } from './choice-options.ts';
import { OPENING, readModel } from './open-model.ts';
import { plural, printJson, printLine, shellWord, size } from './output.ts';
import { checkOutputs } from './outputs.ts';
import { whatIsPublic } from './what-is-public.ts';

export function pageCommand(): Command {
  const command = new Command('page')
    .description('Write a web page that recommends with a trained model, for any static host.')
    .argument('<folder>', 'a trained model')
    .requiredOption('--out <folder>', 'folder for the site: new, empty, or a site to replace')
    .option('--json', 'print one JSON object');
  return withChoices(command, [], OPENING).action(run);
}

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
  printLine(whatIsPublic(artifact));
  printLine(
    `To view it: python3 -m http.server --directory ${shellWord(out)} 8000, then http://127.0.0.1:8000`,
  );
  printLine(`npx cofactor serve ${shellWord(directory)} serves the same page without writing it`);
}

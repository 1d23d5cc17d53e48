import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { flagOf, optionNames, withFlags } from '../../src/cli/flag-names.ts';
import { allChoices } from '../../src/train/recipe/run-choices.ts';

const program = new Command().addCommand(
  new Command('recommend').option('-k <number>').option('--user-column <column>'),
);
const names = optionNames(program);

const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

test.each([
  ["name its encoding, such as `encoding: 'latin-1'`", 'name its encoding, such as --encoding latin-1'],
  ['train with `keepSeen`', 'train with --keep-seen'],
  ['`user`, `userColumn`, `k: 10`', '--user, --user-column, -k 10'],
  ["read no times with `time: ''`", 'read no times with --time ""'],
  ['leave out `sparseUpdates: false`', 'leave out --no-sparse-updates'],
  ['`keepSeen: true` or `blocks: [4, 2]`', '--keep-seen or --blocks 4,2'],
  ['`model: definition`', '--model definition'],
])('%s', (message, shown) => {
  expect(withFlags(message, names)).toBe(shown);
});

test('only options are written as flags', () => {
  const message = 'run `cofactor doctor` or `npm install`; give `dims`, not user: x';
  expect(withFlags(message, names)).toBe(message);
});

test('no message of the library names a flag of the command line', async () => {
  const flags = Object.keys(allChoices).map(flagOf);
  const found: string[] = [];
  for (const folder of ['src', 'graphs'])
    for (const name of await readdir(folder, { recursive: true })) {
      if (!/\.tsx?$/.test(name) || /^(cli|page)\b/.test(name)) continue;
      const code = (await readFile(join(folder, name), 'utf8')).replace(COMMENT, '');
      for (const flag of flags)
        if (new RegExp(`[\\s'"\`]${flag}\\b`).test(code)) found.push(`${name}: ${flag}`);
    }
  expect(found).toEqual([]);
});

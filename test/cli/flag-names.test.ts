import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { flagOf, optionNames, withFlags } from '../../src/cli/flag-names.ts';
import { option, UserError } from '../../src/errors.ts';
import { allChoices } from '../../src/train/recipe/run-choices.ts';

const program = new Command().addCommand(
  new Command('recommend').option('-k <number>').option('--user-column <column>'),
);
const names = optionNames(program);

const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

test.each([
  [`such as ${option("encoding: 'latin-1'")}`, "such as `encoding: 'latin-1'`", 'such as --encoding latin-1'],
  [`train with ${option('seen')}`, 'train with `seen`', 'train with --seen'],
  [`${option('userColumn')}, ${option('k: 10')}`, '`userColumn`, `k: 10`', '--user-column, -k 10'],
  [
    `read no times with ${option("timeColumn: ''")}`,
    "read no times with `timeColumn: ''`",
    'read no times with --time-column ""',
  ],
  [`not ${option('sparseUpdates: false')}`, 'not `sparseUpdates: false`', 'not --no-sparse-updates'],
  [`${option('blocks: [4, 2]')}`, '`blocks: [4, 2]`', '--blocks 4,2'],
  [`${option('vocabulary')}`, '`vocabulary`', '`vocabulary`'],
])('%j', (marked, inProgram, onCommandLine) => {
  const error = new UserError('argument', marked);
  expect(error.message).toBe(inProgram);
  expect(withFlags(error, names)).toBe(onCommandLine);
});

test('the user’s own text stays as it is, in backticks or not', () => {
  const message = 'no column "`out`" in `valid`.csv; run `npx cofactor doctor`';
  expect(withFlags(new UserError('data', message), names)).toBe(message);
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

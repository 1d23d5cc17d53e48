import { Command } from 'commander';
import { expect, test } from 'vitest';
import { optionNames, withFlags } from '../../src/cli/flag-names.ts';

const program = new Command().addCommand(
  new Command('recommend').option('-k <number>').option('--user-column <column>'),
);
const names = optionNames(program);

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

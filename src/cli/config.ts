import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { inspect } from 'node:util';
import { type Command, Option } from 'commander';
import { closest, distance } from 'fastest-levenshtein';
import { isSolved } from '../../graphs/models/index.ts';
import { UserError } from '../errors.ts';
import { choicesFor, trainingChoices } from '../train/recipe/choices.ts';
import { allChoices, type CofactorConfig, runChoices } from '../train/recipe/run-choices.ts';
import { type Choices, checked, withDefaults } from '../util/choices.ts';
import { nameNow } from '../util/former-names.ts';
import { chosenFrom, READING, RECIPE } from './choice-options.ts';
import { printLine, printNote } from './output.ts';

type Key = keyof CofactorConfig;

export const KEYS = Object.keys(allChoices) as Key[];
const NAMES = ['ts', 'mts', 'js', 'mjs', 'json'].map((extension) => `cofactor.config.${extension}`);

/** Choices that mean the same in all commands: the recipe, and the reading of ratings. */
const COMMON: readonly Key[] = [...RECIPE, 'device', ...READING];

/**
 * Takes choices from `cofactor.config.ts`, `.js` or `.json` in the working directory, or from `--config FILE`. Flags take
 * precedence. Keys for which the command has no flag are ignored.
 *
 * @param more choices that the command takes in addition to the recipe and the reading of ratings
 */
export function withConfig(command: Command, more: readonly Key[] = []): Command {
  return command
    .addOption(
      new Option('--config <file>', 'file with choices (default: cofactor.config.ts, .js or .json, if here)'),
    )
    .addOption(new Option('--no-config', 'ignore configuration files'))
    .hook('preAction', async (_, action) => {
      const file = configFile(action.opts().config);
      if (file === undefined) return;
      const config = await readConfig(file);
      for (const option of action.options) {
        const key = option.attributeName() as Key;
        const value = config[key];
        if (value === undefined || ![...COMMON, ...more].includes(key)) continue;
        if (action.getOptionValueSource(key) !== 'cli') action.setOptionValueWithSource(key, value, 'config');
      }
      printNote(`Choices from ${file}`);
    });
}

/**
 * Prints the choices of a training, from flags, config file and defaults, as the text of a `cofactor.config.json`. Choices
 * that depend on the data are left out.
 */
export function printConfig(flags: CofactorConfig): void {
  const { model = trainingChoices.model.default } = flags;
  const { objective = isSolved(model) ? 'ranking' : trainingChoices.objective.default } = flags;
  const table: Choices = { ...choicesFor(model), ...runChoices };
  const all = Object.entries(table).filter(
    ([name, choice]) =>
      objective === 'both' ||
      // With auto, the data decide which objectives there are.
      (choice.objective ?? objective) === objective ||
      flags[name as Key] !== undefined,
  );
  const choices: Readonly<Record<string, unknown>> = withDefaults(
    Object.fromEntries(all),
    chosenFrom(KEYS, flags),
  );
  printLine(JSON.stringify(Object.fromEntries(KEYS.map((key) => [key, choices[key]])), null, 2));
}

/** @returns undefined if there is none */
function configFile(asked: string | false | undefined): string | undefined {
  if (asked === false) return undefined;
  if (asked !== undefined) return asked;
  const found = NAMES.filter((name) => existsSync(name));
  if (found.length > 1)
    throw new UserError('argument', `there are ${found.join(' and ')}; keep one, or name one with --config`);
  return found[0];
}

/** @throws UserError with the file, the key, what is wrong, and what to give */
export async function readConfig(file: string): Promise<CofactorConfig> {
  if (!existsSync(file)) throw new UserError('argument', `${file}: no such file`);
  const config = await (extname(file) === '.json' ? parsed(file) : loaded(file));
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new UserError(
      'argument',
      `${file}: holds ${shown(config)}; give an object, such as { "epochs": 8 }`,
    );
  const unknown = Object.keys(config).find((key) => !KEYS.includes(key as Key));
  if (unknown !== undefined)
    throw new UserError('argument', `${file}: has no choice "${unknown}"; ${nearest(unknown)}`);
  return checked(allChoices, { ...config }, `${file}: `);
}

function nearest(word: string): string {
  const now = nameNow(word, KEYS);
  if (now !== undefined) return `it is called ${now} now`;
  const near = closest(word, KEYS);
  return distance(word, near) <= word.length / 2
    ? `did you mean ${near}?`
    : 'it takes the flags of cofactor train, such as learningRate for --learning-rate';
}

async function parsed(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error) => fail(file, error));
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UserError('argument', `${file}: is not JSON: ${(error as Error).message}`);
  }
}

/** Uses jiti because Node 20 cannot run TypeScript, nor `export` in a `.js` file without `"type": "module"`. */
async function loaded(file: string): Promise<unknown> {
  const { createJiti } = await import('jiti');
  const jiti = createJiti(import.meta.url, { fsCache: false, interopDefault: false });
  const module = await jiti.import<object>(resolve(file)).catch((error) => fail(file, error));
  if (!('default' in module))
    throw new UserError(
      'argument',
      `${file}: has no default export; write one such as export default { epochs: 8 }`,
    );
  return module.default;
}

function fail(file: string, error: unknown): never {
  const [message] = String(error instanceof Error ? error.message : error).split('\nRequire stack');
  throw new UserError('argument', `${file}: cannot be loaded: ${message}`);
}

const shown = (value: unknown): string =>
  inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: 60 });

import { existsSync } from 'node:fs';
import { lstat, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
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
import { flagOf } from './flag-names.ts';
import { jsonOf, printNote, printText } from './output.ts';

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
      new Option(
        '--config <file>',
        'file with choices (default: cofactor.config.ts, .js or .json, if here; .ts and .js are code, which runs)',
      ),
    )
    .addOption(new Option('--no-config', 'ignore configuration files'))
    .hook('preAction', async (_, action) => {
      const asked = action.opts().config;
      const file = await configFile(asked);
      if (file === undefined) return;
      action.setOptionValueWithSource('config', file, 'default');
      const config = await readConfig(file);
      if (asked === undefined && isData(file)) await checkInside(file, config);
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
  printText(jsonOf(Object.fromEntries(KEYS.map((key) => [key, choices[key]])), 2));
}

/** @returns undefined if there is none @throws UserError for one that is code of another user, and was not asked for */
async function configFile(asked: string | false | undefined): Promise<string | undefined> {
  if (asked === false) return undefined;
  if (asked !== undefined) return asked;
  const found = NAMES.filter((name) => existsSync(name));
  if (found.length > 1)
    throw new UserError('argument', `there are ${found.join(' and ')}; keep one, or name one with --config`);
  const [file] = found;
  if (file !== undefined && !(await stat(file)).isFile())
    throw new UserError('argument', `${file}: is not a file; remove it, or give --no-config`);
  if (file !== undefined && !isData(file) && !(await isOurs(file)))
    throw new UserError(
      'argument',
      `${file}: is code, and it or its folder belongs to another user; read it, then give --config ${file} to run it, or --no-config; a cofactor.config.json is read in any folder`,
    );
  return file;
}

const isData = (file: string): boolean => extname(file) === '.json';

/** @throws UserError where a file that was not asked for, and that a stranger may have made, says to write outside of its folder */
async function checkInside(file: string, config: CofactorConfig): Promise<void> {
  for (const name of ['out', 'report'] as const) {
    const path = config[name];
    if (
      path === undefined ||
      !/^\.\.(?![^/\\])/.test(relative(await realpath('.'), await realOf(resolve(path))))
    )
      continue;
    throw new UserError(
      'argument',
      `${file}: ${name} is ${JSON.stringify(path)}, outside of this folder; give ${flagOf(name)}, or name the file with --config`,
    );
  }
}

/** Where a path leads that need not be there. */
const realOf = (path: string): Promise<string> =>
  realpath(path).catch(async () => join(await realOf(dirname(path)), basename(path)));

/**
 * Whether a file, what it may be a link to, and its folder belong to the user who runs this; to root under sudo, also those of the
 * user who called it. As with git's `safe.directory`, it does not matter who else may write to them. Windows has no such owners.
 */
async function isOurs(file: string): Promise<boolean> {
  const user = process.geteuid?.();
  if (user === undefined) return true;
  const users = [user, ...(user === 0 ? [Number(process.env.SUDO_UID ?? 0)] : [])];
  const found = await Promise.all([lstat(file), stat(file), stat(dirname(resolve(file)))]);
  return found.every(({ uid }) => users.includes(uid));
}

/** @throws UserError with the file, the key, what is wrong, and what to give */
export async function readConfig(file: string): Promise<CofactorConfig> {
  if (!existsSync(file)) throw new UserError('argument', `${file}: no such file`);
  const config = await (isData(file) ? parsed(file) : loaded(file));
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

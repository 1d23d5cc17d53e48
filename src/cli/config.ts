import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { inspect, isDeepStrictEqual } from 'node:util';
import { type Command, Option } from 'commander';
import { closest, distance } from 'fastest-levenshtein';
import * as v from 'valibot';
import type { DotBiasConfig } from '../../graphs/models/dot-bias.ts';
import type { MlpConfig } from '../../graphs/models/mlp.ts';
import { UserError } from '../errors.ts';
import { type CofactorConfig, configSchema } from '../train/recipe/config.ts';
import { definitionOf, recipeParts } from '../train/recipe/recipe.ts';
import { settingsFor } from '../train/recipe/settings.ts';
import { oneLine } from '../util/text.ts';
import { printLine, printNote } from './output.ts';
import { type RecipeFlags, recipeOf } from './recipe-options.ts';

type Key = keyof CofactorConfig;

const KEYS = Object.keys(configSchema.entries) as Key[];
const NAMES = ['ts', 'mts', 'js', 'mjs', 'json'].map((extension) => `cofactor.config.${extension}`);

/** What means the same to every command that has it: the recipe, and how ratings are read. */
const COMMON: readonly Key[] = [
  ...(Object.keys(recipeParts) as (keyof typeof recipeParts)[]),
  ...(['device', 'user', 'item', 'rating', 'time', 'delimiter', 'header', 'encoding'] as const),
];

/**
 * Takes choices from `cofactor.config.ts`, `.js` or `.json` in the working folder, or from `--config FILE`; flags win.
 *
 * @param more what the command takes beside the recipe and how ratings are read. Of keys for which it has no flag it takes
 *   none.
 */
export function withConfig(command: Command, more: readonly Key[] = []): Command {
  return command
    .addOption(
      new Option('--config <file>', 'choices to make (default: cofactor.config.ts, .js or .json, if here)'),
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
        if (action.getOptionValueSource(key) === 'cli') continue;
        if (option.argChoices && !option.argChoices.includes(String(value)))
          throw new UserError(
            `${file}: ${key} is ${shown(value)}; for cofactor ${action.name()} give one of ${option.argChoices.join(', ')}`,
          );
        action.setOptionValueWithSource(key, value, 'config');
      }
      printNote(`Choices from ${file}`);
    });
}

/** For `cofactor train`, which takes them all. */
export const withWholeConfig = (command: Command): Command => withConfig(command, KEYS);

/**
 * Prints the choices that a training would go by, from flags, file and defaults, as a `cofactor.config.json` that makes
 * the same. What is left to be chosen by the data is left out.
 */
export function printConfig(flags: Readonly<Record<string, unknown>>): void {
  const choices = { ...defaultsOf(flags as RecipeFlags), ...flags };
  const entries = KEYS.map((key) => [key, choices[key]]);
  printLine(JSON.stringify(Object.fromEntries(entries), null, 2));
}

/** Of what a recipe leaves open, what is the same for few ratings and for many. */
function defaultsOf(flags: RecipeFlags): Readonly<Record<string, unknown>> {
  const [few, many] = [
    { users: 10, items: 10, ratings: 100, low: 1, high: 5, mean: 3 },
    { users: 1e6, items: 1e6, ratings: 1e9, low: 10, high: 100, mean: 50 },
  ].map((facts): Readonly<Record<string, unknown>> => {
    const model = definitionOf(recipeOf(flags))(facts);
    const { factors, ...config } = model.config as MlpConfig | DotBiasConfig;
    const { epochs } = settingsFor(model, {}, facts);
    const [width, ...others] = [factors].flat();
    return { factors: others.every((other) => other === width) ? width : undefined, ...config, epochs };
  });
  return Object.fromEntries(
    Object.entries(few).filter(([key, value]) => isDeepStrictEqual(value, many[key])),
  );
}

/** @returns undefined where there is none */
function configFile(asked: string | false | undefined): string | undefined {
  if (asked === false) return undefined;
  if (asked !== undefined) return asked;
  const found = NAMES.filter((name) => existsSync(name));
  if (found.length > 1)
    throw new UserError(`there are ${found.join(' and ')}; keep one, or name one with --config`);
  return found[0];
}

/**
 * Reads a configuration file, and checks it.
 *
 * @throws UserError that names the file, the key, what is wrong, and what to give
 */
export async function readConfig(file: string): Promise<v.InferOutput<typeof configSchema>> {
  if (!existsSync(file)) throw new UserError(`${file}: no such file`);
  const config = await (extname(file) === '.json' ? parsed(file) : loaded(file));
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new UserError(`${file}: holds ${shown(config)}; give an object, such as { "model": "mlp" }`);
  const unknown = Object.keys(config).find((key) => !KEYS.includes(key as Key));
  if (unknown !== undefined)
    throw new UserError(oneLine(`${file}: has no choice "${unknown}"; ${nearest(unknown)}`));
  const result = v.safeParse(configSchema, config);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new UserError(oneLine(`${file}: ${v.getDotPath(issue)} is ${shown(issue.input)}; ${issue.message}`));
}

function nearest(word: string): string {
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
    throw new UserError(oneLine(`${file}: is not JSON: ${(error as Error).message}`));
  }
}

/** By jiti, since Node 20 runs no TypeScript, nor `export` in a `.js` file without a package.json that says so. */
async function loaded(file: string): Promise<unknown> {
  const { createJiti } = await import('jiti');
  const jiti = createJiti(import.meta.url, { fsCache: false, interopDefault: false });
  const module = await jiti.import<object>(resolve(file)).catch((error) => fail(file, error));
  if (!('default' in module))
    throw new UserError(`${file}: has no default export; write export default { model: 'mlp' }, say`);
  return module.default;
}

function fail(file: string, error: unknown): never {
  const [message] = String(error instanceof Error ? error.message : error).split('\nRequire stack');
  throw new UserError(oneLine(`${file}: cannot be loaded: ${message}`));
}

const shown = (value: unknown): string =>
  inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: 60 });

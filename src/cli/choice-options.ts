import { type Command, InvalidArgumentError, Option } from 'commander';
import * as v from 'valibot';
import type { Device } from '../run/device-names.ts';
import { chooseDevice } from '../run/devices.ts';
import { defaultText, recipeChoices } from '../train/recipe/choices.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import { allChoices, type RunChoices, runChoices } from '../train/recipe/run-choices.ts';
import type { Choice, Kind } from '../util/choices.ts';
import { printNote } from './output.ts';

type Name = keyof Recipe | keyof RunChoices;

/** Flags as `withChoices` gives them: those that were not given are undefined. */
export type Flags<Names extends keyof RunChoices = never> = Recipe & Pick<RunChoices, Names>;

/** How ratings are read. */
export const READING = ['user', 'item', 'rating', 'time', 'delimiter', 'header', 'encoding'] as const;

/** How a file without ratings is read, whose columns other flags name, or none. */
export const LISTS = ['delimiter', 'header', 'encoding'] as const;

/** The recipe, for commands that hold out ratings of their own. */
export const RECIPE = (Object.keys(recipeChoices) as (keyof Recipe)[]).filter(
  (name) => name !== 'patience' && name !== 'blocks',
);

/** Adds flags for choices of the table. */
export function withChoices(command: Command, names: readonly Name[]): Command {
  for (const name of names)
    for (const option of optionsOf(name, allChoices[name]))
      command.addOption(allChoices[name].group ? option.helpGroup(`${allChoices[name].group}:`) : option);
  return command;
}

function optionsOf(name: string, choice: Choice): Option[] {
  const { kind, help, no } = choice;
  const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const standard = defaultText(choice);
  const described = standard === undefined ? help : `${help} (default: ${standard})`;
  if (kind.placeholder === undefined)
    return [
      new Option(`--${flag}`, described),
      ...(no === undefined ? [] : [new Option(`--no-${flag}`, no).default(undefined)]),
    ];
  const option = new Option(`--${flag} <${kind.placeholder}>`, described);
  return [kind.names ? option.choices(kind.names) : option.argParser(parserOf(kind))];
}

/** Reads the text of a flag. */
export function parserOf<T>(kind: Kind<T>): (text: string) => T {
  return (text) => {
    const { success, issues, output } = v.safeParse(kind.schema, kind.parse(text));
    if (success) return output;
    const [{ message }] = issues;
    throw new InvalidArgumentError(`${message[0].toUpperCase()}${message.slice(1)}.`);
  };
}

/** Those flags that are choices of some table. */
export const chosenFrom = <Chosen extends object>(
  table: Readonly<Record<string, unknown>>,
  flags: object,
): Chosen =>
  Object.fromEntries(
    Object.entries(flags).filter(([name, value]) => Object.hasOwn(table, name) && value !== undefined),
  ) as Chosen;

export const recipeOf = (flags: object): Recipe => chosenFrom(recipeChoices, flags);

/** Only what reading a file takes. */
export const readingOf = (flags: object): Pick<RunChoices, (typeof READING)[number]> =>
  chosenFrom(Object.fromEntries(READING.map((name) => [name, name])), flags);

/** The device to run on, with a note where `auto` had to fall back. */
export async function chosenDevice({
  device: wanted = runChoices.device.default,
}: Pick<RunChoices, 'device'>): Promise<Device> {
  const { device, note } = await chooseDevice(wanted);
  if (note !== undefined) printNote(note);
  return device;
}

import { type Command, InvalidArgumentError, Option } from 'commander';
import * as v from 'valibot';
import { kindFor } from '../data/read/meaning.ts';
import type { ReadOptions } from '../data/read/read.ts';
import type { Device } from '../run/device-names.ts';
import { chooseDevice } from '../run/devices.ts';
import { defaultText, recipeChoices } from '../train/recipe/choices.ts';
import type { Recipe } from '../train/recipe/recipe.ts';
import { allChoices, type RunChoices, runChoices } from '../train/recipe/run-choices.ts';
import { type Choice, type Choices, type Given, type Kind, kinds } from '../util/choices.ts';
import { flagOf, noFlagOf } from './flag-names.ts';
import { printNote } from './output.ts';

type Name = keyof Recipe | keyof RunChoices;

/** The flags of `withChoices`. Shared choices that were not given are undefined. */
export type Flags<Names extends keyof RunChoices = never, Own extends Choices = Record<never, never>> = Omit<
  Recipe & Pick<RunChoices, Names>,
  keyof Own
> &
  Given<Own>;

/** What the rows of interactions mean. A model stores them, for data that it is judged on. */
export const MEANING = ['countColumn', 'eventColumn', 'eventWeights', 'leaveOut'] as const;

export const READING = [
  ...(['userColumn', 'itemColumn', 'ratingColumn', 'timeColumn'] as const),
  ...MEANING,
  ...(['duplicates', 'minRatings', 'dropRating', 'skipBadRows'] as const),
  ...(['delimiter', 'header', 'quotes', 'encoding', 'decimal', 'wide', 'missing'] as const),
] as const;

/** Flags for reading a file whose columns other flags name, or none. */
export const LISTS = ['delimiter', 'header', 'encoding'] as const;

/** The recipe, for commands that hold out ratings themselves. */
export const RECIPE = (Object.keys(recipeChoices) as (keyof Recipe)[]).filter(
  (name) => !recipeChoices[name].only,
);

export const JSON_OBJECT = { json: { kind: kinds.flag, help: 'print one JSON object' } } satisfies Choices;

/**
 * Adds flags for the choices of a command.
 *
 * @param shared choices that several commands have; `resolve` applies their defaults
 * @param own choices of this command
 */
export function withChoices(command: Command, shared: readonly Name[], own: Choices = {}): Command {
  for (const [name, choice] of Object.entries(own))
    for (const option of optionsOf(name, choice)) command.addOption(option.default(choice.default));
  for (const name of shared) {
    const { group, ...choice } = allChoices[name];
    const standard = defaultText(choice);
    const help = standard === undefined ? choice.help : `${choice.help} (default: ${standard})`;
    for (const option of optionsOf(name, { ...choice, help }))
      command.addOption(group ? option.helpGroup(`${group}:`) : option);
  }
  return command;
}

function optionsOf(name: string, { kind, help, no }: Choice): Option[] {
  const flag = flagOf(name);
  const negative = no === undefined ? [] : [new Option(noFlagOf(name), no).default(undefined)];
  if (kind.placeholder === undefined) return [new Option(flag, help), ...negative];
  const option = new Option(`${flag} <${kind.placeholder}>`, help);
  return [kind.names ? option.choices(kind.names) : option.argParser(parserOf(kind)), ...negative];
}

function parserOf<T>(kind: Kind<T>): (text: string, before: T | undefined) => T {
  return (text, before = [] as T) => {
    const parsed = kind.parse(text);
    const value = kind.repeats ? [...(before as readonly unknown[]), parsed] : parsed;
    const { success, issues, output } = v.safeParse(kind.schema, value);
    if (success) return output;
    const [{ message }] = issues;
    throw new InvalidArgumentError(`${message[0].toUpperCase()}${message.slice(1)}.`);
  };
}

/** The flags with these names that were given. */
export const chosenFrom = <Chosen extends object>(names: readonly string[], flags: object): Chosen =>
  Object.fromEntries(
    Object.entries(flags).filter(([name, value]) => names.includes(name) && value !== undefined),
  ) as Chosen;

/** The recipe. Event weights that a user gives always count, whether or not they follow tastes. */
export const recipeOf = (flags: object): Recipe => ({
  ...('eventWeights' in flags && flags.eventWeights !== undefined && { weights: 'log' }),
  ...chosenFrom<Recipe>(Object.keys(recipeChoices), flags),
});

/** The flags for reading a file. */
export const readingOf = (flags: object): Pick<RunChoices, (typeof READING)[number]> =>
  chosenFrom(READING, flags);

/** The flags for reading a file to train on. */
export const readingToTrain = (
  flags: Pick<Recipe, 'objective'>,
): ReturnType<typeof readingOf> & Pick<ReadOptions, 'kind'> => ({
  ...readingOf(flags),
  kind: kindFor(flags.objective),
});

/** The device to run on. Prints a note if `auto` did not find CUDA. */
export async function chosenDevice({
  device: wanted = runChoices.device.default,
}: Pick<RunChoices, 'device'>): Promise<Device> {
  const { device, note } = await chooseDevice(wanted);
  if (note !== undefined) printNote(note);
  return device;
}

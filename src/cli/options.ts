import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ReadOptions } from '../data/read/read.ts';
import { chooseDevice, DEVICES, type Device } from '../run/devices.ts';
import { printNote } from './output.ts';

/** A number within bounds, for an option. */
export const number =
  ({
    above,
    from,
    below,
    whole = false,
  }: {
    above?: number;
    from?: number;
    below?: number;
    whole?: boolean;
  } = {}) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    const fits =
      Number.isFinite(value) &&
      (!whole || Number.isSafeInteger(value)) &&
      (above === undefined || value > above) &&
      (from === undefined || value >= from) &&
      (below === undefined || value < below);
    if (fits) return value;
    const bounds = [
      above !== undefined && `above ${above}`,
      from !== undefined && `at least ${from}`,
      below !== undefined && `below ${below}`,
    ].filter(Boolean);
    throw new InvalidArgumentError(
      `It must be a ${whole ? 'whole ' : ''}number${bounds.length ? ` ${bounds.join(' and ')}` : ''}.`,
    );
  };

/** `10,5`: numbers with commas between them. */
export const numbers =
  (bounds: Parameters<typeof number>[0]) =>
  (text: string): number[] =>
    text.split(',').map(number(bounds));

export type ReadFlags = Pick<
  ReadOptions,
  'user' | 'item' | 'rating' | 'time' | 'delimiter' | 'header' | 'encoding'
>;

/** The flags that say how to read a file of ratings. */
export function withReadOptions(command: Command, { ids = true }: { ids?: boolean } = {}): Command {
  const group = (option: Option): Option => option.helpGroup('Reading:');
  if (ids) {
    command
      .addOption(
        group(new Option('--user <column>', 'the column of user ids: its name, or its number from 1')),
      )
      .addOption(group(new Option('--item <column>', 'the column of item ids')))
      .addOption(group(new Option('--rating <column>', 'the column of ratings')))
      .addOption(group(new Option('--time <column>', 'the column of times')));
  }
  return command
    .addOption(group(new Option('--delimiter <text>', 'what stands between fields')))
    .addOption(group(new Option('--header', 'the first line names the columns')))
    .addOption(group(new Option('--no-header', 'the first line is data')).default(undefined))
    .addOption(
      group(new Option('--encoding <name>', 'of a text file').choices(['utf-8', 'latin-1', 'utf-16'])),
    );
}

/** Only what `readRatings` takes. */
export function readFlags(flags: ReadFlags): ReadFlags {
  const { user, item, rating, time, delimiter, header, encoding } = flags;
  return { user, item, rating, time, delimiter, header, encoding };
}

export interface DeviceFlags {
  device: Device | 'auto';
}

/** The flag that says what runs models. */
export const deviceOption = (): Option =>
  new Option(
    '--device <name>',
    'what runs models; auto is the GPU that `cofactor doctor` finds, or else the CPU. On the CPU one seed gives the same bytes each time',
  )
    .choices(['auto', ...DEVICES])
    .default('cpu');

/** The device to run on, with a note where `auto` had to fall back. */
export async function chosenDevice({ device: wanted }: DeviceFlags): Promise<Device> {
  const { device, note } = await chooseDevice(wanted);
  if (note !== undefined) printNote(note);
  return device;
}

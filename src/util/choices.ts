import * as v from 'valibot';
import { UserError } from '../errors.ts';
import { insteadOf } from './former-names.ts';
import { mapValues } from './map-values.ts';
import { checkArgument, length as expectedLength, object, told } from './options.ts';

/** The type of a choice's value. */
export interface Kind<T> {
  /** Checks a value. Its error message says what to give. */
  readonly schema: v.GenericSchema<unknown, T>;
  /** Name of the value in the help, as in `--epochs <number>`; absent for a flag without a value. */
  readonly placeholder?: string;
  /** The allowed names, where the value is one of several names. */
  readonly names?: readonly string[];
  /** Whether a flag may be repeated: its values are a list. @default false */
  readonly repeats?: true;
  /** Parses the text of a flag. The schema then checks the result; of a flag that repeats, with the values before it. */
  parse(text: string): unknown;
}

/** Something that a user may choose: one entry of a table. Flags, config files, types and form fields follow from it. */
export interface Choice<T = unknown> {
  readonly kind: Kind<T>;
  /** Heading in the help. @default the first heading */
  readonly group?: 'Model' | 'Training' | 'Files' | 'Reading';
  readonly help: string;
  /** The only command that takes the choice. Other commands decide for themselves. */
  readonly only?: 'train';
  /** The only objective that the choice is for. @default both */
  readonly objective?: 'rating' | 'ranking';
  /** Whether it is about learning by gradients, which a model in closed form does not do. @default false */
  readonly byGradient?: true;
  /** Position in the page's settings; absent if they do not have the choice. */
  readonly field?: number;
  /** Help of the negative flag, such as `--no-sparse-updates`. */
  readonly no?: string;
  /** The default, or a function that derives it from the other choices. */
  readonly default?: T | ((others: Readonly<Record<string, unknown>>) => T);
  /** The default in words, where it depends on other things. */
  readonly otherwise?: string;
}

export type Choices = Readonly<Record<string, Choice>>;

/** Puts choices under a heading in the help. */
export const grouped = <const Table extends Choices>(group: Choice['group'], table: Table): Table =>
  mapValues(table, (choice) => ({ group, ...choice })) as Choices as Table;

/** The type of the values of a table of choices; each may be left out. */
export type Chosen<Table extends Choices> = {
  readonly [Name in keyof Table]?: (Table[Name] extends Choice<infer T> ? T : never) | undefined;
};

/** The same with defaults applied: choices that have one are always there. */
export type Given<Table extends Choices> = Chosen<Table> & {
  readonly [Name in keyof Table as Table[Name] extends { readonly default: unknown }
    ? Name
    : never]-?: NonNullable<Chosen<Table>[Name]>;
};

const numberIn = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

export const numeric = (message: string, fits: (value: number) => boolean): Kind<number> => ({
  schema: v.custom<number>((value) => typeof value === 'number' && fits(value), message),
  placeholder: 'number',
  parse: numberIn,
});

const list = <T>(one: Kind<T>, placeholder: string, message: string): Kind<readonly T[]> => ({
  schema: v.array(one.schema, message),
  placeholder,
  parse: (text) => text.split(',').map(one.parse),
});

const pair = (
  placeholder: string,
  message: string,
  fits: (pair: readonly [number, number]) => boolean,
): Kind<readonly [number, number]> => ({
  schema: v.custom<readonly [number, number]>(
    (value) =>
      Array.isArray(value) &&
      value.length === 2 &&
      value.every(Number.isFinite) &&
      fits(value as [number, number]),
    message,
  ),
  placeholder,
  parse: (text) => text.split(',').map(numberIn),
});

const whole = (from: number): Kind<number> =>
  numeric(`give a whole number from ${from}`, (value) => Number.isSafeInteger(value) && value >= from);
const width = numeric(
  'give a whole number from 1 to 100,000',
  (value) => Number.isSafeInteger(value) && value >= 1 && value <= 100_000,
);
const length = numeric(`give ${expectedLength.give}`, expectedLength.fits);
const rate = numeric('give a rate from 0 to below 1', (value) => value >= 0 && value < 1);

const oneOf = <const Name extends string>(names: readonly Name[], placeholder = 'name'): Kind<Name> => ({
  schema: v.picklist(names, `give one of ${names.join(', ')}`),
  placeholder,
  names,
  parse: (text) => text,
});

/** A file to write, whose name ends in one of these. */
export const fileIn = (...endings: readonly string[]): Kind<string> => ({
  schema: v.custom<string>(
    (value) => typeof value === 'string' && endings.some((ending) => value.endsWith(ending)),
    `give a name that ends in ${endings.join(' or ')}`,
  ),
  placeholder: 'file',
  parse: (text) => text,
});

export const kinds = {
  count: whole(1),
  /** The length of a list. */
  length,
  whole,
  width,
  rate,
  positive: numeric('give a number above 0', (value) => Number.isFinite(value) && value > 0),
  notNegative: numeric('give 0 or more', (value) => Number.isFinite(value) && value >= 0),
  fraction: numeric('give a fraction between 0 and 1', (value) => value > 0 && value < 1),
  widths: list(width, 'widths', 'give a list of widths'),
  rates: list(rate, 'rates', 'give a list of rates from 0 to below 1'),
  range: pair(
    'low,high',
    'give two numbers, the lower first, such as 0 and 5.5',
    ([low, high]) => low < high,
  ),
  scales: pair('users,items', 'give two numbers from 0, for users and for items', (both) =>
    both.every((one) => one >= 0),
  ),
  lengths: list(length, 'numbers', 'give whole numbers from 1'),
  number: numeric('give a number', Number.isFinite),
  counts: pair('users,items', 'give two whole numbers, for users and items, such as 4,4', (both) =>
    both.every((one) => Number.isSafeInteger(one) && one >= 1),
  ),
  text: (placeholder: string): Kind<string> => ({
    schema: v.pipe(v.string('give a text'), v.nonEmpty('give a text')),
    placeholder,
    parse: (text) => text,
  }),
  /** One or more of a flag's values. */
  texts: (placeholder: string): Kind<readonly string[]> => ({
    schema: v.array(v.pipe(v.string('give a text'), v.nonEmpty('give a text'))),
    placeholder,
    repeats: true,
    parse: (text) => text,
  }),
  flag: {
    schema: v.boolean('give true or false'),
    parse: (text) => text === 'true',
  } satisfies Kind<boolean> as Kind<boolean>,
  oneOf,
  /** A name in a registry. */
  nameIn: <Name extends string>(registry: Readonly<Record<Name, unknown>>): Kind<Name> =>
    oneOf(Object.keys(registry) as Name[]),
};

/**
 * Checks choices against a table.
 *
 * @returns the choices that are not undefined
 * @throws UserError for the first invalid choice: what it is, and what to give
 */
export function checked<Table extends Choices>(
  table: Table,
  choices: Readonly<Record<string, unknown>>,
  prefix = '',
): Chosen<Table> {
  checkArgument(`${prefix}the choices are`, choices, object);
  const chosen: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(choices)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(table, name))
      throw new UserError(
        'argument',
        `${prefix}there is no choice "${name}"; ${insteadOf(name, Object.keys(table), 'choice')}`,
      );
    const { success, issues, output } = v.safeParse(table[name].kind.schema, value);
    if (!success) {
      const [issue] = issues;
      const at = [name, v.getDotPath(issue)].filter(Boolean).join('.');
      throw new UserError('argument', `${prefix}${at} is ${told(issue.input)}; ${issue.message}`);
    }
    chosen[name] = output;
  }
  return chosen as Chosen<Table>;
}

/** The choices with defaults for those that are missing, in the order of the table. */
export function withDefaults<Table extends Choices>(table: Table, chosen: Chosen<Table>): Given<Table> {
  const all: Record<string, unknown> = {};
  for (const [name, { default: standard }] of Object.entries(table)) {
    const value =
      chosen[name] ?? (typeof standard === 'function' ? standard({ ...chosen, ...all }) : standard);
    if (value !== undefined) all[name] = value;
  }
  return all as Given<Table>;
}

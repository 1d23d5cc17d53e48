import { UserError } from '../errors.ts';
import { insteadOf } from './former-names.ts';

// A program in JavaScript has no types that would find its mistakes.

/** What an argument or an option must be. */
export interface Expected {
  fits(value: unknown): boolean;
  /** Says what to give. */
  readonly give: string;
}

/** What each option must be. The type keeps a table complete: no option is missing, and there is none too many. */
export type OptionTable<Options> = { readonly [Name in keyof Options]-?: Expected };

/** For an option whose value another function checks. */
export const checkedLater: Expected = { fits: () => true, give: '' };

export const flag: Expected = { fits: (value) => typeof value === 'boolean', give: 'true or false' };

export const count: Expected = {
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  give: 'a whole number from 1',
};

/** For the length of a list. */
export const length: Expected = {
  fits: (value) => count.fits(value) && (value as number) <= 1e9,
  give: 'a whole number from 1 to 1,000,000,000',
};

export const number: Expected = { fits: Number.isFinite, give: 'a number' };

export const notNegative: Expected = {
  fits: (value) => Number.isFinite(value) && (value as number) >= 0,
  give: 'a number from 0',
};

export const text: Expected = { fits: (value) => typeof value === 'string', give: 'a text' };

export const path: Expected = {
  fits: (value) => typeof value === 'string' && value !== '',
  give: 'a path',
};

export const paths: Expected = {
  fits: (value) => path.fits(value) || (Array.isArray(value) && value.length > 0 && value.every(path.fits)),
  give: 'a path, or a list of paths',
};

export const object: Expected = {
  fits: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  give: 'an object',
};

export const callback: Expected = { fits: (value) => typeof value === 'function', give: 'a function' };

/** An AbortSignal. Not by instanceof, here and below, because values may come from another realm. */
export const abortSignal: Expected = {
  fits: (value) => typeof (value as AbortSignal | null)?.aborted === 'boolean',
  give: 'the signal of an AbortController',
};

/** An object with these methods. */
export const having = (give: string, ...methods: readonly string[]): Expected => ({
  fits: (value) =>
    methods.every((name) => callback.fits((value as Record<string, unknown> | null | undefined)?.[name])),
  give,
});

export const runtime = /* @__PURE__ */ having('what nodeRuntime returns', 'createSession');

/** A map, such as of titles by item id, whose values fit. */
export const mapOf = (give: string, fits: (value: unknown) => boolean): Expected => ({
  fits: (value) =>
    Object.prototype.toString.call(value) === '[object Map]' &&
    [...(value as ReadonlyMap<unknown, unknown>)].every(([key, value]) => text.fits(key) && fits(value)),
  give,
});

export const oneOf = (names: readonly string[]): Expected => ({
  fits: (value) => names.includes(value as string),
  give: `one of ${names.join(', ')}`,
});

/** A value in a message: text in quotes, JSON, or the name of its type. */
export function told(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'string' && (typeof value !== 'object' || value === null)) return String(value);
  const type = Object.prototype.toString.call(value).slice(8, -1);
  if (!['String', 'Array', 'Object'].includes(type)) return `of type ${type}`;
  // An instance of a class, such as a model, may be large.
  if (type === 'Object' && value?.constructor?.name !== 'Object') return 'an object';
  try {
    const json = JSON.stringify(value);
    return json.length > MOST_SHOWN ? `${json.slice(0, MOST_SHOWN)}…` : json;
  } catch {
    return 'an object';
  }
}

const MOST_SHOWN = 100;

/** @throws UserError for anything but what is expected; @param what the argument, such as `the ratings are` */
export function checkArgument(what: string, value: unknown, { fits, give }: Expected): void {
  if (!fits(value)) throw new UserError('argument', `${what} ${told(value)}; give ${give}`);
}

/**
 * Checks options. One that is undefined is not given.
 *
 * @param what how a message begins. @default 'the options are'
 * @throws UserError for an option that there is not, a value that does not fit, and options that are no object
 */
export function checkOptions(
  options: object,
  table: Readonly<Record<string, Expected>>,
  what = 'the options are',
): void {
  const names = Object.keys(table);
  checkArgument(what, options, { ...object, give: `an object with any of ${names.join(', ')}` });
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(table, name))
      throw new UserError('argument', `there is no option "${name}"; ${insteadOf(name, names, 'option')}`);
    if (value !== undefined) checkArgument(`${name} is`, value, table[name]);
  }
}

import * as v from 'valibot';
import { UserError } from '../errors.ts';

/** What the parts of a configuration may be. */
export const parts = {
  count: v.custom<number>(
    (value) => Number.isSafeInteger(value) && Number(value) >= 1,
    'give a whole number from 1',
  ),
  width: v.custom<number>(
    (value) => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= 100_000,
    'give a whole number from 1 to 100,000',
  ),
  seed: v.custom<number>(
    (value) => Number.isSafeInteger(value) && Number(value) >= 0,
    'give a whole number from 0',
  ),
  rate: v.custom<number>(
    (value) => Number.isFinite(value) && Number(value) >= 0 && Number(value) < 1,
    'give a rate from 0 to below 1',
  ),
  spread: v.custom<number>(
    (value) => Number.isFinite(value) && Number(value) >= 0,
    'give a standard deviation, 0 or more',
  ),
  spectral: v.custom<readonly [number, number]>(
    (value) =>
      Array.isArray(value) && value.length === 2 && value.every((one) => Number.isFinite(one) && one >= 0),
    'give two numbers from 0, for users and for items',
  ),
  range: v.custom<readonly [number, number]>(
    (value) =>
      Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] < value[1],
    'give two numbers, the lower first, such as 0 and 5.5',
  ),
};

/**
 * Checks choices against a schema whose messages say what to give.
 *
 * @param prefix what the message begins with
 * @throws UserError that names the first choice that cannot be
 */
export function check(schema: v.GenericSchema, choices: unknown, prefix = ''): void {
  const { success, issues } = v.safeParse(schema, choices);
  if (success) return;
  const [{ input, message }] = issues;
  throw new UserError(
    `${prefix}${v.getDotPath(issues[0])} is ${typeof input === 'number' ? input : JSON.stringify(input)}; ${message}`,
  );
}

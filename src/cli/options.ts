import { InvalidArgumentError } from 'commander';

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

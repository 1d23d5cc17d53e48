/** The values of a hyperparameter, mapped to positions from 0 to 1, so that all hyperparameters are sampled alike. */
export interface Dimension {
  /** @param position from 0 to below 1 */
  valueAt(position: number): unknown;
  /** Position of a value; NaN for any other value. */
  positionOf(value: unknown): number;
}

/** A log-uniform dimension: a value is as likely between 1 and 10 as between 10 and 100. */
export function logarithmic(
  from: number,
  to: number,
  { whole = false }: { readonly whole?: boolean } = {},
): Dimension {
  const logarithm = Math.log(to / from);
  return {
    valueAt(position) {
      const value = from * Math.exp(logarithm * position);
      return whole ? Math.round(value) : rounded(value);
    },
    positionOf: (value) => Math.log(Number(value) / from) / logarithm,
  };
}

export function oneOf(...choices: readonly unknown[]): Dimension {
  const texts = choices.map((choice) => JSON.stringify(choice));
  return {
    valueAt: (position) => choices[Math.floor(position * choices.length)],
    positionOf(value) {
      const choice = texts.indexOf(JSON.stringify(value));
      return choice < 0 ? Number.NaN : (choice + 0.5) / choices.length;
    },
  };
}

/** Rounds to three digits, because a search cannot distinguish finer values. */
const rounded = (value: number): number => Number(value.toPrecision(3));

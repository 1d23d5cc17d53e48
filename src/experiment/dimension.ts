/** A hyperparameter's values, laid out from 0 to 1, so that all are drawn and moved alike. */
export interface Dimension {
  /** @param place from 0 to below 1 */
  valueAt(place: number): unknown;
  /** Not a number for a value that is none of them. */
  placeOf(value: unknown): number;
}

/** As likely between 1 and 10 as between 10 and 100. */
export function logarithmic(
  from: number,
  to: number,
  { whole = false }: { readonly whole?: boolean } = {},
): Dimension {
  const logarithm = Math.log(to / from);
  return {
    valueAt(place) {
      const value = from * Math.exp(logarithm * place);
      return whole ? Math.round(value) : rounded(value);
    },
    placeOf: (value) => Math.log(Number(value) / from) / logarithm,
  };
}

export function oneOf(...choices: readonly unknown[]): Dimension {
  const texts = choices.map((choice) => JSON.stringify(choice));
  return {
    valueAt: (place) => choices[Math.floor(place * choices.length)],
    placeOf(value) {
      const choice = texts.indexOf(JSON.stringify(value));
      return choice < 0 ? Number.NaN : (choice + 0.5) / choices.length;
    },
  };
}

/** To three digits, which is finer than a search can tell. */
const rounded = (value: number): number => Number(value.toPrecision(3));

const counts = new Intl.NumberFormat('en-US');

/** A whole number with separators, such as `100,836`. */
export const count = (value: number): string => counts.format(value);

/** `1 user`, `943 users` */
export const plural = (value: number, noun: string): string =>
  `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** What one of a kind of data is called. */
export const nounOf = (kind: 'ratings' | 'interactions' = 'ratings'): 'rating' | 'interaction' =>
  kind === 'ratings' ? 'rating' : 'interaction';

/** A number with a fixed number of decimals and a minus sign (−), or `–` if it is not finite. */
export const decimal = (value: number, digits = 2): string =>
  Number.isFinite(value) ? unsignedZero(value.toFixed(digits)).replace('-', '−') : '–';

const unsignedZero = (text: string): string => (/^-0(\.0*)?$/.test(text) ? text.slice(1) : text);

/** An error of predictions, with four decimals: further digits depend on the seed. */
export const error = (value: number): string => decimal(value, 4);

/** `+0.25`, `−0.25` */
export const signed = (value: number, digits = 2): string =>
  `${value > 0 ? '+' : ''}${decimal(value, digits)}`;

/** A fraction as `37 %`. */
export const percent = (part: number): string => `${decimal(part * 100, part > 0 && part < 0.01 ? 1 : 0)} %`;

/** A 32-bit float with seven digits: 0.1, not 0.10000000149011612. */
export const short = (value: number): string => String(Number(value.toPrecision(7))).replace('-', '−');

/** `learning rate` for `learningRate` */
export const words = (name: string): string =>
  name.replace(/([a-z])([A-Z])/g, (_, before, after) => `${before} ${after.toLowerCase()}`);

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** A number of bytes, such as `1.2 MB`. */
export function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${decimal(bytes / 1000 ** power, power === 0 ? 0 : 1)} ${units[power]}`;
}

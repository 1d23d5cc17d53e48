// Numbers and times of fields, from their bytes.

/** Which character separates the decimals. */
export type DecimalMark = ',' | '.';

const [ZERO, POINT, MINUS, PLUS] = [48, 46, 45, 43];
const POWERS = Float64Array.from({ length: 16 }, (_, power) => 10 ** power);

/** The number in a field; NaN for other text, such as an empty field or 0x10. */
export function numberIn(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  let digits = 0;
  let decimals = -1;
  let at = start;
  const sign = bytes[at];
  if (sign === MINUS || sign === PLUS) at++;
  for (; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit >= 0 && digit <= 9) {
      value = 10 * value + digit;
      digits++;
    } else if (bytes[at] === POINT && decimals < 0) decimals = digits;
    else return numberInText(textOf(bytes, start, end));
  }
  // So many digits are exact in double precision, and so is their quotient but for one rounding.
  if (digits === 0 || digits > 15) return numberInText(textOf(bytes, start, end));
  if (decimals >= 0) value /= POWERS[digits - decimals];
  return sign === MINUS ? -value : value;
}

/** The number in a text. */
export const numberInText = (text: string): number =>
  /^[\t-\r ]*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?[\t-\r ]*$/i.test(text) ? Number(text) : Number.NaN;

/** Whether a text has commas, and whether each has exactly three digits after it, as thousands have. */
export function commasIn(text: string): 'none' | 'thousands' | 'decimal' {
  if (!text.includes(',')) return 'none';
  return /^\s*[+-]?\d{1,3}(,\d{3})+\s*$/.test(text) ? 'thousands' : 'decimal';
}

/** The number in a text whose decimals are after `mark`; the other mark separates thousands. */
export function markedNumberIn(text: string, mark: DecimalMark): number {
  const other = mark === ',' ? '.' : ',';
  if (!text.includes(other)) return numberInText(text.replace(mark, '.'));
  const isGrouped = new RegExp(`^\\s*[+-]?\\d{1,3}(\\${other}\\d{3})+(\\${mark}\\d*)?\\s*$`).test(text);
  return isGrouped ? numberInText(text.replaceAll(other, '').replace(mark, '.')) : Number.NaN;
}

/** Unix seconds of seconds, milliseconds, an ISO date, or a date such as 24.12.2026; NaN for any other text. */
export function secondsIn(bytes: Uint8Array, start: number, end: number): number {
  if (isIsoTime(bytes, start, end)) {
    const seconds = isoSeconds(bytes, start, end);
    if (!Number.isNaN(seconds)) return seconds;
  }
  const number = numberIn(bytes, start, end);
  return Number.isNaN(number) ? secondsOfDate(textOf(bytes, start, end)) : secondsOf(number);
}

/** Unix seconds of a number of seconds, milliseconds, microseconds or nanoseconds, or of a date such as 20261224. */
export function secondsOf(number: number): number {
  // 20261224 is a date: as seconds, it would be in 1970.
  if (number >= 19_000_101 && number <= 21_001_231) {
    const date = secondsOfDate(String(number).replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3'));
    if (!Number.isNaN(date)) return date;
  }
  const size = Math.abs(number);
  return number / (size <= 1e11 ? 1 : size <= 1e14 ? 1e3 : size <= 1e17 ? 1e6 : 1e9);
}

/** Whether a number can only be a time: whole Unix seconds, or milliseconds, of 1995 to 2100. */
export const isUnixTime = (number: number): boolean =>
  Number.isInteger(number) &&
  secondsOf(number) >= 788_918_400 &&
  secondsOf(number) < 4_102_444_800 &&
  number >= 788_918_400;

const isIsoTime = (bytes: Uint8Array, start: number, end: number): boolean =>
  (end - start === 10 || end - start === 19) && bytes[start + 4] === MINUS && bytes[start + 7] === MINUS;

/** Of 2026-12-24 and 2026-12-24 18:30:00, quickly; NaN for what needs a second look. */
function isoSeconds(bytes: Uint8Array, start: number, end: number): number {
  const two = (at: number): number => {
    const [tens, ones] = [bytes[start + at] - ZERO, bytes[start + at + 1] - ZERO];
    return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : Number.NaN;
  };
  const [month, day] = [two(5), two(8)];
  const date = Date.UTC(100 * two(0) + two(2), month - 1, day) / 1000;
  // Every month has 28 days; in years below 100, Date.UTC means those of the 20th century.
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= 28) || bytes[start] === ZERO) return Number.NaN;
  if (end - start === 10) return date;
  const [hour, minute, second] = [two(11), two(14), two(17)];
  const separators = [bytes[start + 10], bytes[start + 13], bytes[start + 16]];
  if ((separators[0] !== 32 && separators[0] !== 84) || separators[1] !== 58 || separators[2] !== 58)
    return Number.NaN;
  return hour < 24 && minute < 60 && second < 60 ? date + 3600 * hour + 60 * minute + second : Number.NaN;
}

const ISO_DATE =
  /^(\d{4,6})([-/])(\d{1,2})\2(\d{1,2})(?:(?:T| +)(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d*)?(Z| UTC| GMT| *[+-]\d\d(?::?\d\d)?)?)?)?$/;

/** 24.12.2026, with or without a time of day. */
const DOTTED_DATE = /^(\d{1,2})\.(\d{1,2})\.(\d{4})(?= |$)/;

/**
 * Unix seconds of an ISO date, to the microsecond, or of a date such as 24.12.2026; NaN for any other text. Unlike in
 * `Date.parse`, UTC is the default.
 */
export function secondsOfDate(text: string): number {
  const field = text.replace(DOTTED_DATE, '$3-$2-$1');
  const [whole, year, , month, day, hour = 0, minute = 0, second = 0, part = '', zone = ''] =
    ISO_DATE.exec(field) ?? [];
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const clock = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const real = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  if (!whole || !real || Number(minute) > 59 || Number(second) > 59 || clock > 86_400) return Number.NaN;
  const [, sign, hours = 0, minutes = 0] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone.trim()) ?? [];
  const ahead = Number(`${sign ?? ''}1`) * (Number(hours) * 3600 + Number(minutes) * 60);
  const microseconds = Math.round(Number(`0${part.slice(0, 7)}`) * 1e6);
  // One division at the end, so that the result is rounded only once.
  return ((date.getTime() / 1000 + clock - ahead) * 1e6 + microseconds) / 1e6;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text of a field. */
export const textOf = (bytes: Uint8Array, start: number, end: number): string =>
  decoder.decode(bytes.subarray(start, end));

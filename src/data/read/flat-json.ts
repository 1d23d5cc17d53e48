import type { Fields } from './fields.ts';

// The fields of a JSON object without lists and objects in it, which most are, by its bytes.

const [QUOTE, COMMA, COLON, BACKSLASH, OPEN, CLOSE, MINUS, POINT] = [34, 44, 58, 92, 123, 125, 45, 46];
const isDigit = (byte: number): boolean => byte >= 48 && byte <= 57;
const LITERALS = ['true', 'false', 'null'].map((text) => new TextEncoder().encode(text));
const NULL = LITERALS[2];

/** Finds the values of some keys. */
export class FlatFields implements Fields {
  bytes: Uint8Array = new Uint8Array(0);
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  private readonly keys: readonly (Uint8Array | undefined)[];

  /** @param names keys by the place of their fields; an empty name is not wanted */
  constructor(names: readonly string[]) {
    this.keys = names.map((name) => (name === '' ? undefined : new TextEncoder().encode(name)));
    this.starts = new Int32Array(names.length);
    this.ends = new Int32Array(names.length);
  }

  /**
   * Finds the fields of the object from `start` to `end`.
   *
   * @returns whether it is a correct JSON object of texts without escapes, numbers, true, false and null. The fields of others
   *   are not known
   */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.bytes = bytes;
    this.starts.fill(0);
    this.ends.fill(0);
    let at = pastSpace(bytes, start, end);
    if (bytes[at] !== OPEN) return false;
    at = pastSpace(bytes, at + 1, end);
    if (bytes[at] === CLOSE) return pastSpace(bytes, at + 1, end) === end;
    for (;;) {
      const keyEnd = bytes[at] === QUOTE ? pastText(bytes, at + 1, end) : -1;
      if (keyEnd < 0) return false;
      const field = this.fieldOf(at + 1, keyEnd - 1);
      at = pastSpace(bytes, keyEnd, end);
      if (bytes[at] !== COLON) return false;
      at = pastSpace(bytes, at + 1, end);
      const valueEnd = pastScalar(bytes, at, end);
      if (valueEnd < 0) return false;
      if (field >= 0) this.set(field, at, valueEnd);
      at = pastSpace(bytes, valueEnd, end);
      if (bytes[at] === CLOSE) return pastSpace(bytes, at + 1, end) === end;
      if (bytes[at] !== COMMA) return false;
      at = pastSpace(bytes, at + 1, end);
    }
  }

  private set(field: number, start: number, end: number): void {
    const isText = this.bytes[start] === QUOTE ? 1 : 0;
    const isNull = this.bytes[start] === NULL[0];
    this.starts[field] = start + isText;
    this.ends[field] = isNull ? start : end - isText;
  }

  /** The field of a key; −1 for one that is not wanted. */
  private fieldOf(start: number, end: number): number {
    for (let field = 0; field < this.keys.length; field++) {
      const key = this.keys[field];
      if (key?.length === end - start && isAt(this.bytes, start, key)) return field;
    }
    return -1;
  }
}

function isAt(bytes: Uint8Array, start: number, text: Uint8Array): boolean {
  for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text[at]) return false;
  return true;
}

function pastSpace(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] === 32 || bytes[at] === 10 || bytes[at] === 13 || bytes[at] === 9)) at++;
  return at;
}

/** Past the closing quote of a text; −1 for one that is not closed, or has escapes or control characters. */
function pastText(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH || byte < 32) return -1;
  }
  return -1;
}

/** Past a text, number, true, false or null; −1 for anything else. */
function pastScalar(bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at];
  if (byte === QUOTE) return pastText(bytes, at + 1, end);
  if (isDigit(byte) || byte === MINUS) return pastNumber(bytes, at, end);
  const literal = LITERALS.find((text) => isAt(bytes, at, text));
  return literal === undefined || at + literal.length > end ? -1 : at + literal.length;
}

function pastNumber(bytes: Uint8Array, from: number, end: number): number {
  const first = bytes[from] === MINUS ? from + 1 : from;
  let at = pastDigits(bytes, first, end);
  // No other digit follows a zero at the start.
  if (at < 0 || (bytes[first] === 48 && at > first + 1)) return -1;
  if (bytes[at] === POINT) at = pastDigits(bytes, at + 1, end);
  if (at > 0 && (bytes[at] === 101 || bytes[at] === 69))
    at = pastDigits(bytes, bytes[at + 1] === MINUS || bytes[at + 1] === 43 ? at + 2 : at + 1, end);
  return at;
}

/** Past one digit or more; −1 if there is none. */
function pastDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isDigit(bytes[at])) at++;
  return at > from ? at : -1;
}

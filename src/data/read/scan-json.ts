import { joined, linesIn } from './decode.ts';
import { textOf } from './values.ts';

/** Where the records of a JSON file are: one in each line, one after the other, or in a list, which may be under a key. */
export type JsonForm =
  | { readonly kind: 'lines' | 'values' | 'array' }
  | { readonly kind: 'list'; readonly key: string; readonly others?: readonly string[] };

/** The longest record that is read. */
const MOST_BYTES = 16 * 2 ** 20;
const [LF, CR, QUOTE, COMMA, COLON, BACKSLASH] = [10, 13, 34, 44, 58, 92];
const [OPEN_LIST, CLOSE_LIST, OPEN, CLOSE] = [91, 93, 123, 125];

const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);

/** Where white space ends. */
export function pastSpace(bytes: Uint8Array, from: number, end = bytes.length): number {
  let at = from;
  while (at < end && isSpace(bytes[at])) at++;
  return at;
}

/** Where the value at `from` ends; −1 if that is not here. It need not be correct JSON. */
export function pastValue(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  let depth = 0;
  for (let at = from; at < length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      for (at++; at < length && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
      if (at >= length) return -1;
      if (depth === 0) return at + 1;
    } else if (byte === OPEN || byte === OPEN_LIST) depth++;
    else if (byte === CLOSE || byte === CLOSE_LIST) {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || isSpace(byte))) return at;
  }
  return -1;
}

/** Why JSON is broken, in words. */
export const JSON_FAULTS = { end: 'unexpected end of data', object: 'not an object' };

/** The bytes of a record. */
export interface JsonSpan {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export const textOfSpan = ({ bytes, start, end }: JsonSpan): string => textOf(bytes, start, end);

/** What a scanner is called back with. */
interface JsonEvents {
  /** @param at line, or number in a list, from 1 */
  onRecord(record: JsonSpan, at: number): void;
  /** The file is no such JSON. It may throw. */
  onBroken(why: string, at: number): void;
}

/** Divides JSON into records. Give it the bytes in any parts. */
export class JsonScanner {
  private rest: Uint8Array = new Uint8Array(0);
  /** Number of the line, from 1. */
  line = 1;
  private count = 0;
  /** Whether the scanner is in the list; undefined behind it. */
  private isInList: boolean | undefined = false;
  private isOpen = false;
  private needsComma = false;

  constructor(
    private readonly form: JsonForm,
    private readonly events: JsonEvents,
  ) {}

  push(bytes: Uint8Array, isLast: boolean): void {
    const all = joined(this.rest, bytes);
    const { kind } = this.form;
    const from =
      kind === 'lines'
        ? this.lines(all, isLast)
        : kind === 'values'
          ? this.values(all, isLast)
          : this.elements(all, isLast);
    this.rest = all.slice(from);
    if (this.rest.length > MOST_BYTES) this.events.onBroken('a record is longer than 16 MB', this.at);
  }

  /** Whether what was pushed ends with a whole record. */
  get isBetweenRecords(): boolean {
    return this.rest.length === 0;
  }

  /** Number of the line that follows these bytes after what was pushed before. */
  lineAfter(bytes: Uint8Array): number {
    return this.line + linesIn(joined(this.rest, bytes));
  }

  private get at(): number {
    return this.form.kind === 'array' || this.form.kind === 'list' ? this.count + 1 : this.line;
  }

  private lines(bytes: Uint8Array, isLast: boolean): number {
    let start = 0;
    for (let at = 0; at <= bytes.length; at++) {
      const byte = at < bytes.length ? bytes[at] : isLast && start < at ? LF : 0;
      if (byte !== LF && byte !== CR) continue;
      if (byte === CR && at + 1 === bytes.length && !isLast) break;
      if (pastSpace(bytes, start, at) < at) this.events.onRecord({ bytes, start, end: at }, this.line);
      this.line++;
      if (byte === CR && bytes[at + 1] === LF) at++;
      start = at + 1;
    }
    return Math.min(start, bytes.length);
  }

  /** Objects one after the other, over any number of lines. */
  private values(bytes: Uint8Array, isLast: boolean): number {
    for (let at = this.past(bytes, 0); ; at = this.past(bytes, at)) {
      if (at >= bytes.length) return at;
      const end = pastValue(bytes, at);
      if (end < 0 && !isLast) return at;
      const to = end < 0 ? bytes.length : Math.max(end, at + 1);
      this.events.onRecord({ bytes, start: at, end: to }, this.line);
      for (; at < to; at++) if (bytes[at] === LF) this.line++;
    }
  }

  /** Skips white space, and counts lines. */
  private past(bytes: Uint8Array, from: number): number {
    let at = from;
    for (; at < bytes.length && isSpace(bytes[at]); at++) if (bytes[at] === LF) this.line++;
    return at;
  }

  /** The elements of a list, which is the file, or under a key of the object that the file is. */
  private elements(bytes: Uint8Array, isLast: boolean): number {
    let at = 0;
    for (;;) {
      at = pastSpace(bytes, at);
      if (at >= bytes.length) break;
      const next = this.isInList ? this.element(bytes, at) : this.outside(bytes, at);
      if (next < 0) {
        if (!isLast) return at;
        break;
      }
      at = next;
    }
    if (
      isLast &&
      (at < bytes.length || this.isInList || this.isOpen || (this.count === 0 && this.isInList === false))
    )
      this.events.onBroken(JSON_FAULTS.end, this.at);
    return at;
  }

  /** Past an element of the list, a comma, or its end; −1 if that is not here. */
  private element(bytes: Uint8Array, at: number): number {
    const byte = bytes[at];
    if (byte === CLOSE_LIST) {
      this.isInList = undefined;
      return at + 1;
    }
    if ((byte === COMMA) !== this.needsComma) this.broken(bytes, at);
    if (byte === COMMA) {
      this.needsComma = false;
      return at + 1;
    }
    const end = pastValue(bytes, at);
    if (end < 0) return -1;
    this.needsComma = true;
    this.events.onRecord({ bytes, start: at, end: Math.max(end, at + 1) }, ++this.count);
    return Math.max(end, at + 1);
  }

  /** Past what stands before or behind the list; −1 if that is not here. */
  private outside(bytes: Uint8Array, at: number): number {
    const byte = bytes[at];
    const { form } = this;
    if (form.kind !== 'list') {
      if (byte === OPEN_LIST && this.isInList === false) this.isInList = true;
      else this.broken(bytes, at);
      return at + 1;
    }
    if (byte === OPEN || byte === CLOSE || byte === COMMA) {
      if (byte !== COMMA && (byte === OPEN) === this.isOpen) this.broken(bytes, at);
      if (byte !== COMMA) this.isOpen = byte === OPEN;
      return at + 1;
    }
    if (byte !== QUOTE || !this.isOpen) this.broken(bytes, at);
    const keyEnd = pastValue(bytes, at);
    const colon = keyEnd < 0 ? bytes.length : pastSpace(bytes, keyEnd);
    const value = colon < bytes.length ? pastSpace(bytes, colon + 1) : bytes.length;
    if (value >= bytes.length) return -1;
    if (bytes[colon] !== COLON) this.broken(bytes, colon);
    if (this.isInList === false && bytes[value] === OPEN_LIST && keyOf(bytes, at, keyEnd) === form.key) {
      this.isInList = true;
      return value + 1;
    }
    return pastValue(bytes, value);
  }

  private broken(bytes: Uint8Array, at: number): void {
    const found = textOf(bytes, at, Math.min(bytes.length, at + 8));
    this.events.onBroken(`unexpected ${JSON.stringify(found)}`, this.at);
  }
}

/** A key in quotes as a text. */
function keyOf(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    return JSON.parse(textOf(bytes, start, end));
  } catch {
    return undefined;
  }
}

/** The keys of the object at the start whose values are lists of objects, and the first object of each. */
export function listsOf(bytes: Uint8Array): { readonly key: string; readonly first: string }[] {
  const lists: { key: string; first: string }[] = [];
  for (let at = pastSpace(bytes, pastSpace(bytes, 0) + 1); bytes[at] === QUOTE; ) {
    const keyEnd = pastValue(bytes, at);
    const value = keyEnd < 0 ? -1 : pastSpace(bytes, pastSpace(bytes, keyEnd) + 1);
    if (value < 0) break;
    const first = pastSpace(bytes, value + 1);
    if (bytes[value] === OPEN_LIST && bytes[first] === OPEN) {
      const key = keyOf(bytes, at, keyEnd);
      const firstEnd = pastValue(bytes, first);
      if (key !== undefined)
        lists.push({ key, first: textOf(bytes, first, firstEnd < 0 ? bytes.length : firstEnd) });
    }
    const end = pastValue(bytes, value);
    if (end < 0) break;
    at = pastSpace(bytes, pastSpace(bytes, end) + 1);
  }
  return lists;
}

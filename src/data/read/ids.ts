import { spaceAfter, spaceBefore } from './white-space.ts';

/** Whole numbers below it, which have up to seven digits, are looked up in a table of rows instead of by their digits. */
const DIRECT = 10 ** 7;
const [ZERO, NINE] = [48, 57];

/** Words that programs write for a missing value. */
const MISSING = new Set('\\N NULL Null null NaN nan NAN None NA <NA> N/A n/a #N/A NaT undefined'.split(' '));
const LONGEST_MISSING = 9;

/** Whether a text can be an id. */
export function isId(text: string): boolean {
  const id = text.trim();
  return id !== '' && !id.includes('\0') && !MISSING.has(id);
}

/** Some ids of a table, for another table. */
export interface IdPart {
  /** The number of each id, or −1 for a text. */
  readonly numbers: Int32Array;
  /** Where the bytes of each text start, and the end. */
  readonly starts: Float64Array;
  readonly bytes: Uint8Array;
}

/**
 * Numbers ids in the order of their first appearance. Ids are UTF-8 bytes, so that no text is made for each field. White space at
 * their ends is cut off.
 */
export class IdTable {
  /** Number of different ids. */
  size = 0;
  /** How many ids had white space at an end. */
  trimmed = 0;
  /** Row + 1 of each whole number. */
  private direct = new Int32Array(2 ** 12);
  /** Row + 1 by hash, with open addressing. */
  private slots = new Int32Array(2 ** 12);
  private hashes = new Int32Array(2 ** 10);
  private texts = 0;
  /** The number of each row, or −1 for a text. */
  private numbers = new Int32Array(2 ** 10);
  /** Where the bytes of each row start. */
  private starts = new Float64Array(2 ** 10);
  private bytes = new Uint8Array(2 ** 12);
  private used = 0;

  /** The bytes that the table takes. */
  get memory(): number {
    return [this.direct, this.slots, this.hashes, this.numbers, this.starts, this.bytes].reduce(
      (sum, { byteLength }) => sum + byteLength,
      // The texts that are made of it in the end.
      this.used + 60 * this.size,
    );
  }

  /** The row of a whole number from 0, as the id of its digits. */
  rowOfNumber(number: number): number {
    if (number >= DIRECT) return this.rowOfText(String(number));
    if (number >= this.direct.length) this.direct = grown(this.direct, Math.min(DIRECT, 2 * number + 1));
    const known = this.direct[number];
    if (known > 0) return known - 1;
    const row = this.add(number);
    this.direct[number] = row + 1;
    return row;
  }

  /** The rows of whole numbers, of which there are `length`, into `rows` from `at` on. @returns whether all are from 0 */
  rowsOfNumbers(numbers: ArrayLike<number>, length: number, rows: Int32Array, at: number): boolean {
    let { direct } = this;
    for (let index = 0; index < length; index++) {
      const number = numbers[index];
      let row = number >= 0 && number < direct.length ? direct[number] - 1 : -1;
      if (row < 0) {
        if (number < 0) return false;
        row = this.rowOfNumber(number);
        ({ direct } = this);
      }
      rows[at + index] = row;
    }
    return true;
  }

  /** The row of an id; −1 for what is none. */
  rowOfText(text: string): number {
    const bytes = encoder.encode(text);
    return this.rowOf(bytes, 0, bytes.length);
  }

  /** The row of the id in these bytes; −1 for what is none. */
  rowOf(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    // Most ids are whole numbers without a leading zero.
    if (length > 0 && length < 8 && (bytes[start] !== ZERO || length === 1)) {
      let number = 0;
      let at = start;
      for (; at < end; at++) {
        const byte = bytes[at];
        if (byte < ZERO || byte > NINE) break;
        number = 10 * number + byte - ZERO;
      }
      if (at === end) return this.rowOfNumber(number);
    }
    return this.rowOfBytes(bytes, start, end);
  }

  private rowOfBytes(bytes: Uint8Array, from: number, to: number): number {
    const start = spaceAfter(bytes, from, to);
    const end = spaceBefore(bytes, start, to);
    if (start === end || (end - start <= LONGEST_MISSING && MISSING.has(asciiOf(bytes, start, end))))
      return -1;
    if (start !== from || end !== to) {
      this.trimmed++;
      return this.rowOf(bytes, start, end);
    }
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at++) {
      const byte = bytes[at];
      if (byte === 0) return -1;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    hash ^= hash >>> 15;
    const mask = this.slots.length - 1;
    let slot = (hash ^ (hash >>> 13)) & mask;
    for (let row = this.slots[slot] - 1; row >= 0; row = this.slots[slot] - 1) {
      if (this.hashes[row] === hash && this.has(row, bytes, start, end)) return row;
      slot = (slot + 1) & mask;
    }
    return this.addText(bytes, start, end, { hash, slot });
  }

  private has(row: number, bytes: Uint8Array, start: number, end: number): boolean {
    const first = this.starts[row];
    const length = end - start;
    // The next text starts where this one ends.
    if (this.starts[row + 1] - first !== length) return false;
    for (let at = 0; at < length; at++) if (this.bytes[first + at] !== bytes[start + at]) return false;
    return true;
  }

  private addText(
    bytes: Uint8Array,
    start: number,
    end: number,
    { hash, slot }: { readonly hash: number; readonly slot: number },
  ): number {
    const row = this.add(-1);
    this.hashes[row] = hash;
    while (this.used + end - start > this.bytes.length) this.bytes = grown(this.bytes, 2 * this.bytes.length);
    this.bytes.set(bytes.subarray(start, end), this.used);
    this.used += end - start;
    this.starts[row + 1] = this.used;
    this.slots[slot] = row + 1;
    if (2 * ++this.texts > this.slots.length) this.rehash();
    return row;
  }

  private rehash(): void {
    const mask = 2 * this.slots.length - 1;
    this.slots = new Int32Array(mask + 1);
    for (let row = 0; row < this.size; row++) {
      if (this.numbers[row] >= 0) continue;
      const hash = this.hashes[row];
      let slot = (hash ^ (hash >>> 13)) & mask;
      while (this.slots[slot] > 0) slot = (slot + 1) & mask;
      this.slots[slot] = row + 1;
    }
  }

  private add(number: number): number {
    const row = this.size++;
    if (row + 2 > this.numbers.length) {
      this.numbers = grown(this.numbers, 2 * this.numbers.length);
      this.hashes = grown(this.hashes, 2 * this.hashes.length);
      this.starts = grown(this.starts, 2 * this.starts.length);
    }
    this.numbers[row] = number;
    this.starts[row + 1] = this.used;
    return row;
  }

  /** The ids from a row on. */
  since(row: number): IdPart {
    const first = this.starts[row];
    return {
      numbers: this.numbers.slice(row, this.size),
      starts: this.starts.slice(row, this.size + 1).map((start) => start - first),
      bytes: this.bytes.slice(first, this.used),
    };
  }

  /** The rows of the ids of another table. */
  rowsOf({ numbers, starts, bytes }: IdPart): Int32Array {
    return numbers.map((number, at) =>
      number >= 0 ? this.rowOfNumber(number) : this.rowOfBytes(bytes, starts[at], starts[at + 1]),
    );
  }

  /** The ids, by row. */
  ids(): string[] {
    const { numbers, starts, bytes, size } = this;
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const ids = new Array<string>(size);
    for (let row = 0; row < size; row++)
      ids[row] =
        numbers[row] >= 0
          ? String(numbers[row])
          : decoder.decode(bytes.subarray(starts[row], starts[row + 1]));
    return ids;
  }
}

const encoder = new TextEncoder();

/** The text of a few bytes, if they are ASCII. */
const asciiOf = (bytes: Uint8Array, start: number, end: number): string =>
  String.fromCharCode(...bytes.subarray(start, end));

/** A longer copy of an array. */
export function grown<T extends Int32Array | Float32Array | Float64Array | Uint8Array>(
  array: T,
  length: number,
): T {
  const longer = new (array.constructor as new (length: number) => T)(length);
  longer.set(array);
  return longer;
}

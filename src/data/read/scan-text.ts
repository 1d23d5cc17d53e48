import { joined, linesIn } from './decode.ts';
import { grown } from './ids.ts';

/** How a text is divided into records and fields. */
export interface TextForm {
  /** `' '` stands for runs of spaces and tabs. */
  readonly delimiter: string;
  /** Whether fields may be in quotes. */
  readonly quote: boolean;
}

/** The longest record that is read. */
export const MOST_BYTES = 2 * 2 ** 20;
const [TAB, LF, CR, SPACE, QUOTE] = [9, 10, 13, 32, 34];

/** Why a record is none. */
export type RecordFault = 'quote' | 'open quote' | 'long';

/**
 * Divides UTF-8 text into records (RFC 4180), whatever the line breaks are. Give it the bytes in any parts; it calls back for each
 * record, whose fields are then in `bytes`, from `starts` to `ends`.
 */
export class TextScanner {
  /** The bytes in which the fields of the record are. */
  bytes: Uint8Array = new Uint8Array(0);
  starts = new Int32Array(64);
  ends = new Int32Array(64);
  /** Number of the first line of the record, from 1. */
  line = 1;
  /** The first two bytes of the record. */
  head: readonly [number, number] = [0, 0];
  /** The bytes of the record as they are in the text, if it has several lines. */
  raw: Uint8Array | undefined;

  private readonly first: number;
  private readonly more: readonly number[];
  private readonly mayQuote: boolean;
  private readonly isSpaced: boolean;
  private all: Uint8Array = new Uint8Array(0);
  /** What was given before, from the start of the record that was not complete. */
  private rest: Uint8Array = new Uint8Array(0);
  private isLast = false;
  /** Whether the rest of a line is no part of a record. */
  private skips = false;
  private fields = 0;
  private lines = 0;
  private isQuoted = false;
  private hasEscapes = false;

  /**
   * @param onRecord gets the number of fields: 0 for a blank line. If it returns false, the record is none, and reading goes on in
   *   its second line
   * @param onFault is called for a record that is none; reading goes on in the next line
   */
  constructor(
    { delimiter, quote }: TextForm,
    private readonly onRecord: (fields: number) => boolean | undefined,
    private readonly onFault: (fault: RecordFault) => void,
  ) {
    [this.first, ...this.more] = new TextEncoder().encode(delimiter);
    this.mayQuote = quote;
    this.isSpaced = delimiter === ' ';
  }

  /** @param isLast whether the text ends here */
  push(bytes: Uint8Array, isLast = false): void {
    this.isLast = isLast;
    this.all = joined(this.rest, bytes);
    const from = this.scan();
    // A copy: a subarray, or a slice of a Buffer, would change with what was given.
    this.rest = new Uint8Array(this.all.subarray(from));
  }

  /** Whether what was pushed ends with a whole record. */
  get isBetweenRecords(): boolean {
    return this.rest.length === 0 && !this.skips;
  }

  /** Number of the line that follows these bytes after what was pushed before. */
  lineAfter(bytes: Uint8Array): number {
    return this.line + linesIn(joined(this.rest, bytes));
  }

  /** @returns where the first record starts that does not end here */
  private scan(): number {
    const { all, isLast } = this;
    const { length } = all;
    let at = this.skips ? this.nextLine(0) : 0;
    while (at < length) {
      // A blank line, of which a file that was made to take long has very many.
      if (all[at] === LF) {
        this.line++;
        at++;
        continue;
      }
      this.lines = 0;
      const end = this.record(at);
      if (end === MORE && !isLast && length - at <= MOST_BYTES) return at;
      if (end === MORE || end < 0 || end - at > MOST_BYTES) at = this.fault(at, end);
      else {
        this.bytes = all;
        this.head = [all[at], all[at + 1]];
        this.raw = this.lines > 1 ? all.subarray(at, end) : undefined;
        const isBlank = this.fields === 1 && this.starts[0] === this.ends[0] && !this.isQuoted;
        if (this.hasEscapes) this.unescape(at, end);
        const isGood = this.onRecord(isBlank ? 0 : this.fields) !== false;
        // A quote that is not closed may have taken in good lines.
        if (!isGood && this.lines > 1) at = this.nextLine(at);
        else {
          this.line += this.lines;
          at = end;
        }
      }
    }
    return length;
  }

  /** Reports a record that is none. @returns where to read on */
  private fault(at: number, end: number): number {
    const next = lineAfter(this.all, at);
    const isLong = (next < 0 ? this.all.length : next) - at > MOST_BYTES;
    this.onFault(isLong ? 'long' : end === MORE || this.lines > 1 ? 'open quote' : 'quote');
    // The line after a quote that is not closed may be good.
    return this.nextLine(at);
  }

  private nextLine(at: number): number {
    const next = lineAfter(this.all, at);
    this.skips = next < 0;
    if (next >= 0) this.line++;
    return next < 0 ? this.all.length : next;
  }

  /** Finds the fields of the record at `from`. @returns its end; negative if it is broken; MORE if it does not end here */
  private record(from: number): number {
    const { all: bytes, first, more, mayQuote, isSpaced } = this;
    const { length } = bytes;
    const isShort = more.length === 0;
    let fields = 0;
    let at = isSpaced ? this.spaces(from) : from;
    this.hasEscapes = false;
    this.isQuoted = false;
    for (;;) {
      let start = at;
      let end = -1;
      // As in other readers, one space may precede a quote, and any number may follow it.
      const mark = bytes[at] === SPACE ? at + 1 : at;
      if (mayQuote && bytes[mark] === QUOTE) {
        start = mark + 1;
        end = this.closing(start);
        if (end === MORE) return MORE;
        at = end + 1;
        while (bytes[at] === SPACE && !isSpaced) at++;
        this.isQuoted = true;
      } else {
        for (; at < length; at++) {
          const byte = bytes[at];
          if (byte === LF || byte === CR) break;
          if (isSpaced ? byte === SPACE || byte === TAB : byte === first && (isShort || this.isDelimiter(at)))
            break;
        }
        end = at;
      }
      if (fields === this.starts.length) {
        this.starts = grown(this.starts, 2 * fields);
        this.ends = grown(this.ends, 2 * fields);
      }
      this.starts[fields] = start;
      this.ends[fields++] = end;
      if (isSpaced) at = this.spaces(at);
      if (at >= length || bytes[at] === LF || bytes[at] === CR) return this.lineEnd(at, fields);
      if (isSpaced) continue;
      if (!this.isDelimiter(at)) return this.broken(at);
      at += 1 + more.length;
    }
  }

  /** The end of a record whose last field ends at `at`. */
  private lineEnd(at: number, fields: number): number {
    const { all: bytes, isLast } = this;
    const isReturn = bytes[at] === CR;
    // A line feed may follow.
    if (!isLast && (at >= bytes.length || (isReturn && at + 1 === bytes.length))) return MORE;
    this.fields = fields;
    this.lines++;
    return Math.min(bytes.length, at + (isReturn && bytes[at + 1] === LF ? 2 : 1));
  }

  /** Where the quoted field ends that starts at `start`; MORE if that is not here. */
  private closing(start: number): number {
    const { all: bytes } = this;
    const { length } = bytes;
    for (let at = start; at < length; at++) {
      const byte = bytes[at];
      if (byte === LF || (byte === CR && bytes[at + 1] !== LF)) this.lines++;
      if (byte !== QUOTE) continue;
      if (at + 1 === length && !this.isLast) return MORE;
      if (bytes[at + 1] !== QUOTE) return at;
      this.hasEscapes = true;
      at++;
    }
    return MORE;
  }

  private isDelimiter(at: number): boolean {
    const { all: bytes, first, more } = this;
    if (bytes[at] !== first) return false;
    for (let index = 0; index < more.length; index++) if (bytes[at + 1 + index] !== more[index]) return false;
    return true;
  }

  private spaces(from: number): number {
    let at = from;
    while (this.all[at] === SPACE || this.all[at] === TAB) at++;
    return at;
  }

  /** The end of a record with text after a closing quote at `at`, as a negative number. */
  private broken(at: number): number {
    const next = lineAfter(this.all, at);
    if (next < 0 && !this.isLast) return MORE;
    this.lines++;
    return next < 0 ? -this.all.length : -next;
  }

  /** Replaces doubled quotes within fields, in a copy of the record from `from` to `to`. */
  private unescape(from: number, to: number): void {
    const { starts, ends } = this;
    const bytes = new Uint8Array(this.all.subarray(from, to));
    for (let field = 0; field < this.fields; field++) {
      starts[field] -= from;
      ends[field] -= from;
      if (starts[field] === 0 || bytes[starts[field] - 1] !== QUOTE) continue;
      let end = starts[field];
      for (let at = end; at < ends[field]; at++) {
        bytes[end++] = bytes[at];
        if (bytes[at] === QUOTE) at++;
      }
      ends[field] = end;
    }
    this.bytes = bytes;
  }
}

const MORE = Number.NEGATIVE_INFINITY;

/** Where the line after `at` starts; −1 if there is none. */
function lineAfter(bytes: Uint8Array, at: number): number {
  for (let index = at; index < bytes.length; index++) {
    if (bytes[index] === LF) return index + 1;
    if (bytes[index] === CR) return index + (bytes[index + 1] === LF ? 2 : 1);
  }
  return -1;
}

import type { Collector } from './collector.ts';
import { faults, recordFault } from './faults.ts';
import { TextFields } from './fields.ts';
import type { Part, TextPart, WidePart } from './part.ts';
import { TextScanner } from './scan-text.ts';
import { numberInText, secondsOfDate, textOf } from './values.ts';

const SPACE = 32;
const FAR = 2 ** 16;

/** Takes the bytes of a file, in parts. */
export interface ByteReader {
  /** @param isLast whether the file ends here */
  push(bytes: Uint8Array, isLast: boolean): void;
  /** Where reading is. */
  readonly scanner: {
    /** Number of the line; lines that are read elsewhere are added to it. */
    line: number;
    /** Whether what was pushed ends with a whole record. */
    readonly isBetweenRecords: boolean;
    /** Number of the line that follows these bytes after what was pushed before. */
    lineAfter(bytes: Uint8Array): number;
  };
}

/** Reads the records of a text into a collector. */
export class TextReader implements ByteReader {
  readonly scanner: TextScanner;
  private header: boolean;
  private preamble: number;
  private readonly text: TextPart;
  private readonly width: number;
  private readonly comment: number;

  constructor(
    private readonly part: Part,
    private readonly collector: Collector,
  ) {
    this.text = part.text as TextPart;
    const { header, isContinued = false, wide, skipped, comment } = this.text;
    this.header = header && !isContinued;
    this.preamble = skipped;
    this.width = wide ? wide.items.length : part.names.length;
    this.comment = comment?.charCodeAt(0) ?? -1;
    const addCells = wide && this.cellsOf(wide);
    this.scanner = new TextScanner(
      this.text,
      (count) => this.record(count, addCells),
      (fault) => collector.bad.addBroken(this.where, recordFault(fault), fault === 'open quote'),
    );
  }

  private get where(): string {
    return `${this.part.file}, line ${this.scanner.line}`;
  }

  push(bytes: Uint8Array, isLast: boolean): void {
    let from = 0;
    // Lines before the first record are no text in quotes.
    for (; this.preamble > 0 && from < bytes.length; from++)
      if (bytes[from] === 10 || (bytes[from] === 13 && bytes[from + 1] !== 10)) {
        this.preamble--;
        this.scanner.line++;
      }
    this.scanner.push(from === 0 ? bytes : bytes.subarray(from), isLast);
  }

  /** @returns false for a record that is none */
  private record(count: number, addCells: ((line: number) => void) | undefined): boolean {
    const { scanner, width, text } = this;
    const { starts, ends, line } = scanner;
    if (count === 0) return true;
    let fields = count;
    // Extra fields at the end are ignored if they are empty.
    while (fields > width && starts[fields - 1] === ends[fields - 1]) fields--;
    if (this.comment >= 0 && this.isComment(fields)) return true;
    if (starts[0] === ends[0] && isEmpty(starts, ends, count)) return true;
    if (this.header) {
      this.header = false;
      return true;
    }
    if (fields !== width) {
      this.collector.bad.addBroken(this.where, faults.fields(fields, width, text.header), this.isFar);
      return false;
    }
    if (scanner.raw && this.hasSwallowed(scanner.raw)) {
      this.collector.bad.addBroken(this.where, faults.swallowed, this.isFar);
      return false;
    }
    if (this.isHeader()) this.collector.bad.addBroken(this.where, faults.header);
    else if (addCells) addCells(line);
    else this.collector.add(scanner, line);
    return true;
  }

  /** Whether a record that is none reaches far, so that reading on in its second line takes long. */
  private get isFar(): boolean {
    return (this.scanner.raw?.length ?? 0) > FAR;
  }

  private isComment(fields: number): boolean {
    const [first, next] = this.scanner.head;
    return first === this.comment && (fields !== this.width || next === SPACE || next === this.comment);
  }

  /**
   * Whether a field in quotes has taken in other records: a line between its first and its last has as many fields, no quotes, and a
   * number or a time where one is read.
   */
  private hasSwallowed(raw: Uint8Array): boolean {
    const { rating, count, time } = this.part.columns;
    const number = rating ?? count ?? time;
    const lines = textOf(raw, 0, raw.length)
      .trim()
      .split(/\r\n|\n|\r/);
    return lines.slice(1, -1).some((line) => {
      const fields = line.includes('"') ? [] : line.split(this.text.delimiter);
      if (fields.length !== this.width) return false;
      return number === undefined
        ? this.text.delimiter === '\t'
        : !Number.isNaN(secondsOrNumber(fields[number].replace(',', '.')));
    });
  }

  /** Whether the header comes again, as where files were joined. In ratings, it has no number. */
  private isHeader(): boolean {
    const { user, item } = this.part.columns;
    if (!this.text.header || !this.part.isInteractions || user === undefined || item === undefined)
      return false;
    const { bytes, starts, ends } = this.scanner;
    return [user, item].every((at) => {
      const name = this.part.names[at];
      // A character takes at most three bytes.
      return ends[at] - starts[at] <= 3 * name.length && textOf(bytes, starts[at], ends[at]) === name;
    });
  }

  /** Adds the cells of a row of a matrix, each as a record of its own. */
  private cellsOf({ user, items, missing, counts }: WidePart): (line: number) => void {
    const number = missing === undefined ? Number.NaN : numberInText(missing);
    const cell = new TextFields();
    let row = 0;
    return (line) => {
      const { bytes, starts, ends } = this.scanner;
      const id = user === undefined ? String(++row) : textOf(bytes, starts[user], ends[user]);
      for (let at = 0; at < items.length; at++) {
        const text = textOf(bytes, starts[at], ends[at]).trim();
        if (at === user || at === counts || text === '' || text === missing || numberInText(text) === number)
          continue;
        this.collector.add(cell.of([id, items[at], text]), line);
      }
    };
  }
}

/** Whether all fields are empty, as in the last rows of some spreadsheets. */
function isEmpty(starts: Int32Array, ends: Int32Array, count: number): boolean {
  for (let at = 0; at < count; at++) if (starts[at] !== ends[at]) return false;
  return count > 1;
}

const secondsOrNumber = (text: string): number => {
  const number = numberInText(text);
  return Number.isNaN(number) ? secondsOfDate(text) : number;
};

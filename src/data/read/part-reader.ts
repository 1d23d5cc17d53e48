import { isUtf8 } from 'node:buffer';
import { UserError } from '../../errors.ts';
import type { Collector } from './collector.ts';
import { Decoder } from './decode.ts';
import type { Part } from './part.ts';
import { JsonReader } from './read-json.ts';
import { type ByteReader, TextReader } from './read-text.ts';

/** So many bytes without a row are none of a table; a small file may decompress to any number of them. */
const MOST_BARREN = 64 * 2 ** 20;

/** Reads the bytes of a file into a collector. */
export class PartReader {
  private readonly reader: ByteReader;
  private readonly decoder: Decoder;
  private rows = 0;
  /** Bytes since the last row that could be read. */
  private barren = 0;

  constructor(
    private readonly part: Part,
    private readonly collector: Collector,
  ) {
    const { file, format, encoding = 'utf-8' } = part;
    this.reader = format === 'JSON' ? new JsonReader(part, collector) : new TextReader(part, collector);
    this.decoder = new Decoder({ file, encoding, isUtf8, isContinued: part.text?.isContinued });
  }

  /** @throws UserError for bytes that the encoding does not have, and for very many in which there are no rows */
  push(bytes: Uint8Array, isLast = false): void {
    const text = this.decoder.push(bytes, isLast, (before) => this.reader.scanner.lineAfter(before));
    this.reader.push(text, isLast);
    const { read } = this.collector;
    this.barren = read > this.rows ? 0 : this.barren + bytes.length;
    this.rows = read;
    if (this.barren > MOST_BARREN)
      throw new UserError(
        'data',
        `${this.part.file}, line ${this.reader.scanner.line}: 64 MB before it have no row that can be read; is it another file, or a part of it empty?`,
      );
  }

  end(): void {
    this.push(new Uint8Array(0), true);
  }

  /** Whether what was pushed ends with a whole record. */
  get isBetweenRecords(): boolean {
    return this.reader.scanner.isBetweenRecords && this.decoder.isBetweenCharacters;
  }

  /** Number of lines that were pushed. */
  get lines(): number {
    return this.reader.scanner.lineAfter(new Uint8Array(0)) - 1;
  }

  /** Counts lines that are read elsewhere. */
  skipLines(count: number): void {
    this.reader.scanner.line += count;
  }
}

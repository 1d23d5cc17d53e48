import { isUtf8 } from 'node:buffer';
import type { Collector } from './collector.ts';
import { Decoder } from './decode.ts';
import type { Part } from './part.ts';
import { JsonReader } from './read-json.ts';
import { type ByteReader, TextReader } from './read-text.ts';

/** Reads the bytes of a file into a collector. */
export class PartReader {
  private readonly reader: ByteReader;
  private readonly decoder: Decoder;

  constructor(part: Part, collector: Collector) {
    const { file, format, encoding = 'utf-8' } = part;
    this.reader = format === 'JSON' ? new JsonReader(part, collector) : new TextReader(part, collector);
    this.decoder = new Decoder({ file, encoding, isUtf8, isContinued: part.text?.isContinued });
  }

  /** @throws UserError for bytes that the encoding does not have */
  push(bytes: Uint8Array, isLast = false): void {
    const text = this.decoder.push(bytes, isLast, (before) => this.reader.scanner.lineAfter(before));
    this.reader.push(text, isLast);
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

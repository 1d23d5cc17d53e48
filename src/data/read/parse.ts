import type { HoldOut } from '../dataset/split.ts';
import { tableFrom } from './collected.ts';
import { Collector } from './collector.ts';
import type { ItemTable } from './item-table.ts';
import { itemsFrom } from './items-from.ts';
import { checkMeaning, type MeaningOptions, wantedColumns } from './meaning.ts';
import type { Part, SourceOptions } from './part.ts';
import { isJson, JsonReader, understandJson } from './read-json.ts';
import { TextReader } from './read-text.ts';
import { type Reading, readingOf } from './reading.ts';
import { understandText } from './understand-text.ts';
import { type Understanding, understandingOf } from './understanding.ts';

// The reader for pages, where there is no DuckDB: it reads what is in memory. Its results and messages are those of Node's reader.

/** How a page reads a file: which columns it reads, what the rows mean, and what is held out. */
export interface ParseOptions extends Omit<SourceOptions, 'optionNames'>, MeaningOptions, HoldOut {}

/** What was read, and how. */
export interface Parsed {
  readonly reading: Reading;
  readonly understanding: Understanding;
}

/**
 * Reads ratings or interactions as `readRatings` does: CSV, TSV, fields separated by `;`, `|`, `::` or spaces, with or without a
 * header, or JSON.
 *
 * @param text the file, as text or in UTF-8
 * @param file its name, for messages
 * @throws UserError with the line of a broken record, or with the columns if one is missing
 */
export const parseRatings = (text: string | Uint8Array, file: string, options: ParseOptions = {}): Reading =>
  parse(text, file, options).reading;

/** Reads as `parseRatings` does, and says how the file was understood. */
export function parse(text: string | Uint8Array, file: string, options: ParseOptions): Parsed {
  checkMeaning(options);
  const bytes = bytesOf(text);
  const sample = { file, bytes, isWhole: true };
  // A page has no flags that messages could name.
  const named = { ...options, optionNames: {} };
  const understand = isJson(sample) ? understandJson : understandText;
  const part: Part = understand(sample, wantedColumns(options), named);
  const collector = new Collector([part], named);
  collector.begin(part);
  const Reader = part.format === 'JSON' ? JsonReader : TextReader;
  new Reader(part, collector).push(bytes, true);
  collector.end();
  collector.finish();
  const { valid, split, seed, duplicates, minRatings } = options;
  const reading = readingOf(tableFrom(collector), file, { valid, split, seed, duplicates, minRatings });
  return { reading, understanding: understandingOf(collector, reading) };
}

/** The bytes of a text, without a byte order mark. */
const bytesOf = (text: string | Uint8Array): Uint8Array =>
  typeof text === 'string' ? new TextEncoder().encode(text.replace(/^\ufeff/, '')) : text;

/**
 * Parses titles and genres as `readItems` does, from text with a header, such as `movies.csv` of MovieLens.
 *
 * @throws UserError with the line of a broken record, or with the columns if one is missing
 */
export const parseItems = (text: string | Uint8Array, file: string): ItemTable =>
  itemsFrom(bytesOf(text), file);

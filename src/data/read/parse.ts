import { checkOptions, type OptionTable } from '../../util/options.ts';
import { HOLD_OUT_OPTIONS, type HoldOut } from '../dataset/split.ts';
import { tableFrom } from './collected.ts';
import { Collector } from './collector.ts';
import { Decoder, linesIn } from './decode.ts';
import { textEncoding } from './format.ts';
import type { ItemTable } from './item-table.ts';
import { itemsFrom } from './items-from.ts';
import { checkMeaning, MEANING_OPTIONS, type MeaningOptions, wantedColumns } from './meaning.ts';
import { type Part, SOURCE_OPTIONS, type SourceOptions } from './part.ts';
import { isJson, JsonReader, understandJson } from './read-json.ts';
import { TextReader } from './read-text.ts';
import { type Reading, readingOf } from './reading.ts';
import { SAMPLE, understandText } from './understand-text.ts';
import { type Understanding, understandingOf } from './understanding.ts';

// The reader for pages, where there is no DuckDB: it reads what is in memory. Its results and messages are those of Node's reader.

/** How a page reads a file: which columns it reads, what the rows mean, and what is held out. */
export interface ParseOptions extends Omit<SourceOptions, 'optionNames'>, MeaningOptions, HoldOut {}

const { optionNames: _, ...SOURCE } = SOURCE_OPTIONS;
const PARSE_OPTIONS: OptionTable<ParseOptions> = { ...SOURCE, ...MEANING_OPTIONS, ...HOLD_OUT_OPTIONS };

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

/**
 * Reads as `parseRatings` does, and says how the file was understood.
 *
 * @param compression how the file was compressed
 */
export function parse(
  text: string | Uint8Array,
  file: string,
  options: ParseOptions,
  compression?: Part['compression'],
): Parsed {
  checkOptions(options, PARSE_OPTIONS);
  checkMeaning(options);
  const all = bytesOf(text);
  const given = typeof text === 'string' ? 'utf-8' : options.encoding;
  const encoding = textEncoding(all, file, given, 'CSV, TSV or JSON');
  const bytes = new Decoder({ file, encoding }).push(all, true, (before) => 1 + linesIn(before));
  const sample = { file, bytes: bytes.subarray(0, SAMPLE), isWhole: bytes.length <= SAMPLE };
  const understand = isJson(sample) ? understandJson : understandText;
  const part = { ...understand(sample, wantedColumns(options), options), compression, encoding };
  const collector = new Collector([part], { ...options, canSkip: true });
  collector.begin(part);
  const Reader = part.format === 'JSON' ? JsonReader : TextReader;
  new Reader(part, collector).push(bytes, true);
  collector.end();
  collector.finish();
  const reading = readingOf(tableFrom(collector), file, options);
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

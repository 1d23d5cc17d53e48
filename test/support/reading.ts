import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { Ratings } from '../../src/data/dataset/ratings.ts';
import { type ParseOptions, parseRatings } from '../../src/data/read/parse.ts';
import { type ReadOptions, readRatings } from '../../src/data/read/read.ts';
import type { ReadReport } from '../../src/data/read/reading.ts';
import { temporaryFolder, userError } from './files.ts';

/** Options of both readers. */
export type BothOptions = ReadOptions & ParseOptions;

/** A text of these lines. */
export const lines = (...rows: readonly string[]): string => `${rows.join('\n')}\n`;

/** A rating as a person would list it: user, item, rating and, where there is one, time. */
export type Listed = (string | number)[];

/** What a reader read, as a person would write it down. */
export interface ReadHere {
  readonly rows: Listed[];
  readonly kind: ReadReport['kind'];
  readonly report: ReadReport;
  /** All that was assumed, with `FILE` for the path. */
  readonly said: string;
}

/** The ratings of a data set, in its order. */
export const listed = ({ userIds, itemIds, users, items, ratings, times }: Ratings): Listed[] =>
  Array.from(users, (user, place) => [
    userIds[user],
    itemIds[items[place]],
    ratings[place],
    ...(times ? [times[place]] : []),
  ]);

/** The same rows in an order of their own, for files that say nothing about the order. */
export const sorted = (rows: readonly Listed[]): Listed[] =>
  [...rows].sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));

/** A text as a page has it: decoded, by its mark where no encoding is given. */
export function decoded(content: Uint8Array, encoding?: string): string {
  const byMark = content[0] === 0xff ? 'utf-16le' : content[0] === 0xfe ? 'utf-16be' : 'utf-8';
  const decoder = new TextDecoder((encoding ?? byMark).replace('latin-1', 'latin1'), { fatal: true });
  // Only as a stream does Node 20 decode all of windows-1252.
  return decoder.decode(content, { stream: true }) + decoder.decode();
}

const textIn = (content: string | Buffer, encoding?: string): string =>
  typeof content === 'string' ? content : decoded(content, encoding);

/** A message without the advice that a page, which has no flags, cannot give. */
const withoutFlags = (message: string): string =>
  message
    .replace(/(; or leave it|: leave them) out with `skipBadRows: true`$/, '')
    .replace(/, or read no (times|ratings) with .\w+Column: ''./, '')
    .replace('; if the first line is no header, say so with `header: false`', '')
    .replace('name the right ones with', 'call the right ones')
    .replaceAll(/`(user|item|rating)Column`/g, '$1');

/** Reads files with Node's reader, and texts with both readers, which must agree. */
export function readers() {
  const folder = temporaryFolder();
  const here = (text: string, path: string): string => text.replaceAll(path, 'FILE');

  const readFile = async (path: string, options: BothOptions = {}): Promise<ReadHere> => {
    const { ratings, report } = await readRatings(path, options);
    const said = here(report.assumptions.join('\n'), path);
    return { rows: listed(ratings), kind: report.kind, report, said };
  };
  const refusedFile = async (path: string, options: BothOptions = {}): Promise<string> =>
    here(await userError(readRatings(path, options)), path);

  const plain = (report: ReadReport): ReadReport => ({
    ...report,
    assumptions: report.assumptions.map(withoutFlags),
  });

  return {
    folder,
    readFile,
    refusedFile,
    /** What both readers read in a text. */
    read: async (
      content: string | Buffer,
      options: BothOptions = {},
      name = 'ratings.csv',
    ): Promise<ReadHere> => {
      const path = await folder.write(name, content);
      const found = await readFile(path, options);
      const { ratings, report } = parseRatings(textIn(content, options.encoding), path, options);
      // Vitest takes seconds to compare many numbers.
      const rows = listed(ratings);
      if (!isDeepStrictEqual(rows, found.rows)) expect(rows, 'in the page').toEqual(found.rows);
      expect(plain(report), 'in the page').toEqual(plain(found.report));
      return found;
    },
    /** The line with which both readers refuse a text. */
    refused: async (
      content: string | Buffer,
      options: BothOptions = {},
      name = 'ratings.csv',
    ): Promise<string> => {
      const path = await folder.write(name, content);
      const message = await refusedFile(path, options);
      const text = textIn(content, options.encoding);
      const inPage = await userError((async () => parseRatings(text, path, options))());
      expect(withoutFlags(here(inPage, path)), 'in the page').toBe(withoutFlags(message));
      return message;
    },
  };
}

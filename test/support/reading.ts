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
      const { ratings, report } = parseRatings(content, path, options);
      // Vitest takes seconds to compare many numbers.
      const rows = listed(ratings);
      if (!isDeepStrictEqual(rows, found.rows)) expect(rows, 'in the page').toEqual(found.rows);
      expect(report, 'in the page').toEqual(found.report);
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
      const inPage = await userError((async () => parseRatings(content, path, options))());
      expect(here(inPage, path), 'in the page').toBe(message);
      return message;
    },
  };
}

import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import type { Dataset } from '../dataset/dataset.ts';
import { latestIndices, Ratings, type RatingsParts, renumbered, selectRows } from '../dataset/ratings.ts';
import { type HoldOut, holdOut } from '../dataset/split.ts';

/** What was read. The numbers include what was held out. */
export interface ReadReport {
  readonly ratings: number;
  readonly users: number;
  readonly items: number;
  /** Number of ratings that a later one of the same user and item replaced. */
  readonly duplicates: number;
  /** What the reader assumed, one sentence each. */
  readonly assumptions: readonly string[];
}

export interface Reading<Data extends Dataset = Ratings> {
  readonly ratings: Data;
  /** Ratings that were held out, with the same ids. */
  readonly valid?: Ratings;
  readonly report: ReadReport;
}

/** The rows of files, in order. Row numbers of ids are in order of first appearance. */
export interface Table extends Omit<RatingsParts, 'name' | 'unknown'> {
  readonly assumptions: readonly string[];
}

/** Removes duplicates from a table, applies a vocabulary, and holds out ratings. */
export function readingOf(
  { assumptions, ...table }: Table,
  name: string,
  { vocabulary, ...held }: HoldOut & { readonly vocabulary?: Vocabulary } = {},
): Reading {
  const read = new Ratings({ ...table, name });
  const indices = latestIndices(table);
  const latest = indices ? selectRows(read, indices) : read;
  const all = vocabulary ? renumbered(latest, vocabulary) : latest;
  const { train, valid } = holdOut(all, held);
  return {
    ratings: train,
    ...(valid && { valid }),
    report: {
      ratings: latest.ratings.length,
      users: table.userIds.length,
      items: table.itemIds.length,
      duplicates: read.ratings.length - latest.ratings.length,
      assumptions,
    },
  };
}

import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import type { Dataset } from '../dataset/dataset.ts';
import { latestPlaces, Ratings, type RatingsParts, renumbered, selectRows } from '../dataset/ratings.ts';
import { type HoldOut, holdOut } from '../dataset/split.ts';

/** What was read, and what the reader took for granted. */
export interface ReadReport {
  /** How many there are of each, held out or not. */
  readonly ratings: number;
  readonly users: number;
  readonly items: number;
  /** How many ratings a later one of the same user and item replaced. */
  readonly duplicates: number;
  /** A sentence each. */
  readonly assumptions: readonly string[];
}

export interface Reading<Data extends Dataset = Ratings> {
  readonly ratings: Data;
  /** Those that were held out, by the same row numbers. */
  readonly valid?: Ratings;
  readonly report: ReadReport;
}

/** The rows of files, in their order; ids are numbered in order of first appearance. */
export interface Table extends Omit<RatingsParts, 'name' | 'unknown'> {
  readonly assumptions: readonly string[];
}

/** What a table comes to: of ratings of one item by one user the latest, some held out, by the ids of a vocabulary. */
export function readingOf(
  { assumptions, ...table }: Table,
  name: string,
  { vocabulary, ...held }: HoldOut & { readonly vocabulary?: Vocabulary } = {},
): Reading {
  const read = new Ratings({ ...table, name });
  const places = latestPlaces(table);
  const latest = places ? selectRows(read, places) : read;
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

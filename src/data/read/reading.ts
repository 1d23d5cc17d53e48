import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import type { DataKind } from '../../../graphs/models/model.ts';
import type { Dataset } from '../dataset/dataset.ts';
import { latestIndices, Ratings, type RatingsParts, renumbered, selectRows } from '../dataset/ratings.ts';
import type { Rows } from '../dataset/rows.ts';
import { type HoldOut, holdOut } from '../dataset/split.ts';
import { doubtsAbout, kindByValues, type RatingColumn, type Spread, spreadOf } from './meaning.ts';

/** What was read. The numbers include what was held out. */
export interface ReadReport {
  readonly kind: DataKind;
  /** Number of ratings, or of interactions. */
  readonly ratings: number;
  readonly users: number;
  readonly items: number;
  /**
   * Number of ratings that a later one of the same user and item replaced; or of interactions that were added to an earlier
   * one.
   */
  readonly duplicates: number;
  /** Number of rows of interactions without a user, such as orders of guests, which are left out. */
  readonly withoutUser: number;
  /** Number of interactions without a strength above 0, such as returned orders: nobody has their items. */
  readonly withoutStrength: number;
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
export interface Table extends Omit<RatingsParts, 'name' | 'unknown' | 'kind' | 'ratings'>, Rows {
  /** Undefined where the values decide. */
  readonly kind: DataKind | undefined;
  /** The column of the ratings; undefined if there is none. */
  readonly column?: RatingColumn | undefined;
  /** The columns of users and items in words, for interactions. */
  readonly ids: readonly string[];
  readonly withoutUser: number;
  readonly assumptions: readonly string[];
}

/** The kind of the rows, whether their values count, and a sentence if the values are no ratings. */
export function meaningOf(
  { kind, column, ids }: Pick<Table, 'kind' | 'column' | 'ids'>,
  values: Spread | undefined,
): { readonly kind: DataKind; readonly counts: boolean; readonly because: readonly string[] } {
  if (!column || !values) return { kind: kind ?? 'interactions', counts: true, because: ids };
  if (kind === 'ratings') return { kind, counts: true, because: doubtsAbout(values, column) };
  const found = kindByValues(values, column);
  const because = [...((kind ?? found.kind) === 'interactions' ? ids : []), ...(kind ? [] : found.because)];
  // A column with one value says nothing, whatever the value is.
  const counts = values.low < values.high || (kind ?? found.kind) === 'ratings';
  return { kind: kind ?? found.kind, counts, because };
}

/** Merges duplicates of a table, applies a vocabulary, and holds out ratings. */
export function readingOf(
  { assumptions, withoutUser, column, ids, kind: said, ...table }: Table,
  name: string,
  { vocabulary, ...held }: HoldOut & { readonly vocabulary?: Vocabulary | undefined } = {},
): Reading {
  const { kind, counts, because } = meaningOf({ kind: said, column, ids }, column && spreadOf(table.ratings));
  const read = new Ratings({ ...table, kind, name, ...(!counts && { ratings: undefined }) });
  const merged = kind === 'ratings' ? latest(read) : read;
  const all = vocabulary ? renumbered(merged, vocabulary) : merged;
  const { train, valid } = holdOut(all, held);
  return {
    ratings: train,
    ...(valid && { valid }),
    report: {
      kind,
      ratings: merged.ratings.length,
      users: table.userIds.length,
      items: table.itemIds.length,
      duplicates: table.users.length - merged.ratings.length,
      withoutUser,
      withoutStrength: withoutStrength(merged),
      assumptions: [...assumptions, ...because],
    },
  };
}

export const withoutStrength = ({ kind, ratings }: Pick<Ratings, 'kind' | 'ratings'>): number =>
  kind === 'ratings' ? 0 : ratings.reduce((count, strength) => count + Number(strength <= 0), 0);

function latest(ratings: Ratings): Ratings {
  const indices = latestIndices(ratings);
  return indices ? selectRows(ratings, indices) : ratings;
}

import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import type { DataKind } from '../../../graphs/models/model.ts';
import { option, UserError, withOptions } from '../../errors.ts';
import type { Dataset } from '../dataset/dataset.ts';
import { Ratings, type RatingsParts, renumbered } from '../dataset/ratings.ts';
import { coreOf, type MoreRows, withoutRepeats } from '../dataset/repeats.ts';
import type { Rows } from '../dataset/rows.ts';
import { type HoldOut, holdOut, withOccurring } from '../dataset/split.ts';
import {
  checkRatings,
  doubtsAbout,
  kindByValues,
  type MeaningOptions,
  type RatingColumn,
} from './meaning.ts';
import { type Spread, spreadOf } from './spread.ts';

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
  /** What an item is called, such as `movie`, by the name of its column; absent if the name does not say it. */
  readonly noun?: string | undefined;
  /** What the reader assumed, one sentence each. */
  readonly assumptions: readonly string[];
}

export interface Reading<Data extends Dataset = Ratings> {
  readonly ratings: Data;
  /** Ratings that were held out, with the same ids. */
  readonly valid?: Ratings;
  /** All ratings, if some are held out and `whole` asks for them. */
  readonly whole?: Data;
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
  /** What an item is called, by the name of its column. */
  readonly noun?: string | undefined;
  readonly assumptions: readonly string[];
  /** Whether some ids may be of no row, because their rows were left out. */
  readonly hasUnused: boolean;
}

/** The kind of the rows, whether their values count, and a sentence if the values are no ratings. */
export function meaningOf(
  { kind, column, ids }: Pick<Table, 'kind' | 'column' | 'ids'>,
  values: Spread | undefined,
  name: string,
): { readonly kind: DataKind; readonly counts: boolean; readonly because: readonly string[] } {
  if (!column || !values) return { kind: kind ?? 'interactions', counts: true, because: ids };
  checkRatings(values, column, name);
  if (kind === 'ratings') return { kind, counts: true, because: doubtsAbout(values, column) };
  const found = kindByValues(values, column);
  const because = [...((kind ?? found.kind) === 'interactions' ? ids : []), ...(kind ? [] : found.because)];
  // A column with one value says nothing, whatever the value is.
  const counts = values.low < values.high || (kind ?? found.kind) === 'ratings';
  return { kind: kind ?? found.kind, counts, because };
}

export type ReadingOptions = HoldOut &
  Pick<MeaningOptions, 'duplicates' | 'minRatings'> & { readonly vocabulary?: Vocabulary | undefined };

/** Merges duplicates of a table, leaves out what is rare, applies a vocabulary, and holds out ratings. */
export function readingOf(
  { assumptions, noun, withoutUser, column, ids, kind: said, hasUnused, ...table }: Table,
  name: string,
  { vocabulary, duplicates, minRatings = 1, ...held }: ReadingOptions = {},
): Reading {
  const { kind, counts, because } = meaningOf(
    { kind: said, column, ids },
    column && spreadOf(table.ratings),
    name,
  );
  const sizes = { users: table.userIds.length, items: table.itemIds.length };
  const rows = counts ? table : { ...table, ratings: new Float32Array(table.users.length).fill(1) };
  const how = duplicates ?? (kind === 'ratings' ? 'last' : 'sum');
  // Interactions are added up where they are checked.
  const isAdded = kind === 'interactions' && how === 'sum';
  const merged = new Ratings({ ...(isAdded ? rows : withoutRepeats(rows, sizes, how)), kind, name });
  // Data with a vocabulary are not trained on.
  const least = vocabulary ? 1 : minRatings;
  const core =
    least > 1 ? new Ratings(coreOf<RatingsParts & MoreRows>({ ...merged }, sizes, least), true) : merged;
  if (core.users.length === 0 && merged.users.length > 0)
    throw new UserError(
      'data',
      `${name}: no users and items are left that have ${least} ${kind} each; give a smaller ${option('minRatings')}`,
    );
  const all = least > 1 || hasUnused ? withOccurring(core) : core;
  const { train, valid, whole } = holdOut(vocabulary ? renumbered(all, vocabulary) : all, held);
  const rare = merged.users.length - core.users.length;
  return {
    ratings: train,
    ...(valid && { valid }),
    ...(whole && { whole }),
    report: {
      kind,
      ratings: all.ratings.length,
      users: all.userIds.length,
      items: all.itemIds.length,
      duplicates: table.users.length - merged.users.length,
      withoutUser,
      withoutStrength: withoutStrength(all),
      ...(noun !== undefined && { noun }),
      assumptions: [
        ...assumptions,
        ...because,
        ...(rare > 0 ? [`${rare} ${kind} of users or items with fewer than ${least} are left out`] : []),
      ].map((sentence) => withOptions(sentence)),
    },
  };
}

export const withoutStrength = ({ kind, ratings }: Pick<Ratings, 'kind' | 'ratings'>): number =>
  kind === 'ratings' ? 0 : ratings.reduce((count, strength) => count + Number(strength <= 0), 0);

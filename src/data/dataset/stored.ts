import type { Ratings } from './ratings.ts';
import type { Strata } from './strata.ts';

/** So many ratings, and more, are trained by strata, and kept in a file of them. */
export const LARGE = 500_000;

/** Ratings too many for memory, in a file, by strata. Ids are numbered by how often they are rated, the most first. */
export interface StoredRatings {
  readonly userIds: string[];
  readonly itemIds: string[];
  readonly count: number;
  readonly low: number;
  readonly high: number;
  readonly mean: number;
  /** By row. */
  readonly itemCounts: Int32Array;
  readonly itemAverages: Float64Array;
  readonly strata: Strata;
  /** About so many of the ratings, by row. */
  sample(count: number): Promise<Pick<Ratings, 'users' | 'items' | 'ratings'>>;
  /** SHA-256 of ids, and of a sum over the ratings that does not depend on their order. */
  readonly fingerprint: string;
  readonly duplicates: number;
  readonly assumptions: string[];
  /** Removes the file. */
  close(): Promise<void>;
}

export const isStored = (ratings: Ratings | StoredRatings): ratings is StoredRatings => 'strata' in ratings;

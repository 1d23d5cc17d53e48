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
  readonly userCounts: Int32Array;
  readonly itemCounts: Int32Array;
  readonly itemAverages: Float64Array;
  readonly strata: Strata;
  /** SHA-256 of ids and ratings. */
  readonly fingerprint: string;
  readonly duplicates: number;
  readonly assumptions: string[];
  /** Removes the file. */
  close(): Promise<void>;
}

export const isStored = (ratings: Ratings | StoredRatings): ratings is StoredRatings => 'strata' in ratings;

/** The users and items of some strata, by row, in arrays of one length, and their ratings. */
export async function* stratumByStratum(
  { users, items, starts, read }: Strata,
  numbers: Iterable<number> = Array.from({ length: starts.length - 1 }, (_, number) => number),
): AsyncGenerator<Pick<Ratings, 'users' | 'items' | 'ratings'>> {
  const itemBlocks = items.starts.length - 1;
  for (const number of numbers) {
    const stratum = await read(number);
    const firstUser = users.starts[Math.floor(number / itemBlocks)];
    const firstItem = items.starts[number % itemBlocks];
    yield {
      users: stratum.users.map((place) => users.order[firstUser + place]),
      items: stratum.items.map((place) => items.order[firstItem + place]),
      ratings: stratum.ratings,
    };
  }
}

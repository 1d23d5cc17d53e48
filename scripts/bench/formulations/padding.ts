/** How full lists of one user's ratings would be. */
import { tmpdir } from 'node:os';
import { blocksOf, timesRated } from '../../../src/data/dataset/strata.ts';
import { readRatings } from '../../../src/index.ts';
import { dataSet } from '../sets.ts';
import { sum } from './profile.ts';

export interface Fill {
  /** Items of a block. */
  readonly rows: number;
  readonly length: number;
  /** Ratings over places in lists. */
  readonly taken: number;
  /** Of the ratings, those in lists without a place to spare. */
  readonly inFull: number;
}

/** Of 10 million synthetic ratings, in strata of so many items. */
export async function fills(rows: readonly number[], lengths: readonly number[]): Promise<Fill[]> {
  const { train } = await dataSet('10m', '', tmpdir());
  const { users, items, userIds, itemIds } = (await readRatings(train)).ratings;
  const counts = timesRated(items, itemIds.length);
  return rows.flatMap((rows) => {
    const blocks = Math.round(itemIds.length / rows);
    const { order, starts } = blocksOf(counts, blocks);
    const blockOfItem = new Int32Array(itemIds.length);
    for (let block = 0; block < blocks; block++)
      for (const item of order.subarray(starts[block], starts[block + 1])) blockOfItem[item] = block;
    const strata = users.map((user, place) => user * blocks + blockOfItem[items[place]]);
    const ofUserInStratum = timesRated(strata, userIds.length * blocks);
    return lengths.map((length) => {
      const lists = sum(Array.from(ofUserInStratum, (count) => Math.ceil(count / length)));
      const full = sum(Array.from(ofUserInStratum, (count) => Math.floor(count / length)));
      return {
        rows,
        length,
        taken: users.length / (lists * length),
        inFull: (full * length) / users.length,
      };
    });
  });
}

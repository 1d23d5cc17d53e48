import type { Rows } from '../dataset/rows.ts';
import { grown } from './ids.ts';
import { ValueCounts } from './spread.ts';

export interface ItemTally {
  readonly low: number;
  readonly high: number;
  readonly items: Int32Array;
  readonly positives: Int32Array;
  readonly sums: Float64Array;
  readonly hashes: Int32Array;
}

/** Counts and sums of rows, by the rows of users and items. */
export class Tally {
  readonly values = new ValueCounts();
  /** How often each user and each item occurs. */
  users = new Int32Array(2 ** 10);
  items = new Int32Array(2 ** 10);
  /** How often each item occurs with a rating above 0, and the sum of its ratings. */
  positives = new Int32Array(2 ** 10);
  sums = new Float64Array(2 ** 10);
  /**
   * Whether the rows of each user are neighbours, as in many files, and no user has an item twice. Then nothing repeats. Otherwise
   * it is not known.
   */
  hasNoRepeats = true;
  private user = -1;
  /** The user who had each item last, + 1. */
  private had = new Int32Array(2 ** 10);
  /** Two sums of hashes of the rows, which do not depend on their order. */
  readonly hashes = new Int32Array(2);

  /** @param sizes numbers of users and of items so far */
  add(rows: Rows, length: number, [users, items]: readonly [users: number, items: number]): void {
    if (users > this.users.length) this.users = grown(this.users, 2 * users);
    if (items > this.items.length) {
      this.items = grown(this.items, 2 * items);
      this.positives = grown(this.positives, 2 * items);
      this.had = grown(this.had, 2 * items);
      this.sums = grown(this.sums, 2 * items);
    }
    this.values.add(rows.ratings, length);
    this.count(rows, length);
  }

  /** What a dataset says of its items, in this order of their rows. */
  inOrder(order: Int32Array): ItemTally {
    const { values, hashes, items, positives, sums } = this;
    return {
      ...{ low: values.low, high: values.high, hashes },
      items: order.map((row) => items[row]),
      positives: order.map((row) => positives[row]),
      sums: Float64Array.from(order, (row) => sums[row]),
    };
  }

  private count({ users, items, ratings }: Rows, length: number): void {
    const { users: ofUser, items: ofItem, positives, sums, had } = this;
    let { user: last, hasNoRepeats } = this;
    const bits = new Int32Array(ratings.buffer, ratings.byteOffset, length);
    let [one, other] = this.hashes;
    for (let index = 0; index < length; index++) {
      const user = users[index];
      const item = items[index];
      const rating = ratings[index];
      if (user !== last) {
        hasNoRepeats &&= ofUser[user] === 0;
        last = user;
      }
      hasNoRepeats &&= had[item] !== user + 1;
      had[item] = user + 1;
      ofUser[user]++;
      ofItem[item]++;
      if (rating > 0) positives[item]++;
      sums[item] += rating;
      let hash = Math.imul(user ^ Math.imul(item, 0x9e3779b1) ^ bits[index], 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
      one = (one + hash) | 0;
      other = (other + Math.imul(hash ^ (hash >>> 13), 0x27d4eb2f)) | 0;
    }
    this.hashes.set([one, other]);
    this.user = last;
    this.hasNoRepeats = hasNoRepeats;
  }
}

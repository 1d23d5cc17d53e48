import { createHash } from 'node:crypto';
import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import type { DataKind } from '../../../graphs/models/model.ts';
import type { Dataset } from '../dataset/dataset.ts';
import { tooStrong } from '../dataset/ratings.ts';
import type { Rows } from '../dataset/rows.ts';
import { type BlockCounts, type Strata, sampleOf } from '../dataset/strata.ts';
import { BYTES_PER_RATING, type StrataFile } from '../dataset/strata-file.ts';
import type { CutStratum } from './cut-strata.ts';

interface Written {
  readonly name: string;
  readonly kind: DataKind;
  readonly vocabulary: Vocabulary;
  /** Whether recommendations leave out only some of the pairs. */
  readonly leavesOutSome: boolean;
}

/** Writes strata to a file, one after the other, and adds up what is in them. */
export class StrataWriter {
  private readonly starts: Float64Array;
  private readonly itemCounts: Int32Array;
  private readonly itemSums: Float64Array;
  private readonly leftOut: { users: number[]; items: number[] } = { users: [], items: [] };
  private low = Number.POSITIVE_INFINITY;
  private high = Number.NEGATIVE_INFINITY;
  /** Two sums of hashes of the ratings, which do not depend on their order. */
  private readonly hashes = new Uint32Array(2);
  private written = 0;
  private number = 0;

  constructor(
    private readonly file: StrataFile,
    private readonly blocks: Pick<Strata, 'users' | 'items'>,
    private readonly of: Written,
  ) {
    const [users, items] = [blocks.users.starts.length - 1, blocks.items.starts.length - 1];
    this.starts = new Float64Array(users * items + 1);
    this.itemCounts = new Int32Array(of.vocabulary.itemIds.length);
    this.itemSums = new Float64Array(of.vocabulary.itemIds.length);
  }

  /** Adds the next stratum. @throws UserError for a strength that is no 32-bit number */
  async add({ users, items, ratings, leftOut }: CutStratum): Promise<void> {
    const { blocks } = this;
    const itemBlocks = blocks.items.starts.length - 1;
    const ofUser = blocks.users.order.subarray(blocks.users.starts[Math.floor(this.number / itemBlocks)]);
    const ofItem = blocks.items.order.subarray(blocks.items.starts[this.number % itemBlocks]);
    this.sumUp({ users, items, ratings }, ofUser, ofItem);
    if (leftOut)
      for (const [at, isLeftOut] of leftOut.entries()) {
        if (isLeftOut === 0) continue;
        this.leftOut.users.push(ofUser[users[at]]);
        this.leftOut.items.push(ofItem[items[at]]);
      }
    let position = this.written * BYTES_PER_RATING;
    this.written += ratings.length;
    this.starts[++this.number] = this.written;
    for (const { buffer, byteOffset, byteLength } of [users, items, ratings]) {
      await this.file.write(new Uint8Array(buffer, byteOffset, byteLength), position);
      position += byteLength;
    }
  }

  private sumUp({ users, items, ratings }: Rows, ofUser: Int32Array, ofItem: Int32Array): void {
    const { itemCounts, itemSums } = this;
    const isRated = this.of.kind === 'ratings';
    const bits = new Int32Array(ratings.buffer, ratings.byteOffset, ratings.length);
    let { low, high } = this;
    let [one, other] = this.hashes;
    for (let index = 0; index < ratings.length; index++) {
      const item = ofItem[items[index]];
      const rating = ratings[index];
      itemSums[item] += rating;
      if (isRated || rating > 0) itemCounts[item]++;
      if (rating < low) low = rating;
      if (rating > high) high = rating;
      let hash = Math.imul(ofUser[users[index]] ^ Math.imul(item, 0x9e3779b1) ^ bits[index], 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
      one = (one + hash) | 0;
      other = (other + Math.imul(hash ^ (hash >>> 13), 0x27d4eb2f)) | 0;
    }
    if (!Number.isFinite(high - low)) this.refuse({ users, items, ratings }, ofUser, ofItem);
    this.hashes.set([one, other]);
    [this.low, this.high] = [low, high];
  }

  /** @throws UserError for the first strength that is no 32-bit number */
  private refuse({ users, items, ratings }: Rows, ofUser: Int32Array, ofItem: Int32Array): void {
    const at = ratings.findIndex((rating) => !Number.isFinite(rating));
    const { userIds, itemIds } = this.of.vocabulary;
    if (at >= 0) throw tooStrong(this.of.name, userIds[ofUser[users[at]]], itemIds[ofItem[items[at]]]);
  }

  /** The dataset of all strata. */
  dataset(storedIn: BlockCounts): Dataset {
    const { file, blocks, starts, itemCounts, itemSums, low, high } = this;
    const { name, kind, vocabulary, leavesOutSome } = this.of;
    const strata: Strata = { ...blocks, starts, read: (number) => file.read(starts, number) };
    const sha = createHash('sha256').update([JSON.stringify(vocabulary), this.hashes.join(' ')].join());
    const hashes = sha.digest('hex');
    const { userIds, itemIds } = vocabulary;
    const leftOut = {
      users: Int32Array.from(this.leftOut.users),
      items: Int32Array.from(this.leftOut.items),
    };
    return {
      name,
      ...vocabulary,
      facts: {
        ...{ kind, users: userIds.length, items: itemIds.length, ratings: this.written, low, high },
        mean: itemSums.reduce((sum, one) => sum + one, 0) / this.written,
      },
      itemCounts,
      itemAverages: itemSums.map((sum, row) => sum / itemCounts[row]),
      storedIn,
      sample: (count) => sampleOf(strata, count),
      leavesOutSome,
      toLeaveOut: async () => (leavesOutSome ? leftOut : sampleOf(strata, Number.POSITIVE_INFINITY)),
      strata: () => strata,
      hashes: async () => hashes,
      close: () => file.close(),
    };
  }
}

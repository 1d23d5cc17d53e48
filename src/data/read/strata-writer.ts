import { createHash } from 'node:crypto';
import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import type { DataKind } from '../../../graphs/models/model.ts';
import type { Dataset } from '../dataset/dataset.ts';
import { tooStrong } from '../dataset/ratings.ts';
import { type BlockCounts, type Strata, sampleOf, stratumByStratum } from '../dataset/strata.ts';
import { BYTES_PER_RATING, type StrataFile } from '../dataset/strata-file.ts';
import type { CutStratum } from './cut-strata.ts';
import { type ItemTally, Tally } from './tally.ts';

interface Written {
  readonly name: string;
  readonly kind: DataKind;
  readonly vocabulary: Vocabulary;
  /** Whether recommendations leave out only some of the pairs. */
  readonly leavesOutSome: boolean;
}

/** Writes strata to a file, one after the other. */
export class StrataWriter {
  private readonly starts: Float64Array;
  private readonly leftOut: { users: number[]; items: number[] } = { users: [], items: [] };
  /** Number of rows. */
  written = 0;
  private number = 0;

  constructor(
    private readonly file: StrataFile,
    private readonly blocks: Pick<Strata, 'users' | 'items'>,
    private readonly of: Written,
  ) {
    this.starts = new Float64Array((blocks.users.starts.length - 1) * (blocks.items.starts.length - 1) + 1);
  }

  /** Adds the next stratum. */
  async add({ users, items, ratings, leftOut }: CutStratum): Promise<void> {
    if (leftOut) this.addLeftOut(users, items, leftOut);
    let position = this.written * BYTES_PER_RATING;
    this.written += ratings.length;
    this.starts[++this.number] = this.written;
    const writes = [users, items, ratings].map(({ buffer, byteOffset, byteLength }) => {
      const write = this.file.write(new Uint8Array(buffer, byteOffset, byteLength), position);
      position += byteLength;
      return write;
    });
    await Promise.all(writes);
  }

  private addLeftOut(users: Int32Array, items: Int32Array, leftOut: Uint8Array): void {
    const { users: ofUsers, items: ofItems } = this.blocks;
    const itemBlocks = ofItems.starts.length - 1;
    const firstUser = ofUsers.starts[Math.floor(this.number / itemBlocks)];
    const firstItem = ofItems.starts[this.number % itemBlocks];
    for (const [at, isLeftOut] of leftOut.entries()) {
      if (isLeftOut === 0) continue;
      this.leftOut.users.push(ofUsers.order[firstUser + users[at]]);
      this.leftOut.items.push(ofItems.order[firstItem + items[at]]);
    }
  }

  private get strata(): Strata {
    const { file, blocks, starts } = this;
    return { ...blocks, starts, read: (number) => file.read(starts, number) };
  }

  /** Counts and sums of what was written. @throws UserError for a strength that is no 32-bit number */
  private async tally(): Promise<ItemTally> {
    const tally = new Tally();
    const { userIds, itemIds } = this.of.vocabulary;
    for await (const rows of stratumByStratum(this.strata)) {
      const at = rows.ratings.findIndex((rating) => !Number.isFinite(rating));
      if (at >= 0) throw tooStrong(this.of.name, userIds[rows.users[at]], itemIds[rows.items[at]]);
      tally.add(rows, rows.ratings.length, [userIds.length, itemIds.length]);
    }
    return tally.inOrder(Int32Array.from(itemIds.keys()));
  }

  /**
   * The dataset of all strata.
   *
   * @param known counts and sums of the rows, by these rows, if no row was merged or held out. Default: made of what was written
   */
  async dataset(storedIn: BlockCounts, known?: ItemTally): Promise<Dataset> {
    const { file, strata, written } = this;
    const { name, kind, vocabulary, leavesOutSome } = this.of;
    const { low, high, items, positives, sums, hashes } = known ?? (await this.tally());
    const { userIds, itemIds } = vocabulary;
    const itemCounts = kind === 'ratings' ? items : positives;
    const sha = createHash('sha256').update([JSON.stringify(vocabulary), hashes.join(' ')].join());
    const hash = sha.digest('hex');
    const leftOut = {
      users: Int32Array.from(this.leftOut.users),
      items: Int32Array.from(this.leftOut.items),
    };
    return {
      name,
      ...vocabulary,
      facts: {
        ...{ kind, users: userIds.length, items: itemIds.length, ratings: written, low, high },
        mean: sums.reduce((sum, one) => sum + one, 0) / written,
      },
      itemCounts,
      itemAverages: sums.map((sum, row) => sum / itemCounts[row]),
      storedIn,
      sample: (count) => sampleOf(strata, count),
      leavesOutSome,
      toLeaveOut: async () => (leavesOutSome ? leftOut : sampleOf(strata, Number.POSITIVE_INFINITY)),
      strata: () => strata,
      hashes: async () => hash,
      close: () => file.close(),
    };
  }
}

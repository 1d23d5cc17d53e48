import type { DataFacts } from '../../../graphs/models/model.ts';
import type { Dataset } from './dataset.ts';
import type { Rows } from './rows.ts';
import { type BlockCounts, type Strata, sampleOf } from './strata.ts';

/** Ratings too many for memory, in a file, by strata. Ids are numbered by how often they are rated, the most first. */
export class StoredRatings implements Dataset {
  readonly name: string;
  readonly userIds: readonly string[];
  readonly itemIds: readonly string[];
  readonly facts: DataFacts;
  readonly itemCounts: Int32Array;
  readonly itemAverages: Float64Array;
  readonly storedIn: BlockCounts;

  constructor(
    private readonly parts: Pick<
      Dataset,
      'name' | 'userIds' | 'itemIds' | 'facts' | 'itemCounts' | 'itemAverages' | 'close'
    > & {
      readonly strata: Strata;
      /** Of ids, and of a sum over the ratings that does not depend on their order. */
      readonly hash: string;
    },
  ) {
    const { users, items } = parts.strata;
    this.name = parts.name;
    this.userIds = parts.userIds;
    this.itemIds = parts.itemIds;
    this.facts = parts.facts;
    this.itemCounts = parts.itemCounts;
    this.itemAverages = parts.itemAverages;
    this.storedIn = [users.starts.length - 1, items.starts.length - 1];
  }

  sample(count: number): Promise<Rows> {
    return sampleOf(this.parts.strata, count);
  }

  /** Those of its file, whatever is asked for. */
  strata(): Strata {
    return this.parts.strata;
  }

  async hashes(): Promise<string> {
    return this.parts.hash;
  }

  close(): Promise<void> {
    return this.parts.close();
  }
}

import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import type { DataFacts } from '../../../graphs/models/model.ts';
import { UserError } from '../../errors.ts';
import { sha256 } from '../../util/hash.ts';
import { quoted } from '../../util/text.ts';
import type { Rows } from './rows.ts';
import type { BlockCounts, Strata } from './strata.ts';

/** So many ratings, and more, are many: they are trained by strata and, where that is allowed, kept in a file. */
export const MANY = 500_000;

/** Ratings of items by users, valid since it was made; in memory (`Ratings`) or in a file of strata. */
export interface Dataset extends Vocabulary {
  /** What messages call it: its files, or "the ratings". */
  readonly name: string;
  readonly facts: DataFacts;
  /** By row. An item that nobody rated has the average of all ratings. */
  readonly itemCounts: Int32Array;
  readonly itemAverages: Float64Array;
  /** How many users and items have no id here; none may be trained on. */
  readonly unknown?: { readonly users: number; readonly items: number };
  /** Into how many blocks of users and items its file is cut; absent in memory, where any number will do. */
  readonly storedIn?: BlockCounts;
  /** About `count` of the ratings or more: in memory all of them. */
  sample(count: number): Promise<Rows>;
  /** The ratings by blocks of users and items. */
  strata(blocks: BlockCounts, seed: number): Strata;
  /** SHA-256 sums of ids and ratings, one after the other. */
  hashes(): Promise<string>;
  /** Removes the file at once; otherwise it goes with the dataset. Nothing to do in memory. */
  close(): Promise<void>;
}

export async function fingerprint(...parts: (Dataset | undefined)[]): Promise<string> {
  let hashes = '';
  for (const part of parts) hashes += (await part?.hashes()) ?? '';
  return sha256(new TextEncoder().encode(hashes));
}

/** @throws UserError if no model can be trained: nothing, fewer than two users or items, or one rating throughout */
export function checkTrainable({ name, facts, userIds, itemIds, unknown }: Dataset): void {
  const wrong = (fault: string) => new UserError('argument', `${name}: ${fault}`);
  if (facts.ratings === 0) throw wrong('there are none');
  if (unknown?.users || unknown?.items)
    throw wrong('some users or items have no id; read the ratings without a vocabulary');
  if (userIds.length < 2)
    throw wrong(`all ratings are by one user, ${quoted(userIds[0])}; training needs at least 2 users`);
  if (itemIds.length < 2)
    throw wrong(`all ratings are of one item, ${quoted(itemIds[0])}; training needs at least 2 items`);
  if (facts.low === facts.high)
    throw wrong(`all ratings are ${facts.low}; training needs at least 2 different ratings`);
}

/** @throws UserError if the ids are not those of training: row numbers mean nothing with others */
export function checkVocabulary(data: Vocabulary, known: Vocabulary, name: string): void {
  for (const key of ['userIds', 'itemIds'] as const) {
    const [ids, others] = [data[key], known[key]];
    if (ids !== others && !(ids.length === others.length && ids.every((id, row) => id === others[row])))
      throw new UserError(
        'data',
        `${name}: their ${key} are not those of training; split the ratings, or read with { vocabulary }`,
      );
  }
}

import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import { type DataFacts, type DataKind, MANY } from '../../../graphs/models/model.ts';
import { option, UserError } from '../../errors.ts';
import { sha256 } from '../../util/hash.ts';
import { quoted } from '../../util/text.ts';
import type { Rows } from './rows.ts';
import type { BlockCounts, Strata } from './strata.ts';

export { MANY };

/**
 * Ratings of items by users, or interactions of users with items, in memory (`Ratings`) or in a file of strata. A dataset is checked when it is made, and is
 * valid from then on.
 */
export interface Dataset extends Vocabulary {
  /** Name for messages: the files, or "the ratings". */
  readonly name: string;
  readonly facts: DataFacts;
  /** Number of ratings of each item, or of users who have it, by row. */
  readonly itemCounts: Int32Array;
  /** Mean rating of each item, by row; for an item without ratings, the mean of all ratings. */
  readonly itemAverages: Float64Array;
  /** Number of users and items without an id here. A dataset for training has none. */
  readonly unknown?: { readonly users: number; readonly items: number } | undefined;
  /** Number of blocks of users and items in the file; absent in memory, where strata can be made with any number. */
  readonly storedIn?: BlockCounts | undefined;
  /** About `count` of the ratings, or more; in memory, all. */
  sample(count: number): Promise<Rows>;
  /** Whether recommendations leave out only some of what users have, such as what they bought. */
  readonly leavesOutSome?: boolean | undefined;
  /** What recommendations leave out. */
  toLeaveOut(): Promise<Pick<Rows, 'users' | 'items'>>;
  /** The strata in the file; absent in memory, where `strataOf` makes them. */
  strata?(): Strata;
  /** Concatenated SHA-256 hashes of ids and ratings. */
  hashes(): Promise<string>;
  /** Deletes the file now. Without it, the file is deleted with the dataset. In memory it does nothing. */
  close(): Promise<void>;
}

/** SHA-256 of several datasets. */
export async function fingerprint(...parts: (Dataset | undefined)[]): Promise<string> {
  let hashes = '';
  for (const part of parts) hashes += (await part?.hashes()) ?? '';
  return sha256(new TextEncoder().encode(hashes));
}

/**
 * @throws UserError if no model can be trained: nothing to train on, fewer than two users or items, ratings that are all the
 *   same, or interactions of which none has a strength above 0
 */
export function checkTrainable({ name, facts, userIds, itemIds, unknown }: Dataset): void {
  const wrong = (fault: string) => new UserError('data', `${name}: ${fault}`);
  const { kind = 'ratings', low, high } = facts;
  if (facts.ratings === 0) throw wrong('there are none');
  if (unknown?.users || unknown?.items)
    throw wrong(`some users or items have no id; read the ${kind} without a vocabulary`);
  if (userIds.length < 2)
    throw wrong(`all ${kind} are by one user, ${quoted(userIds[0])}; training needs at least 2 users`);
  if (itemIds.length < 2)
    throw wrong(`all ${kind} are of one item, ${quoted(itemIds[0])}; training needs at least 2 items`);
  if (kind === 'ratings' && low === high)
    throw wrong(
      `all ratings are ${low}, which is no scale: a model can learn to recommend from them, as from interactions without ratings, but not to predict them`,
    );
  if (kind === 'interactions' && high <= 0)
    throw wrong('no interaction has a strength above 0, so nobody has anything');
}

/** @throws UserError for interactions where the model is of ratings, or the other way round */
export function checkKind(
  { kind, name }: { readonly kind: DataKind; readonly name: string },
  trained: DataKind = 'ratings',
): void {
  if (kind !== trained)
    throw new UserError(
      'argument',
      `${name}: these are ${kind}, but the model is trained on ${trained}; read them with ${option(`kind: '${trained}'`)}`,
    );
}

/** @throws UserError if the ids are not those of the training data, because then row numbers mean other users and items */
export function checkVocabulary(data: Vocabulary, known: Vocabulary, name: string): void {
  for (const key of ['userIds', 'itemIds'] as const) {
    const [ids, others] = [data[key], known[key]];
    if (ids !== others && !(ids.length === others.length && ids.every((id, row) => id === others[row])))
      throw new UserError(
        'argument',
        `${name}: their ${key} are not those of training; split the ratings, or read them with ${option('vocabulary')}`,
      );
  }
}

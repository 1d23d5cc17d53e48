import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import type { DataFacts, DataKind } from '../../../graphs/models/model.ts';
import { UserError } from '../../errors.ts';
import { nounOf } from '../../util/format.ts';
import { sha256 } from '../../util/hash.ts';
import type { Expected } from '../../util/options.ts';
import { quoted } from '../../util/text.ts';
import type { Dataset } from './dataset.ts';
import { type MoreRows, rowsAt, withoutRepeats } from './repeats.ts';
import { type Rows, rangeOf } from './rows.ts';

/** The fields of `Ratings`. */
export interface RatingsParts extends Vocabulary, Omit<Rows, 'ratings'> {
  /** @default 'ratings' */
  readonly kind?: DataKind | undefined;
  /**
   * The ratings; of interactions their strengths, such as how often a user played an item: a user with a strength above 0 has
   * the item. Default: 1 each, for interactions
   */
  readonly ratings?: Float32Array | undefined;
  /** Name for messages. @default 'the ratings' */
  readonly name?: string | undefined;
  /** Unix seconds. */
  readonly times?: Float64Array | undefined;
  /** 1 for what recommendations leave out, 0 for what they may repeat. Default: they leave out everything */
  readonly leftOut?: Uint8Array | undefined;
  /** Number of users and items without an id here. Their row number is the number of ids. */
  readonly unknown?: { readonly users: number; readonly items: number } | undefined;
}

/**
 * Ratings of items by users, or interactions of users with items, in memory. The arrays are parallel, with one element per
 * rating or interaction. Several interactions of a user with an item are added up to one.
 */
export class Ratings implements Dataset, Rows {
  readonly kind: DataKind;
  readonly name: string;
  /** The ids; the index of an id is its row number. */
  readonly userIds: readonly string[];
  readonly itemIds: readonly string[];
  /** Row numbers; the number of ids stands for an unknown id. */
  readonly users: Int32Array;
  readonly items: Int32Array;
  readonly ratings: Float32Array;
  readonly times?: RatingsParts['times'];
  readonly leftOut?: RatingsParts['leftOut'];
  readonly unknown?: RatingsParts['unknown'];
  #summary?: Pick<Dataset, 'facts' | 'itemCounts' | 'itemAverages'>;

  /**
   * @param derived whether the ratings come from others that were checked; then they are not checked again
   * @throws UserError for arrays of different lengths, a row number without an id, a rating that is not a finite number, or
   *   ids that are empty, not unique, or contain NUL
   */
  constructor(parts: RatingsParts, derived = false) {
    if (!derived) checkParts(parts);
    this.kind = parts.kind ?? 'ratings';
    this.name = parts.name ?? `the ${this.kind}`;
    this.userIds = parts.userIds;
    this.itemIds = parts.itemIds;
    this.users = parts.users;
    this.items = parts.items;
    this.ratings = parts.ratings ?? new Float32Array(parts.users.length).fill(1);
    if (parts.times) this.times = parts.times;
    if (parts.leftOut) this.leftOut = parts.leftOut;
    if (parts.unknown) this.unknown = parts.unknown;
    if (derived) return;
    check(this);
    // Data with unknown ids have several users or items in one row.
    if (this.kind === 'ratings' || this.unknown) return;
    const added = addedUp(this);
    this.users = added.users;
    this.items = added.items;
    this.ratings = added.ratings;
    if (added.times) this.times = added.times;
    if (added.leftOut) this.leftOut = added.leftOut;
  }

  private get summary() {
    this.#summary ??= summaryOf(this);
    return this.#summary;
  }

  get facts(): DataFacts {
    return this.summary.facts;
  }

  get itemCounts(): Int32Array {
    return this.summary.itemCounts;
  }

  get itemAverages(): Float64Array {
    return this.summary.itemAverages;
  }

  get leavesOutSome(): boolean {
    return this.leftOut !== undefined;
  }

  async sample(): Promise<Rows> {
    return this;
  }

  async toLeaveOut(): Promise<Pick<Rows, 'users' | 'items'>> {
    const { leftOut } = this;
    if (!leftOut) return this;
    const isLeftOut = (_: number, index: number): boolean => leftOut[index] === 1;
    return { users: this.users.filter(isLeftOut), items: this.items.filter(isLeftOut) };
  }

  async hashes(): Promise<string> {
    const ids = new TextEncoder().encode(JSON.stringify([this.userIds, this.itemIds]));
    let hashes = await sha256(ids);
    // One hash per array, so that no array is copied.
    for (const { buffer, byteOffset, byteLength } of [this.users, this.items, this.ratings])
      hashes += await sha256(new Uint8Array(buffer, byteOffset, byteLength));
    return hashes;
  }

  async close(): Promise<void> {}
}

const TYPES = { users: 'Int32Array', items: 'Int32Array', ratings: 'Float32Array' };

/** A program in JavaScript has no types that would find what is missing. */
function checkParts(parts: Partial<RatingsParts> | undefined): void {
  const kind = parts?.kind ?? 'ratings';
  if (!['ratings', 'interactions'].includes(kind))
    throw new UserError('argument', `kind is ${JSON.stringify(kind)}; give 'ratings' or 'interactions'`);
  const isOf = ([name, type]: string[]) =>
    parts?.[name as 'users']?.[Symbol.toStringTag] === type ||
    (name === 'ratings' && kind === 'interactions' && parts?.ratings === undefined);
  if (![parts?.userIds, parts?.itemIds].every(Array.isArray) || !Object.entries(TYPES).every(isOf))
    throw new UserError(
      'argument',
      kind === 'ratings'
        ? "ratings need userIds and itemIds, which are lists, users and items, each an Int32Array, and ratings, a Float32Array; without ratings, give kind: 'interactions'"
        : 'interactions need userIds and itemIds, which are lists, and users and items, each an Int32Array; their strengths, if there are any, are ratings, a Float32Array',
    );
}

/** For an argument that is `Ratings`. */
export const someRatings: Expected = {
  fits: (value) => value instanceof Ratings,
  give: 'Ratings, such as those of readRatings',
};

/** Lists of ids that were checked before: parts of ratings share them. */
const checkedIds = new WeakSet<readonly string[]>();

function check({
  kind,
  name,
  userIds,
  itemIds,
  users,
  items,
  ratings,
  times,
  leftOut,
  unknown,
}: Ratings): void {
  const count = ratings.length;
  for (const [role, ids, rows, more] of [
    ['user', userIds, users, unknown?.users],
    ['item', itemIds, items, unknown?.items],
  ] as const) {
    const limit = ids.length + (more ? 1 : 0);
    const at = rows.findIndex((row) => !(row >= 0 && row < limit));
    if (rows.length !== count)
      throw new UserError('data', `${name}: ${count} ${kind}, but ${rows.length} ${role} rows`);
    if (at >= 0)
      throw new UserError(
        'data',
        `${name}: ${nounOf(kind)} ${at + 1} has ${role} row ${rows[at]}, but there are ${ids.length} ${role} ids`,
      );
    if (!checkedIds.has(ids)) checkIds(role, ids, name);
    checkedIds.add(ids);
  }
  for (const [what, column] of Object.entries({ times, leftOut }))
    if (column && column.length !== count)
      throw new UserError('data', `${name}: ${count} ${kind}, but ${column.length} ${what}`);
  const flag = leftOut?.findIndex((one) => one > 1) ?? -1;
  if (leftOut && (!(leftOut instanceof Uint8Array) || flag >= 0))
    throw new UserError('data', `${name}: leftOut must be a Uint8Array of 0 and 1`);
  const at = ratings.findIndex((rating) => !Number.isFinite(rating));
  if (at >= 0)
    throw new UserError('data', `${name}: rating ${at + 1} is ${ratings[at]}, not a finite number`);
}

/** Refuses ids that do not work: '' pads lists of ids in the graphs, and ONNX Runtime in Node cuts an id at a NUL. */
function checkIds(role: string, ids: readonly string[], name: string): void {
  const at = ids.findIndex((id) => typeof id !== 'string' || id === '' || id.includes('\0'));
  if (at >= 0)
    throw new UserError(
      'data',
      `${name}: ${role} id ${at + 1} is ${JSON.stringify(ids[at])}; give a text of at least one character, without NUL`,
    );
  if (new Set(ids).size < ids.length)
    throw new UserError('data', `${name}: two of the ${role} ids are the same`);
}

function summaryOf({ kind, userIds, itemIds, items, ratings }: Ratings) {
  // The last element is for unknown items.
  const itemCounts = new Int32Array(itemIds.length + 1);
  const sums = new Float64Array(itemIds.length + 1);
  for (const [index, row] of items.entries()) {
    // An interaction without a strength is no item that a user has.
    if (kind === 'ratings' || ratings[index] > 0) itemCounts[row]++;
    sums[row] += ratings[index];
  }
  const all = sums.reduce((total, sum) => total + sum, 0) / ratings.length;
  const averages = sums.map((sum, row) => (itemCounts[row] ? sum / itemCounts[row] : all));
  const mean = ratings.reduce((sum, rating) => sum + rating, 0) / ratings.length;
  const { length } = ratings;
  return {
    facts: { kind, users: userIds.length, items: itemIds.length, ratings: length, ...rangeOf(ratings), mean },
    itemCounts: itemCounts.subarray(0, -1),
    itemAverages: averages.subarray(0, -1),
  };
}

/** The ratings at these indices, in this order, with the same ids. */
export const selectRows = (ratings: Ratings, indices: Int32Array): Ratings =>
  new Ratings(rowsAt<RatingsParts & MoreRows>({ ...ratings }, indices), true);

/** The ratings with the row numbers of another vocabulary; an id that it does not have gets the unknown row. */
export function renumbered(ratings: Ratings, { userIds, itemIds }: Vocabulary): Ratings {
  const userRows = rowsIn(userIds, ratings.userIds);
  const itemRows = rowsIn(itemIds, ratings.itemIds);
  return new Ratings({
    ...ratings,
    userIds,
    itemIds,
    users: ratings.users.map((row) => userRows[row]),
    items: ratings.items.map((row) => itemRows[row]),
    unknown: {
      users: new Set(ratings.users.filter((row) => userRows[row] === userIds.length)).size,
      items: new Set(ratings.items.filter((row) => itemRows[row] === itemIds.length)).size,
    },
  });
}

/** For each row of `ids`, and for the unknown row at the end, the row in `vocabulary`. */
function rowsIn(vocabulary: readonly string[], ids: readonly string[]): Int32Array {
  const known = new Map(vocabulary.map((id, row) => [id, row]));
  const rows = new Int32Array(ids.length + 1).fill(vocabulary.length);
  for (const [row, id] of ids.entries()) rows[row] = known.get(id) ?? vocabulary.length;
  return rows;
}

/** Interactions without duplicates: those of a user with an item are added up. */
function addedUp(interactions: Ratings): Ratings {
  const { name, userIds, itemIds } = interactions;
  const sizes = { users: userIds.length, items: itemIds.length };
  const added = withoutRepeats<RatingsParts & MoreRows>({ ...interactions }, sizes, 'sum');
  const at = added.ratings.findIndex((strength) => !Number.isFinite(strength));
  if (at >= 0) throw tooStrong(name, userIds[added.users[at]], itemIds[added.items[at]]);
  return added.users.length === interactions.users.length ? interactions : new Ratings(added, true);
}

/** The error for a pair whose strength is no 32-bit number. */
export const tooStrong = (name: string, user: string, item: string): UserError =>
  new UserError(
    'data',
    `${name}: the interactions of user ${quoted(user)} with item ${quoted(item)} add up to more than a 32-bit number holds; give smaller counts or weights`,
  );

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Vocabulary } from '../../../graphs/heads/serving.ts';
import type { DataKind } from '../../../graphs/models/model.ts';
import { UserError, withOptions } from '../../errors.ts';
import { codeOf } from '../../util/files.ts';
import { notNegative, type OptionTable, path } from '../../util/options.ts';
import { type Dataset, MANY } from '../dataset/dataset.ts';
import { Ratings } from '../dataset/ratings.ts';
import { type MoreRows, withoutRepeats } from '../dataset/repeats.ts';
import { type HoldOut, validLength } from '../dataset/split.ts';
import { type BlockCounts, blockCounts, blocksOf } from '../dataset/strata.ts';
import { StrataFile } from '../dataset/strata-file.ts';
import { assumptionsOf, kindOfParts, tableFrom } from './collected.ts';
import type { CollectOptions, Collector } from './collector.ts';
import { type Cutting, cutStrata, type Ranked, ranked } from './cut-strata.ts';
import { wantedColumns } from './meaning.ts';
import { Scratch, tooLittleMemory } from './overflow.ts';
import { meaningOf, type Reading, readingOf, withoutStrength } from './reading.ts';
import { RowStore } from './row-store.ts';
import { spreadOf } from './spread.ts';
import { StrataWriter } from './strata-writer.ts';
import { collect, nameOf, type WhenRead, withOpened } from './table.ts';

export interface StoreOptions {
  /** Number of ratings from which they are kept in a file. @default 500_000 */
  readonly from?: number | undefined;
  /** Folder for temporary files. @default the system's temporary folder */
  readonly folder?: string | undefined;
  /** Memory of the whole process while it reads, in bytes. @default 2e9 */
  readonly memory?: number | undefined;
  /** Number of blocks of users and items. Default: chosen from the data */
  readonly blocks?: BlockCounts | undefined;
}

export const STORE_OPTIONS: OptionTable<StoreOptions> = {
  from: notNegative,
  folder: path,
  memory: notNegative,
  blocks: { fits: Array.isArray, give: 'two whole numbers, such as [4, 4]' },
};

/** Less memory than that is too little to read anything. */
const LEAST_MEMORY = 64e6;
/** Parts of the memory that rows take while files are read, and while strata are cut, and that ids and DuckDB may take. */
const SHARES = { rows: 0.2, strata: 0.15, ids: 0.25, database: 0.2 };

/**
 * Reads ratings into memory or, if there are many, into a file, by strata and shuffled, without holding all in memory.
 *
 * @param done makes the result of what was read
 * @throws UserError as `readRatings` does
 */
export async function readToStore<T>(
  paths: readonly string[],
  options: CollectOptions & HoldOut,
  { from = MANY, folder = tmpdir(), memory = 2e9, blocks }: StoreOptions,
  done: WhenRead<T | Promise<T>>,
): Promise<T> {
  const name = nameOf(paths);
  const scratch = new Scratch(folder, memory * SHARES.rows, memory * SHARES.ids);
  const database = { memory: Math.floor(memory * SHARES.database), folder: join(scratch.path, 'duckdb') };
  try {
    if (memory < LEAST_MEMORY) throw tooLittleMemory();
    const collector = await withOpened(paths, { ...options, database }, wantedColumns(options), (opened) =>
      collect(opened, options, scratch),
    );
    const isSmall = collector.rows.count < from || (options.minRatings ?? 1) > 1;
    const storing = { ...options, name, folder, blocks, room: memory * SHARES.strata };
    return await done(
      isSmall ? readingOf(tableFrom(collector), name, options) : await store(collector, storing),
      collector,
    );
  } catch (error) {
    throw shortage(error as NodeJS.ErrnoException, folder) ?? error;
  } finally {
    scratch.remove();
  }
}

/** The error for a lack of disk space or memory, or a folder that cannot be written; undefined for any other error. */
function shortage(error: NodeJS.ErrnoException, folder: string): UserError | undefined {
  const { message, code, syscall, path } = error;
  if (code === 'ENOSPC' || /No space left|max_temp_directory_size/.test(message))
    return new UserError('file', `${folder}: the disk is full; make room, or choose another folder`);
  if (syscall === 'write' || path?.startsWith(join(folder, 'cofactor-')))
    return new UserError('file', `${folder}: cannot be written (${codeOf(error)}); choose another folder`);
  return /Out of Memory Error|could not allocate block/.test(message) ? tooLittleMemory() : undefined;
}

interface Storing extends CollectOptions, HoldOut {
  readonly name: string;
  readonly folder: string;
  readonly blocks?: BlockCounts | undefined;
  /** Bytes of memory for rows that are cut into strata. */
  readonly room: number;
}

async function store(collector: Collector, storing: Storing): Promise<Reading<Dataset>> {
  const { rows, parts } = collector;
  const { name, folder, room, seed = 1, valid: part } = storing;
  const known = kindOfParts(parts, storing);
  const { kind, counts, because } = meaningOf(
    known,
    known.column && spreadOf(() => rows.chunks(), collector.counts.values),
    name,
  );
  if (part !== undefined) validLength(rows.count, part, kind);
  const isHeld = held(part ?? 0, seed);
  const holdsOut = part !== undefined;
  const ids = collector.ids();
  const [users, items] = holdsOut ? rankedWithout(isHeld, collector) : rankedBy(collector);
  const vocabulary = {
    userIds: Array.from(users.order, (row) => ids.userIds[row]),
    itemIds: Array.from(items.order, (row) => ids.itemIds[row]),
  };
  const sizes = { users: users.order.length, items: items.order.length };
  const trained = users.counts.reduce((sum, one) => sum + one, 0);
  if (trained === 0)
    throw new UserError('argument', `holding out ${part} of the ${kind} leaves none to train with`);
  const storedIn = blockCounts({ ...sizes, ratings: trained }, storing.blocks);
  const blocks = { users: blocksOf(users.counts, storedIn[0]), items: blocksOf(items.counts, storedIn[1]) };
  const duplicates = storing.duplicates ?? (kind === 'ratings' ? 'last' : 'sum');
  const file = await StrataFile.create(folder);
  try {
    const leavesOutSome = storing.leaveOut !== undefined;
    const writer = new StrataWriter(file, blocks, { kind, name, vocabulary, leavesOutSome });
    const value = counts ? undefined : 1;
    const isTimed = rows.timed && (duplicates === 'last' || duplicates === 'first');
    const cutting = {
      users,
      items,
      blocks: storedIn,
      isHeld,
      holdsOut,
      duplicates,
      hasNoRepeats: collector.counts.hasNoRepeats,
      isTimed,
      value,
      seed,
      room,
    };
    await cutStrata(rows, cutting, (stratum) => writer.add(stratum));
    const valid = holdsOut ? heldOut(collector, cutting, { kind, ...vocabulary, ids }) : undefined;
    const isWhole = counts && duplicates !== 'count' && !holdsOut && writer.written === rows.count;
    const ratings = await writer.dataset(
      storedIn,
      isWhole ? collector.counts.inOrder(items.order) : undefined,
    );
    const read = ratings.facts.ratings + (valid?.ratings.length ?? 0);
    return {
      ratings,
      ...(valid && { valid }),
      report: {
        kind,
        ratings: read,
        users: sizes.users + (valid?.unknown?.users ?? 0),
        items: sizes.items + (valid?.unknown?.items ?? 0),
        duplicates: rows.count - read,
        withoutUser: collector.withoutUser,
        withoutStrength:
          kind === 'ratings'
            ? 0
            : ratings.facts.ratings -
              ratings.itemCounts.reduce((sum, one) => sum + one, 0) +
              (valid ? withoutStrength(valid) : 0),
        assumptions: [...assumptionsOf(collector, ids), ...because].map((sentence) => withOptions(sentence)),
      },
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Whether a pair of a user and an item is held out: at random by the seed, whatever the order of the rows. */
const held =
  (part: number, seed: number) =>
  (user: number, item: number): boolean => {
    let hash =
      Math.imul(user + 1, 0x9e3779b1) ^ Math.imul(item + 1, 0x85ebca6b) ^ Math.imul(seed | 0, 0xc2b2ae35);
    for (const factor of [0x85ebca6b, 0xc2b2ae35]) hash = Math.imul(hash ^ (hash >>> 15), factor);
    return ((hash ^ (hash >>> 16)) >>> 0) * 2 ** -32 < part;
  };

/** The users and items by how often they occur. */
const rankedBy = ({ counts, users, items }: Collector): [Ranked, Ranked] => [
  ranked(counts.users.subarray(0, users.size)),
  ranked(counts.items.subarray(0, items.size)),
];

/** The users and items of rows that are not held out, by how often they occur. */
function rankedWithout(isHeld: ReturnType<typeof held>, { rows, users, items }: Collector): [Ranked, Ranked] {
  const [ofUser, ofItem] = [new Int32Array(users.size), new Int32Array(items.size)];
  for (const chunk of rows.chunks())
    for (let index = 0; index < chunk.length; index++) {
      const [user, item] = [chunk.users[index], chunk.items[index]];
      if (isHeld(user, item)) continue;
      ofUser[user]++;
      ofItem[item]++;
    }
  return [ranked(ofUser), ranked(ofItem)];
}

/** The rows that are held out, with the row numbers of training; unknown ids get the unknown row. */
function heldOut(
  { rows }: Collector,
  { users: ofUsers, items: ofItems, isHeld, duplicates, value }: Cutting,
  { kind, userIds, itemIds, ids }: Vocabulary & { readonly kind: DataKind; readonly ids: Vocabulary },
): Ratings {
  const found = new RowStore(rows);
  for (const { users, items, ratings, times, leftOut, length } of rows.chunks())
    for (let index = 0; index < length; index++) {
      if (!isHeld(users[index], items[index])) continue;
      const chunk = found.open;
      const at = chunk.length++;
      chunk.users[at] = users[index];
      chunk.items[at] = items[index];
      chunk.ratings[at] = value ?? ratings[index];
      if (chunk.times && times) chunk.times[at] = times[index];
      if (chunk.leftOut && leftOut) chunk.leftOut[at] = leftOut[index];
    }
  const sizes = { users: ids.userIds.length, items: ids.itemIds.length };
  const { times: _, ...merged }: MoreRows = withoutRepeats(found.all(), sizes, duplicates);
  const strange = (rank: Int32Array, old: Int32Array): number =>
    new Set(old.filter((row) => rank[row] < 0)).size;
  const unknown = { users: strange(ofUsers.rank, merged.users), items: strange(ofItems.rank, merged.items) };
  const known = (rank: Int32Array, all: number) => (row: number) => (rank[row] < 0 ? all : rank[row]);
  return new Ratings({
    ...merged,
    kind,
    userIds,
    itemIds,
    users: merged.users.map(known(ofUsers.rank, userIds.length)),
    items: merged.items.map(known(ofItems.rank, itemIds.length)),
    unknown,
  });
}

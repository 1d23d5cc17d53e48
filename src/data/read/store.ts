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
import { fractionOf, type HoldOut, MOST_TO_TRAIN_TWICE, validLength } from '../dataset/split.ts';
import { type BlockCounts, blockCounts, blocksOf } from '../dataset/strata.ts';
import { StrataFile } from '../dataset/strata-file.ts';
import { assumptionsOf, kindOfParts, nounIn, tableFrom } from './collected.ts';
import type { CollectOptions, Collector } from './collector.ts';
import { type Cutting, cutStrata, type IsHeld, type Ranked, ranked } from './cut-strata.ts';
import { heldRows } from './held-rows.ts';
import { wantedColumns } from './meaning.ts';
import { Scratch, tooLittleMemory } from './overflow.ts';
import { meaningOf, type Reading, type ReadReport, readingOf, withoutStrength } from './reading.ts';
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
  const { name, valid: wanted, whole } = storing;
  const known = kindOfParts(parts, storing);
  const meaning = meaningOf(
    known,
    known.column && spreadOf(() => rows.chunks(), collector.counts.values),
    name,
  );
  const fraction = fractionOf(wanted, rows.count);
  if (fraction === undefined) return stored(collector, storing, meaning);
  validLength(rows.count, fraction, meaning.kind);
  const reading = await stored(collector, storing, meaning, heldRows(rows, fraction, storing));
  if (!whole || rows.count > MOST_TO_TRAIN_TWICE) return reading;
  try {
    const { ratings, report } = await stored(collector, storing, meaning);
    return { ...reading, whole: ratings, report };
  } catch (error) {
    await reading.ratings.close();
    throw error;
  }
}

/** Cuts what is not held out into strata, and keeps the rest in memory. */
async function stored(
  collector: Collector,
  storing: Storing,
  { kind, counts, because }: ReturnType<typeof meaningOf>,
  isHeld?: IsHeld,
): Promise<Reading<Dataset>> {
  const { rows } = collector;
  const { name, folder, room, seed = 1 } = storing;
  const ids = collector.ids();
  const [users, items] = isHeld ? rankedWithout(isHeld, collector) : rankedBy(collector);
  const vocabulary = {
    userIds: Array.from(users.order, (row) => ids.userIds[row]),
    itemIds: Array.from(items.order, (row) => ids.itemIds[row]),
  };
  const sizes = { users: users.order.length, items: items.order.length };
  const trained = users.counts.reduce((sum, one) => sum + one, 0);
  if (trained === 0)
    throw new UserError('argument', `holding out ${storing.valid} of the ${kind} leaves none to train with`);
  const storedIn = blockCounts({ ...sizes, ratings: trained }, storing.blocks);
  const blocks = { users: blocksOf(users.counts, storedIn[0]), items: blocksOf(items.counts, storedIn[1]) };
  const duplicates = storing.duplicates ?? (kind === 'ratings' ? 'last' : 'sum');
  const file = await StrataFile.create(folder);
  try {
    const leavesOutSome = storing.leaveOut !== undefined;
    const writer = new StrataWriter(file, blocks, { kind, name, vocabulary, leavesOutSome });
    const cutting: Cutting = {
      users,
      items,
      blocks: storedIn,
      isHeld,
      duplicates,
      hasNoRepeats: collector.counts.hasNoRepeats,
      isTimed: rows.timed && (duplicates === 'last' || duplicates === 'first'),
      value: counts ? undefined : 1,
      seed,
      room,
    };
    await cutStrata(rows, cutting, (stratum) => writer.add(stratum));
    const valid = isHeld && heldOut(collector, cutting, isHeld, { kind, ...vocabulary, ids });
    const isWhole = counts && duplicates !== 'count' && !isHeld && writer.written === rows.count;
    const ratings = await writer.dataset(
      storedIn,
      isWhole ? collector.counts.inOrder(items.order) : undefined,
    );
    return {
      ratings,
      ...(valid && { valid }),
      report: reportOf(collector, { ratings, valid }, [...assumptionsOf(collector, ids), ...because]),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function reportOf(
  { rows, parts, withoutUser }: Collector,
  { ratings, valid }: Pick<Reading<Dataset>, 'ratings' | 'valid'>,
  assumptions: readonly string[],
): ReadReport {
  const { facts, itemCounts } = ratings;
  const { kind = 'ratings' } = facts;
  const read = facts.ratings + (valid?.ratings.length ?? 0);
  const noun = nounIn(parts[0]);
  const had = itemCounts.reduce((sum, one) => sum + one, 0);
  return {
    kind,
    ratings: read,
    users: facts.users + (valid?.unknown?.users ?? 0),
    items: facts.items + (valid?.unknown?.items ?? 0),
    duplicates: rows.count - read,
    withoutUser,
    withoutStrength: kind === 'ratings' ? 0 : facts.ratings - had + (valid ? withoutStrength(valid) : 0),
    ...(noun !== undefined && { noun }),
    assumptions: assumptions.map((sentence) => withOptions(sentence)),
  };
}

/** The users and items by how often they occur. */
const rankedBy = ({ counts, users, items }: Collector): [Ranked, Ranked] => [
  ranked(counts.users.subarray(0, users.size)),
  ranked(counts.items.subarray(0, items.size)),
];

/** The users and items of rows that are not held out, by how often they occur. */
function rankedWithout(isHeld: IsHeld, { rows, users, items }: Collector): [Ranked, Ranked] {
  const [ofUser, ofItem] = [new Int32Array(users.size), new Int32Array(items.size)];
  for (const chunk of rows.chunks())
    for (let index = 0; index < chunk.length; index++) {
      if (isHeld(chunk, index)) continue;
      ofUser[chunk.users[index]]++;
      ofItem[chunk.items[index]]++;
    }
  return [ranked(ofUser), ranked(ofItem)];
}

/** The rows that are held out, with the row numbers of training; unknown ids get the unknown row. */
function heldOut(
  { rows }: Collector,
  { users: ofUsers, items: ofItems, duplicates, value }: Cutting,
  isHeld: IsHeld,
  { kind, userIds, itemIds, ids }: Vocabulary & { readonly kind: DataKind; readonly ids: Vocabulary },
): Ratings {
  const found = new RowStore(rows);
  for (const chunk of rows.chunks()) {
    const { users, items, ratings, times, leftOut, length } = chunk;
    for (let index = 0; index < length; index++) {
      if (!isHeld(chunk, index)) continue;
      const to = found.open;
      const at = to.length++;
      to.users[at] = users[index];
      to.items[at] = items[index];
      to.ratings[at] = value ?? ratings[index];
      if (to.times && times) to.times[at] = times[index];
      if (to.leftOut && leftOut) to.leftOut[at] = leftOut[index];
    }
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

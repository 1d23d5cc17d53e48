import { StrengthSum } from '../dataset/rows.ts';
import type { Strata } from '../dataset/strata.ts';
import { BYTES_PER_RATING, type StrataFile } from '../dataset/strata-file.ts';
import { type Connection, type DuckDBDataChunk, type DuckDBResult, numbers } from './duckdb.ts';

/** What was written. */
export interface Written {
  /** Index of each stratum's first rating, and the number of ratings at the end. */
  readonly starts: Float64Array;
  /** Number of ratings of each item, and their sum. */
  readonly itemCounts: Int32Array;
  readonly itemSums: Float64Array;
  /** The lowest and the highest rating. */
  readonly low: number;
  readonly high: number;
}

/**
 * Writes the ratings of `train` by strata, in random order within each.
 *
 * @param blocks `adds`: whether several ratings of an item by the same user are added up
 * @returns undefined if a user rated an item twice, and they are not added up
 */
export async function writeStrata(
  connection: Connection,
  { adds, ...blocks }: Pick<Strata, 'users' | 'items'> & { readonly adds: boolean },
  file: StrataFile,
): Promise<Written | undefined> {
  const counts = { users: blocks.users.starts.length - 1, items: blocks.items.starts.length - 1 };
  // The same as `blockOf`.
  const block = (row: string, blocks: number): string =>
    `CASE WHEN (${row} // ${blocks}) % 2 = 0 THEN ${row} % ${blocks} ELSE ${blocks - 1} - ${row} % ${blocks} END`;
  const result = await connection.stream(
    `SELECT (${block('users.row', counts.users)}) * ${counts.items} + (${block('items.row', counts.items)}) AS stratum,
       users.row // ${counts.users} AS user, items.row // ${counts.items} AS item, rating
     FROM train JOIN users ON users.id = user_id JOIN items ON items.id = item_id
     ORDER BY stratum, draw(user_id, item_id, 0)${adds ? ', rating' : ''}`,
  );
  const starts = new Float64Array(counts.users * counts.items + 1);
  const { order, starts: firsts } = blocks.items;
  // Added up here, in the order of the file, because DuckDB's order of addition varies.
  const itemSums = new Float64Array(order.length);
  const itemCounts = new Int32Array(order.length);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const users = new Column<Int32Array>(Int32Array);
  const items = new Column<Int32Array>(Int32Array);
  const ratings = new Column<Float32Array>(Float32Array);
  let stratum = 0;
  let position = 0;
  let repeats = false;
  const finish = async (): Promise<void> => {
    // Ratings of the same pair are neighbours, because their random number is a hash of the ids.
    if (adds) addUp(users, items, ratings);
    else repeats ||= users.repeatsWith(items);
    const first = firsts[stratum % counts.items];
    const of = ratings.numbers;
    for (const [at, position] of items.numbers.entries()) {
      itemSums[order[first + position]] += of[at];
      if (!adds || of[at] > 0) itemCounts[order[first + position]]++;
      if (of[at] < low) low = of[at];
      if (of[at] > high) high = of[at];
    }
    for (const column of [users, items, ratings]) {
      const bytes = column.take();
      await file.write(bytes, position);
      position += bytes.length;
    }
    starts[++stratum] = position / BYTES_PER_RATING;
  };
  for await (const chunk of prefetched(result)) {
    const size = chunk.rowCount;
    const strata = numbers<Int32Array>(chunk, 0);
    const [user, item] = [numbers<Int32Array>(chunk, 1), numbers<Int32Array>(chunk, 2)];
    const rating = numbers<Float32Array>(chunk, 3);
    for (let start = 0; start < size; ) {
      while (strata[start] > stratum) await finish();
      let end = start + 1;
      while (end < size && strata[end] === stratum) end++;
      users.add(user.subarray(start, end));
      items.add(item.subarray(start, end));
      ratings.add(rating.subarray(start, end));
      start = end;
    }
    if (repeats) return undefined;
  }
  while (stratum + 1 < starts.length) await finish();
  return repeats ? undefined : { starts, itemCounts, itemSums, low, high };
}

/** Adds up the strengths of neighbours with the same user and item. */
function addUp(users: Column<Int32Array>, items: Column<Int32Array>, strengths: Column<Float32Array>): void {
  const [user, item, strength] = [users.numbers, items.numbers, strengths.numbers];
  let last = -1;
  let sum = new StrengthSum();
  for (let index = 0; index < user.length; index++) {
    if (last < 0 || user[index] !== user[last] || item[index] !== item[last]) {
      last++;
      [user[last], item[last]] = [user[index], item[index]];
      sum = new StrengthSum();
    }
    strength[last] = sum.add(strength[index]).total;
  }
  for (const column of [users, items, strengths]) column.cutTo(last + 1);
}

/** The chunks of a result. DuckDB computes the next one while one is used. */
async function* prefetched(result: DuckDBResult): AsyncGenerator<DuckDBDataChunk> {
  let coming = result.fetchChunk();
  try {
    for (let chunk = await coming; chunk && chunk.rowCount > 0; chunk = await coming) {
      coming = result.fetchChunk();
      yield chunk;
    }
  } finally {
    // Waits, because the connection is busy until then, and catches an error that nothing else awaits.
    await coming.catch(() => undefined);
  }
}

/** A growing array of numbers. */
class Column<T extends Int32Array<ArrayBufferLike> | Float32Array<ArrayBufferLike>> {
  private data: T;
  private length = 0;

  constructor(private readonly type: new (length: number) => T) {
    this.data = new type(2 ** 16);
  }

  add(chunk: T): void {
    if (this.length + chunk.length > this.data.length) {
      const larger = new this.type(2 * (this.length + chunk.length));
      larger.set(this.data.subarray(0, this.length));
      this.data = larger;
    }
    this.data.set(chunk, this.length);
    this.length += chunk.length;
  }

  get numbers(): T {
    return this.data.subarray(0, this.length) as T;
  }

  cutTo(length: number): void {
    this.length = length;
  }

  /** Whether two neighbours are equal both here and in another column. */
  repeatsWith(other: Column<T>): boolean {
    const { data, length } = this;
    for (let index = 1; index < length; index++)
      if (data[index] === data[index - 1] && other.data[index] === other.data[index - 1]) return true;
    return false;
  }

  /** Empties the column. @returns its bytes, which are valid until something is added */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.data.buffer, 0, 4 * this.length);
    this.length = 0;
    return bytes;
  }
}

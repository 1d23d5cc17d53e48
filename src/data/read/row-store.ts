import type { Rows } from '../dataset/rows.ts';

/** Number of rows in a chunk. */
export const CHUNK = 2 ** 16;

/** Rows in the order of the files. */
export interface Chunk extends Rows {
  readonly times?: Float64Array | undefined;
  readonly leftOut?: Uint8Array | undefined;
  length: number;
}

/** Which columns rows have beside users, items and ratings. */
interface RowColumns {
  readonly timed: boolean;
  readonly flagged: boolean;
}

/** Keeps chunks that the memory has no room for. */
export interface Overflow {
  /** Bytes that are kept in memory. */
  readonly room: number;
  /** @throws UserError if ids take more memory than there is */
  checkIds(bytes: number): void;
  write(bytes: Uint8Array): void;
  /** Fills `bytes` with what was written from `position` on. */
  read(bytes: Uint8Array, position: number): void;
}

/** Rows, in chunks: in memory, or behind that in a file. */
export class RowStore {
  length = 0;
  readonly timed: boolean;
  readonly flagged: boolean;
  private readonly buffers: ArrayBuffer[] = [];
  private current: Chunk;
  private buffer: ArrayBuffer;
  private written = 0;

  /** @param onFull gets each chunk when it is full */
  constructor(
    { timed, flagged }: RowColumns,
    private readonly overflow?: Overflow,
    private readonly onFull?: (chunk: Chunk) => void,
  ) {
    this.timed = timed;
    this.flagged = flagged;
    this.buffer = new ArrayBuffer(this.chunkBytes);
    this.current = this.chunkOf(this.buffer, 0);
  }

  private get chunkBytes(): number {
    return CHUNK * (12 + (this.timed ? 8 : 0) + (this.flagged ? 1 : 0));
  }

  private chunkOf(buffer: ArrayBuffer, length: number): Chunk {
    const { timed, flagged } = this;
    const times = timed ? 8 * CHUNK : 0;
    return {
      ...(timed && { times: new Float64Array(buffer, 0, CHUNK) }),
      users: new Int32Array(buffer, times, CHUNK),
      items: new Int32Array(buffer, times + 4 * CHUNK, CHUNK),
      ratings: new Float32Array(buffer, times + 8 * CHUNK, CHUNK),
      ...(flagged && { leftOut: new Uint8Array(buffer, times + 12 * CHUNK, CHUNK) }),
      length,
    };
  }

  /** The chunk to add rows to: the caller raises its `length`. */
  get open(): Chunk {
    if (this.current.length === CHUNK) this.close();
    return this.current;
  }

  /** The chunk that is not full. */
  get last(): Chunk {
    return this.current;
  }

  private close(): void {
    this.onFull?.(this.current);
    this.length += CHUNK;
    const { overflow } = this;
    if (overflow && (this.buffers.length + 1) * this.chunkBytes > overflow.room) {
      overflow.write(new Uint8Array(this.buffer));
      this.written++;
    } else {
      this.buffers.push(this.buffer);
      this.buffer = new ArrayBuffer(this.chunkBytes);
    }
    this.current = this.chunkOf(this.buffer, 0);
  }

  /** Takes the rows out, as buffers of chunks. */
  take(): { readonly buffers: readonly ArrayBuffer[]; readonly count: number } {
    const taken = { buffers: [...this.buffers, this.buffer], count: this.count };
    this.buffers.length = 0;
    this.length = 0;
    this.buffer = new ArrayBuffer(this.chunkBytes);
    this.current = this.chunkOf(this.buffer, 0);
    return taken;
  }

  /** The chunks of buffers that another store gave. */
  *chunksOf({ buffers, count }: ReturnType<RowStore['take']>): Generator<Chunk> {
    for (const [at, buffer] of buffers.entries())
      yield this.chunkOf(buffer, Math.min(CHUNK, count - at * CHUNK));
  }

  /** Number of rows. */
  get count(): number {
    return this.length + this.current.length;
  }

  /** The rows, chunk by chunk. A chunk is valid until the next. */
  *chunks(): Generator<Chunk> {
    for (const buffer of this.buffers) yield this.chunkOf(buffer, CHUNK);
    if (this.written > 0) {
      const buffer = new ArrayBuffer(this.chunkBytes);
      const chunk = this.chunkOf(buffer, CHUNK);
      for (let index = 0; index < this.written; index++) {
        this.overflow?.read(new Uint8Array(buffer), index * this.chunkBytes);
        yield chunk;
      }
    }
    yield this.current;
  }

  /** All rows, in memory. */
  all(): Rows & Pick<Chunk, 'times' | 'leftOut'> {
    const { count } = this;
    const rows = {
      users: new Int32Array(count),
      items: new Int32Array(count),
      ratings: new Float32Array(count),
      ...(this.timed && { times: new Float64Array(count) }),
      ...(this.flagged && { leftOut: new Uint8Array(count) }),
    };
    let at = 0;
    for (const { length, users, items, ratings, times, leftOut } of this.chunks()) {
      rows.users.set(users.subarray(0, length), at);
      rows.items.set(items.subarray(0, length), at);
      rows.ratings.set(ratings.subarray(0, length), at);
      if (times) rows.times?.set(times.subarray(0, length), at);
      if (leftOut) rows.leftOut?.set(leftOut.subarray(0, length), at);
      at += length;
    }
    return rows;
  }
}

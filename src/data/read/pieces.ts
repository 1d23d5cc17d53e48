import type { Collector } from './collector.ts';
import { grown, type IdPart } from './ids.ts';
import { CHUNK, type Chunk } from './row-store.ts';

// How the rows that one thread has collected come into the collector of another.

/** What was in a piece. */
export interface PieceRows {
  readonly lines: number;
  /** Ids that were in no piece before. */
  readonly users: IdPart;
  readonly items: IdPart;
  /** Chunks of rows, as `RowStore` keeps them, all full but the last. */
  readonly buffers: readonly ArrayBuffer[];
  readonly count: number;
  /** Counts of what was left out and changed. */
  readonly dropped: number;
  readonly withoutUser: number;
  readonly trimmed: readonly [users: number, items: number];
  readonly events: readonly string[];
  readonly hasDecimalComma: boolean;
}

/** Takes out of a collector what was collected since the last time. */
export class Taker {
  private taken = { users: 0, items: 0 };

  constructor(private readonly collector: Collector) {}

  take(lines: number): PieceRows {
    const { users, items, rows, dropped, withoutUser, events, hasDecimalComma } = this.collector;
    const { taken } = this;
    this.taken = { users: users.size, items: items.size };
    [this.collector.dropped, this.collector.withoutUser] = [0, 0];
    const trimmed = [users.trimmed, items.trimmed] as const;
    [users.trimmed, items.trimmed] = [0, 0];
    return {
      ...rows.take(),
      ...{ lines, dropped, withoutUser, trimmed, hasDecimalComma },
      events: [...events],
      users: users.since(taken.users),
      items: items.since(taken.items),
    };
  }
}

/** Adds to a collector what was taken out of another. */
export class Absorber {
  /** The row of each row of the other collector. */
  private readonly known = { users: new Int32Array(0), items: new Int32Array(0) };

  constructor(private readonly collector: Collector) {}

  absorb(piece: PieceRows): void {
    const { collector, known } = this;
    collector.dropped += piece.dropped;
    collector.withoutUser += piece.withoutUser;
    collector.hasDecimalComma ||= piece.hasDecimalComma;
    for (const event of piece.events) collector.events.add(event);
    for (const [at, role] of (['users', 'items'] as const).entries()) {
      const table = collector[role];
      table.trimmed += piece.trimmed[at];
      const rows = table.rowsOf(piece[role]);
      const { length } = known[role];
      known[role] = grown(known[role], length + rows.length);
      known[role].set(rows, length);
    }
    for (const chunk of collector.rows.chunksOf(piece))
      for (let from = 0; from < chunk.length; ) {
        const open = collector.rows.open;
        const to = Math.min(chunk.length, from + CHUNK - open.length);
        addRows(open, chunk, { from, to, userRows: known.users, itemRows: known.items });
        from = to;
      }
  }
}

/** Adds some rows of a chunk to another, with the rows of other tables of ids. */
function addRows(
  open: Chunk,
  { users, items, ratings, times, leftOut }: Chunk,
  {
    from,
    to,
    userRows,
    itemRows,
  }: {
    readonly from: number;
    readonly to: number;
    readonly userRows: Int32Array;
    readonly itemRows: Int32Array;
  },
): void {
  const at = open.length;
  const { users: toUsers, items: toItems } = open;
  for (let index = from; index < to; index++) {
    toUsers[at + index - from] = userRows[users[index]];
    toItems[at + index - from] = itemRows[items[index]];
  }
  open.ratings.set(ratings.subarray(from, to), at);
  if (times) open.times?.set(times.subarray(from, to), at);
  if (leftOut) open.leftOut?.set(leftOut.subarray(from, to), at);
  open.length += to - from;
}

import type { CollectOptions } from './collector.ts';
import type { Part } from './part.ts';
import type { PieceRows } from './pieces.ts';

// What the main thread and `read-thread.ts` tell each other.

/** What a thread reads. */
export interface ThreadData {
  readonly part: Part;
  readonly options: CollectOptions;
}

/** The bytes of a file to read: whole lines. */
export interface Piece {
  readonly from: number;
  readonly to: number;
}

/** The rows of a piece, or why the main thread must read it. */
export type Answer = { readonly rows: PieceRows } | { readonly unusual: string };

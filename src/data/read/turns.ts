import { Worker } from 'node:worker_threads';
import { built } from '../../util/built.ts';
import type { Collector } from './collector.ts';
import type { Part } from './part.ts';
import { Absorber, type PieceRows } from './pieces.ts';
import type { Answer, Piece, ThreadData } from './read-messages.ts';

/** What is read piece by piece. */
export interface Source {
  readonly size: number;
  /** Where the piece ends that starts here. */
  endOf(from: number): Promise<number> | number;
  /** Reads a piece in this thread. */
  read(piece: Piece): Promise<unknown>;
  /** Goes on behind a piece that the other thread has read. @returns false if it may not be read apart from what was before it */
  skip(rows: PieceRows): boolean;
}

/**
 * Reads pieces in turns with another thread. The result is that of one thread: rows and ids are added in the order of the file, and
 * a piece that may not be read apart, or has rows that cannot be read, and all that follows, is read by this thread.
 */
export async function readInTurns(
  { size, endOf, read, skip }: Source,
  collector: Collector,
  other?: ReadThread,
): Promise<void> {
  let thread = other;
  const absorber = new Absorber(collector);
  /** The next piece for this thread, and that for the other, which begins at once. */
  const pairFrom = async (from: number) => {
    const end = await endOf(from);
    const next = thread && end < size ? await endOf(end) : end;
    return { from, end, next, rows: next > end ? thread?.read({ from: end, to: next }) : undefined };
  };
  try {
    for (let pair = await pairFrom(0); pair.from < size; ) {
      await read({ from: pair.from, to: pair.end });
      const rows = await pair.rows;
      if (rows && skip(rows)) {
        pair = await pairFrom(pair.next);
        absorber.absorb(rows);
      } else {
        if (pair.rows) thread = thread?.close();
        pair = await pairFrom(pair.end);
      }
    }
  } finally {
    thread?.close();
  }
}

/** The main thread's side of a `read-thread.ts`. */
export class ReadThread {
  private readonly worker: Worker;
  private answer: ((rows: PieceRows | undefined) => void) | undefined;

  constructor(part: Part, collector: Collector) {
    const workerData = threadData(part, collector);
    // Without the flags of `node -e`, with which no file can be run.
    this.worker = new Worker(built('read-thread.js'), { workerData, execArgv: [] });
    this.worker.on('message', (answer: Answer) => this.answer?.('rows' in answer ? answer.rows : undefined));
    // Without the thread, this one reads everything.
    this.worker.on('error', () => this.answer?.(undefined));
    this.worker.on('exit', () => this.answer?.(undefined));
  }

  /** @returns undefined for a piece that the main thread must read */
  read(piece: Piece): Promise<PieceRows | undefined> {
    return new Promise((resolve) => {
      this.answer = resolve;
      this.worker.postMessage(piece);
    });
  }

  close(): undefined {
    void this.worker.terminate();
  }
}

function threadData(part: Part, { options, rows }: Collector): ThreadData {
  // Only the first piece has a header and what precedes it.
  const text = part.text && { ...part.text, skipped: 0, isContinued: true };
  return { part: { ...part, text }, options: { ...options, timed: rows.timed } };
}

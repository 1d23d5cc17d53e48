import type { FileHandle } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { built } from '../../util/built.ts';
import type { Collector, PieceRows } from './collector.ts';
import type { Part } from './part.ts';
import { PartReader } from './part-reader.ts';
import type { Answer, Piece, ThreadData } from './read-messages.ts';

/** Bytes of a piece. */
const PIECE = 2 ** 23;
/** Bytes that are read at once. */
const STEP = 2 ** 20;

/** Whether a file is read by two threads: each reads every other piece of it. */
const isForTwo = ({ format, text, json, compression, encoding }: Part, size: number): boolean =>
  size > 4 * PIECE &&
  availableParallelism() > 1 &&
  compression === undefined &&
  /^utf-?8$/i.test(encoding ?? '') &&
  (format === 'JSON' ? json?.kind === 'lines' : text?.wide === undefined);

/**
 * Reads a file piece by piece, a large one by two threads. The result is that of one thread: rows and ids are added in the order of the file, and
 * where a piece does not start with a record, or has rows that cannot be read, this thread reads it and all that follows.
 */
export async function readPieces(part: Part, collector: Collector, file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const reader = new PartReader(part, collector);
  let thread = isForTwo(part, size) ? new Thread(part, collector) : undefined;
  try {
    /** The next piece for this thread, and that for the other, which begins at once. */
    const pairFrom = async (from: number) => {
      const end = await lineFrom(file, from + PIECE, size);
      const next = thread && end < size ? await lineFrom(file, end + PIECE, size) : end;
      return { from, end, next, rows: next > end ? thread?.read({ from: end, to: next }) : undefined };
    };
    for (let pair = await pairFrom(0); pair.from < size; ) {
      for await (const bytes of stepsOf(file, { from: pair.from, to: pair.end })) reader.push(bytes);
      const rows = await pair.rows;
      if (rows && reader.isBetweenRecords) {
        pair = await pairFrom(pair.next);
        collector.absorb(rows);
        reader.skipLines(rows.lines);
      } else {
        if (pair.rows) thread = thread?.close();
        pair = await pairFrom(pair.end);
      }
    }
    reader.end();
  } finally {
    thread?.close();
  }
}

/** The main thread's side of a `read-thread.ts`. */
class Thread {
  private readonly worker: Worker;
  private answer: ((rows: PieceRows | undefined) => void) | undefined;

  constructor(part: Part, { options }: Collector) {
    // Only the first piece has a header and what precedes it.
    const text = part.text && { ...part.text, header: false, skipped: 0 };
    const workerData: ThreadData = { part: { ...part, text }, options: { ...options } };
    this.worker = new Worker(built('read-thread.js'), { workerData });
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

/** Where the first line starts from a position on. */
async function lineFrom(file: FileHandle, position: number, size: number): Promise<number> {
  const buffer = new Uint8Array(2 ** 16);
  for (let at = position; at < size; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) break;
    const found = buffer.subarray(0, bytesRead).indexOf(10);
    if (found >= 0) return Math.min(size, at + found + 1);
    at += bytesRead;
  }
  return size;
}

/** The bytes of a file, in steps. Those of a step are valid until the step after the next. */
export async function* stepsOf(file: FileHandle, { from, to }: Piece): AsyncGenerator<Uint8Array> {
  const buffers = [new Uint8Array(STEP), new Uint8Array(STEP)];
  const read = (turn: number, at: number) => file.read(buffers[turn], 0, Math.min(STEP, to - at), at);
  let coming = read(0, from);
  try {
    for (let at = from, turn = 1; at < to; turn = 1 - turn) {
      const { bytesRead, buffer } = await coming;
      if (bytesRead === 0) return;
      at += bytesRead;
      if (at < to) {
        coming = read(turn, at);
        // An error is thrown when the step is asked for.
        coming.catch(() => undefined);
      }
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await coming.catch(() => undefined);
  }
}

import type { FileHandle } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Collector } from './collector.ts';
import type { Part } from './part.ts';
import { PartReader } from './part-reader.ts';
import type { Piece } from './read-messages.ts';
import { ReadThread, readInTurns } from './turns.ts';

/** Bytes of a piece. */
const PIECE = 2 ** 23;
/** Bytes that are read at once. */
const STEP = 2 ** 20;

/** Whether two threads read a file. */
const isForTwo = ({ format, text, json, encoding }: Part, size: number): boolean =>
  size > 4 * PIECE &&
  availableParallelism() > 1 &&
  /^utf-?8$/i.test(encoding ?? '') &&
  (format === 'JSON' ? json?.kind === 'lines' : text?.wide === undefined);

/** Reads a file that is not compressed into a collector. */
export async function readBytes(part: Part, collector: Collector, file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const reader = new PartReader(part, collector);
  const thread = isForTwo(part, size) ? new ReadThread(part, collector) : undefined;
  const source = {
    size,
    endOf: (from: number) => lineFrom(file, from + PIECE, size),
    async read(piece: Piece) {
      for await (const bytes of stepsOf(file, piece)) reader.push(bytes);
    },
    skip({ lines }: { readonly lines: number }): boolean {
      // The end of a piece may be a line break within quotes.
      if (!reader.isBetweenRecords) return false;
      reader.skipLines(lines);
      return true;
    },
  };
  await readInTurns(source, collector, thread);
  reader.end();
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

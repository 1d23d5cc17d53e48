import { openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { Collector } from './collector.ts';
import { withLazyDatabase } from './duckdb.ts';
import { parquetReader } from './parquet.ts';
import { PartReader } from './part-reader.ts';
import { type PieceRows, Taker } from './pieces.ts';
import type { Answer, Piece, ThreadData } from './read-messages.ts';

// A thread that reads pieces of a file. The main thread reads those between them.

const { part, options, memory } = workerData as ThreadData;
const collector = new Collector([part], options);
const taker = new Taker(collector);

/** Reads bytes of a text. @returns the number of lines */
async function textReader(): Promise<(piece: Piece) => Promise<number>> {
  const file = openSync(part.path as string, 'r');
  return async ({ from, to }) => {
    const reader = new PartReader(part, collector);
    const bytes = new Uint8Array(to - from);
    for (let at = 0; at < bytes.length; ) {
      const count = readSync(file, bytes, at, bytes.length - at, from + at);
      if (count === 0) throw new Error('the file was cut off while it was read');
      at += count;
    }
    reader.push(bytes);
    reader.end();
    return reader.lines;
  };
}

/** @throws an error for what the main thread must read itself, with the right line */
async function rowsOf(piece: Piece, read: (piece: Piece) => Promise<number>): Promise<PieceRows> {
  collector.begin(part);
  const lines = await read(piece);
  if (collector.bad.count > 0 || collector.thousands !== undefined || collector.points !== undefined)
    throw new Error('it has rows that cannot be read, or not for sure');
  return taker.take(lines);
}

await withLazyDatabase(
  async (connect) => {
    const read =
      part.format === 'Parquet' ? await parquetReader(await connect(), part, collector) : await textReader();
    await new Promise(() => {
      parentPort?.on('message', async (piece: Piece) => {
        const answer: Answer = await rowsOf(piece, read).then(
          (rows) => ({ rows }),
          (error: Error) => ({ unusual: error.message }),
        );
        parentPort?.postMessage(answer, 'rows' in answer ? [...answer.rows.buffers] : []);
      });
    });
  },
  { ...(memory !== undefined && { memory }) },
);

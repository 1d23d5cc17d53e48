import { openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { Collector } from './collector.ts';
import { PartReader } from './part-reader.ts';
import { type PieceRows, Taker } from './pieces.ts';
import type { Answer, Piece, ThreadData } from './read-messages.ts';

// A thread that reads pieces of a file. The main thread reads those between them.

const { part, options } = workerData as ThreadData;
const collector = new Collector([part], options);
const taker = new Taker(collector);
const file = openSync(part.path as string, 'r');

/** @throws an error for what the main thread must read itself, with the right line */
function read({ from, to }: Piece): PieceRows {
  collector.begin(part);
  const reader = new PartReader(part, collector);
  const bytes = new Uint8Array(to - from);
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(file, bytes, at, bytes.length - at, from + at);
    if (count === 0) throw new Error('the file was cut off while it was read');
    at += count;
  }
  reader.push(bytes);
  reader.end();
  if (collector.bad.count > 0 || collector.thousands !== undefined || collector.points !== undefined)
    throw new Error('it has rows that cannot be read, or not for sure');
  return taker.take(reader.lines);
}

parentPort?.on('message', (piece: Piece) => {
  const answer = ((): Answer => {
    try {
      return { rows: read(piece) };
    } catch (error) {
      return { unusual: (error as Error).message };
    }
  })();
  parentPort?.postMessage(answer, 'rows' in answer ? [...answer.rows.buffers] : []);
});

import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { option, UserError } from '../errors.ts';
import { size } from '../util/format.ts';
import { BusyError, HttpError } from './errors.ts';
import type { ServedModel } from './models.ts';

/** Memory for requests, in bytes. Each takes its share before it needs it. */
export class Memory {
  taken = 0;

  constructor(public bytes: number) {}

  /** @throws HttpError 413 for more than there is */
  check(bytes: number): void {
    if (bytes <= this.bytes) return;
    throw new HttpError(
      413,
      `the request needs up to ${size(bytes)}, and all requests have ${size(this.bytes)}; ask for less at once, or start the server with more memory`,
    );
  }

  /** @throws HttpError 413 for more than there is, 503 for more than is free */
  take(bytes: number): void {
    this.check(bytes);
    if (this.taken + bytes > this.bytes)
      throw new BusyError('the memory for requests is in use; try again later');
    this.taken += bytes;
  }

  give(bytes: number): void {
    this.taken -= bytes;
  }
}

/** The part of what the process may have that it takes by default. */
const SHARE = 0.5;
/** Connections, one large body while it is parsed, and what the garbage collector has not freed yet. */
const RESERVE = 40e6;
/** Garbage that requests leave is freed later. */
const PER_BYTE = 1.5;
/** Requests have at least so much. */
const LEAST = 16e6;

/** Bytes of the tensors inside a run for each of its scores. */
const BYTES_PER_SCORE = 16;

/**
 * The memory that requests have: what the process may have, without what it needs before the first request and what the
 * tensors inside runs take, which each worker has once for each head.
 *
 * @param given bytes that the process may have. Default: half of the machine's, or of the container's
 * @returns the memory, and a function to call when a model was replaced
 * @throws UserError if the models alone take more
 */
export function requestMemory(
  given: number | undefined,
  workers: number,
  models: readonly ServedModel[],
): { readonly memory: Memory; resize(): void } {
  const available = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  const allowed = given ?? SHARE * available;
  const used = process.memoryUsage.rss();
  const filesAtStart = bytesOfFiles(models);
  const left = (): number => {
    // The files, and in each worker sessions with their tables.
    const more = (1 + workers) * (bytesOfFiles(models) - filesAtStart);
    return allowed - used - RESERVE - workers * bytesOfRuns(models) - more;
  };
  if (given !== undefined && left() < LEAST)
    throw new UserError(
      'argument',
      `${option('memory')} is ${size(given)}, and the server with its models needs ${size(given - left() + LEAST)}; give so much, or fewer ${option('workers')}`,
    );
  const most = getHeapStatistics().heap_size_limit / 2;
  const current = (): number => Math.min(most, Math.max(LEAST, left()) / PER_BYTE);
  const memory = new Memory(current());
  return {
    memory,
    resize: () => {
      memory.bytes = current();
    },
  };
}

function bytesOfFiles(models: readonly ServedModel[]): number {
  const files = models.flatMap(({ current }) => Object.values(current.recommender.artifact.files));
  return files.reduce((sum, { length }) => sum + length, 0);
}

function bytesOfRuns(models: readonly ServedModel[]): number {
  const scores = models.flatMap(({ current: { recommender, sessions, items } }) =>
    [...sessions].map(([head, { inputNames }]) => {
      // A head that takes `k` scores all items, for each row of a run.
      const { batch = 1 } = recommender.artifact.manifest.files[`${head}.onnx`];
      return inputNames.includes('k') ? batch * items.size : 0;
    }),
  );
  return scores.reduce((sum, count) => sum + count * BYTES_PER_SCORE, 0);
}

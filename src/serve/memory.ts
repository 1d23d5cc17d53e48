import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Manifest } from '../artifact/manifest.ts';
import { option, UserError } from '../errors.ts';
import { size } from '../util/format.ts';
import { BusyError, HttpError } from './errors.ts';

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
      throw new BusyError('the memory for requests is in use; try again later', 'memory');
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
/** The process that the command line started first; see `own-process.ts`. */
const PARENT = 45e6;
/** Garbage that requests leave is freed later. */
const PER_BYTE = 1.5;
const MARGIN = 1.1;
/** Requests have at least so much. */
const LEAST = 16e6;
/** Bytes of a model in memory for each of its files, at least: the file and its tables. */
const LEAST_PER_FILE = 2;
/** JSON takes more. */
const JSON_BYTES = 8;
/** Bytes of the tensors inside a run for each of its scores. */
const BYTES_PER_SCORE = 16;

/** The memory of the process, and what of it is left for requests. */
export class ProcessMemory {
  readonly requests = new Memory(0);
  private readonly allowed: number;
  private readonly manifests = new Map<string, Manifest>();
  private readonly start = process.memoryUsage.rss();
  /** Bytes without models. */
  private readonly base = this.start + RESERVE + (process.channel ? PARENT : 0);
  private perFileByte = LEAST_PER_FILE;

  /**
   * Created before models are loaded.
   *
   * @param given bytes that the process may have. Default: half of the machine's, or of the container's
   */
  constructor(
    private readonly given: number | undefined,
    private readonly workers: number,
  ) {
    const available = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
    this.allowed = given ?? SHARE * available;
  }

  /**
   * Checks, before a model is read, that there is room for it in place of that with the same name.
   *
   * @throws UserError if there is not, where the memory was given
   */
  check(name: string, manifest: Manifest): void {
    const all = new Map(this.manifests).set(name, manifest);
    if (this.given === undefined || this.leftWith(all) >= LEAST) return;
    // More than now, because it differs from start to start.
    const needed = MARGIN * (this.given - this.leftWith(all) + LEAST);
    const remedy = this.workers > 1 ? `give so much, or fewer ${option('workers')}` : 'give so much';
    throw new UserError(
      'argument',
      `${option('memory')} is ${size(this.given)}, and the server with ${name} needs up to ${size(needed)}; ${remedy}`,
    );
  }

  /** Says that a model was loaded. */
  add(name: string, manifest: Manifest): void {
    this.manifests.set(name, manifest);
    this.resize();
  }

  /** Measures what all models take, when they are loaded. @throws UserError if that is too much */
  measure(): void {
    const bytes = sum([...this.manifests.values()].map(bytesOfFiles));
    this.perFileByte = Math.max(LEAST_PER_FILE, (process.memoryUsage.rss() - this.start) / bytes);
    for (const [name, manifest] of this.manifests) this.check(name, manifest);
    this.resize();
  }

  private resize(): void {
    const most = getHeapStatistics().heap_size_limit / 2;
    this.requests.bytes = Math.floor(
      Math.min(most, Math.max(LEAST, this.leftWith(this.manifests)) / PER_BYTE),
    );
  }

  /** What these models leave for requests. Each worker has the tensors inside a run once for each head. */
  private leftWith(models: ReadonlyMap<string, Manifest>): number {
    const all = [...models.values()];
    const files = this.perFileByte * sum(all.map(bytesOfFiles));
    return this.allowed - this.base - files - this.workers * sum(all.map(bytesOfRuns));
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

function bytesOfFiles({ files }: Manifest): number {
  const all = Object.entries(files).map(([name, { bytes }]) =>
    name.endsWith('.json') ? JSON_BYTES * bytes : bytes,
  );
  return sum(all);
}

/** Heads that score all items for each row of a run. */
const SCORING = ['recommend', 'similar', 'fold-in', 'fold-in-many'];

function bytesOfRuns({ files, data }: Manifest): number {
  const rows = SCORING.map((head) => files[`${head}.onnx`]).map((file) => (file ? (file.batch ?? 1) : 0));
  return sum(rows) * data.items * BYTES_PER_SCORE;
}

import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { InferenceSession } from 'onnxruntime-common';
import { UserError } from '../errors.ts';
import type { Device } from './device-names.ts';
import { chooseDevice } from './devices.ts';
import type { NodeRuntime } from './node.ts';
import type { Stop } from './runtime.ts';
import { holdWebgpu, releaseWebgpu } from './webgpu-thread.ts';
import { Batching, type RunSize } from './worker-batch.ts';
import { WorkerError, WorkerHandle } from './worker-handle.ts';
import {
  type Encodings,
  type NamedEncoded,
  type NamedParts,
  partsOf,
  type Results,
  type Signature,
  tensorsOf,
} from './worker-messages.ts';

export { WorkerError } from './worker-handle.ts';

/** The queue of runs is full. Try again later. */
export class QueueFullError extends Error {
  override name = 'QueueFullError';
}

export interface WorkerOptions {
  /** Number of threads; each holds every session. Default: the number of cores minus one; 1 for WebGPU. */
  readonly workers?: number;
  /** Device that executes models. @default 'cpu' */
  readonly device?: Device | 'auto';
  /** Maximum number of runs that wait for a thread. @default 64 */
  readonly queue?: number;
  /** Called after each batch with the number of runs that it joined, and its duration in seconds. */
  onBatch?(runs: number, seconds: number): void;
}

/** What a run of a worker runtime takes beside its inputs. */
export interface RunOptions {
  /** A run that waits for a thread when this aborts is not executed, and is rejected with its reason. */
  readonly signal?: Stop | undefined;
}

export interface WorkerSession extends InferenceSession {
  /** Runs, and lets the thread write the outputs that are wanted, which takes much time for many texts. */
  runEncoded(
    feeds: InferenceSession.FeedsType,
    encodings: Encodings,
    options?: RunOptions,
  ): Promise<NamedEncoded>;
}

/** ONNX Runtime in worker threads, which keeps the event loop free. */
export interface WorkerRuntime extends NodeRuntime {
  /** Number of threads. */
  readonly workers: number;
  /** Number of runs that wait for a thread. */
  readonly waiting: number;
  /** Milliseconds since the longest run that goes on began; 0 if there is none. */
  readonly longestRun: number;
  /**
   * @param batch maximum number of rows of a joined run. Default: 64
   * @returns a session whose `run` rejects with a {@link QueueFullError} if the queue is full, and with a
   *   {@link WorkerError} if its thread ends
   */
  createSession(model: Uint8Array, options?: { threads?: number; batch?: number }): Promise<WorkerSession>;
  /** Ends all threads. Runs that have not finished are rejected. */
  close(): Promise<void>;
}

/**
 * Starts the threads. While all threads are busy, waiting runs of the same session are joined along the axis `n`, if its
 * inputs and outputs have one.
 *
 * @throws UserError if the device is not available, or cannot run in so many threads
 */
export async function workerRuntime(options: WorkerOptions = {}): Promise<WorkerRuntime> {
  const { device } = await chooseDevice(options.device);
  // With two threads that use WebGPU, ONNX Runtime 1.30 crashes the process.
  const most = device === 'webgpu' ? 1 : Math.max(1, availableParallelism() - 1);
  const { workers = most } = options;
  if (device === 'webgpu' && workers > 1)
    throw new UserError(
      'argument',
      `device webgpu runs in one worker alone, not in ${workers}; give workers 1`,
    );
  const thread = {};
  if (device === 'webgpu') holdWebgpu(thread);
  try {
    const started = await Promise.all(Array.from({ length: workers }, () => WorkerHandle.start({ device })));
    const [{ name, version }] = started;
    const handles = started.map(({ handle }) => handle);
    return new WorkerPool({ name, version, device }, handles, options, () => releaseWebgpu(thread));
  } catch (error) {
    releaseWebgpu(thread);
    throw error;
  }
}

interface Run {
  readonly session: number;
  readonly feeds: NamedParts;
  /** Absent if the run must not be joined with others. */
  readonly size?: RunSize | undefined;
  readonly encodings?: Encodings;
  readonly signal?: Stop | undefined;
  resolve(results: Results): void;
  reject(error: Error): void;
}

const JOINED_ROWS = 64;
const RESTART_MS = 1000;

class WorkerPool implements WorkerRuntime {
  readonly name: string;
  readonly version: string;
  readonly device: Device;
  readonly workers: number;
  private readonly queue: number;
  private readonly models = new Map<number, { model: Uint8Array; batching?: Batching }>();
  private threads: WorkerHandle[] = [];
  private runs: Run[] = [];
  private created = 0;
  private closed = false;

  constructor(
    { name, version, device }: Pick<NodeRuntime, 'name' | 'version' | 'device'>,
    threads: readonly WorkerHandle[],
    private readonly options: WorkerOptions,
    private readonly onClose: () => void,
  ) {
    this.name = name;
    this.version = version;
    this.device = device;
    this.workers = threads.length;
    this.queue = options.queue ?? 64;
    for (const thread of threads) this.add(thread);
  }

  get waiting(): number {
    return this.runs.length;
  }

  get longestRun(): number {
    const now = performance.now();
    return Math.max(0, ...this.threads.map(({ runningSince = now }) => now - runningSince));
  }

  async createSession(
    model: Uint8Array,
    { batch = JOINED_ROWS }: { threads?: number; batch?: number } = {},
  ): Promise<WorkerSession> {
    const id = this.created++;
    let signature: Signature | undefined;
    try {
      // One thread after the other, so that the others go on answering. The loop includes threads that started meanwhile.
      for (let thread = this.without(id); thread; thread = this.without(id))
        signature = await thread.create(id, model);
    } catch (error) {
      for (const thread of this.threads) await thread.release(id);
      throw error;
    }
    if (!signature) throw new WorkerError('no worker is running');
    this.models.set(id, { model, batching: Batching.of(signature, batch) });
    return {
      ...signature,
      run: async (feeds, options?: object) => tensorsOf((await this.run(id, feeds, options)) as NamedParts),
      runEncoded: async (feeds, encodings, options) =>
        (await this.run(id, feeds, { ...options, encodings })) as NamedEncoded,
      release: () => this.release(id),
      startProfiling: () => undefined,
      endProfiling: () => undefined,
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    this.rejectWaiting(new WorkerError('the workers are closed'));
    await Promise.all(this.threads.map((thread) => thread.terminate()));
    this.onClose();
  }

  private without(id: number): WorkerHandle | undefined {
    return this.threads.find((thread) => !thread.sessions.has(id));
  }

  private async run(
    session: number,
    feeds: InferenceSession.FeedsType,
    options: RunOptions & Pick<Run, 'encodings'> = {},
  ): Promise<Results> {
    if (this.closed) throw new WorkerError('the workers are closed');
    if (this.runs.length >= this.queue && !this.threads.some(({ idle }) => idle))
      throw new QueueFullError(`${this.queue} requests are waiting; try again later`);
    const parts = partsOf(feeds);
    const { encodings, signal } = options;
    // Results are large where the thread writes them.
    const size = encodings ? undefined : this.models.get(session)?.batching?.size(parts);
    return new Promise((resolve, reject) => {
      this.runs.push({ session, feeds: parts, size, encodings, signal, resolve, reject });
      this.dispatch();
    });
  }

  private async release(id: number): Promise<void> {
    this.models.delete(id);
    await Promise.all(this.threads.map((thread) => thread.release(id)));
  }

  private dispatch(): void {
    for (const thread of this.threads) {
      if (!thread.idle) continue;
      this.dropAborted();
      if (this.runs.length === 0) return;
      void this.execute(thread, this.takeBatch());
    }
  }

  private dropAborted(): void {
    if (!this.runs.some(({ signal }) => signal?.aborted)) return;
    for (const { signal, reject } of this.runs) if (signal?.aborted) reject(signal.reason);
    this.runs = this.runs.filter(({ signal }) => !signal?.aborted);
  }

  /** Takes the run that has waited longest, and those that can be joined with it. */
  private takeBatch(): Run[] {
    const [first] = this.runs;
    const batching = this.models.get(first.session)?.batching;
    const batch: Run[] = [];
    let total: RunSize | undefined;
    this.runs = this.runs.filter((run) => {
      const { session, size } = run;
      const sum = total && size && session === first.session ? batching?.sum(total, size) : undefined;
      if (run !== first && !sum) return true;
      total = sum ?? size;
      batch.push(run);
      return false;
    });
    return batch;
  }

  private async execute(thread: WorkerHandle, batch: Run[]): Promise<void> {
    const start = performance.now();
    try {
      const results = await this.results(thread, batch);
      for (const [index, run] of batch.entries()) run.resolve(results[index]);
    } catch (error) {
      // One run may have made all fail, so each is run again, alone.
      if (batch.length > 1 && !(error instanceof WorkerError))
        this.runs.unshift(...batch.map((run) => ({ ...run, size: undefined })));
      else for (const run of batch) run.reject(error as Error);
    }
    this.options.onBatch?.(batch.length, (performance.now() - start) / 1000);
    this.dispatch();
  }

  private async results(thread: WorkerHandle, batch: Run[]): Promise<readonly Results[]> {
    const [{ session, feeds, encodings }] = batch;
    if (encodings) return [await thread.runEncoded(session, feeds, encodings)];
    const batching = this.models.get(session)?.batching;
    if (batch.length === 1 || !batching) return [await thread.run(session, feeds)];
    const joined = batching.join(batch.map((run) => run.feeds));
    return batching.split(
      await thread.run(session, joined),
      batch.map(({ size }) => size as RunSize),
    );
  }

  private add(thread: WorkerHandle): void {
    this.threads.push(thread);
    thread.ended.then(() => {
      this.threads = this.threads.filter((other) => other !== thread);
      return this.replace();
    });
  }

  /** Starts a thread to replace one that ended, and loads all sessions in it. */
  private async replace(): Promise<void> {
    while (!this.closed) {
      try {
        const { handle } = await WorkerHandle.start({ device: this.device });
        for (const [id, { model }] of this.models) await handle.create(id, model);
        if (this.closed) return handle.terminate();
        this.add(handle);
        return this.dispatch();
      } catch (error) {
        if (this.threads.length === 0) this.rejectWaiting(error as Error);
        await setTimeout(RESTART_MS, undefined, { ref: false });
      }
    }
  }

  private rejectWaiting(error: Error): void {
    for (const run of this.runs.splice(0)) run.reject(error);
  }
}

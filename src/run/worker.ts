import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { InferenceSession } from 'onnxruntime-common';
import { UserError } from '../errors.ts';
import type { Device } from './device-names.ts';
import { chooseDevice } from './devices.ts';
import type { NodeRuntime } from './node.ts';
import { holdWebgpu, releaseWebgpu } from './webgpu-thread.ts';
import { Batching, type RunSize } from './worker-batch.ts';
import { WorkerError, WorkerHandle } from './worker-handle.ts';
import { type NamedParts, partsOf, type Signature, tensorsOf } from './worker-messages.ts';

export { WorkerError } from './worker-handle.ts';

/** As many runs wait as may wait: try again later. */
export class QueueFullError extends Error {
  override name = 'QueueFullError';
}

export interface WorkerOptions {
  /** Threads, each of which holds every session. Default: one less than there are cores; 1 for WebGPU. */
  readonly workers?: number;
  /** What runs models. Default: the CPU. */
  readonly device?: Device | 'auto';
  /** The most runs that wait for a thread. Default: 64. */
  readonly queue?: number;
  /** Told of each batch: how many runs it joined, and the seconds it took. */
  onBatch?(runs: number, seconds: number): void;
}

/** ONNX Runtime in threads of their own, so that the event loop stays free. */
export interface WorkerRuntime extends NodeRuntime {
  readonly workers: number;
  readonly waiting: number;
  /**
   * @param batch the most rows of runs that are joined
   * @returns a session whose `run` rejects with a {@link QueueFullError} when too many wait, and with a
   * {@link WorkerError} when its thread ends
   */
  createSession(model: Uint8Array, options?: { threads?: number; batch?: number }): Promise<InferenceSession>;
  /** Ends all threads, and what they are doing. */
  close(): Promise<void>;
}

/**
 * Starts the threads. Runs of one session that wait while all threads are busy are joined along the axis `n`, where
 * its inputs and outputs have one.
 *
 * @throws UserError if the device is not available, or cannot run in so many threads
 */
export async function workerRuntime(options: WorkerOptions = {}): Promise<WorkerRuntime> {
  const { device } = await chooseDevice(options.device);
  // ONNX Runtime 1.30 ends the process where two threads run models on it.
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
  /** Absent where it must run alone. */
  readonly size?: RunSize;
  resolve(results: NamedParts): void;
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

  async createSession(
    model: Uint8Array,
    { batch = JOINED_ROWS }: { threads?: number; batch?: number } = {},
  ): Promise<InferenceSession> {
    const id = this.created++;
    let signature: Signature | undefined;
    try {
      // One thread after the other, so that the rest go on answering; also those that have come in the meantime.
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
      run: (feeds) => this.run(id, feeds),
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

  private async run(id: number, feeds: InferenceSession.FeedsType): Promise<InferenceSession.ReturnType> {
    if (this.closed) throw new WorkerError('the workers are closed');
    if (this.runs.length >= this.queue && !this.threads.some(({ idle }) => idle))
      throw new QueueFullError(`${this.queue} requests are waiting; try again later`);
    const parts = partsOf(feeds);
    const size = this.models.get(id)?.batching?.size(parts);
    const results = await new Promise<NamedParts>((resolve, reject) => {
      this.runs.push({ session: id, feeds: parts, size, resolve, reject });
      this.dispatch();
    });
    return tensorsOf(results);
  }

  private async release(id: number): Promise<void> {
    this.models.delete(id);
    await Promise.all(this.threads.map((thread) => thread.release(id)));
  }

  private dispatch(): void {
    for (const thread of this.threads) {
      if (this.runs.length === 0) return;
      if (thread.idle) void this.execute(thread, this.takeBatch());
    }
  }

  /** The run that waits longest, and those that may join it. */
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
      for (const [place, run] of batch.entries()) run.resolve(results[place]);
    } catch (error) {
      // One of them may be to blame for all: next time each runs alone.
      if (batch.length > 1 && !(error instanceof WorkerError))
        this.runs.unshift(...batch.map((run) => ({ ...run, size: undefined })));
      else for (const run of batch) run.reject(error as Error);
    }
    this.options.onBatch?.(batch.length, (performance.now() - start) / 1000);
    this.dispatch();
  }

  private async results(thread: WorkerHandle, batch: Run[]): Promise<NamedParts[]> {
    const [{ session, feeds }] = batch;
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

  /** Starts a thread in place of one that has ended, and gives it all sessions. */
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

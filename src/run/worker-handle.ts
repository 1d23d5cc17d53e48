import { Worker } from 'node:worker_threads';
import { built } from '../util/built.ts';
import { disableTelemetry } from './onnxruntime.ts';
import type {
  Answer,
  Call,
  Encodings,
  NamedEncoded,
  NamedParts,
  Signature,
  ThreadData,
} from './worker-messages.ts';
import type { Methods } from './worker-thread.ts';

/** A thread that runs models ended before it answered. */
export class WorkerError extends Error {
  override name = 'WorkerError';
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The main thread's side of one `worker-thread.ts`. */
export class WorkerHandle {
  readonly sessions = new Set<number>();
  /** When its run began, in milliseconds; undefined if there is none. */
  runningSince: number | undefined;
  private dead = false;
  /** Resolves when the thread has ended, with the reason. */
  readonly ended: Promise<WorkerError>;
  private readonly pending = new Map<number, Pending>();
  private readonly answers = new Set<Promise<unknown>>();
  private calls = 0;

  private constructor(private readonly worker: Worker) {
    this.ended = new Promise((resolve) => {
      let reason = 'it exited';
      worker.on('error', (error) => {
        reason = error.message;
      });
      worker.on('exit', () => {
        this.dead = true;
        const error = new WorkerError(`a worker ended: ${reason}`);
        for (const { reject } of this.pending.values()) reject(error);
        this.pending.clear();
        resolve(error);
      });
    });
    worker.on('message', (answer: Answer) => {
      if ('ready' in answer) return;
      const pending = this.pending.get(answer.call);
      this.pending.delete(answer.call);
      if ('error' in answer) pending?.reject(new Error(answer.error));
      else pending?.resolve(answer.value);
    });
  }

  static async start(
    workerData: ThreadData,
  ): Promise<{ handle: WorkerHandle; name: string; version: string }> {
    disableTelemetry();
    const worker = new Worker(built('worker-thread.js'), { workerData });
    const ready = new Promise<Answer>((resolve) => worker.once('message', resolve));
    const handle = new WorkerHandle(worker);
    const answer = await Promise.race([ready, handle.ended]);
    if (answer instanceof WorkerError || !('ready' in answer)) throw answer;
    return { handle, ...answer.ready };
  }

  async create(session: number, model: Uint8Array): Promise<Signature> {
    const signature = await this.call('create', [session, model]);
    this.sessions.add(session);
    return signature;
  }

  /** Whether a run would start at once. */
  get idle(): boolean {
    return this.runningSince === undefined && !this.dead;
  }

  /** Keeps feeds in the thread that every run of a session gets in addition to its own. */
  hold(session: number, feeds: NamedParts): Promise<void> {
    return this.call('hold', [session, feeds]);
  }

  /** @param handedOver buffers of the feeds that are transferred to the thread instead of copied */
  run(session: number, feeds: NamedParts, handedOver: ArrayBuffer[] = []): Promise<NamedParts> {
    return this.callAlone('run', [session, feeds], handedOver);
  }

  /** Runs, and lets the thread write the outputs that are wanted. */
  runEncoded(session: number, feeds: NamedParts, encodings: Encodings): Promise<NamedEncoded> {
    return this.callAlone('runEncoded', [session, feeds, encodings]);
  }

  async release(session: number): Promise<void> {
    if (this.sessions.delete(session)) await this.call('release', [session]);
  }

  /** Ends the thread after its calls: ONNX Runtime aborts the process if a thread ends in the middle of a run. */
  async terminate(): Promise<void> {
    await Promise.allSettled(this.answers);
    await this.worker.terminate();
  }

  private async callAlone<Name extends keyof Methods>(
    method: Name,
    args: Parameters<Methods[Name]>,
    handedOver?: ArrayBuffer[],
  ): Promise<Awaited<ReturnType<Methods[Name]>>> {
    this.runningSince = performance.now();
    try {
      return await (this.call(method, args, handedOver) as Promise<Awaited<ReturnType<Methods[Name]>>>);
    } finally {
      this.runningSince = undefined;
    }
  }

  private call<Name extends keyof Methods>(
    method: Name,
    args: Parameters<Methods[Name]>,
    handedOver: ArrayBuffer[] = [],
  ): ReturnType<Methods[Name]> {
    const answer = new Promise((resolve, reject) => {
      if (this.dead) throw new WorkerError('a worker ended');
      const call = this.calls++;
      this.pending.set(call, { resolve, reject });
      this.worker.postMessage({ call, method, args } satisfies Call, handedOver);
    });
    const settled = (): void => {
      this.answers.delete(answer);
    };
    this.answers.add(answer);
    answer.then(settled, settled);
    return answer as ReturnType<Methods[Name]>;
  }
}

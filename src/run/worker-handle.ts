import { Worker } from 'node:worker_threads';
import type { Answer, Answers, Call, NamedParts, Signature, ThreadData } from './worker-messages.ts';

/** The built thread, beside the built library. Node 20 runs no TypeScript, so it serves the sources too. */
const THREAD = import.meta.url.endsWith('.ts') ? '../../dist/worker-thread.js' : './worker-thread.js';

/** A thread that runs models ended, and what it was doing is lost. */
export class WorkerError extends Error {
  override name = 'WorkerError';
}

interface Pending {
  resolve(value: Answers[keyof Answers]): void;
  reject(error: Error): void;
}

/** The main thread's side of one `worker-thread.ts`. */
export class WorkerHandle {
  readonly sessions = new Set<number>();
  private running = false;
  private dead = false;
  /** Why it ended, once it has. */
  readonly ended: Promise<WorkerError>;
  private readonly pending = new Map<number, Pending>();
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

  /** Starts a thread, and waits until ONNX Runtime is loaded there. */
  static async start(
    workerData: ThreadData,
  ): Promise<{ handle: WorkerHandle; name: string; version: string }> {
    const worker = new Worker(new URL(THREAD, import.meta.url), { workerData });
    const ready = new Promise<Answer>((resolve) => worker.once('message', resolve));
    const handle = new WorkerHandle(worker);
    const answer = await Promise.race([ready, handle.ended]);
    if (answer instanceof WorkerError || !('ready' in answer)) throw answer;
    return { handle, ...answer.ready };
  }

  async create(session: number, model: Uint8Array): Promise<Signature> {
    const signature = await this.call<'create'>({ kind: 'create', session, model });
    this.sessions.add(session);
    return signature;
  }

  /** Whether a run would start at once. */
  get idle(): boolean {
    return !this.running && !this.dead;
  }

  /** Feeds that every run of a session has, in addition to its own. */
  async hold(session: number, feeds: NamedParts): Promise<void> {
    await this.call<'hold'>({ kind: 'hold', session, feeds });
  }

  /** @param handedOver memory of the feeds that is moved to the thread, not copied, and so gone here */
  async run(session: number, feeds: NamedParts, handedOver: ArrayBuffer[] = []): Promise<NamedParts> {
    this.running = true;
    try {
      return await this.call<'run'>({ kind: 'run', session, feeds }, handedOver);
    } finally {
      this.running = false;
    }
  }

  async release(session: number): Promise<void> {
    if (this.sessions.delete(session)) await this.call<'release'>({ kind: 'release', session });
  }

  async terminate(): Promise<void> {
    await this.worker.terminate();
  }

  private call<Kind extends keyof Answers>(
    call: Call & { kind: Kind },
    handedOver: ArrayBuffer[] = [],
  ): Promise<Answers[Kind]> {
    return new Promise((resolve, reject) => {
      if (this.dead) throw new WorkerError('a worker ended');
      const number = this.calls++;
      this.pending.set(number, { resolve: resolve as Pending['resolve'], reject });
      this.worker.postMessage({ number, call }, handedOver);
    });
  }
}

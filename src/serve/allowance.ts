import { BusyError } from './errors.ts';
import type { Memory } from './memory.ts';

const gone = (): BusyError => new BusyError('the client is gone');

/** The time and the memory of a request. It keeps the memory until its answer is sent and its work has ended. */
export class Allowance {
  private bytes = 0;
  private users = 1;
  private stop?: AbortController | undefined;

  /** @param timeout seconds */
  constructor(
    private readonly memory: Memory,
    private readonly timeout: number,
  ) {}

  /** @throws HttpError 413 for more memory than there is for all requests together */
  check(bytes: number): void {
    this.memory.check(bytes);
  }

  /** Takes memory. @throws HttpError if there is not enough */
  add(bytes: number): void {
    if (this.users === 0) throw gone();
    this.memory.take(bytes);
    this.bytes += bytes;
  }

  /**
   * Does the work of a request.
   *
   * @param work gets a signal, which aborts if the time is over or the client is gone
   * @throws BusyError if the time is over
   */
  run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.users === 0) return Promise.reject(gone());
    const stop = new AbortController();
    this.stop = stop;
    this.users++;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        const late = new BusyError(`the answer takes longer than ${this.timeout} s; try again later`);
        stop.abort(late);
        reject(late);
      };
      const timer = setTimeout(end, this.timeout * 1000);
      work(stop.signal)
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer);
          // Nothing is left to stop, and an abort takes longer than many answers.
          this.stop = undefined;
          this.leave();
        });
    });
  }

  /** Called when the answer is sent, or the client is gone. */
  close(): void {
    this.stop?.abort(gone());
    this.leave();
  }

  private leave(): void {
    this.users--;
    if (this.users > 0) return;
    this.memory.give(this.bytes);
    this.bytes = 0;
  }
}

import type { Stop } from '../run/runtime.ts';
import { BusyError } from './errors.ts';
import type { Memory } from './memory.ts';

/** Not one for each request, because to make an error takes long. */
export const GONE = new BusyError('the client is gone', 'connections');

/**
 * The time and the memory of a request. It keeps the memory until its answer is sent and its work has ended. For the work it is
 * the signal that no one waits any more. An AbortController would take longer than many answers.
 */
export class Allowance implements Stop {
  /** Why no one waits any more. */
  reason: BusyError | undefined;
  private bytes = 0;
  private users = 1;

  /** @param timeout seconds */
  constructor(
    private readonly memory: Memory,
    private readonly timeout: number,
  ) {}

  get aborted(): boolean {
    return this.reason !== undefined;
  }

  throwIfAborted(): void {
    if (this.reason) throw this.reason;
  }

  /** @throws HttpError 413 for more memory than there is for all requests together */
  check(bytes: number): void {
    this.memory.check(bytes);
  }

  /** Takes memory. @throws HttpError if there is not enough, or no one waits any more */
  add(bytes: number): void {
    this.throwIfAborted();
    this.memory.take(bytes);
    this.bytes += bytes;
  }

  /** Does the work of a request. @throws BusyError if its time is over */
  run<T>(work: () => Promise<T>): Promise<T> {
    this.users++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.reason = new BusyError(
          `the answer takes longer than ${this.timeout} s; try again later`,
          'time',
        );
        reject(this.reason);
      }, this.timeout * 1000);
      const end = (): void => {
        clearTimeout(timer);
        this.leave();
      };
      work().then(
        (value) => {
          end();
          resolve(value);
        },
        (error) => {
          end();
          reject(error);
        },
      );
    });
  }

  /** Called when the answer is sent, or the client is gone. */
  close(): void {
    this.reason ??= GONE;
    this.leave();
  }

  private leave(): void {
    this.users--;
    if (this.users > 0) return;
    this.memory.give(this.bytes);
    this.bytes = 0;
  }
}

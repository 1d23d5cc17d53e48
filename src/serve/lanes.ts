import { BusyError } from './errors.ts';
import { LIMITS } from './limits.ts';

/** Whether a fold-in of so many items is a long request. */
export const isLongFoldIn = (items: number): boolean => items > LIMITS.shortFoldIn;

/**
 * Lets a few long requests run at a time, in the order in which they come. If all ran in turns, none would end in time. Short
 * requests run between long ones, and between their parts.
 */
export class Lanes {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  /** @throws BusyError if too many wait */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else if (this.waiting.length >= LIMITS.waiting)
      throw new BusyError(`${LIMITS.waiting} long requests are waiting; try again later`, 'turns');
    else await new Promise<void>((go) => this.waiting.push(go));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free++;
    }
  }
}

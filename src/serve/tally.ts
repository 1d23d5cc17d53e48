/** How often something happened. */
export interface Tallied {
  readonly key: string;
  /** Its last text. */
  readonly text: string;
  readonly count: number;
  readonly last: Date;
}

/** Counts what happens most often, by key, in bounded memory: what is rare may be forgotten, and begins at one again. */
export class Tally {
  private readonly all = new Map<string, { text: string; count: number; last: number }>();

  /** @param most number of keys that are certainly kept, if they are the most frequent; at most twice as many are held */
  constructor(private readonly most: number) {}

  add(key: string, text = key): void {
    const known = this.all.get(key);
    if (known) {
      known.text = text;
      known.count++;
      known.last = Date.now();
    } else this.all.set(key, { text, count: 1, last: Date.now() });
    if (this.all.size > 2 * this.most) this.forget();
  }

  /** Keeps the most frequent. Of many that are equally frequent, those that came first are forgotten. */
  private forget(): void {
    // Numbers are sorted many times as fast as entries.
    const counts = Float64Array.from(this.all.values(), ({ count }) => count).sort();
    const least = counts[counts.length - this.most];
    for (const [key, { count }] of this.all) if (count < least) this.all.delete(key);
    for (const [key, { count }] of this.all)
      if (count === least && this.all.size > this.most) this.all.delete(key);
  }

  /** The most frequent, the latest first of those that are equally frequent. */
  top(length: number): Tallied[] {
    return [...this.all]
      .sort(([, one], [, other]) => other.count - one.count || other.last - one.last)
      .slice(0, length)
      .map(([key, { text, count, last }]) => ({ key, text, count, last: new Date(last) }));
  }
}

const MINUTE_MS = 60_000;

/** Requests by minute, the oldest first: those that were answered, and those that were refused or failed. */
export interface Minutes {
  readonly answered: readonly number[];
  readonly refused: readonly number[];
}

/** Requests of the last hour. */
export class LastHour {
  private readonly slots = Array.from({ length: 60 }, () => ({ minute: 0, answered: 0, refused: 0 }));

  add(isRefused: boolean, now = Date.now()): void {
    const minute = Math.floor(now / MINUTE_MS);
    const slot = this.slots[minute % this.slots.length];
    if (slot.minute !== minute) Object.assign(slot, { minute, answered: 0, refused: 0 });
    slot[isRefused ? 'refused' : 'answered']++;
  }

  /** The 60 minutes up to now. */
  minutes(now = Date.now()): Minutes {
    const { length } = this.slots;
    const first = Math.floor(now / MINUTE_MS) - length + 1;
    const slots = this.slots.map((_, at) => {
      const slot = this.slots[(first + at) % length];
      return slot.minute === first + at ? slot : { answered: 0, refused: 0 };
    });
    return { answered: slots.map(({ answered }) => answered), refused: slots.map(({ refused }) => refused) };
  }
}

import type { Rows } from '../dataset/rows.ts';

/** How some values are spread. */
export interface Spread {
  readonly values: number;
  readonly low: number;
  readonly high: number;
  /** The values below which a quarter, a half and three quarters of the values are. */
  readonly quartiles: readonly [number, number, number];
  /** The value that at most one in a thousand exceeds, or one of fewer values: those may be mistyped. */
  readonly most: number;
  /** The number of different values. */
  readonly distinct: number;
  /** Whether all are whole numbers. */
  readonly whole: boolean;
  /** How many values are the lowest. */
  readonly atLow: number;
  /** The lowest value but one. */
  readonly next: number;
  /** How many values are the lowest but one. */
  readonly atNext: number;
}

/** Values, in parts. */
export type Parts = Iterable<Pick<Rows, 'ratings'> & { readonly length: number }>;

/** Different values that are counted each. Of more, a part of the values tells enough. */
const COUNTED = 2 ** 12;
const SORTED = 2 ** 22;

/**
 * @param values all of them, or a function that gives them in parts, as often as it is called
 * @param counted their counts. Default: they are counted
 */
export function spreadOf(values: Float32Array | (() => Parts), counted?: ValueCounts): Spread {
  const parts = values instanceof Float32Array ? () => [{ ratings: values, length: values.length }] : values;
  const all = counted ?? new ValueCounts();
  if (!counted) for (const { ratings, length } of parts()) all.add(ratings, length);
  const [sorted, counts] = all.isFull ? countsOfSorted(partOf(parts, all.values)) : all.counts();
  const total = counts.reduce((sum, one) => sum + one, 0);
  const at = (part: number): number => {
    let left = Math.max(1, Math.ceil(part * total));
    const index = counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return sorted[index];
  };
  return {
    values: all.values,
    low: all.low,
    high: all.high,
    quartiles: [at(0.25), at(0.5), at(0.75)],
    // One value may be mistyped.
    most: at(Math.min(0.999, (total - 1.5) / total)),
    distinct: sorted.length,
    whole: all.whole,
    atLow: counts[0],
    next: sorted[1] ?? sorted[0],
    atNext: counts[1] ?? 0,
  };
}

/** Counts how often each value occurs, by a hash table. */
export class ValueCounts {
  values = 0;
  low = Number.POSITIVE_INFINITY;
  high = Number.NEGATIVE_INFINITY;
  whole = true;
  /** Whether there are more different values than are counted. */
  isFull = false;
  private readonly keys = new Float32Array(2 * COUNTED);
  private readonly found = new Float64Array(2 * COUNTED);
  private used = 0;

  add(values: Float32Array, length: number): void {
    this.values += length;
    const { keys, found } = this;
    const bits = new Int32Array(values.buffer, values.byteOffset, length);
    for (let index = 0; index < length; index++) {
      const value = values[index];
      let slot = Math.imul(bits[index], 0x9e3779b1) >>> 19;
      while (found[slot] > 0 && keys[slot] !== value) slot = (slot + 1) % (2 * COUNTED);
      if (found[slot]++ === 0) {
        if (value < this.low) this.low = value;
        if (value > this.high) this.high = value;
        this.whole &&= Number.isInteger(value);
        keys[slot] = value;
        // The table stays half empty.
        if (++this.used > COUNTED) {
          this.isFull = true;
          found.fill(0);
          this.used = 0;
        }
      }
    }
  }

  /** The different values, sorted, and how often each occurs. */
  counts(): readonly [Float32Array, Float64Array] {
    const { keys, found } = this;
    const slots = Array.from(keys.keys()).filter((slot) => found[slot] > 0);
    slots.sort((one, other) => keys[one] - keys[other]);
    return [Float32Array.from(slots, (slot) => keys[slot]), Float64Array.from(slots, (slot) => found[slot])];
  }
}

/** Every so many of the values, so that not too many must be sorted. */
function partOf(parts: () => Parts, all: number): Float32Array {
  const step = Math.ceil(all / SORTED);
  const some = new Float32Array(Math.ceil(all / step));
  let at = 0;
  let next = 0;
  for (const { ratings, length } of parts()) {
    for (; next < length; next += step) some[at++] = ratings[next];
    next -= length;
  }
  return some.subarray(0, at);
}

function countsOfSorted(values: Float32Array): readonly [Float32Array, Float64Array] {
  const sorted = values.sort();
  const distinct = sorted.filter((value, index) => index === 0 || value !== sorted[index - 1]);
  const counts = new Float64Array(distinct.length);
  let at = 0;
  for (const value of sorted) {
    if (value !== distinct[at]) at++;
    counts[at]++;
  }
  return [distinct, counts];
}

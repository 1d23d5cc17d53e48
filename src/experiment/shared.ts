import { Ratings, type RatingsParts } from '../data/dataset/ratings.ts';
import type { Rows } from '../data/dataset/rows.ts';
import type { Split } from '../data/dataset/split.ts';

/** A fold as it is sent between threads, without classes. */
export interface SharedFold {
  readonly train: SharedRatings;
  readonly valid: SharedRatings;
}

type SharedRatings = RatingsParts & Rows;

/** Copies ratings to shared memory, without times, which training does not use. */
export const shared = ({ train, valid }: Split): SharedFold => ({
  train: sharing(train),
  valid: sharing(valid),
});

/** Copies ratings to memory of this thread, because hashes and ONNX Runtime do not accept shared memory. */
export const owned = ({ train, valid }: SharedFold): Split => ({
  train: owning(train),
  valid: owning(valid),
});

const sharing = (ratings: Ratings): SharedRatings =>
  withArrays(ratings, (array) => {
    const copy = new (array.constructor as new (memory: SharedArrayBuffer) => typeof array)(
      new SharedArrayBuffer(array.byteLength),
    );
    copy.set(array);
    return copy;
  });

const owning = (parts: SharedRatings): Ratings =>
  new Ratings(withArrays(parts, (array) => array.slice() as typeof array));

function withArrays(
  { times: _, users, items, ratings, ...rest }: SharedRatings,
  change: <Numbers extends Int32Array | Float32Array>(array: Numbers) => Numbers,
): SharedRatings {
  return { ...rest, users: change(users), items: change(items), ratings: change(ratings) };
}

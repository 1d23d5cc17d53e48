import { Ratings, type RatingsParts } from '../data/dataset/ratings.ts';
import type { Split } from '../data/dataset/split.ts';

/** Folds as they go from thread to thread, where classes do not. */
export interface SharedFold {
  readonly train: RatingsParts;
  readonly valid: RatingsParts;
}

/** The same ratings in memory that threads share; without times, which no training takes. */
export const shared = ({ train, valid }: Split): SharedFold => ({
  train: sharing(train),
  valid: sharing(valid),
});

/** The same ratings in memory of this thread: shared memory is neither hashed nor given to ONNX Runtime. */
export const owned = ({ train, valid }: SharedFold): Split => ({
  train: owning(train),
  valid: owning(valid),
});

const sharing = (ratings: Ratings): RatingsParts =>
  withArrays(ratings, (array) => {
    const copy = new (array.constructor as new (memory: SharedArrayBuffer) => typeof array)(
      new SharedArrayBuffer(array.byteLength),
    );
    copy.set(array);
    return copy;
  });

const owning = (parts: RatingsParts): Ratings =>
  new Ratings(withArrays(parts, (array) => array.slice() as typeof array));

function withArrays(
  { times: _, users, items, ratings, ...rest }: RatingsParts,
  change: <Numbers extends Int32Array | Float32Array>(array: Numbers) => Numbers,
): RatingsParts {
  return { ...rest, users: change(users), items: change(items), ratings: change(ratings) };
}

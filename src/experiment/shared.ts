import type { Ratings } from '../data/dataset/ratings.ts';

/** The same ratings in memory that threads share; without times, which no training takes. */
export const shared = (ratings: Ratings): Ratings =>
  withArrays(ratings, (array) => {
    const copy = new (array.constructor as new (memory: SharedArrayBuffer) => typeof array)(
      new SharedArrayBuffer(array.byteLength),
    );
    copy.set(array);
    return copy;
  });

/** The same ratings in memory of this thread: shared memory is neither hashed nor given to ONNX Runtime. */
export const owned = (ratings: Ratings): Ratings =>
  withArrays(ratings, (array) => array.slice() as typeof array);

function withArrays(
  ratings: Ratings,
  change: <Numbers extends Int32Array | Float32Array>(array: Numbers) => Numbers,
): Ratings {
  const { times: _, users, items, ratings: values, ...rest } = ratings;
  return { ...rest, users: change(users), items: change(items), ratings: change(values) };
}

/** Ratings with row numbers in place of ids: three parallel arrays. */
export interface Rows {
  readonly users: Int32Array;
  readonly items: Int32Array;
  readonly ratings: Float32Array;
}

export const emptyRows = (count: number): Rows => ({
  users: new Int32Array(count),
  items: new Int32Array(count),
  ratings: new Float32Array(count),
});

/** For each user, the indices of the user's ratings, in order. */
export function* indicesByUser(users: Int32Array, userCount: number): Generator<Int32Array> {
  const starts = new Int32Array(userCount + 1);
  for (const user of users) starts[user + 1]++;
  for (let user = 0; user < userCount; user++) starts[user + 1] += starts[user];
  const next = starts.slice();
  const indices = new Int32Array(users.length);
  users.forEach((user, index) => {
    indices[next[user]++] = index;
  });
  for (let user = 0; user < userCount; user++) yield indices.subarray(starts[user], starts[user + 1]);
}

export function rangeOf(numbers: Float32Array | Float64Array): { low: number; high: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const number of numbers) {
    if (number < low) low = number;
    if (number > high) high = number;
  }
  return { low, high };
}

/** A sum below this part of its largest addend is 0: 0.1 + 0.6 - 0.7 is only rounding. */
const ROUNDING = 1e-6;

/** A sum of strengths in double precision, so that the order of addition does not matter. @param largest of the addends */
export const totalOf = (sum: number, largest: number): number =>
  Math.abs(sum) < ROUNDING * largest ? 0 : sum;

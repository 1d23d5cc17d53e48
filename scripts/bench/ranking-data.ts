import { generator, normals, type RandomGenerator, uniform } from '../../src/util/random.ts';

export interface Pairs {
  /** The items of user u are from starts[u] to before starts[u + 1]. */
  readonly starts: Int32Array;
  readonly items: Int32Array;
}

export interface MadeUp {
  readonly users: number;
  readonly items: number;
  readonly train: Pairs;
  readonly heldOut: Pairs;
}

/** Number of hidden factors, and how much they say. */
const FACTORS = 8;
const STRENGTH = 1.5;
/** The score at which a user takes every item that comes up. */
const ENOUGH = 3;
const HELD_OUT = 0.2;

/**
 * Which users have which items, by hidden factors: users are active to a log-normal degree, items come up by a power law of
 * popularity, and a user takes what fits. A fifth is held out.
 *
 * @param pairs about how many there are for training
 */
export function madeUpPairs(users: number, items: number, pairs: number): MadeUp {
  const random = generator(1, -11);
  const spread = FACTORS ** -0.25;
  const [userFactors, itemFactors] = [users, items].map((rows) => normals(rows * FACTORS, spread, random));
  const draw = drawer(items, random);
  const activity = normals(users, 0.9, random).map(Math.exp);
  const mean = activity.reduce((sum, one) => sum + one, 0) / users;
  const takenBy = new Int32Array(items).fill(-1);
  const found = [0, 1].map(() => ({ starts: new Int32Array(users + 1), items: [] as number[] }));
  for (let user = 0; user < users; user++) {
    const expected = ((activity[user] / mean) * pairs) / users / (1 - HELD_OUT);
    const count = Math.min(items / 5, Math.max(3, Math.round(expected)));
    for (let taken = 0, tries = 0; taken < count && tries < 300 * count; tries++) {
      const item = draw();
      if (takenBy[item] === user) continue;
      let score = 0;
      for (let factor = 0; factor < FACTORS; factor++)
        score += userFactors[user * FACTORS + factor] * itemFactors[item * FACTORS + factor];
      if (uniform(random) > Math.exp(STRENGTH * score - ENOUGH)) continue;
      takenBy[item] = user;
      taken++;
      found[uniform(random) < HELD_OUT ? 1 : 0].items.push(item);
    }
    for (const part of found) part.starts[user + 1] = part.items.length;
  }
  const [train, heldOut] = found.map(({ starts, items }) => ({ starts, items: Int32Array.from(items) }));
  return { users, items, train, heldOut };
}

/** Draws items by popularity, (rank + 20)^−0.8. */
function drawer(items: number, random: RandomGenerator): () => number {
  const cumulative = new Float64Array(items);
  let sum = 0;
  for (let item = 0; item < items; item++) cumulative[item] = sum += (item + 20) ** -0.8;
  return () => {
    const wanted = uniform(random) * sum;
    let [low, high] = [0, items - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle] <= wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

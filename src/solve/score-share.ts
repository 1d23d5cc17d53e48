import type { ItemLists } from './sparse.ts';

/** Number of users whose scores are compared. */
const USERS = 128;

/** How well kept weights give the scores of all weights. */
export interface ScoreShare {
  /**
   * Takes the weights of an item into account.
   *
   * @param weights of the item to all items
   * @param kept the first `count` of `neighbors` have the kept ones of them
   */
  add(item: number, weights: Float32Array, kept: { neighbors: Int32Array; count: number }): void;
  /** 1 less the squared error of the scores by the squared scores, of items that the users do not have: 1 at best. */
  share(): number;
}

/** Compares scores of some users. */
export function scoreShare({ starts, items }: ItemLists, count: number): ScoreShare {
  const several: number[] = [];
  for (let user = 0; user + 1 < starts.length; user++)
    if (starts[user + 1] - starts[user] > 1) several.push(user);
  const step = Math.max(1, several.length / USERS);
  const users = Array.from(
    { length: Math.min(USERS, several.length) },
    (_, at) => several[Math.floor(at * step)],
  );
  const having: number[][] = Array.from({ length: count }, () => []);
  const owned = (user: number): Int32Array => items.subarray(starts[user], starts[user + 1]);
  for (const [place, user] of users.entries()) for (const item of owned(user)) having[item].push(place);
  const scores = new Float32Array(users.length * count);
  const errors = new Float32Array(users.length * count);
  return {
    add(item, weights, kept) {
      for (const place of having[item]) {
        for (let other = 0, at = place * count; other < count; other++, at++) {
          scores[at] += weights[other];
          errors[at] += weights[other];
        }
        for (let at = 0; at < kept.count; at++) {
          const other = kept.neighbors[at];
          errors[place * count + other] -= weights[other];
        }
      }
    },
    share() {
      for (const [place, user] of users.entries())
        for (const item of owned(user)) {
          scores[place * count + item] = 0;
          errors[place * count + item] = 0;
        }
      const squared = (values: Float32Array): number => values.reduce((sum, value) => sum + value * value, 0);
      return 1 - squared(errors) / squared(scores);
    },
  };
}
